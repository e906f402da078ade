import pandas as pd
import pytest

from sslmepr.explanation.sentences import contribution_sentence, prediction_sentence

COLUMNS = ["clip_id", "target", "modality", "half", "attribution", "share"]
ROWS = [
    ("a", "happiness", "face", "emotion", 0.5, 0.5),
    ("a", "happiness", "face", "personality", 0.1, 0.1),
    ("a", "happiness", "audio", "emotion", 0.3, 0.3),
    ("a", "happiness", "body", "emotion", -0.1, 0.1),
]


def test_modalities_are_named_by_share_and_by_what_speaks_against():
    table = pd.DataFrame(ROWS, columns=COLUMNS)
    assert contribution_sentence(table, "happiness") == (
        "Happiness rests mostly on face (60 %) and audio (30 %), more on the emotional "
        "half; body speaks against it."
    )
    with pytest.raises(ValueError, match="fear: no contributions"):
        contribution_sentence(table, "fear")
    with pytest.raises(ValueError, match="several clips"):
        contribution_sentence(
            pd.concat([table, table.assign(clip_id="b")]), "happiness"
        )


def test_predictions_are_said():
    traits = {"openness": 0.4, "emotional_stability": 0.7}
    emotions = {"neutral": 0.9, "anger": 0.3, "fear": 0.2, "sadness": 0.6}
    # What is decided counts, whatever the probability: each emotion has its own limit.
    decided = {"neutral": False, "anger": True, "fear": True, "sadness": False}
    assert prediction_sentence(emotions, decided, traits) == (
        "The clip shows anger (0.30) and fear (0.20); among the traits the person "
        "appears highest in emotional stability and lowest in openness."
    )
    none = dict.fromkeys(emotions, False) | {"neutral": True}
    assert prediction_sentence(emotions, none, {}) == "The clip shows no emotion."
