r"""The table of associations from three sources, with a verdict for every cell.

Associations are of latent emotions. Presence of an emotion, which the labels say,
correlates less with anything: with a share p of clips in which it is present, above a
threshold :math:`\tau`, by :math:`\varphi(\tau) / \sqrt{p (1 - p)}` (Stein's lemma).
Both scales are in the table, since other studies report either.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from sslmepr.association.cross_source import CrossSource, cross_source
from sslmepr.association.grid import CELL, CELLS, cell_index
from sslmepr.association.influence_tests import intervals, largest_t, multiplied
from sslmepr.association.labelled_moments import are_categories
from sslmepr.association.prediction_powered import by_speaker
from sslmepr.association.probe_scores import study_scores
from sslmepr.association.scores import IdentificationError, Scores
from sslmepr.association.sources import CROSS
from sslmepr.association.verdicts import ABSENT, PRESENT, UNDECIDED
from sslmepr.params import Params
from sslmepr.params.analysis import Association
from sslmepr.statistics.cluster_bootstrap import NONE

INFLUENCE = "influence"
"""Kind of these intervals: from influence functions, by speaker."""

CROSS_FILE = "cross_source.csv"

COLUMNS = ("source", "level", "r", "low", "high", "interval", "p")
COLUMNS += ("p_corrected", "p_family", "significant", "verdict", "training_error")
COLUMNS += ("n", "n_crossed", "n_speakers", "reason")
"""Of the table, beside those of the cell."""

LABEL_COLUMNS = ("r_label", "r_label_error", "r_label_low", "r_label_high")
"""Further ones: on the scale of the labels. Results of earlier versions lack them."""


class CrossAssociations(NamedTuple):
    """Associations of a study from three sources.

    Attributes
    ----------
    table : DataFrame
        As :func:`sslmepr.association.correlation.association`, and p_family (corrected
        for all cells by the largest |t|), verdict and `LABEL_COLUMNS`.
    draws : DataFrame
        resample, emotion, trait, r: the associations under random signs of speakers.
    estimate : CrossSource
    scores : sequence of Scores
        From which it was estimated, corpus by corpus.
    """

    table: pd.DataFrame
    draws: pd.DataFrame
    estimate: CrossSource
    scores: Sequence[Scores] = ()


def cross_associations(params: Params, data_folder: str = "data") -> CrossAssociations:
    """Estimate the associations of a study's corpora from three sources.

    Parameters
    ----------
    params : Params
        Sections ``roles``, ``modalities`` and ``association``, and the seed.
    data_folder : path

    Returns
    -------
    CrossAssociations

    Raises
    ------
    IdentificationError
        If the study has no clips with modalities of two sensors.
    CorpusError, FeatureError
        If a file is missing or damaged.
    """
    scores = study_scores(params, data_folder)
    found = cross_source(scores[0], scores[1], scores[2:])
    settings = params.association
    draws = multiplied(found.influence, settings.resamples, params.seed)
    matrices = (found.associations + draws).reshape(len(draws), -1)
    wide = pd.DataFrame(matrices, columns=cell_index()).rename_axis("resample")
    return CrossAssociations(
        cell_table(found, settings, params.seed).assign(
            **label_columns(found, scores[0], settings)
        ),
        wide.stack(CELL, future_stack=True).rename("r").reset_index(),
        found,
        scores,
    )


def identified(
    params: Params, data_folder: str | Path = "data"
) -> tuple[CrossAssociations | None, str]:
    """Associations of a study, or why its corpora do not identify them.

    Parameters
    ----------
    params, data_folder
        As of `cross_associations`.

    Returns
    -------
    found : CrossAssociations or None
    refused : str
        Empty if they are identified.

    Raises
    ------
    CorpusError, FeatureError
        If a file is missing or damaged.
    """
    try:
        return cross_associations(params, data_folder), ""
    except IdentificationError as error:
        return None, str(error)


def unidentified(refused: str) -> pd.DataFrame:
    """The table of a study whose associations are not identified.

    Parameters
    ----------
    refused : str

    Returns
    -------
    DataFrame
        As `CrossAssociations.table`, without any number and with that reason.
    """
    nothing = {"level": "clip", "significant": False, "n_crossed": 0, "n_speakers": 0}
    columns = [*COLUMNS, *LABEL_COLUMNS]
    table = pd.DataFrame(index=cell_index(), columns=columns, dtype=float)
    return table.assign(
        source=CROSS, interval=NONE, verdict=UNDECIDED, n=0, reason=refused, **nothing
    ).reset_index()


def cell_table(found: CrossSource, settings: Association, seed: int) -> pd.DataFrame:
    """One row for every cell.

    Parameters
    ----------
    found : CrossSource
    settings : Association
    seed : int

    Returns
    -------
    DataFrame
        As `CrossAssociations.table` without `LABEL_COLUMNS`, with verdicts as of
        `verdict_of`.
    """
    r, error = found.associations.ravel(), found.error.ravel()
    low, high, p = intervals(r, error, settings.confidence, found.n_speakers)
    largest = largest_t(found.influence, found.error, settings.resamples, seed)
    reached = (largest >= np.abs(r / error)[:, None]).sum(1)
    significant, corrected, *_ = multipletests(
        p, settings.alpha, method=settings.correction
    )
    verdict = verdict_of(significant, r, error, found.n_speakers, settings)
    table = pd.DataFrame(
        {
            "source": CROSS,
            "level": "clip",
            "r": r,
            "low": low,
            "high": high,
            "interval": INFLUENCE,
            "p": p,
            "p_corrected": corrected,
            "p_family": (reached + 1) / (len(largest) + 1),
            "significant": significant,
            "verdict": verdict,
            "training_error": np.nan,
            "n": found.n_clips,
            "n_crossed": found.n_crossed,
            "n_speakers": found.n_speakers,
            "reason": "",
        },
        index=cell_index(),
    )
    return table.reset_index()


def label_scale(found: CrossSource, emotion: Scores) -> CrossSource:
    """Associations of the presence of emotions, as the labels have it.

    Parameters
    ----------
    found : CrossSource
        Of latent emotions, or of categories, which are as the labels have them.
    emotion : Scores
        Of the emotion corpus.

    Returns
    -------
    CrossSource
        How often emotions are present has its influence, too.
    """
    if are_categories(emotion.labels):
        return found
    present = emotion.labels > 0
    share = present.mean(0)
    threshold = norm.isf(share)
    density = norm.pdf(threshold)
    factor = (density / np.sqrt(share * (1 - share)))[:, None]
    # Derivative of its logarithm by the share.
    slope = threshold / density - (1 / share - 1 / (1 - share)) / 2
    r = factor * found.associations
    moved = by_speaker(emotion, (present - share) * slope) / len(present)
    influence = [factor * each for each in found.influence]
    influence[0] = influence[0] + moved[:, :, None] * r
    return found._replace(associations=r, influence=influence)


def label_columns(
    found: CrossSource, emotion: Scores, settings: Association
) -> dict[str, np.ndarray]:
    """`LABEL_COLUMNS` of all cells.

    Parameters
    ----------
    found, emotion
        As of `label_scale`.
    settings : Association
        ``confidence`` is used.
    """
    scaled = label_scale(found, emotion)
    r, error = scaled.associations.ravel(), scaled.error.ravel()
    low, high, _ = intervals(r, error, settings.confidence, found.n_speakers)
    return dict(zip(LABEL_COLUMNS, (r, error, low, high), strict=True))


def verdict_of(
    significant: np.ndarray,
    r: np.ndarray,
    error: np.ndarray,
    n_speakers: int,
    settings: Association,
) -> np.ndarray:
    """What is known of associations.

    Parameters
    ----------
    significant : (cell,) bool array
        After correction.
    r, error : (cell,) arrays
        Associations and their standard errors.
    n_speakers : int
    settings : Association

    Returns
    -------
    (cell,) ndarray of str
        `PRESENT` if it is significant; `ABSENT` if it is smaller than
        ``settings.smallest_effect`` by two one-sided tests at ``settings.alpha``
        (Schuirmann 1987); otherwise `UNDECIDED`.
    """
    low, high, _ = intervals(r, error, 1 - 2 * settings.alpha, n_speakers)
    effect = settings.smallest_effect
    small = (low > -effect) & (high < effect)
    return np.select([significant, small], [PRESENT, ABSENT], UNDECIDED)


def read_table(folder: str | Path) -> pd.DataFrame:
    """The table that the stage ``association`` has written.

    Parameters
    ----------
    folder : path
        ``results/<study>/association``.

    Returns
    -------
    DataFrame
        As `CrossAssociations.table`, or as of `unidentified`.

    Raises
    ------
    FileNotFoundError
        If the stage has not run.
    ValueError
        If it does not hold each cell once, with its columns.
    """
    path = Path(folder, CROSS_FILE)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: missing; run `dvc repro association` first")
    try:
        table = pd.read_csv(path)
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path}: is empty") from None
    missing = [name for name in (*CELL, *COLUMNS) if name not in table]
    if missing:
        raise ValueError(f"{path}: no column {', '.join(missing)}")
    if list(zip(table["emotion"], table["trait"], strict=True)) != CELLS:
        raise ValueError(f"{path}: does not hold each pair once, in their order")
    return table.assign(reason=table["reason"].astype(object).fillna(""))
