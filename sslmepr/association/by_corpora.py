"""Associations from the covariances of scores of single corpora, against a truth.

Where one law holds in all corpora, but for the scales of scores
(`sslmepr.association.domain_scales`), all of these ways lead to the same associations.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sslmepr.association.cross_source import CrossSource, cross_source
from sslmepr.association.domain_scales import DomainScales, domain_scales
from sslmepr.association.scores import (
    IdentificationError,
    Scores,
    centred,
    of_unit_variance,
)
from sslmepr.labels import TASKS

EVERY, UNSCALED = "all corpora", "all corpora, scales taken as 1"
COLUMNS = ["covariances", "slope", "correlation", "rmse", "held", "pairs"]


def by_corpus(
    scores: Sequence[Scores], names: Sequence[str]
) -> tuple[dict[str, CrossSource], DomainScales]:
    """Associations from all corpora, from each alone, and with scales taken as 1.

    Parameters
    ----------
    scores : sequence of Scores
    names : sequence of str
        Of the corpora.

    Returns
    -------
    associations : dict of str to CrossSource
        By whose covariances of scores are used; without those that leave the
        associations undetermined.
    scales : DomainScales
    """
    ways: dict[str, dict] = {EVERY: {}}
    for place, name in enumerate(names):
        ways[name] = {"counted": [each == place for each in range(len(scores))]}
    ways[UNSCALED] = {"scaled": False}
    found = {}
    for name, options in ways.items():
        try:
            found[name] = cross_source(*scores[:2], scores[2:], **options)
        except IdentificationError:
            continue  # of few clips
    every = of_unit_variance([centred(each) for each in scores])
    return found, domain_scales(every)


def against_truth(
    found: dict[str, CrossSource], truth: np.ndarray, quantile: float = 1.96
) -> pd.DataFrame:
    """How near each way comes to a known truth.

    Parameters
    ----------
    found : dict of str to CrossSource
        From `by_corpus`.
    truth : (emotion, trait) ndarray
    quantile : float
        Half the width of an interval, in standard errors.

    Returns
    -------
    DataFrame
        covariances (whose), slope (of the estimates on the truth, through 0),
        correlation (with it, over pairs), rmse, held (pairs whose interval holds the
        truth), pairs.
    """
    rows = []
    for name, each in found.items():
        off = each.associations - truth
        rows.append(
            (
                name,
                (each.associations * truth).sum() / (truth**2).sum(),
                np.corrcoef(each.associations.ravel(), truth.ravel())[0, 1],
                np.sqrt((off**2).mean()),
                int((np.abs(off) <= quantile * each.error).sum()),
                truth.size,
            )
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def scale_table(
    scales: DomainScales, corpora: Sequence[str], modalities: Sequence[str]
) -> pd.DataFrame:
    """Scales in long form: corpus, task, modality, scale.

    Parameters
    ----------
    scales : DomainScales
    corpora, modalities : sequence of str
        Their names.
    """
    rows = [
        (corpus, task, modality, scale)
        for task, matrix in zip(TASKS, scales.values, strict=True)
        for corpus, row in zip(corpora, matrix, strict=True)
        for modality, scale in zip(modalities, row, strict=True)
    ]
    return pd.DataFrame(rows, columns=["corpus", "task", "modality", "scale"])
