r"""How much each covariance of scores counts when associations are fitted to them.

Scores of a modality go together, and an error in what they carry of a label is in every
pair with that modality. Fitted with equal weights, what the pairs have in common counts
many times over, and standard errors are larger than they need be. The best weights are
the inverse of the covariance matrix of what is fitted, but with hundreds of covariances
of scores and a few hundred speakers it is too uncertain to be inverted: its own errors
would be fitted, and standard errors come out too small. What it is worth is kept by its
form under normal theory (Browne 1974): the covariance of two products is the product of
covariances, which the scores and labels of some hundred clips tell well.

Weights of a wrong form cost precision, and nothing else: the associations stay
consistent, and standard errors come from the influence of clips, which assumes no form.

References
----------
Browne, M. W. (1974). Generalized least squares estimators in the analysis of covariance
structures. South African Statistical Journal, 8, 1-24.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

from sslmepr.association.labelled_moments import LabelledMoments
from sslmepr.association.moment_fit import MomentModel
from sslmepr.association.scores import Scores

OWN = 0.1
"""Added to each variance, as a share of it. By convention, not tuned."""


def normal_theory_weight(
    corpora: Sequence[Scores],
    labelled: Sequence[LabelledMoments],
    shares: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    model: MomentModel,
) -> np.ndarray:
    """Inverse of the covariance matrix of covariances of scores under normal theory.

    Of what `model` leaves of them, including the errors of the covariances of scores
    with labels from which it is made.

    Parameters
    ----------
    corpora : sequence of Scores
        Centred; those with emotions and with traits come first.
    labelled : sequence of LabelledMoments
        Of these two.
    shares : (corpus, pair) ndarray
        Weights of the corpora in the covariances of scores.
    pairs : sequence of (int, int)
    model : MomentModel

    Returns
    -------
    (moment, moment) ndarray
        Moments are pair x emotion score x trait score; 1 on average on the diagonal.
    """
    loadings = [(model.lam, model.phi), (model.gam, model.psi)]
    total = 0.0
    for place, (corpus, share) in enumerate(zip(corpora, shares, strict=True)):
        count = len(corpus.present)
        seen = (corpus.present / np.maximum(corpus.present.mean(0), 1e-12))[..., None]
        emotions, traits = [corpus.emotions * seen], [corpus.traits * seen]
        # A product of scores, less what the labels of this corpus explain of either.
        signs = {(0, 0): share}
        if place < len(labelled):
            values = labelled[place].values
            for parts, each in zip((emotions, traits), loadings[place], strict=True):
                parts.append(np.einsum("msl,nl->nms", each, values))
            one = np.ones(len(pairs))
            signs |= {(0, 1): -one, (1, 0): -one, (1, 1): one}
        first, second = _covariances(emotions), _covariances(traits)
        for (one, sign), (two, other) in product(signs.items(), repeat=2):
            total = total + _of_products(
                first[one[0], two[0]] / count, second[one[1], two[1]], pairs
            ) * np.multiply.outer(sign, other).reshape(len(pairs), 1, 1, -1, 1, 1)
    size = int(np.sqrt(total.size))
    total = total.reshape(size, size)
    weight = np.linalg.inv(total + OWN * np.diag(np.diag(total)))
    return weight * size / np.trace(weight)


def _covariances(parts: list[np.ndarray]) -> dict[tuple[int, int], np.ndarray]:
    """Of two parts (clip, modality, score): modality x score x modality x score."""
    return {
        (i, j): np.einsum("nms,nkt->mskt", one, two, optimize=True) / len(one)
        for i, one in enumerate(parts)
        for j, two in enumerate(parts)
    }


def _of_products(first: np.ndarray, second: np.ndarray, pairs) -> np.ndarray:
    """Covariances of products: pair x emotion x trait, twice."""
    m, k = np.array(pairs).T
    return np.einsum(
        "pqef,pqtu->petqfu",
        first[m[:, None], :, m[None]],
        second[k[:, None], :, k[None]],
        optimize=True,
    )
