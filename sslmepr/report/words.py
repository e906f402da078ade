"""Readers' words for internal names, in one place, for every table and figure."""

import re

from sslmepr.labels import COMPONENTS, EMOTIONS, FEATURE_COUNTS, MODALITIES, TRAITS

WORDS = {
    # models
    "fused": "all fused",
    "multitask": "default model",
    "emotion_only": "emotions only",
    "personality_only": "traits only",
    "task_query": "task queries",
    "co_training": "co-training",
    "semi_supervised": "self-training",
    "gradnorm": "GradNorm",
    "everything": "all published components",
    "both_tasks": "learning both tasks",
    # parts of the factor model
    "factor_classes": "classes of quality (factor model)",
    "factor_contrary": "contrary words (factor model)",
    "factor_forms": "two forms (factor model)",
    "factor_expressive": "expressiveness (factor model)",
    "factor_unlabelled": "clips without labels (factor model)",
    "linear": "linear probe",
    "svm": "support vector machine",
    "discriminant": "discriminant analysis",
    "joined": "network and discriminant analyses",
    "mamba": "Mamba-2",
    "transformer": "Transformer",
    "state_free": "published block (state-free)",
    "efficientnet_lite0": "EfficientNet-Lite0",
    "clip_vit_b32": "CLIP ViT-B/32",
    "whisper_tiny_en": "Whisper tiny.en",
    "egemaps": "eGeMAPS",
    "wav2vec2_emotion": "wav2vec 2.0, tuned on emotion",
    "minilm_l6": "MiniLM-L6",
    "minilm_l6_whole": "MiniLM-L6, whole texts",
    "bge_small_en": "BGE small",
    # whose tables of features can be read
    "openface": "OpenFace",
    "pyfeat": "py-feat",
    "opensmile": "openSMILE",
    "table": "a table of features",
    # metrics
    "WACC": "balanced accuracy",
    "mWACC": "balanced accuracy (mWACC)",
    "mF1": "F1, mean over emotions",
    "mUAR": "unweighted average recall, mean over emotions",
    "UAR": "unweighted average recall (UAR)",
    "UAR (8 classes)": "unweighted average recall, 8 classes",
    "UAR in folds": "unweighted average recall in folds",
    **{f"UAR above {name}": f"recall above {name} alone" for name in MODALITIES},
    **{f"above {name}": f"above {name} alone" for name in MODALITIES},
    "UAR on test speakers": "unweighted average recall on test speakers",
    "ACC": "1 − mean absolute error",
    "mACC": "1 − mean absolute error (mACC)",
    "CCC": "concordance (CCC)",
    "CCC pooled": "concordance, traits pooled",
    "CCC (pooled)": "concordance, traits pooled",
    "CCC (mean over traits)": "concordance, mean over traits",
    "own UAR": "UAR on own corpus",
    "own CCC": "CCC on own corpus",
    "other UAR": "UAR on other corpus",
    "other CCC": "CCC on other corpus",
    "confidence": "confidence on other corpus",
    "association r": "agreement of associations (r)",
    "correlation": "correlation with the truth",
    "slope": "slope on the truth",
    "rmse": "root-mean-square error",
    "sign_agreement": "sign as in truth",
    "false_positive_rate": "false-positive rate",
    "familywise_error": "something called",
    "covers_planted": "intervals that cover the planted value",
    "largest_t_error": "something called, by the largest |t|",
    "error_ratio": "standard error / deviation over worlds",
    "error_ratio_trimmed": "the same without the tenth of worlds with the largest ones",
    "error_ratio_median": "typical standard error / deviation over worlds",
    "dev_score": "score on dev",
    # kinds of intervals
    "expanded_percentile": "bootstrap over people",
    "cluster_t": "Student's t over people",
    "influence": "influence functions of people",
    "wilson": "Wilson's interval of a count",
    "fisher_z": "Fisher's z",
    # measures of quality
    "noise_floor": "noise floor",
    "range": "range of the level",
    "flatness": "spectral flatness",
    "continuing": "pieces that continue a word",
    # which side of an association is annotated
    "cross_source": "three sources",
    "prediction_powered": "with doubly labelled clips",
    "combined": "both combined",
    "scales_taken_as_1": "three sources, scales of scores taken as 1",
    "predicted_x_true": "predicted emotion × annotated trait",
    "true_x_predicted": "annotated emotion × predicted trait",
    "predicted_x_predicted": "predicted × predicted",
    "true_x_true": "annotated × annotated",
    # where self-reports come from
    "costa1992": "norms of the NEO PI-R",
    "rafaeli2006": "Rafaeli and Revelle (2006)",
    "revelle2025": "Revelle (2025)",
    "directions": "expected signs",
    # measurement
    "convergent": "same construct, other sensor",
    "heteromethod": "other construct, other sensor",
    "monomethod": "other construct, same modality",
    "exceeds": "comparisons won",
    "htmt": "HTMT",
    "below": "below the conventional .85",
    "ICC(2,1)": "one of them, ICC(2,1)",
    "ICC(2,k)": "their mean, ICC(2,k)",
    "icc": "ICC",
    "r2_marginal": "R², marginal",
    "r2_conditional": "R², conditional",
    "simpson": "Simpson's paradox",
    "person_reliability": "reliability of a person's mean",
    "shown": "of what clips show",
    "endpoint": "as an endpoint",
    "of_sign": "of the claimed sign",
    "p_median": "p of the median",
    "p_significant": "p of the share",
    # headings
    "against": "compared with",
    "clip_id": "clip",
    "numbers_per_step": "numbers a step",
    "mWACC, difference": "difference to others (mWACC)",
    "CCC, difference": "difference to others (CCC)",
    "mWACC, there": "to gain (mWACC)",
    "CCC, there": "to gain (CCC)",
    "cue_strength": "strength of cues",
    "n": "clips",
    "n_cells": "pairs",
    "n_speakers": "people or videos",
    "low": "lower end",
    "high": "upper end",
    "spread": "spread over seeds",
    "mean_correlation": "mean correlation of two traits",
    "explained_emotion": "explained variance of emotion",
    "explained_trait": "explained variance of trait",
    "width": "width of the bounds",
    "half_width": "half width",
    "guess_half_width": "half width around the training mean",
    "interval_width": "mean width of the interval",
    "coverage_present": "coverage where present",
    "coverage_absent": "coverage where absent",
    "sign_known": "pairs of known sign",
    "p_permutation": "p of the permutation test",
    "p_corrected": "corrected p",
    "p_family": "p for all cells together",
    "robustness": "robustness value",
    "follows": "correlated with",
    "sha256": "start of SHA-256",
    "blas": "linear algebra",
    "largest": "largest difference",
    "pruned": "given up",
    "hidden": "hidden width",
    "logistic": "logistic regression",
}
"""Name to its words, as they stand within a sentence."""

