"""Associations of all corpora of a study, from the results of its evaluation.

The labels of a corpus decide which sources it has (`sslmepr.association.sources`).
Tables with refits are large, so they are generated one at a time and used before the
next is built.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sslmepr.association.cell_tests import FEWEST_SPEAKERS
from sslmepr.association.correlation import (
    LEVELS,
    association,
    resampled_association,
    wide_table,
)
from sslmepr.association.disjoint_modalities import Tables, disjoint_tables
from sslmepr.association.sources import DISJOINT, available_sources
from sslmepr.labels import (
    select,
)
from sslmepr.params import Params
from sslmepr.training.bootstrap_refits import REFITS_FILE


class Evaluated(NamedTuple):
    """Output of the stage ``evaluate``.

    Attributes
    ----------
    predictions : DataFrame
        clip_id, corpus, split, stage, modality, task, variant, seed, target,
        predicted, true.
    refits : DataFrame
        modality, corpus, clip_id, refit and a column of logits per target.
    """

    predictions: pd.DataFrame
    refits: pd.DataFrame


class Associations(NamedTuple):
    """Associations of all corpora and sources of a study.

    Attributes
    ----------
    table : DataFrame
        As :func:`sslmepr.association.correlation.association`, with a column
        ``corpus``.
    draws : dict of (corpus, source) to DataFrame
        Bootstrap replicates of the correlations over clips: resample, emotion, trait,
        r.
    """

    table: pd.DataFrame
    draws: dict[tuple[str, str], pd.DataFrame]


def read_evaluated(folder: str | Path) -> Evaluated:
    """Read predictions and refits from the folder of the stage ``evaluate``."""
    folder = Path(folder)
    return Evaluated(
        pd.read_parquet(folder / "predictions.parquet"),
        pd.read_parquet(folder / REFITS_FILE),
    )


def variant_predictions(
    predictions: pd.DataFrame, variant: str, corpus: str
) -> pd.DataFrame:
    """Select the predictions of one fusion variant on one corpus.

    Parameters
    ----------
    predictions : DataFrame
        Of `Evaluated`.
    variant, corpus : str

    Returns
    -------
    DataFrame
        The rows of emotions and of traits.

    Raises
    ------
    ValueError
        If there are none; the message lists the variants that exist.
    """
    fused = select(predictions, stage="fusion")
    chosen = select(fused, variant=variant, corpus=corpus)
    if chosen.empty:
        known = ", ".join(sorted(fused["variant"].unique()))
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
    """Build the input of ``association`` for one corpus and source.

    Parameters
    ----------
    evaluated : Evaluated
    speaker_ids : Series
        clip_id to speaker_id of the corpus.
    variant : str
        The fusion variant; not used for `DISJOINT`.
    corpus : str
    source : str
        One of `sslmepr.association.sources.SOURCES`, or `DISJOINT`.

    Returns
    -------
    Tables or None
        None for `DISJOINT` with fewer than two modalities. Only `DISJOINT` has refits,
        since refitting a fused model is too costly.
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
    levels: tuple[str, ...] = LEVELS,
) -> pd.DataFrame:
    """Run `sslmepr.association.correlation.association` with a study's parameters.

    Parameters
    ----------
    tables : Tables
    source : str
    params : Params
        Section ``association`` and the seed are used.
    levels : tuple of {"clip", "between", "within"}
        Ignored for `DISJOINT`, which has the level ``clip`` only.

    Returns
    -------
    DataFrame
    """
    settings = params.association
    return association(
        tables.table,
        source,
        settings.resamples,
        settings.confidence,
        settings.correction,
        settings.alpha,
        params.seed,
        # A speaker's mean over divisions would mix the modalities of both sides.
        ("clip",) if source == DISJOINT else levels,
        tables.refits,
    )


def resample(tables: Tables, params: Params) -> pd.DataFrame:
    """Bootstrap replicates of the correlations over clips.

    Parameters
    ----------
    tables : Tables
        Clips of one corpus and source, with their refits.
    params : Params
        ``association.resamples`` and ``seed`` are used.

    Returns
    -------
    DataFrame
        As `sslmepr.association.correlation.resampled_association`.
    """
    resamples, seed = params.association.resamples, params.seed
    return resampled_association(tables.table, resamples, seed, tables.refits)


def study_tables(
    evaluated: Evaluated, speaker_ids: dict[str, pd.Series], variant: str
) -> Iterator[tuple[str, str, Tables]]:
    """Iterate over the tables of all corpora and sources of a study.

    Parameters
    ----------
    evaluated : Evaluated
    speaker_ids : dict
        Corpus to a series from clip_id to speaker_id. A corpus is left out if it is
        missing here, has fewer than three speakers, or has no predictions (none of its
        clips has a modality of the study).
    variant : str
        The fusion variant whose predictions are correlated.

    Yields
    ------
    corpus, source : str
    tables : Tables
    """
    predictions = evaluated.predictions
    predicted = set(select(predictions, stage="fusion", variant=variant)["corpus"])
    for corpus, speakers in speaker_ids.items():
        if predicted and corpus not in predicted:
            continue
        if speakers.nunique() < FEWEST_SPEAKERS:
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
) -> Associations:
    """Associations of all corpora and sources.

    Parameters
    ----------
    evaluated, speaker_ids, variant
        As for `study_tables`.
    params : Params
        Section ``association`` and the seed are used.

    Returns
    -------
    Associations
        Sources without any defined correlation are left out.
    """
    parts, draws = [], {}
    for corpus, source, tables in study_tables(evaluated, speaker_ids, variant):
        found = associate(tables, source, params)
        if found["r"].notna().any():
            parts.append(found.assign(corpus=corpus))
            draws[corpus, source] = resample(tables, params)
    return Associations(pd.concat(parts, ignore_index=True), draws)
