"""One clip on its way through the pipeline, from its file to its place among others."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.features import FeatureStore
from sslmepr.labels import EMOTIONS, SCORED_EMOTIONS, TRAITS, select
from sslmepr.media.regions import crop_regions
from sslmepr.report.overview import first_screen
from sslmepr.report.samples import read_pictures
from sslmepr.report.tables import interval, number
from sslmepr.report.words import plain

STAGES = {"unimodal": "stage 1", "crosstask": "stage 2"}
"""Stages that predict from one modality, and what they are called."""

KINDS = (SCORED_EMOTIONS, TRAITS)
"""Outputs of which one each is told."""

FAR = 0.75
"""Share of clips with a smaller error from which on a model is said to be wrong."""


def mean_over_seeds(predictions: pd.DataFrame, variant: str) -> pd.DataFrame:
    """Predictions of one modality, of late fusion and of one fusion variant.

    Parameters
    ----------
    predictions : DataFrame
        Of the evaluation.
    variant : str

    Returns
    -------
    DataFrame
        clip_id, stage, modality, target, predicted and true, without seeds.
    """
    kept = predictions["stage"].isin([*STAGES, "stacking"])
    fused = (predictions["stage"] == "fusion") & (predictions["variant"] == variant)
    names = ["clip_id", "stage", "modality", "target"]
    table = predictions[kept | fused].groupby(names, sort=False)
    return table[["predicted", "true"]].mean().reset_index()


def agreed(means: pd.DataFrame) -> pd.DataFrame:
    """How unusual each output of a clip is, as model and raters agree.

    Parameters
    ----------
    means : DataFrame
        From `mean_over_seeds`.

    Returns
    -------
    (clip, target) DataFrame
        The smaller of two distances from the mean of all clips, in standard deviations:
        that of stage 3 and that of the raters; 0 where they are on different sides of
        the mean, or nobody rated the clip.
    """
    fused = select(means, stage="fusion")
    wide = fused.pivot(index="clip_id", columns="target", values=["predicted", "true"])
    apart = (wide - wide.mean()) / wide.std()
    said, rated = apart["predicted"], apart["true"]
    return np.minimum(said.abs(), rated.abs()).where(said * rated > 0, 0.0)


def choose_clip(
    means: pd.DataFrame, clips: pd.DataFrame, stores: Iterable[FeatureStore]
) -> str | None:
    """A clip with something to explain, which is recognised neither well nor badly.

    Parameters
    ----------
    means : DataFrame
        From `mean_over_seeds`.
    clips : DataFrame
        A clip table, indexed by clip_id.
    stores : iterable of FeatureStore
        Of all modalities.

    Returns
    -------
    str or None
        Of the clips with a picture and every modality, and of these of the half around
        the median error, the one whose emotion and trait of `told_pair` are the most
        unusual; None if there is no such clip.
    """
    fused = select(means, stage="fusion")
    error = (fused["predicted"] - fused["true"]).abs().groupby(fused["clip_id"]).mean()
    ranked = error.dropna().sort_values(kind="stable").index
    seen = set(clips.index[clips["media"].notna()])
    stores = list(stores)
    whole = [i for i in ranked if i in seen and all(i in store for store in stores)]
    quarter = len(whole) // 4
    middle = whole[quarter : len(whole) - quarter]
    shared = agreed(means)
    strength = np.minimum(*(shared[list(each)].max(axis=1) for each in KINDS))
    return strength[middle].idxmax() if middle else None


def told_pair(means: pd.DataFrame, clip_id: str) -> tuple[str, str]:
    """The emotion and the trait in which model and raters find a clip most unusual.

    Parameters
    ----------
    means : DataFrame
        From `mean_over_seeds`.
    clip_id : str
    """
    shared = agreed(means).loc[clip_id]
    return tuple(shared[list(names)].idxmax() for names in KINDS)


def journey(means: pd.DataFrame, clip_id: str, target: str) -> pd.DataFrame:
    """What each stage says of one emotion or trait of a clip.

    Parameters
    ----------
    means : DataFrame
        From `mean_over_seeds`.
    clip_id, target : str

    Returns
    -------
    DataFrame
        modality, stage (as readers call it), predicted, usual (mean of that prediction
        over all clips) and true.
    """
    table = select(means, target=target)
    usual = table.groupby(["stage", "modality"])["predicted"].mean()
    mine = select(table, clip_id=clip_id)
    words = {**STAGES, "stacking": "late fusion", "fusion": "stage 3"}
    return pd.DataFrame(
        {
            "modality": mine["modality"],
            "stage": mine["stage"].map(words),
            "predicted": mine["predicted"],
            "usual": usual[pd.MultiIndex.from_frame(mine[["stage", "modality"]])].array,
            "true": mine["true"],
        }
    ).reset_index(drop=True)


def crops(
    clip: pd.Series, folder: str | Path, regions: pd.DataFrame, frames: int, mask: bool
) -> dict:
    """The middle frame of a clip, and what is cut out of it.

    Parameters
    ----------
    clip : Series
        A row of a clip table.
    folder : path
        That `media` is relative to.
    regions : DataFrame
        ``regions.parquet`` of its corpus, of this clip.
    frames : int
        Sampled frames per clip.
    mask : bool
        Whether the scene is without the person.

    Returns
    -------
    dict of str to (height, width, channel) uint8 ndarray
        ``frame``, then modalities; empty if the recording cannot be read.
    """
    pictures = read_pictures(clip, folder, frames)
    if pictures is None:
        return {}
    images, middle = pictures.images, len(pictures.images) // 2
    here = regions[regions["frame"] == middle]
    cut = crop_regions(images, here, mask_person=mask)
    return {"frame": images[middle]} | {n: each[0] for n, each in cut.items() if each}


def steps_table(stores: dict[str, FeatureStore], clip_id: str) -> pd.DataFrame:
    """Into how many steps of how many numbers each modality of a clip is turned.

    Returns
    -------
    DataFrame
        modality, encoder, steps, numbers_per_step.
    """
    rows = [
        (name, store.encoder, *store[clip_id].shape) for name, store in stores.items()
    ]
    return pd.DataFrame(
        rows, columns=["modality", "encoder", "steps", "numbers_per_step"]
    )


def journey_sentence(table: pd.DataFrame, target: str) -> str:
    """Tell a journey: which modality says most, and what becomes of it.

    Parameters
    ----------
    table : DataFrame
        From `journey`.
    target : str
    """
    what = "probability" if target in EMOTIONS else "score"
    late, last = (
        select(table, stage=stage)["predicted"].iloc[0]
        for stage in ("late fusion", "stage 3")
    )
    parts = []
    for stage in STAGES.values():
        mine = select(table, stage=stage).set_index("modality")["predicted"]
        parts.append(
            f"at {stage} from {number(mine.min(), 2)} ({plain(mine.idxmin())}) to "
            f"{number(mine.max(), 2)} ({plain(mine.idxmax())})"
        )
    true = table["true"].iloc[0]
    told = "" if pd.isna(true) else f"; raters say {number(true, 2)}"
    return (
        f"**{plain(target).capitalize()}** ({what}): {', '.join(parts)}; late fusion "
        f"{number(late, 2)}, stage 3 {number(last, 2)}{told}."
    )


def error_sentence(means: pd.DataFrame, clip_id: str, target: str) -> str:
    """How far an output of a clip is from what raters say, among those of all clips.

    Parameters
    ----------
    means : DataFrame
        From `mean_over_seeds`.
    clip_id, target : str

    Returns
    -------
    str
        A clause; that the model is wrong, if most clips have a smaller error.
    """
    mine = select(means, stage="fusion", target=target).set_index("clip_id")
    errors = (mine["predicted"] - mine["true"]).abs().dropna()
    if clip_id not in errors:
        return "nobody rated this clip, so that whether this is right is not known"
    off, nearer = errors[clip_id], int((errors < errors[clip_id]).sum())
    wrong = nearer >= FAR * len(errors)
    head = "**the model is wrong**, by" if wrong else "the model is off by"
    return (
        f"{head} {number(off, 2)}; {nearer} of the {len(errors)} clips have a smaller "
        "error"
    )


def tour_findings(means: pd.DataFrame, clip_id: str, pair: Iterable[str]) -> list[str]:
    """What the model makes of a clip, how right that is, and what it does not say.

    Parameters
    ----------
    means : DataFrame
        From `mean_over_seeds`.
    clip_id : str
    pair : iterable of str
        From `told_pair`.
    """
    output = select(means, stage="fusion", clip_id=clip_id).set_index("target")
    read, told = [], []
    for target in pair:
        row = output.loc[target]
        said = "" if pd.isna(row["true"]) else f" (raters {number(row['true'], 2)})"
        read.append(f"{plain(target)} {number(row['predicted'], 2)}{said}")
        told.append(f"In {plain(target)}, {error_sentence(means, clip_id, target)}.")
    shared = agreed(means)
    wide = select(means, stage="fusion").pivot(
        index="clip_id", columns="target", values="predicted"
    )[list(SCORED_EMOTIONS)]
    first = ((wide - wide.mean()) / wide.std()).abs().idxmax(axis=1)
    same = sum(shared.loc[clip, emotion] > 0 for clip, emotion in first.items())
    return first_screen(
        f"A few seconds of one person become {len(EMOTIONS) + len(TRAITS)} numbers: a "
        f"probability of each of {len(EMOTIONS)} emotions, a score of each of "
        f"{len(TRAITS)} traits. Of this clip the model says {' and '.join(read)}, "
        "which is unusual, as raters find, too.",
        f"{' '.join(told)} The clip was chosen by a rule: of the half of the clips "
        "that are recognised neither best nor worst, it is the one in which model and "
        "raters agree on the most unusual emotion and trait. Elsewhere they agree "
        "less: on the emotion in which the model finds a clip most unusual, raters say "
        f"so, too, in {same} of {len(first)} clips.",
        "Which emotions go with which traits: that is a matter of many people, and of "
        "no single clip. And what this person feels or is like: raters do not know it "
        "either.",
    )


def place_sentence(found: pd.DataFrame, emotion: str, trait: str) -> str:
    """What the study says of the pair to which a clip is one of many contributions.

    Parameters
    ----------
    found : DataFrame
        ``cross_source.csv`` of the chapter on associations; empty if it gives none.
    emotion, trait : str
    """
    pair = f"**{plain(emotion)} and {plain(trait)}**"
    row = select(found, emotion=emotion, trait=trait) if len(found) else found
    if row.empty or pd.isna(row["r"].iloc[0]):
        return f"Of {pair} this study gives no association of the labels."
    row = row.iloc[0]
    return (
        f"Of {pair} the study estimates that labels correlate with r = "
        f"{interval(row['r'], row['low'], row['high'], 2)}; the verdict is "
        f"*{plain(row['verdict'])}*, from {row['n']} clips of {row['n_speakers']} "
        "people."
    )
