"""Which associations a study can report, and from which of its corpora.

A corpus with emotion labels gives true emotion by predicted trait; one with trait
labels gives predicted emotion by true trait; only one with both gives all four.
Predicted by predicted from disjoint modalities can be had everywhere; predicted by
predicted from the same ones comes last in every table, because both sides then share
their errors.
"""

import pandas as pd

from sslmepr.analysis.correlation import (
    DISJOINT,
    LEVELS,
    SOURCES,
    association,
    wide_table,
)
from sslmepr.analysis.disjoint import disjoint_table
from sslmepr.labels import TARGETS
from sslmepr.params import Params


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


def association_table(
    predictions: pd.DataFrame,
    speaker_ids: pd.Series,
    variant: str,
    corpus: str,
    source: str,
) -> pd.DataFrame | None:
    """The table of one corpus and source that ``association`` takes.

    None for ``disjoint_modalities`` where there are fewer than two modalities.
    """
    if source == DISJOINT:
        return disjoint_table(predictions[predictions["corpus"] == corpus], speaker_ids)
    chosen = variant_predictions(predictions, variant, corpus)
    return wide_table(chosen, speaker_ids, source)


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


def study_associations(
    predictions: pd.DataFrame,
    speaker_ids: dict[str, pd.Series],
    variant: str,
    params: Params,
    halo: bool = False,
) -> pd.DataFrame:
    """Every association that a study's corpora allow.

    Parameters
    ----------
    predictions : DataFrame
        What the evaluation wrote.
    speaker_ids : dict
        Corpus to a series from clip_id to speaker_id; a corpus that is not in it, or
        has fewer than three speakers or no prediction (none of its clips has a modality
        of the study), is left out.
    variant : str
        The model whose predictions are correlated.
    params : Params
        Its section ``association`` and its seed are used.
    halo : bool
        Partial out the mean of the other four traits.

    Returns
    -------
    DataFrame
        As :func:`sslmepr.analysis.correlation.association`, with a column ``corpus``.
    """
    settings = params.association
    parts = []
    mine = predictions[predictions["variant"] == variant]
    predicted = set(mine["corpus"])
    for corpus, speakers in speaker_ids.items():
        if speakers.nunique() < 3 or (predicted and corpus not in predicted):
            continue
        mine = variant_predictions(predictions, variant, corpus)
        for source in [DISJOINT, *available_sources(mine)]:
            given = association_table(predictions, speakers, variant, corpus, source)
            if given is None:
                continue
            table = association(
                given,
                source,
                settings.resamples,
                settings.level,
                settings.correction,
                settings.alpha,
                params.seed,
                halo,
                # A speaker's mean over splits would join what the splits keep apart.
                ("clip",) if source == DISJOINT else LEVELS,
            )
            parts.append(table.assign(corpus=corpus))
    return pd.concat(parts, ignore_index=True)
