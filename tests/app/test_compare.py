import numpy as np
import pandas as pd
import pytest

from sslmepr.app.compare import comparable, comparison, pair_table

NAMES = ["anger", "happiness", "openness"]


@pytest.fixture
def scores():
    return pd.DataFrame({"score": [0.9, 0.5, 0.4]}, index=NAMES)


@pytest.fixture
def errors():
    return pd.DataFrame({"difference": [0.3, 0.3, 0.3], "error": 0.2}, index=NAMES)


def recording(variant="multitask", missing="", **scores):
    table = pd.DataFrame({"score": scores})
    return comparable(pd.Series({"missing": missing}), table, variant)


def test_only_what_exceeds_the_usual_error_of_a_difference_is_larger(scores, errors):
    kept = {"anger": 0.5, "happiness": 0.75, "openness": 0.71}
    pairs = pair_table(kept, scores["score"], errors)
    np.testing.assert_allclose(pairs["difference"], [0.4, -0.25, -0.31])
    assert pairs["larger"].tolist() == [True, False, True]
    assert not pair_table(kept, scores["score"], None)["larger"].any()
    assert not pair_table({"anger": 0.0}, scores["score"], errors)["larger"][1:].any()


def text(kept, scores, errors, **now):
    current = recording(**(now | scores["score"].to_dict()))
    return comparison(kept, current, scores, errors)


def test_differences_are_told_without_an_order(scores, errors):
    kept = recording(missing="audio: no audio <stream>", anger=0.1, happiness=0.5)
    name, content, people = text(kept, scores, errors)
    assert name == "comparison" and not people
    assert "between clips of two people: anger." in content
    assert "Missing in A: audio: no audio &lt;stream&gt;." in content
    assert "ranks nobody" in content and "0.100" in content and "0.800" in content
    for word in ("higher", "lower", "winner", "more ", "less "):
        assert word not in content.split("<svg")[0]


def test_recordings_may_not_be_told_apart(scores, errors):
    _, content, _ = text(recording(**scores["score"]), scores, errors)
    assert "cannot be told apart" in content
    _, content, _ = text(recording(anger=0.0), scores, None)
    assert "no difference is marked" in content and "was not measured" in content


def test_scores_of_two_models_are_not_compared(scores, errors):
    _, content, _ = text(recording("late_fusion", anger=0.1), scores, errors)
    assert "cannot be compared" in content and "<table" not in content
