import pandas as pd

from sslmepr import labels
from sslmepr.labels import ANY, FUSED, Model, select


def test_targets_keep_the_order_of_the_vocabulary():
    assert labels.TARGETS["emotion"] == (
        *("neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise"),
    )
    assert labels.TARGETS["personality"] == (
        "openness",
        "conscientiousness",
        "extraversion",
        "agreeableness",
        "emotional_stability",
    )
    assert tuple(labels.TARGETS) == labels.TASKS


def test_neutral_is_an_emotion_that_is_not_scored():
    assert "neutral" not in labels.SCORED_EMOTIONS
    assert {"neutral", *labels.SCORED_EMOTIONS} == set(labels.EMOTIONS)
    assert len(labels.SCORED_EMOTIONS) == 6


def test_columns_are_targets_with_a_prefix_in_the_same_order():
    prefix = {"emotion": "emotion_", "personality": "trait_"}
    for task, targets in labels.TARGETS.items():
        expected = tuple(prefix[task] + target for target in targets)
        assert labels.TARGET_COLUMNS[task] == expected
    assert labels.EMOTION_COLUMNS == labels.TARGET_COLUMNS["emotion"]
    assert labels.TRAIT_COLUMNS == labels.TARGET_COLUMNS["personality"]


def test_no_name_is_used_twice():
    names = (*labels.EMOTIONS, *labels.TRAITS, *labels.MODALITIES, *labels.SPLITS)
    assert len(set(names)) == len(names)
    assert labels.VISUAL_MODALITIES == ("face", "body", "scene")


def test_a_model_is_called_by_what_tells_it_from_others_of_its_stage():
    assert Model("fusion", FUSED, "face-crosstask").name == "face-crosstask"
    assert Model("stacking", FUSED).name == "stacking"
    assert Model("crosstask", "face").name == Model("linear", "face").name == "face"
    assert Model("baseline", ANY).name == "baseline"


def test_rows_are_selected_by_all_values():
    table = pd.DataFrame({"stage": ["a", "a", "b"], "variant": ["x", "y", "x"]})
    assert select(table, stage="a", variant="x").index.tolist() == [0]
    assert select(table, stage="c").empty and len(select(table)) == 3
