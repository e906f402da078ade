"""Names, order and ranges of everything that is predicted, said once.

Every array with an emotion, trait or modality axis follows the order given here, and
every table spells its columns through the two helpers at the end.
"""

EMOTIONS = (
    "neutral",
    "anger",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
)
"""Seven emotions; ``neutral`` means that none of the other six is present."""

SCORED_EMOTIONS = EMOTIONS[1:]
"""The six emotions that metrics and associations are about."""

TRAITS = (
    "openness",
    "conscientiousness",
    "extraversion",
    "agreeableness",
    "emotional_stability",
)
"""The Big Five, with neuroticism turned round so that high is stable."""

MODALITIES = ("face", "body", "scene", "audio", "text")
VISUAL_MODALITIES = MODALITIES[:3]

TASKS = ("emotion", "personality")
TARGETS = {"emotion": EMOTIONS, "personality": TRAITS}
"""Task name to the targets it predicts, in order."""

SPLITS = ("train", "dev", "test")

EMOTION_COLUMNS = tuple(f"emotion_{name}" for name in EMOTIONS)
TRAIT_COLUMNS = tuple(f"trait_{name}" for name in TRAITS)
TARGET_COLUMNS = {"emotion": EMOTION_COLUMNS, "personality": TRAIT_COLUMNS}
"""Task name to the clip-table columns that hold its labels, in order."""
