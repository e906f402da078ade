from sslmepr import labels


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
