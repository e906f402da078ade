r"""Halo effect: the common part of the five traits, and what it could explain.

A person who is liked is rated higher on every trait (halo effect). The scores of the
five traits then share a common factor, and an emotion that goes with liking correlates
with all five traits. Labels alone do not tell this from what is true, but they bound
it: how much halo they hold can be read off the correlations between traits, and from
there on it is a question of how strongly halo would have to go with an emotion to
explain an association. That is a sensitivity analysis, not a correction.

Say that the label of a trait is, with all variables standardised,

.. math:: t_\mathrm{obs} = \sqrt{1 - b^2}\, t + b h,

with a halo h that is common to all traits and independent of the true ones. Let R be
correlations between traits and C those of an emotion with a trait. Then, off the
diagonal of R,

.. math:: R_\mathrm{obs} = (1 - b^2) R + b^2, \qquad
          C_\mathrm{obs} = \sqrt{1 - b^2}\, C + b \kappa,

where :math:`\kappa` is the correlation of halo with the emotion. If true traits
correlate as in the norms of the NEO PI-R, the first equation gives b, and the second
the association that is left for any :math:`\kappa`. Halo moves the five cells of an
emotion by the same amount.

The *robustness value* is the smallest size of :math:`\kappa` at which the interval of
an association reaches 0, as in Cinelli and Hazlett (2020), Making sense of sensitivity,
Journal of the Royal Statistical Society B, 82, 39-67. It takes b as known. Noise of
raters that differs between traits lowers their correlations, so that b is then too
small and the robustness value too large. Halo that goes with the true traits, because
what pleases raters does, raises them, so that the value is then too small.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from sslmepr.labels import TRAITS, select
from sslmepr.statistics.norms import TRAIT_CORRELATION

SELF_REPORTS = "self-reports, norms of the NEO PI-R"

ROUNDING = 1e-6
"""Of correlations that were written to a file."""


def common_part(
    predictions: pd.DataFrame, corpora: Iterable[str], variant: str
) -> pd.DataFrame:
    """Mean correlation between traits: annotated, predicted and self-reported.

    Parameters
    ----------
    predictions : DataFrame
        clip_id, corpus, stage, variant, target, predicted and true (and seed).
    corpora : iterable of str
        In the order of the result; corpora without predictions of `variant` are left
        out.
    variant : str
        The fusion model.

    Returns
    -------
    DataFrame
        corpus, traits (``annotated`` or ``read by the model``), mean_correlation,
        clips. The last row, without corpus, is of self-reports (norms of the NEO PI-R,
        `sslmepr.statistics.norms`).
    """
    rows = []
    mine = select(predictions, stage="fusion", variant=variant)
    traits = mine[mine["target"].isin(TRAITS)]
    for corpus in corpora:
        mine = traits[traits["corpus"] == corpus]
        mean = mine.groupby(["clip_id", "target"])[["true", "predicted"]].mean()
        for side, name in (("true", "annotated"), ("predicted", "read by the model")):
            wide = mean[side].unstack("target").dropna()
            if len(wide) > len(TRAITS):
                r = np.corrcoef(wide.to_numpy(), rowvar=False)
                rows.append((corpus, name, _mean_below(r), len(wide)))
    rows.append((None, SELF_REPORTS, _mean_below(TRAIT_CORRELATION), None))
    columns = ["corpus", "traits", "mean_correlation", "clips"]
    return pd.DataFrame(rows, columns=columns).astype({"clips": "Int64"})


def trait_correlation(labels: np.ndarray) -> np.ndarray:
    """Correlations between the labels of the traits.

    Parameters
    ----------
    labels : (clip, trait) array
        Clips that lack a label are left out.

    Returns
    -------
    (trait, trait) ndarray

    Raises
    ------
    ValueError
        If fewer than two clips are labelled, or a trait does not vary.
    """
    labels = np.asarray(labels, float)
    known = labels[np.isfinite(labels).all(axis=1)]
    if len(known) < 2:
        raise ValueError(
            f"labels of traits: {len(known)} clips have them; 2 are needed"
        )
    for name, spread in zip(TRAITS, np.ptp(known, axis=0), strict=True):
        if not spread:
            raise ValueError(f"labels of traits: {name} does not vary")
    return np.corrcoef(known, rowvar=False)


def halo_weight(observed: np.ndarray) -> float:
    """The weight b of halo in a label, from the correlations between traits.

    Parameters
    ----------
    observed : (trait, trait) ndarray
        Of labels, as from `trait_correlation`.

    Returns
    -------
    float
        0 if labels correlate no more, on average, than traits of self-reports do.

    Raises
    ------
    ValueError
        If `observed` is no correlation matrix of the traits.
    """
    observed = np.asarray(observed, float)
    square = observed.shape == TRAIT_CORRELATION.shape
    if not (square and (np.abs(observed) <= 1 + ROUNDING).all()):
        raise ValueError(
            f"correlations of traits: not {len(TRAITS)} by {len(TRAITS)} numbers "
            "from -1 to 1"
        )
    if not (
        np.allclose(observed, observed.T, atol=ROUNDING)
        and np.allclose(np.diag(observed), 1, atol=ROUNDING)
    ):
        raise ValueError(
            "correlations of traits: not symmetric, or not 1 on the diagonal"
        )
    norm = _mean_below(TRAIT_CORRELATION)
    share = (_mean_below(observed) - norm) / (1 - norm)
    return float(np.sqrt(np.clip(share, 0, 1)))


def without_halo(observed, weight: float, kappa):
    """The association that is left for a given halo.

    Parameters
    ----------
    observed : array
        Correlation of the labels.
    weight : float
        From `halo_weight`; less than 1.
    kappa : array
        Correlation of halo with the emotion.

    Returns
    -------
    ndarray
        Correlation of the emotion with the true trait.
    """
    return (observed - weight * np.asarray(kappa)) / np.sqrt(1 - weight**2)


def sensitivity(table: pd.DataFrame, observed: np.ndarray) -> pd.DataFrame:
    """How strong halo would have to be to explain each association.

    Parameters
    ----------
    table : DataFrame
        r, low and high of every association and further columns: a table of
        `sslmepr.association.cross_table`, or the primary endpoints, whose means over
        traits halo moves like any cell.
    observed : (trait, trait) ndarray
        Correlations between the labels of the traits.

    Returns
    -------
    DataFrame
        `table` with weight (b), kappa (the correlation of halo with the emotion at
        which nothing is left of r) and robustness (its smallest size at which the
        interval reaches 0). Beyond 1, no halo can do it; both are infinite if labels
        hold no halo. Robustness is 0 where the interval holds 0 already.
    """
    weight = halo_weight(observed)
    r, low, high = (table[name].to_numpy(float) for name in ("r", "low", "high"))
    # The end of the interval that is nearer to 0; negative if it holds 0.
    distance = np.maximum(low, -high)
    return table.assign(
        weight=weight,
        kappa=_divided(r, weight),
        robustness=_divided(np.maximum(distance, 0), weight),
    )


def _divided(values: np.ndarray, weight: float) -> np.ndarray:
    """Values by weight; where it is 0, infinite, and 0 for 0."""
    if weight:
        return values / weight
    return np.where(values == 0, values, np.copysign(np.inf, values))


def _mean_below(r: np.ndarray) -> float:
    """Mean of a matrix below its diagonal."""
    return float(r[np.tril_indices(len(r), -1)].mean())
