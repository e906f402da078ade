"""Which associations a study can report, and from which of its corpora.

A corpus with emotion labels gives true emotion by predicted trait; one with trait
labels gives predicted emotion by true trait; only one with both gives all four.
Predicted by predicted from disjoint modalities can be had everywhere; predicted by
predicted from the same ones comes last in every table, because both sides then share
their errors.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sslmepr.analysis.correlation import (
    DISJOINT,
    LEVELS,
    SOURCES,
    association,
    wide_table,
)
from sslmepr.analysis.disjoint import Tables, disjoint_tables
from sslmepr.labels import TARGETS
from sslmepr.learning.refits import REFITS_FILE
from sslmepr.params import Params


class Evaluated(NamedTuple):
    """What the evaluation of a study wrote.

    Attributes
    ----------
    predictions : DataFrame
        clip_id, corpus, split, variant, seed, target, predicted, true.
    refits : DataFrame
        modality, corpus, clip_id, refit and logits by target.
    """

    predictions: pd.DataFrame
    refits: pd.DataFrame


def read_evaluated(study_folder: str | Path) -> Evaluated:
    """Predictions and refits of the study whose runs lie in `study_folder`."""
    folder = Path(study_folder, "evaluate")
    return Evaluated(
        pd.read_parquet(folder / "predictions.parquet"),
        pd.read_parquet(folder / REFITS_FILE),
    )


def variant_predictions(
    predictions: pd.DataFrame, variant: str, corpus: str
) -> pd.DataFrame:
    """Rows of one variant on one corpus, emotions and traits.

    Raises
    ------
    ValueError
        If there are none; the message lists the variants that exist.
    """
    chosen = predictions[
        (predictions["variant"] == variant) & (predictions["corpus"] == corpus)
    ]
    if chosen.empty:
        known = ", ".join(sorted(predictions["variant"].unique()))
        raise ValueError(
            f"no predictions of variant {variant!r} on corpus {corpus!r}; "
            f"variants: {known}"
        )
    return chosen


def association_tables(
    evaluated: Evaluated,
    speaker_ids: pd.Series,
    variant: str,
    corpus: str,
    source: str,
) -> Tables | None:
    """The tables of one corpus and source that ``association`` takes.

    None for ``disjoint_modalities`` where fewer than two modalities can be divided.
    Only that source has refits: a fused model is not trained thirty times.
    """
    predictions, refits = evaluated
    if source == DISJOINT:
        return disjoint_tables(
            predictions[predictions["corpus"] == corpus],
            refits[refits["corpus"] == corpus],
            speaker_ids,
        )
    chosen = variant_predictions(predictions, variant, corpus)
    return Tables(wide_table(chosen, speaker_ids, source), [])


def associate(
    tables: Tables,
    source: str,
    params: Params,
    halo: bool = False,
    levels: tuple[str, ...] = LEVELS,
) -> pd.DataFrame:
    """`sslmepr.analysis.correlation.association`, as a study's parameters say."""
    settings = params.association
    return association(
        tables.table,
        source,
        settings.resamples,
        settings.level,
        settings.correction,
        settings.alpha,
        params.seed,
        halo,
        # A speaker's mean over divisions would join what the divisions keep apart.
        ("clip",) if source == DISJOINT else levels,
        tables.refits,
    )


def available_sources(predictions: pd.DataFrame) -> list[str]:
    """Those of ``SOURCES`` that the predictions of one corpus have labels for."""
    known = {
        task: predictions.loc[predictions["target"].isin(targets), "true"].notna().any()
        for task, targets in TARGETS.items()
    }
    sides = ("emotion", "personality")
    return [
        source
        for source in SOURCES
        if all(
            side == "predicted" or known[task]
            for task, side in zip(sides, source.split("_x_"), strict=True)
        )
    ]


def study_tables(
    evaluated: Evaluated, speaker_ids: dict[str, pd.Series], variant: str
) -> Iterator[tuple[str, str, Tables]]:
    """The tables of every corpus and source that a study can report.

    Parameters
    ----------
    evaluated : Evaluated
    speaker_ids : dict
        Corpus to a series from clip_id to speaker_id; a corpus that is not in it, or
        has fewer than three speakers or no prediction (none of its clips has a modality
        of the study), is left out.
    variant : str
        The model whose predictions are correlated.

    Yields
    ------
    corpus, source : str
    tables : Tables
    """
    predictions = evaluated.predictions
    predicted = set(predictions.loc[predictions["variant"] == variant, "corpus"])
    for corpus, speakers in speaker_ids.items():
        if speakers.nunique() < 3 or (predicted and corpus not in predicted):
            continue
        mine = variant_predictions(predictions, variant, corpus)
        for source in [DISJOINT, *available_sources(mine)]:
            tables = association_tables(evaluated, speakers, variant, corpus, source)
            if tables is not None:
                yield corpus, source, tables


def study_associations(
    evaluated: Evaluated,
    speaker_ids: dict[str, pd.Series],
    variant: str,
    params: Params,
) -> pd.DataFrame:
    """Every association that a study's corpora allow, as it is and without halo.

    Parameters
    ----------
    evaluated, speaker_ids, variant
        As for `study_tables`. A source in which nothing varies is left out.
    params : Params
        Its section ``association`` and its seed are used.

    Returns
    -------
    DataFrame
        As :func:`sslmepr.analysis.correlation.association`, with a column ``corpus``;
        every cell twice, ``halo`` False and True (the mean of the other four traits
        partialled out).
    """
    parts = []
    for corpus, source, tables in study_tables(evaluated, speaker_ids, variant):
        for halo in (False, True):
            found = associate(tables, source, params, halo)
            if found["r"].notna().any():
                parts.append(found.assign(corpus=corpus))
    return pd.concat(parts, ignore_index=True)