PLAIN = {
    *(*EMOTIONS, *TRAITS, *MODALITIES, "speech", "personality"),
    *"angry calm fearful happy sad surprised".split(),
    *(*COMPONENTS, *FEATURE_COUNTS, "as_published"),
    *("certainty", "kept", "columns", "unknown_ids", "librosa"),
    *"assumption expected sensors corpora labels holds fails".split(),
    *("conditions", "covariances", "emotion scores", "trait scores"),
    *"direction positive negative opposite none worlds condition".split(),
    *("F1", "macro F1", "weighted F1", "skill", "significant", "disjoint_modalities"),
    *("all of them", "signs", "pattern", "control", "complete"),
    *("simulated", "unrelated", "full_frame", "fusion", "train", "dev", "test"),
    *"corpus role source level modality channel metric target emotion".split(),
    *"trait traits pair pairs result variant model method stage task split".split(),
    *"study comparison reason what value kind clips speakers people frames".split(),
    *"transcript transcripts with_emotions with_traits missing steps".split(),
    "without_media",
    *"steps_per_second encoder estimate difference planted".split(),
    *"present absent rated component verdict added".split(),
    *"better worse equivalent undecided coverage".split(),
    *("no interval", "there to gain", "linear_fusion", "late_fusion"),
    *"construct other distinct specifications span choice mean raters".split(),
    *"ceiling pairs corpora modalities fit converged singular none".split(),
    *("not converged", "between people", "within a person"),
    *"luminance contrast sharpness plain measure median".split(),
    *"learned way_of_training seen words longest no_words language unsure".split(),
    *"too_short encoders_of_study hours_of_video processor_hours trial state".split(),
    *"epochs batch dropout learning_rate weight_decay promise tried right".split(),
    *"tests origin wheel licence megabytes package version tolerance".split(),
    *("training", "models", "simulation", "ideal_observer", "noise", "there", "hit"),
    *"numbers why runs unit bound met machine processor torch date commit".split(),
    *("compared", "outside", "by corpus", "by speaker", "network", "power"),
    *("scores", "probes", "networks", "penalty a tenth", "penalty ten times"),
    "corrected for few clips",
    *"reliability occlusion incongruence burst order moderation variants dose".split(),
    *("arm", "covered", "AUC", "best modality", "single-task", "whole method"),
    *("factor model", "studies"),
    *("network on all features", "as published", "as published, recalibrated"),
    *(
        "observer",
        "gain",
        "full observer",
        "nested observer",
        "late fusion",
        "mild world",
    ),
    *(f"hours_on_{count}" for count in (2, 32, 128)),
    *("on_record_now", "clips_are", "clips_of", "held out", "as they are"),
    *("r", "interval", "reference", "linear probe", "above linear fusion"),
    *("noted by observers", "predicted by the model", "p", "support vector machine"),
    "late fusion of kernel regressions",
    *("question", "case", "times this study", "clips to decide", "r [interval]"),
    "actors left out in turn",
    "detected / person / full frame, %",
    "processor seconds per clip [least, most]",
}
"""Names that readers understand, with blanks for underscores, if not in `WORDS`."""

