from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from sslmepr.association.self_reports import (
    pooled_reports,
    read_directions,
    read_self_reports,
    shown_reports,
)

BOOK = Path(__file__).parents[2] / "book"
REPORTS = read_self_reports(BOOK / "self_reports.csv")
DIRECTIONS = read_directions(BOOK / "directions.csv")


def test_self_reports_carry_fisher_intervals_and_sources_of_the_book():
    half = stats.norm.ppf(0.975) / np.sqrt(REPORTS["n"] - 3)
    z = np.arctanh(REPORTS["r"])
    np.testing.assert_allclose(REPORTS["low"], np.tanh(z - half), atol=6e-4)
    np.testing.assert_allclose(REPORTS["high"], np.tanh(z + half), atol=6e-4)
    library = (BOOK / "references.bib").read_text(encoding="utf-8")
    for source in REPORTS["source"].unique():
        assert f"{{{source}," in library
    assert not REPORTS.duplicated(["measure", "trait"]).any()
    assert set(REPORTS["kind"]) == {"trait", "state"}


def test_neuroticism_is_flipped():
    stable = REPORTS[REPORTS["trait"] == "emotional_stability"].set_index("measure")
    assert stable.loc["Depression (N3)", "r"] == -0.75
    assert stable.loc["happy", "r"] == 0.25
    flipped = DIRECTIONS.set_index(["emotion", "trait"])["sign"]
    assert flipped["fear", "emotional_stability"] == -1
    assert flipped["happiness", "emotional_stability"] == 1


def test_directions_are_those_that_were_written_down():
    directed = DIRECTIONS[DIRECTIONS["sign"] != 0]
    assert directed.groupby("emotion").size().to_dict() == {
        "anger": 2,
        "disgust": 2,
        "fear": 2,
        "happiness": 4,
        "sadness": 3,
    }
    assert set(DIRECTIONS.loc[DIRECTIONS["sign"] == 0, "emotion"]) == {"surprise"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("joy,openness,1,", "joy x openness is no cell"),
        ("anger,openness,1,\nanger,openness,1,", "a cell is duplicated"),
        ("anger,openness,2,", "sign must be -1, 0 or 1"),
    ],
)
def test_directions_that_are_wrong_are_refused(tmp_path, content, message):
    path = tmp_path / "directions.csv"
    path.write_text(f"emotion,trait,sign,note\n{content}\n")
    with pytest.raises(ValueError, match=message):
        read_directions(path)


def test_self_reports_that_are_wrong_are_refused(tmp_path):
    path = tmp_path / "reports.csv"
    REPORTS.assign(r=0.9).to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"r of Positive Emotions .* lies outside"):
        read_self_reports(path)
    REPORTS.assign(trait="neuroticism").to_csv(path, index=False)
    with pytest.raises(ValueError, match="happiness x neuroticism is no cell"):
        read_self_reports(path)


def test_measures_are_averaged_on_fishers_scale():
    pooled = pooled_reports(REPORTS[REPORTS["source"] == "rafaeli2006"])
    happy = pooled.set_index(["emotion", "trait"]).loc["happiness", "extraversion"]
    expected = np.tanh((np.arctanh(0.12) + np.arctanh(0.13)) / 2)
    assert happy["r"] == pytest.approx(expected)
    assert happy["error"] == pytest.approx(1 / np.sqrt(2041 - 3))
    shown = shown_reports(REPORTS, 0.95)
    assert not shown.duplicated(["source", "kind", "emotion", "trait"]).any()
    assert len(shown) == 20 + 10 + 5 + 12
    # A pair of a single measure has the interval of the file.
    pair = (shown["emotion"] == "happiness") & (shown["trait"] == "openness")
    only = shown[pair & (shown["source"] == "costa1992")].iloc[0]
    assert (only["low"].round(3), only["high"].round(3)) == (0.294, 0.403)
