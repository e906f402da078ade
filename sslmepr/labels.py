"""Names and order of targets, modalities, tasks, encoders and models.

Every array with an emotion, trait or modality axis follows the order given here, and
every table spells its columns as they are given here.
"""

from typing import NamedTuple

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
"""The Big Five, with neuroticism reversed: high scores mean emotional stability."""

MODALITIES = ("face", "body", "scene", "audio", "text")
VISUAL_MODALITIES = MODALITIES[:3]

TASKS = ("emotion", "personality")
TARGETS = {"emotion": EMOTIONS, "personality": TRAITS}
"""Task name to the targets it predicts, in order."""

SPLITS = ("train", "dev", "test")

ENCODERS = {
    "image": {"efficientnet_lite0": 1328, "clip_vit_b32": 512},
    "speech": {"whisper_tiny_en": 384, "egemaps": 25, "wav2vec2_emotion": 1024},
    "text": {"minilm_l6": 384, "minilm_l6_whole": 384, "bge_small_en": 384},
}
"""Kind of encoder, then encoder name to its own number of features per step."""

QUALITY = {
    "image": ("luminance", "contrast", "sharpness", "plain"),
    "speech": ("noise_floor", "range", "flatness"),
    "text": ("continuing",),
    "table": ("certainty",),
}
"""Kind of encoder to the measures of quality behind its features, in order; see
`sslmepr.encoders.quality` and, for tables, `sslmepr.corpora.feature_tables`."""

TABLE_TOOLS = ("openface", "pyfeat", "opensmile", "librosa", "table")
"""Tools whose tables of features can stand in the place of an encoder; ``table`` is any
other."""

VOICE_DESCRIPTORS = (
    "chroma_stft",
    "rmse",
    "spectral_centroid",
    "spectral_bandwidth",
    "rolloff",
    "zero_crossing_rate",
    *(f"mfcc{place}" for place in range(1, 21)),
)
"""What librosa measures of a voice, as the published table of First Impressions names
it; `sslmepr.encoders.voice` measures the same of any recording."""

SENTENCES = "+sentences"
"""Behind the revision of a text encoder whose steps are means over sentences, where a
modality was described in words."""

FEATURE_COUNTS = {
    name: n + len(QUALITY[kind])
    for kind, encoders in ENCODERS.items()
    for name, n in encoders.items()
}
"""Encoder name to the number of features per step in a store, measures included."""

MODEL_COMPONENTS = (
    "graph_attention",
    "task_query",
    "predict_projector",
    "guide_bank",
    "co_training",
    "product_of_experts",
    "contrary_words",
    "expressiveness",
    "second_forms",
    "factor_model",
)
"""Optional parts of the fusion network, see :mod:`sslmepr.models.fusion`."""

PARTS = {"contrary_words": "product_of_experts", "expressiveness": "product_of_experts"}
"""Component to the one that it is a part of."""

OURS = (
    "co_training",
    "product_of_experts",
    "contrary_words",
    "expressiveness",
    "second_forms",
    "factor_model",
)
"""Components that the published network does not have."""

COMPONENTS = (*MODEL_COMPONENTS, "semi_supervised", "gradnorm")
"""Optional parts of the fusion stage: those of the network and of its training."""

MEASURES = {
    name: QUALITY[kind]
    for kind, encoders in (*ENCODERS.items(), ("table", TABLE_TOOLS))
    for name in encoders
}
"""Encoder or tool to the measures of quality that its last features are, in order."""

QUALITY_COUNTS = {name: len(measures) for name, measures in MEASURES.items()}
"""Encoder or tool to how many of the last features of a store are measures of
quality."""

EMOTION_COLUMNS = tuple(f"emotion_{name}" for name in EMOTIONS)
TRAIT_COLUMNS = tuple(f"trait_{name}" for name in TRAITS)
TARGET_COLUMNS = {"emotion": EMOTION_COLUMNS, "personality": TRAIT_COLUMNS}
"""Task name to the clip-table columns that hold its labels, in order."""

FUSED = "fused"
"""Stands for all modalities in the column ``modality``."""

ANY = "any"
"""Stands for a modality or variant where a model has none."""


class Model(NamedTuple):
    """Identity of a model in tables of predictions and metrics, one column per field.

    Attributes
    ----------
    stage : str
        ``baseline``, ``linear`` (regression that stage 1 corrects), ``unimodal``,
        ``crosstask``, ``stacking`` (late fusion, which stage 3 corrects) or ``fusion``.
    modality : str
        `FUSED` in stacking and fusion, `ANY` for the baseline.
    variant : str
        Of the fusion model; `ANY` in the stages before it.
    """

    stage: str
    modality: str = FUSED
    variant: str = ANY

    @property
    def name(self) -> str:
        """Name of the model among those of its stage."""
        if self.variant != ANY:
            return self.variant
        return self.stage if self.modality in (FUSED, ANY) else self.modality


def select(table, **values: str):
    """The rows of a DataFrame whose columns have these values."""
    for column, value in values.items():
        table = table[table[column] == value]
    return table
