import numpy as np
import pandas as pd
import pytest

from sslmepr.association.sources import (
    BOTH_PREDICTED,
    DISJOINT,
    PREDICTED_EMOTION,
    PREDICTED_TRAIT,
    SOURCES,
    available_sources,
    sides,
)


@pytest.mark.parametrize(
    ("with_emotions", "with_traits", "expected"),
    [
        (True, True, list(SOURCES)),
        (True, False, [PREDICTED_TRAIT, BOTH_PREDICTED]),
        (False, True, [PREDICTED_EMOTION, BOTH_PREDICTED]),
        (False, False, [BOTH_PREDICTED]),
    ],
)
def test_labels_decide_which_sources_there_are(with_emotions, with_traits, expected):
    known = {"anger": with_emotions, "fear": False, "openness": with_traits}
    rows = [(name, 0.5 if label else np.nan) for name, label in known.items()]
    assert available_sources(pd.DataFrame(rows, columns=["target", "true"])) == expected


def test_a_source_names_the_side_of_the_emotion_first():
    assert sides(PREDICTED_EMOTION) == ("predicted", "true")
    assert sides(PREDICTED_TRAIT) == ("true", "predicted")
    with pytest.raises(ValueError, match="'disjoint_modalities' is none of predicted"):
        sides(DISJOINT)
