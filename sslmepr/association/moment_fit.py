"""What associations imply for covariances of scores, and those that fit them best.

References
----------
Hansen, L. P. (1982). Large sample properties of generalized method of moments
estimators. Econometrica, 50, 1029-1054.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from sslmepr.association.labelled_moments import LabelledMoments, rows_of
from sslmepr.association.scores import IdentificationError, Scores

STEPS = 500
"""Most steps of Newton's method in a trust region."""

TOLERANCE = 1e-7
"""Norm of the gradient of the sum of squares at which they end."""

REACH = 0.5
"""Length of the first step."""

SMALLEST_EIGENVALUE = 1e-3
"""Of the joint correlation matrix, which must stay positive definite."""


class ScoreProducts:
    """Products of the scores of pairs of modalities: their mean and those of clips."""

    def __init__(self, scores: Scores, pairs):
        self._scores, self._pairs = scores, pairs
        self._both = [scores.present[:, pair].all(1) for pair in pairs]
        self._share = [max(both.mean(), 1e-12) for both in self._both]
        self.mean = self.each().mean(0)

    def each(self) -> np.ndarray:
        """(clip, pair, emotion, trait), with `mean` as their mean."""
        emotions, traits = self._scores.emotions, self._scores.traits
        parts = [
            np.einsum("ne,nt->net", emotions[:, m], traits[:, k])
            * (both / share)[:, None, None]
            for (m, k), both, share in zip(
                self._pairs, self._both, self._share, strict=True
            )
        ]
        return np.stack(parts, 1)

    def deviations(self) -> np.ndarray:
        """Influence of clips on `mean`: (clip, pair, emotion, trait)."""
        seen = np.stack(self._both, 1) / self._share
        return self.each() - seen[..., None, None] * self.mean

    def influence(self, effect: np.ndarray) -> np.ndarray:
        """Of clips on C: (clip, association); `effect` as `MomentEffect.products`."""
        return self.each().reshape(len(self._scores.present), -1) @ rows_of(effect).T


class MomentEffect(NamedTuple):
    """What changes of moments do to the associations.

    Attributes
    ----------
    products : (association, pair, emotion score, trait score) ndarray
        Of covariances of scores.
    emotions : (association, modality, emotion score, label) ndarray
        Of covariances of emotion scores with emotions and traits.
    traits : (association, modality, trait score, label) ndarray
    matrix : (association, label, label) ndarray
        Of correlations of labels.
    """

    products: np.ndarray
    emotions: np.ndarray
    traits: np.ndarray
    matrix: np.ndarray


