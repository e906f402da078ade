"""What the evaluation of a study lets one say about associations.

Every corpus gives the sources that its labels allow (`sslmepr.association.sources`).
The tables of one are large where predictors were refitted; they are made one after the
other, and all that is wanted of them is taken at once.
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
    """What the evaluation of a study wrote.

    Attributes
    ----------
    predictions : DataFrame
        clip_id, corpus, split, stage, modality, task, variant, seed, target,
        predicted, true.
    refits : DataFrame
        modality, corpus, clip_id, refit and logits by target.
    """

    predictions: pd.DataFrame
    refits: pd.DataFrame


class Associations(NamedTuple):
    """Every association that a study's corpora allow.

    Attributes
    ----------
    table : DataFrame
        As :func:`sslmepr.association.correlation.association`, with a column
        ``corpus``; every cell twice, ``halo`` False and True (the mean of the other
        four traits partialled out).
    draws : dict of (corpus, source, halo) to DataFrame
        The same over clips in resamples of speakers: resample, emotion, trait, r.
    """

    table: pd.DataFrame
    draws: dict[tuple[str, str, bool], pd.DataFrame]


def read_evaluated(folder: str | Path) -> Evaluated:
    """Predictions and refits that an evaluation left in `folder`."""
    folder = Path(folder)
    return Evaluated(
        pd.read_parquet(folder / "predictions.parquet"),
        pd.read_parquet(folder / REFITS_FILE),
    )


def variant_predictions(
    predictions: pd.DataFrame, variant: str, corpus: str
) -> pd.DataFrame:
    """Rows of one fusion model on one corpus, emotions and traits.

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
    """The tables of one corpus and source that ``association`` takes.

    None for `DISJOINT` where fewer than two modalities can be divided.
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
    """`sslmepr.association.correlation.association`, as a study's parameters say."""
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


def resample(tables: Tables, params: Params, halo: bool = False) -> pd.DataFrame:
    """`sslmepr.association.correlation.resampled_association`, over clips."""
    resamples, seed = params.association.resamples, params.seed
    return resampled_association(
        tables.table, resamples, seed, halo=halo, refits=tables.refits
    )


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
    """Every association that a study's corpora allow, as it is and without halo.

    Parameters
    ----------
    evaluated, speaker_ids, variant
        As for `study_tables`. A source in which nothing varies is left out.
    params : Params
        Its section ``association`` and its seed are used.
    """
    parts, draws = [], {}
    for corpus, source, tables in study_tables(evaluated, speaker_ids, variant):
        for halo in (False, True):
            found = associate(tables, source, params, halo)
            if found["r"].notna().any():
                parts.append(found.assign(corpus=corpus))
                draws[corpus, source, halo] = resample(tables, params, halo)
    return Associations(pd.concat(parts, ignore_index=True), draws)
