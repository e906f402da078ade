"""What other methods make of clips that are held out, beside the default model."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from sslmepr.evaluation.scores import (
    ALL_CLIPS,
    KERNELS,
    OF_KNOWN_VIDEOS,
    STACKED,
    WORDS,
    headline,
)
from sslmepr.labels import select
from sslmepr.report import chapter_tables
from sslmepr.report.on_record import recorded
from sslmepr.report.overview import OWN, own_score
from sslmepr.report.tables import Table, written
from sslmepr.report.words import plain

TRAIT_METHODS = {
    STACKED: "late fusion of ridge regressions",
    KERNELS: "of kernel regressions that compare a clip to some training clips",
    ALL_CLIPS: "to all training clips",
    OF_KNOWN_VIDEOS: "to all of them, with settings that are chosen for clips whose "
    "video is known",
}
"""Fusions of regressions, in words that continue one another."""


TITLES = {
    "fiv2": "Other methods, official",
    "fiv2_by_video": "Other methods, by video",
    "meld": "MELD, other methods",
}
"""Corpora on whose own split other methods are on record, and titles of tables."""


def read_fitted(folder: Path) -> dict[str, pd.DataFrame]:
    """Scores of other methods by corpus; without rows where none are on record.

    Parameters
    ----------
    folder : Path
        Of the results of stage ``folds``.
    """
    return {name: recorded(folder / f"{name}.csv") for name in TITLES}


def trait_method_findings(
    official: pd.DataFrame,
    by_video: pd.DataFrame,
    metrics: pd.DataFrame,
    metrics_by_video: pd.DataFrame,
) -> list[str]:
    """Sentences on other methods that read impressions of the same clips.

    Parameters
    ----------
    official, by_video : DataFrame
        From `sslmepr.evaluation.trait_folds.cross_validate_traits`, on the official
        split and without a video on both sides; without rows, if none are on record.
    metrics, metrics_by_video : DataFrame
        Of the study's models on the same splits, from
        `sslmepr.evaluation.evaluate.evaluate_study`.
    """
    if official.empty or by_video.empty:
        return []
    told = []
    for name, words in TRAIT_METHODS.items():
        met, unmet = (_scores(table, name) for table in (official, by_video))
        told.append(
            f"{words}: {written(met['CCC'])} and {written(unmet['CCC'])} "
            f"(1 − mean absolute error {written(met['mACC'], 4)} and "
            f"{written(unmet['mACC'], 4)})"
        )
    own = [own_score(table, "CCC") for table in (metrics, metrics_by_video)]
    known, strangers = (
        select(table, method=OF_KNOWN_VIDEOS, against=ALL_CLIPS, metric="CCC above")
        for table in (official, by_video)
    )
    gains = [select(each, target="mean").iloc[0] for each in (known, strangers)]
    worth = [written(each, signed=True) for each in gains]
    methods = "; ".join(told)
    return [
        "**Other methods on the same clips** (First Impressions; concordance on the "
        "official split, and without a video on both sides). Of the default model it "
        f"is {written(own[0])} and {written(own[1])}. {methods[0].upper()}"
        f"{methods[1:]}. They are fitted to training and dev clips, the default model "
        "to training clips alone. To choose as if videos were known is worth "
        f"{worth[0]} where they are, and {worth[1]} where they are not"
        f"{_meant(*gains)}."
    ]


def _meant(known: pd.Series, strangers: pd.Series) -> str:
    """What it means that a method gains where videos are known, or where none is."""
    if strangers["low"] > 0:
        return ": new people are read better, too"
    if known["low"] <= 0:
        return ": neither is told apart from no gain"
    return (
        ": what such a method gains is that it knows a video again, not that it reads "
        "a new person better"
    )


def chosen_variant_findings(metrics: pd.DataFrame) -> list[str]:
    """A sentence on the variant of the model that dev would have chosen, for traits.

    Parameters
    ----------
    metrics : DataFrame
        As in `trait_method_findings`, with the splits dev and test.
    """
    scores = {
        name: select(headline(metrics, (name,), "dev"), stage="fusion").set_index(
            "variant"
        )["estimate"]
        for name in ("CCC", "skill")
    }
    dev = (scores["CCC"] + scores["skill"]) / 2
    best = str(dev.idxmax())
    if best == OWN:
        return []
    own, other = (own_score(metrics, "CCC", variant=variant) for variant in (OWN, best))
    closer = [own_score(metrics, "mACC", variant=variant) for variant in (OWN, best)]
    return [
        f"**Dev would have chosen {plain(best)}** among all variants, by the score "
        f"that chooses settings ({dev[best]:.3f}, default {dev[OWN]:.3f}). Held out, "
        f"its concordance is {written(other)}, of the default {written(own)}, and 1 "
        f"− mean absolute error {written(closer[1], 4)} and {written(closer[0], 4)}. "
        "The default stays as it was declared: this is told after the held-out scores "
        "of all variants had been read."
    ]


def line_method_findings(lines: pd.DataFrame, metrics: pd.DataFrame) -> list[str]:
    """Sentences on other methods that read the emotions of the same lines.

    Parameters
    ----------
    lines : DataFrame
        From `sslmepr.evaluation.line_classes.classify_lines`; without rows, if none are
        on record, or without the split test.
    metrics : DataFrame
        Of the study's models, as in `trait_method_findings`.
    """
    if lines.empty or "test" not in set(lines["split"]):
        return []
    scores = select(lines, metric="weighted F1", target="mean")
    dev = select(scores, split="dev").set_index("method")
    test = select(scores, split="test").set_index("method")
    best = str(dev["estimate"].idxmax())
    gains = select(lines, split="test", metric="weighted F1 above", target="mean")
    gain = ""
    if best != WORDS:
        above = written(select(gains, method=best).iloc[0], signed=True)
        gain = f", {above} above {WORDS}"
    others = "; ".join(
        f"{name} {written(row)}" for name, row in test.iterrows() if name != best
    )
    return [
        "**Other methods on the same lines** (MELD, weighted F1). They decide for one "
        f"emotion of a line, with settings that are chosen on dev. Dev chooses: {best} "
        f"({written(dev.loc[best])}). Held out it reaches {written(test.loc[best])}"
        f"{gain}; the default model, {written(own_score(metrics, 'weighted F1'))}. The "
        f"others, held out: {others}."
    ]


def tables(
    fitted: Mapping[str, pd.DataFrame], names: tuple[str, ...]
) -> dict[str, Table]:
    """Titles to tables of the scores of all methods.

    Parameters
    ----------
    fitted : mapping of str to DataFrame
        From `read_fitted`.
    names : tuple of str
        Corpora that are shown, if anything is on record.
    """
    return {
        TITLES[name]: chapter_tables.folds(fitted[name])
        for name in names
        if len(fitted[name])
    }


def _scores(found: pd.DataFrame, method: str) -> dict[str, Mapping]:
    mine = select(found, method=method, target="mean")
    return {row["metric"]: row for row in mine.to_dict("records")}