class MomentModel:
    """What associations C imply for the covariances of scores.

    `lam`, `gam` are the loadings of emotion scores on emotions and traits, `phi`,
    `psi` those of trait scores, `expected` the covariances of scores of each pair of
    modalities.
    """

    def __init__(
        self, associations, mine: LabelledMoments, theirs: LabelledMoments, pairs
    ):
        self._shape, self._pairs = associations.shape, pairs
        self._scores = mine.emotions.shape[1], mine.traits.shape[1]
        size = len(associations)
        self.joint = _joint(associations, mine, theirs)
        self._inverse = np.linalg.inv(self.joint)
        self._of_emotions, self._of_traits = (
            np.concatenate([first, second], -1) @ self._inverse
            for first, second in (
                (mine.emotions, theirs.emotions),
                (mine.traits, theirs.traits),
            )
        )
        self.lam, self.gam = np.split(self._of_emotions, [size], -1)
        self.phi, self.psi = np.split(self._of_traits, [size], -1)
        self.expected = np.stack(
            [
                self.lam[m] @ mine.traits[k].T + self.gam[m] @ theirs.traits[k].T
                for m, k in pairs
            ]
        )

    def jacobian(self) -> np.ndarray:
        """Derivatives of `expected` by C: (pair x score x score, association)."""
        slopes = [
            -np.einsum("ea,tb->etab", self.lam[m], self.psi[k])
            - np.einsum("eb,ta->etab", self.gam[m], self.phi[k])
            for m, k in self._pairs
        ]
        return np.stack(slopes).reshape(-1, np.prod(self._shape))

    def hessian(self, residual: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Of half the weighted squared residuals, by C: (association, association).

        Where scores carry little, residuals bend the sum of squares more than the
        Jacobian does: without them (Gauss-Newton) steps overshoot and never settle.
        """
        jacobian, change = self.jacobian(), self._changes()
        mixed = self._mixed((weight @ residual.ravel()).reshape(residual.shape))
        bent = rows_of(mixed.T @ change @ self._inverse) @ rows_of(change).T
        return jacobian.T @ weight @ jacobian - bent - bent.T

    def _changes(self) -> np.ndarray:
        """Of the joint matrix by each association: (association, label, label)."""
        size, count = len(self.joint), int(np.prod(self._shape))
        change = np.zeros((count, size, size))
        rows, columns = np.divmod(np.arange(count), self._shape[1])
        columns = columns + self._shape[0]
        change[np.arange(count), rows, columns] = 1
        change[np.arange(count), columns, rows] = 1
        return change

    def _mixed(self, residual: np.ndarray) -> np.ndarray:
        return sum(
            self._of_emotions[m].T @ each @ self._of_traits[k]
            for (m, k), each in zip(self._pairs, residual, strict=True)
        )

    def effect(self, weight: np.ndarray) -> MomentEffect:
        """What changes of moments do to the C with the smallest squared residuals.

        To first order in the residuals, as the generalised method of moments has it
        (Hansen 1982): what they do to the slopes vanishes in large corpora, and in
        small ones is mostly noise.
        """
        jacobian = self.jacobian()
        slopes = jacobian.T @ weight
        gain = np.linalg.solve(slopes @ jacobian, slopes)
        count, size = len(gain), len(self.joint)
        products = gain.reshape(count, len(self._pairs), *self._scores)
        emotions = np.zeros((count, *self._of_emotions.shape))
        traits = np.zeros((count, *self._of_traits.shape))
        matrix = np.zeros((count, size, size))
        for place, (m, k) in enumerate(self._pairs):
            mine, theirs = self._of_emotions[m], self._of_traits[k]
            each = products[:, place]
            emotions[:, m] -= each @ theirs
            traits[:, k] -= each.transpose(0, 2, 1) @ mine
            matrix += mine.T @ each @ theirs
        return MomentEffect(products, emotions, traits, matrix)


def _joint(associations, mine: LabelledMoments, theirs: LabelledMoments) -> np.ndarray:
    return np.block([[mine.matrix, associations], [associations.T, theirs.matrix]])


def solve(
    observed: np.ndarray,
    mine: LabelledMoments,
    theirs: LabelledMoments,
    pairs,
    weight: np.ndarray | None = None,
    start: np.ndarray | None = None,
):
    """Associations that fit the covariances of scores best.

    Parameters
    ----------
    observed : (pair, emotion score, trait score) ndarray
    mine, theirs : LabelledMoments
        Of emotions and of traits.
    pairs : sequence of (int, int)
        Of modalities.
    weight : (moment, moment) ndarray, optional
        Of squares and products of what is left of `observed`; by default each square
        counts once.
    start : (emotion, trait) ndarray, optional
        Associations from which the search starts; by default none.

    Returns
    -------
    found : (emotion, trait) ndarray
    model : MomentModel
        With these associations.
    effect : MomentEffect

    Raises
    ------
    IdentificationError
        If the covariances of scores leave the associations undetermined.
    """
    weight = np.eye(observed.size) if weight is None else weight
    shape = len(mine.matrix), len(theirs.matrix)

    @lru_cache(2)
    def model_of(values: bytes) -> MomentModel:
        return MomentModel(np.frombuffer(values).reshape(shape), mine, theirs, pairs)

    def squares(values):
        joint = _joint(values.reshape(shape), mine, theirs)
        if np.linalg.eigvalsh(joint)[0] <= SMALLEST_EIGENVALUE:
            return np.inf
        left = (observed - model_of(values.tobytes()).expected).ravel()
        return left @ weight @ left / 2

    def gradient(values):
        model = model_of(values.tobytes())
        return -model.jacobian().T @ weight @ (observed - model.expected).ravel()

    def hessian(values):
        model = model_of(values.tobytes())
        return model.hessian(observed - model.expected, weight)

    start = np.zeros(shape) if start is None else start
    start = start.ravel()
    if squares(start) == np.inf:
        raise IdentificationError(
            "associations are not identified: labels of one corpus determine each other"
        )
    if np.linalg.matrix_rank(model_of(start.tobytes()).jacobian()) < len(start):
        raise IdentificationError(
            "associations are not identified: scores of different modalities carry too "
            "little of the labels"
        )
    found = minimize(
        squares,
        start,
        method="trust-exact",
        jac=gradient,
        hess=hessian,
        options={"gtol": TOLERANCE, "maxiter": STEPS, "initial_trust_radius": REACH},
    )
    # Rounding may end the search a little earlier.
    if np.linalg.norm(found.jac) > 100 * TOLERANCE:
        raise IdentificationError(
            "associations are not identified: no joint correlation matrix fits best"
        )
    model = model_of(found.x.tobytes())
    effect = model.effect(weight)
    last = found.x + rows_of(effect.products) @ (observed - model.expected).ravel()
    return last.reshape(shape), model, effect
