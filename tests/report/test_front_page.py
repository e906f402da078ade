"""Sentences of the front page against numbers computed again from the same tables."""

import re
from pathlib import Path
from statistics import median

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslmepr.association.sources import CROSS
from sslmepr.report import front_page
from sslmepr.report.recorded_verdicts import CHECKS_FILE, contradictions

ROOT = Path(__file__).parents[2]
SHARE = st.floats(0, 1)


def numbers(text):
    """Every number of a sentence, in order."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    return [float(each) for each in re.findall(r"\d*\.?\d+", text)]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_pairs_are_counted_by_what_was_planted(pairs):
    cells = pd.DataFrame(pairs, columns=["planted", "significant"])
    cells = cells.assign(
        planted=0.3 * cells["planted"],
        rated=0.4 * cells["planted"],
        recovered=-0.25,
        emotion="fear",
        trait="emotional_stability",
    )
    agreement = pd.DataFrame(
        [("slope", 0.5, -0.25, 1.25)], columns=["metric", "estimate", "low", "high"]
    )
    (told,) = front_page.found(cells, agreement)
    there = [called for planted, called in pairs if planted]
    empty = [called for planted, called in pairs if not planted]
    counts = [sum(there), len(there), sum(empty), len(empty)]
    named = min(sum(there + empty), front_page.NAMED)
    values = numbers(told)
    assert values[:4] == counts and values[-3:] == [0.5, 0.25, 1.25]
    assert len(values) == 7 + 2 * named
    assert told.count("fear with emotional stability (−.25 where the truth is") == named
    assert "[−.25, 1.25] times the correlation of the labels" in told


def test_what_halo_alone_makes_of_labels_is_told():
    cells = pd.DataFrame({"planted": [0.3, 0.0], "rated": [0.4, -0.15]})
    cells = cells.assign(significant=False, recovered=0.1)
    agreement = pd.DataFrame(
        [("slope", 0.5, 0.2, 0.7)], columns=["metric", "estimate", "low", "high"]
    )
    (told,) = front_page.found(cells, agreement)
    assert "0 of the 1 others, whose labels correlate by up to .15 through" in told


@given(
    st.lists(st.booleans(), max_size=30),
    st.lists(st.tuples(SHARE, st.integers(1, 500)), min_size=1, max_size=9),
)
def test_false_alarms_are_those_of_worlds_without_associations(called, kinds):
    cells = pd.DataFrame({"significant": pd.Series(called, dtype=bool)})
    cells = cells.assign(low=-0.25, high=0.5)
    rows = [(CROSS, "familywise_error", 0.0, *kind) for kind in kinds]
    rows += [
        (CROSS, "familywise_error", 0.3, 2.0, 7),
        (CROSS, "largest_t_error", 0.0, 3.0, 7),
        ("other", "familywise_error", 0.0, 4.0, 7),
    ]
    columns = ["source", "metric", "strength", "estimate", "worlds"]
    drawn = pd.DataFrame(rows, columns=columns).assign(condition="a kind")
    (told,) = front_page.nothing_there(cells, drawn, 0.05)
    expected = [sum(called), len(called), 0.38] if called else []
    shares = [share for share, _ in kinds]
    expected += [sum(worlds for _, worlds in kinds), len(kinds)]
    expected += [100 * median(shares), 100 * max(shares), 5]
    assert numbers(told) == pytest.approx(expected, abs=0.51)
    (alone,) = front_page.nothing_there(cells, None, 0.05) or [""]
    assert numbers(alone) == expected[: 3 * bool(called)]


@given(st.lists(st.tuples(SHARE, SHARE, SHARE), min_size=1, max_size=30), SHARE)
def test_intervals_are_counted_world_by_world(values, share):
    columns = ["rated", "low", "high"]
    one = pd.DataFrame(values, columns=columns).assign(study="one", planted=0)
    other = pd.DataFrame([(0.5, 0.0, 1.0)], columns=columns)
    other = other.assign(study="other", planted=0)
    names = ["source", "metric", "estimate"]
    drawn = pd.DataFrame([(CROSS, "covers_planted", share)], columns=names)
    (told,) = front_page.intervals_held(pd.concat([one, other]), drawn)
    held = sum(low <= rated <= high for rated, low, high in values)
    expected = [95, held, len(values), 1, 1, 100 * share, 100 * share]
    assert numbers(told) == pytest.approx(expected, abs=0.51)
    assert " pairs and in the other world in 1 of 1 pairs" in told


ENDPOINTS = """direction,verdict,covered,n,n_speakers
positive,present,True,5000,3000
negative,undecided,True,5000,3000
none,absent,False,5000,3000
none,present,True,5000,3000
"""


def test_the_last_attempt_that_was_finished_is_told(tmp_path):
    assert front_page.confirmed(tmp_path) == []
    hashes = [digit * 64 for digit in "abc"]
    log = pd.DataFrame({"attempt": [1, 2, 3], "hash": hashes})
    log = log.assign(revision=["00a", "00b", "00c"])
    log.to_csv(tmp_path / "attempts.csv", index=False)
    assert front_page.confirmed(tmp_path) == []
    for digit, table in (("a", ""), ("b", ENDPOINTS)):
        (tmp_path / (12 * digit)).mkdir()
        (tmp_path / (12 * digit) / "endpoints.csv").write_text(table)
    (told,) = front_page.confirmed(tmp_path)
    assert "(attempt 2 of 3; 5,000 clips of 3,000 people)" in told
    assert "of 4 claims 2 came true" in told and "3 of 4 intervals" in told


@pytest.fixture
def simulated():
    folder = ROOT / "results" / "simulated"
    if not (folder / "validity" / "cells.csv").exists():
        pytest.skip("results of the default study are not on record")
    return folder


def test_the_page_of_the_record_answers_what_was_asked(simulated):
    told = front_page.front_page("simulated", 0.05, ROOT)
    heads = [re.match(r"\*\*(.*?)\*\*", each)[1] for each in told]
    assert len(heads) == 7
    cells = pd.read_csv(simulated / "validity" / "cells.csv")
    own = cells[cells["study"] == "simulated"]
    assert numbers(heads[1])[1] == (own["planted"] != 0).sum()
    assert sum(len(each.split()) for each in told) < 500  # on the first screen
    text = front_page.summary("simulated", 0.05, ROOT)
    assert text.count("\n- ") == 6
    assert "What may not be concluded" in text and "What it costs" in text
    assert max(map(len, text.splitlines())) <= 90


def test_behind_the_answers_stand_their_limits(simulated):
    told = front_page.limits("simulated", 0.05, ROOT)
    heads = [re.match(r"\*\*(.*?)\*\*", each)[1] for each in told]
    doubt = contradictions(pd.read_csv(simulated / "association" / CHECKS_FILE))
    assert [each.split()[0] for each in heads] == [
        *("It", "What", *["No"] * len(doubt), "Where", "Its", "In")
    ]
    assert "`" not in "".join(told)  # no hash of a commit


def test_hidden_scores_of_the_held_out_corpus_are_those_of_dev(simulated, tmp_path):
    for name in ("validity/cells", "validity/agreement", "evaluate/metrics"):
        target = tmp_path / "results" / "simulated" / f"{name}.csv"
        target.parent.mkdir(parents=True, exist_ok=True)
        table = pd.read_csv(simulated / f"{name}.csv")
        if "split" in table:
            table = table[table["split"] == "dev"]
        table.to_csv(target, index=False)
    told = front_page.front_page("simulated", 0.05, tmp_path)
    assert "on the dev split" in told[0]
    assert not any("drawn worlds" in each or "real people" in each for each in told)
