from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sslmepr.app.scores import COLUMNS, score_sections, score_table, sentences
from sslmepr.labels import (
    EMOTION_COLUMNS,
    EMOTIONS,
    TARGETS,
    TRAIT_COLUMNS,
    TRAITS,
)
from sslmepr.statistics.conformal import ABSENT, EITHER, PRESENT


@pytest.fixture
def row():
    columns = {f"emotion_{name}_set": PRESENT for name in EMOTIONS[1:]}
    return pd.Series(columns | {"emotions": "anger, fear", "missing": ""})


@pytest.fixture
def scores():
    table = pd.DataFrame(np.nan, index=[*EMOTIONS, *TRAITS], columns=COLUMNS)
    table["score"] = 0.5
    table.loc[list(TRAITS), ["low", "high"]] = [0.4, 0.6]
    return table


def test_emotions_that_reach_their_thresholds_are_named(row, scores):
    scores.loc["fear", "score"] = 0.754
    first, *_ = sentences(row, scores)
    assert first == "The person appears to show anger (0.50) and fear (0.75)."
    row["emotion_fear_set"] = EITHER
    assert sentences(row, scores)[:2] == [
        "The person appears to show anger (0.50).",
        "At or above the threshold, though absence cannot be excluded: fear (0.75).",
    ]
    row["emotion_anger_set"] = ABSENT
    first, *_ = sentences(row, scores)
    assert first.endswith("excluded: anger (0.50) and fear (0.75).")


def test_nobody_is_called_neutral_whose_emotions_cannot_be_excluded(row, scores):
    row["emotions"] = "neutral"
    for name in EMOTIONS[1:]:
        row[f"emotion_{name}_set"] = ABSENT
    none = "None of the six emotions reaches its threshold"
    assert sentences(row, scores)[0] == f"{none}: the person appears neutral."
    row["emotion_fear_set"], row["emotion_anger_set"] = EITHER, PRESENT
    first, *_ = sentences(row, scores)
    assert first == f"{none}, but the models cannot exclude anger and fear."


def test_what_may_be_either_is_marked_and_nothing_else():
    both = [*EMOTION_COLUMNS, *TRAIT_COLUMNS]
    row = pd.Series(dict.fromkeys(both, 0.5) | {"emotion_fear_set": EITHER})
    row["emotion_anger_set"] = PRESENT
    models = SimpleNamespace(tasks=list(TARGETS), thresholds=np.full(6, 0.4))
    table = score_table(row, models, None, None, {})
    assert table.index[table["open"].notna()].tolist() == ["fear"]
    assert table["reference"].tolist()[:2] == [pytest.approx(np.nan, nan_ok=True), 0.4]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (0.39, ["above the average training clip in openness and agreeableness"]),
        (0.61, ["below the average training clip in openness and agreeableness"]),
        (0.40, ["In no trait does the interval exclude the average training clip"]),
        (np.nan, []),
    ],
)
def test_traits_are_named_where_the_interval_excludes_the_average(
    row, scores, reference, expected
):
    scores.loc[["openness", "agreeableness"], "reference"] = reference
    _, *said, last = sentences(row, scores)
    assert len(said) == len(expected)
    assert all(text in each for text, each in zip(expected, said, strict=True))
    assert last == "Everything that the models use was found."


def test_both_sides_and_what_was_missing(row, scores):
    scores.loc["openness", "reference"] = 0.1
    scores.loc["extraversion", "reference"] = 0.9
    row["missing"] = "audio: <none>"
    _, above, below, missing = sentences(row, scores)
    assert above.endswith("in openness.") and below.endswith("in extraversion.")
    assert missing == "Missing: audio: <none>. The scores rest on what is left."
    page = "".join(content for _, content, _ in score_sections(row, scores))
    assert "audio: &lt;none&gt;" in page
    # Traits have intervals and emotions sets, and no text says otherwise.
    assert "Scores from 0 to 1, those of traits with intervals" in page
    assert "emotions have sets in place of intervals" in page
    emotions = score_sections(row, scores.loc[list(EMOTIONS)])[1][1]
    assert "Scores from 0 to 1</caption>" in emotions


def test_a_study_of_traits_alone_says_nothing_of_emotions(scores):
    row = pd.Series({"missing": ""})
    assert sentences(row, scores.loc[list(TRAITS)]) == [
        "Everything that the models use was found."
    ]
