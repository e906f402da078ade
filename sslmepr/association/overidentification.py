r"""More conditions than associations: do they contradict each other?

Three sources fit thirty associations to many more covariances of scores, thirty for
every pair of modalities. What the fit leaves of them, :math:`r`, is sampling error if
the assumptions hold, and the test of Hansen (1982) asks whether it is too large for
that,

.. math:: J = r^\top V^+ r,

with V the variance of r, from the influence of speakers on all moments. The fit has
taken as many directions of r as there are associations, so that the rank of V is the
number d of conditions. With many of them, V is far too uncertain for a chi-squared
distribution: as for Hotelling's T-squared of several samples, here the corpora,
:math:`J (\nu - d + 1) / (\nu d)` is set against F with d and :math:`\nu - d + 1`
degrees of freedom, where :math:`\nu` is the number of speakers that V is worth
(Krishnamoorthy and Yu 2004). Speakers of whom two sensors were seen are samples of
their own there, apart from those of the same corpus of whom there is one, such as texts
without a video: however many the latter are, they tell nothing of the variance of
covariances of scores.

References
----------
Hansen, L. P. (1982). Large sample properties of generalized method of moments
estimators. Econometrica, 50, 1029-1054.

Krishnamoorthy, K., & Yu, J. (2004). Modified Nel and Van der Merwe test for the
multivariate Behrens-Fisher problem. Statistics & Probability Letters, 66, 161-169.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.linalg import null_space

from sslmepr.association.cross_source import (
    Observed,
    crossed_clips,
    crossed_pairs,
    fit,
    observe,
)
from sslmepr.association.domain_scales import domain_scales
from sslmepr.association.labelled_moments import rows_of
from sslmepr.association.moment_fit import MomentModel, ScoreProducts
from sslmepr.association.prediction_powered import by_speaker
from sslmepr.association.scores import (
    IdentificationError,
    Scores,
    centred,
    of_unit_variance,
)


class Overidentification(NamedTuple):
    """What the fit leaves, and how well it is determined.

    Attributes
    ----------
    residual, error : (moment,) ndarray
        Covariances of scores of unit variance less those that the associations imply,
        and their standard errors.
    statistic : float
        Hansen's J.
    freedom, n_speakers : int
    p : float
    smallest : dict of str to float
        How strongly scores of a modality carry that combination of emotions, or of
        traits, which they carry least (singular values of the loadings), and the
        smallest eigenvalue of the joint correlation matrix of the labels (``joint``).
    """

    residual: np.ndarray
    error: np.ndarray
    statistic: float
    freedom: int
    n_speakers: int
    p: float
    smallest: dict[str, float]


def overidentification(
    emotion: Scores, personality: Scores, others: Sequence[Scores] = ()
) -> Overidentification:
    """Test all conditions of `sslmepr.association.cross_source` together.

    Parameters
    ----------
    emotion, personality, others
        As of `sslmepr.association.cross_source.cross_source`.

    Returns
    -------
    Overidentification
        p is NaN if there are fewer speakers than conditions, or no condition is left.

    Raises
    ------
    IdentificationError
        As of `sslmepr.association.cross_source.cross_source`.
    """
    seen = observe(emotion, personality, others)
    _, model, effect = fit(seen)
    residual = (seen.covariances - model.expected).ravel()
    # The fit has taken the directions of the Jacobian, which others do not see.
    jacobian = model.jacobian()
    left = null_space(jacobian.T)
    moments = [each[each.any(1)] for each in _influence(seen, model)]
    parts = [each @ left for each in moments]
    spread = sum(each.T @ each for each in parts)
    rank = int(np.linalg.matrix_rank(spread, hermitian=True)) if left.size else 0
    inverse = np.linalg.pinv(spread, hermitian=True)
    statistic = float(residual @ left @ inverse @ left.T @ residual)
    n, p = sum(map(len, parts)), np.nan
    if 0 < left.shape[1] < n - len(parts):
        p = _p(statistic, rank, parts, inverse)
    kept = np.eye(len(residual)) - jacobian @ rows_of(effect.products)
    error = np.sqrt(sum(((each @ kept.T) ** 2).sum(0) for each in moments))
    return Overidentification(
        residual, error, statistic, rank, n, p, _smallest(model, seen.pairs)
    )


def _p(statistic: float, rank: int, parts: list[np.ndarray], inverse) -> float:
    """P-value; NaN if V is worth fewer speakers than there are conditions."""
    uncertain = 0.0
    for each in parts:
        share = each.T @ each @ inverse
        both = (share * share.T).sum() + np.trace(share) ** 2
        uncertain += both / max(len(each) - 1, 1)
    second = (rank + rank**2) / uncertain - rank + 1
    if second <= 0:
        return np.nan
    return float(
        stats.f.sf(statistic * second / (rank * (second + rank - 1)), rank, second)
    )


def _influence(seen: Observed, model: MomentModel) -> list[np.ndarray]:
    """Of speakers, on what given associations leave: (speaker, moment).

    By corpus, and in it those of whom two sensors were seen and the others.
    """
    parts, found = [], []
    for place, share in enumerate(seen.weights):
        each = share[:, None, None] * seen.products[place].deviations()
        if place < 2:
            own = seen.labels(place)
            labelled = (seen.mine, seen.theirs)[place]
            of_emotions = np.concatenate([model.lam, model.gam], -1)[..., own]
            of_traits = np.concatenate([model.phi, model.psi], -1)[..., own]
            emotions, traits = map(labelled.deviations, ("emotions", "traits"))
            matrix = labelled.matrix_deviations()
            for number, (m, k) in enumerate(seen.pairs):
                one, two = of_emotions[m], of_traits[k]
                each[:, number] -= emotions[:, m] @ two.T
                each[:, number] -= one @ traits[:, k].transpose(0, 2, 1)
                each[:, number] += one @ matrix @ two.T
        parts.append(rows_of(each))
    if seen.scales:
        seen.scales.add_to(parts, seen.scale_slopes(*_effects(model, seen.pairs)))
    for corpus, each in zip(seen.corpora, parts, strict=True):
        sums = by_speaker(corpus, each) / len(each)
        crossed = (
            by_speaker(corpus, crossed_clips(corpus.present, seen.pairs)[:, None])[:, 0]
            > 0
        )
        found += [part for part in (sums[crossed], sums[~crossed]) if len(part)]
    return found


def _effects(model: MomentModel, pairs) -> tuple[np.ndarray, ...]:
    """What moments do to what given associations leave, as in `MomentEffect`."""
    shape = model.expected.shape
    count = model.expected.size
    products = np.eye(count).reshape(count, *shape)
    of_emotions = np.concatenate([model.lam, model.gam], -1)
    of_traits = np.concatenate([model.phi, model.psi], -1)
    emotions = np.zeros((count, *of_emotions.shape))
    traits = np.zeros((count, *of_traits.shape))
    for place, (m, k) in enumerate(pairs):
        emotions[:, m] -= products[:, place] @ of_traits[k]
        traits[:, k] -= products[:, place].transpose(0, 2, 1) @ of_emotions[m]
    return products, emotions, traits


def _smallest(model: MomentModel, pairs) -> dict[str, float]:
    sides = {"emotions": (model.lam, 0), "traits": (model.psi, 1)}
    found = {}
    for name, (loadings, side) in sides.items():
        used = loadings[sorted({pair[side] for pair in pairs})]
        flat = used.reshape(-1, used.shape[-1])
        least = np.linalg.svd(flat, compute_uv=False)[-1]
        found[name] = float(least / np.sqrt(len(used)))
    return found | {"joint": float(np.linalg.eigvalsh(model.joint)[0])}


def covariance_difference(
    first: Scores, second: Scores
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Covariances of scores of different sensors in one corpus less in another.

    Under one joint law they are the same but for scales, which covariances for the same
    task tell, whatever the labels; none is used. Of scores
    that were cross-fitted, the mean over folds stands in one corpus and the mean probe
    in the other, which have the same covariance.

    Parameters
    ----------
    first, second : Scores

    Returns
    -------
    change : (pair, emotion, trait) ndarray
        For scores of unit variance over both.
    influence : list of (speaker, pair, emotion, trait) ndarray
        By corpus, divided by the clips.

    Raises
    ------
    IdentificationError
        If no pair of modalities of different sensors is seen in both.
    """
    corpora = of_unit_variance([centred(first), centred(second)])
    scales = domain_scales(corpora)
    corpora = scales.rescaled(corpora)
    seen = [crossed_pairs([each], first.sensors) for each in corpora]
    pairs = [pair for pair in seen[0] if pair in seen[1]]
    if not pairs:
        raise IdentificationError(
            "no two modalities of different sensors are seen together in both corpora"
        )
    products = [ScoreProducts(each, pairs) for each in corpora]
    change = products[0].mean - products[1].mean
    parts = [
        sign * rows_of(each.deviations())
        for sign, each in zip((1, -1), products, strict=True)
    ]
    slopes = {}
    for own, place in scales.influence:
        slope = np.zeros((*change.shape, corpora[0].present.shape[1]))
        for number, pair in enumerate(pairs):
            scaled = products[place].mean[number]
            slope[number, ..., pair[own]] = scaled if place else -scaled
        slopes[own, place] = slope.reshape(change.size, -1)
    scales.add_to(parts, slopes)
    influence = [
        (by_speaker(corpus, each) / len(each)).reshape(-1, *change.shape)
        for corpus, each in zip(corpora, parts, strict=True)
    ]
    return change, influence
