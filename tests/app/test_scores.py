import numpy as np
import pandas as pd
import pytest

from sslmepr.app.scores import COLUMNS, score_sections, sentences
from sslmepr.labels import EMOTIONS, TRAITS


@pytest.fixture
def row():
    columns = {f"emotion_{name}_set": "may be either" for name in EMOTIONS}
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
    row["emotions"] = "neutral"
    assert "None of the six emotions reaches" in sentences(row, scores)[0]


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


def test_a_study_of_traits_alone_says_nothing_of_emotions(scores):
    row = pd.Series({"missing": ""})
    assert sentences(row, scores.loc[list(TRAITS)]) == [
        "Everything that the models use was found."
    ]