_CORPORA = {
    "emotion": "rated for emotions",
    "personality": "rated for traits",
    "joint": "rated for both, held out",
}

IN_COLUMN = {
    "corpus": _CORPORA
    | {f"null_{name}": f"unrelated, {words}" for name, words in _CORPORA.items()}
    | {f"tiny_{name}": f"tiny, {words}" for name, words in _CORPORA.items()}
    | dict.fromkeys(("fiv2", "FIv2"), "First Impressions V2")
    | {"fiv2_by_video": "First Impressions V2, split by video"}
    | dict.fromkeys(("mosei", "MOSEI"), "CMU-MOSEI")
    | dict.fromkeys(("meld", "MELD"), "MELD")
    | dict.fromkeys(("ravdess", "RAVDESS"), "RAVDESS")
    | {"meld_ravdess": "MELD and RAVDESS"}
    | {"fiv2_filmed": "First Impressions V2, filmed", "mm_ocean": "MM-OCEAN"}
    | dict.fromkeys(("people", "people_heard", "people_read"), "recordings of people")
    | {"together": "together"},
    "role": {
        "emotion": "emotions are learned from it",
        "personality": "traits are learned from it",
        "held_out": "held out: nothing is learned from it",
    },
    "task": {"emotion": "emotions", "personality": "traits", "order": "order"},
    "level": {
        "clip": "over clips",
        "between": "between people",
        "within": "within a person",
    },
    "component": {
        "all of them": "all of these",
        "linear_fusion": "the whole, over linear fusion",
        "late_fusion": "stage 3, over late fusion",
    },
    **dict.fromkeys(
        (
            "modality",
            "channel",
            "encoder",
            "measure",
            "metric",
            "target",
            "emotion",
            "trait",
            "construct",
            "other",
        )
        + ("variant", "source", "control", "comparison", "against", "study", "state"),
        {},
    ),
}
"""Category columns to those of their values that mean something else elsewhere."""

MODELS = {
    "baseline": "guessing (base rates)",
    "linear": "{} (linear)",
    "unimodal": "{} (alone)",
    "crosstask": "{} (both tasks)",
    "stacking": "{} (late fusion)",
    "fusion": "{}",
}
"""Stages from guessing to fusion, with the names of their models."""

# Not part of a longer word, path or clip.
_NAME = re.compile(r"(?<![-.\w/])[a-z0-9]+(?:_[a-z0-9]+)+(?![-.\w/])")


def known(name: str, column: str | None = None) -> str | None:
    """Words of a name within a sentence; None if it is not listed.

    Parameters
    ----------
    name : str
        Variants are also known by their parts, such as ``no_`` and a component, or
        modalities.
    column : str, optional
        The column of which the name is a value; without it, the name is a heading.
    """
    if name in IN_COLUMN.get(column, {}):
        return IN_COLUMN[column][name]
    if name in WORDS:
        return WORDS[name]
    if name in PLAIN:
        return name.replace("_", " ")
    for start, words in (("no_", "without "), ("with_", "with ")):
        if name.startswith(start):
            part = known(name.removeprefix(start))
            return part and words + part
    for mark, between in (("_", " + "), (".", ", "), (", ", ", ")):
        parts = name.split(mark)
        if len(parts) > 1 and (mark != "_" or {*parts} <= {*MODALITIES}):
            words = [known(part) for part in parts]
            return between.join(words) if all(words) else None
    return None


def plain(name: str, column: str | None = None) -> str:
    """Words of a name within a sentence; one that is not listed is shown as it is."""
    return known(name, column) or name.replace("_", " ")


def pretty(name: str, column: str | None = None) -> str:
    """Words of a name at the beginning of a line.

    Symbols (a single letter) and names that begin small stay as they are.

    >>> pretty("emotional_stability")
    'Emotional stability'
    >>> pretty("egemaps")
    'eGeMAPS'
    """
    words = plain(name, column)
    first = words.partition(" ")[0]
    if (len(first) == 1 and first != "a") or first[1:2].isupper():
        return words
    return words[:1].upper() + words[1:]


def cell(value: str, column: str) -> str:
    """Text of a cell: a category in words, and listed names within any other text."""
    if column in IN_COLUMN:
        return pretty(value, column) if known(value, column) else value
    return _NAME.sub(lambda name: known(name[0]) or name[0], value)
