r"""Associations from three sources, in which the leakage of cues cancels.

A probe for emotions reads some cues of traits, and a probe for traits some of emotions.
What it predicts is therefore correlated with the other side even where nothing is
associated, in every sample size: a bias. But the corpus with emotion labels shows how
much of an emotion each score carries, and the one with trait labels how much of a
trait, and both together with the covariance of scores determine the association.

Write $s_m$ for the emotion scores of modality m and $u_k$ for the trait scores of
modality k, and
$A_m = \mathrm{Cov}(s_m, e)$, $B_k = \mathrm{Cov}(u_k, e)$, G of the emotion corpus,
$D_m = \mathrm{Cov}(s_m, t)$, $F_k = \mathrm{Cov}(u_k, t)$, R of the personality corpus,
and $W_{mk} = \mathrm{Cov}(s_m, u_k)$ of any corpus. If the errors of different
modalities are independent given emotions and traits, if regressions are linear, and if
one joint law holds in all corpora,

.. math:: W_{mk} = [A_m D_m] \begin{pmatrix} G & C \\ C^\top & R \end{pmatrix}^{-1}
          [B_k F_k]^\top, \qquad m \ne k,

which is solved for the associations C by least squares, with Newton's method in a trust
region. Standard errors come from the influence of each clip on every one of these
moments, summed by speaker. No clip needs both labels; with a single modality, C is not
identified.

Emotions are latent variables of which presence is seen above a threshold: covariances
with them are those with $(e - p) / \varphi(\tau)$ (Stein's lemma), and G holds
tetrachoric correlations.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.optimize import brentq, minimize
from scipy.stats import multivariate_normal, norm

from sslmepr.statistics.cluster_bootstrap import cluster_index, cluster_sums

STEPS = 500
"""Most steps of Newton's method in a trust region."""

TOLERANCE = 1e-7
"""Norm of the gradient of the sum of squares at which they end."""

REACH = 0.5
"""Length of the first step."""

SMALLEST_EIGENVALUE = 1e-3
"""Of the joint correlation matrix, which must stay positive definite."""

SMOOTHED = 0.02
"""Smallest eigenvalue of tetrachoric correlations. By convention, not tuned."""

FISHER = 0.6
"""Correlation above which a symmetric interval could leave -1..1."""


class IdentificationError(ValueError):
    """The associations are not identified by what was observed."""


class Scores(NamedTuple):
    """Scores of the clips of one corpus, by modality.

    Attributes
    ----------
    emotions : (clip, modality, emotion) ndarray
        From probes that were not fitted to the clip's speaker.
    traits : (clip, modality, trait) ndarray
    present : (clip, modality) ndarray of bool
        Scores of absent modalities are not used.
    speakers : (clip,) ndarray of str
    labels : (clip, target) ndarray or None
        Presence of emotions (above 0) or trait scores; None for clips without labels.
    """

    emotions: np.ndarray
    traits: np.ndarray
    present: np.ndarray
    speakers: np.ndarray
    labels: np.ndarray | None = None


class Reliability(NamedTuple):
    """Share of the variance of each label that is no noise of raters.

    Attributes
    ----------
    emotions, traits : (target,) ndarray
        Above 0, at most 1; of latent emotions as raters see them, and of traits.
    emotion_errors, trait_errors : (target,) ndarray
        Standard errors, 0 where the reliability is known.
    """

    emotions: np.ndarray
    traits: np.ndarray
    emotion_errors: np.ndarray
    trait_errors: np.ndarray


class CrossSource(NamedTuple):
    """Associations, and what their uncertainty is made of.

    Attributes
    ----------
    associations : (emotion, trait) ndarray
        Correlations of latent emotions with traits as they are labelled.
    influence : list of (speaker, emotion, trait) ndarray
        Of each corpus: the sum of a speaker's influence, divided by the clips; their
        squares sum up to the variance.
    n_clips, n_speakers : int
    mismatch : float
        Root mean square of what the model leaves of the covariances of scores, for
        scores of unit variance.
    smallest : float
        Smallest eigenvalue of the joint correlation matrix.
    n_crossed : int
        Clips in which two modalities were seen; others tell only what scores carry of
        labels.

    Mismatch and smallest are NaN for an estimate that is not from three sources alone.
    """

    associations: np.ndarray
    influence: list[np.ndarray]
    n_clips: int
    n_speakers: int
    mismatch: float = np.nan
    smallest: float = np.nan
    n_crossed: int = 0

    @property
    def error(self) -> np.ndarray:
        """Standard errors, (emotion, trait)."""
        return np.sqrt(sum((each**2).sum(0) for each in self.influence))


def cross_source(
    emotion: Scores,
    personality: Scores,
    others: Sequence[Scores] = (),
    *,
    apart: Sequence[object] | None = None,
    counted: Sequence[bool] | None = None,
    reliability: Reliability | None = None,
) -> CrossSource:
    """Estimate the associations of emotions and traits.

    Parameters
    ----------
    emotion, personality : Scores
        Of the corpora with these labels.
    others : sequence of Scores
        Of corpora without labels, or whose labels are not to be used.
    apart : (modality,) sequence, optional
        What each modality is recorded with: scores of two modalities are compared where
        this differs. By default, those of all pairs are.
    counted : (corpus,) sequence of bool, optional
        Corpora whose covariances of scores are used; by default all.
    reliability : Reliability, optional
        Of the labels. Noise of raters is in no score, but counts in the variances of
        the labels, which then seem to explain less than they do, and associations come
        out too small. It is taken from these variances. By default there is none.

    Returns
    -------
    CrossSource
        With a reliability, `influence` has a last array with one row for each label:
        what the error of its reliability does.

    Raises
    ------
    IdentificationError
        If no corpus has clips with two modalities, a label does not vary, or the
        scores leave the associations undetermined.
    """
    corpora = [_centred(each) for each in (emotion, personality, *others)]
    modalities = emotion.present.shape[1]
    apart = range(modalities) if apart is None else apart
    counted = [True] * len(corpora) if counted is None else counted
    used = [each for each, count in zip(corpora, counted, strict=True) if count]
    pairs = [
        pair
        for pair in permutations(range(modalities), 2)
        if apart[pair[0]] != apart[pair[1]]
        and any(each.present[:, pair].all(1).sum() > 1 for each in used)
    ]
    if not pairs:
        raise IdentificationError(
            "associations are not identified: no two modalities are seen together, so "
            "that errors which both predictions share cannot be told from them"
        )
    scale = _deviations(corpora)
    corpora = [_divided(each, *scale) for each in corpora]
    mine, theirs = _Emotions(corpora[0]), _Traits(corpora[1])
    if reliability is not None:
        np.fill_diagonal(mine.matrix, reliability.emotions)
        np.fill_diagonal(theirs.matrix, reliability.traits)
    weights = np.array(
        [
            [count * each.present[:, pair].all(1).sum() for pair in pairs]
            for each, count in zip(corpora, counted, strict=True)
        ]
    )
    weights = weights / weights.sum(0)
    moments = [_Products(each, pairs) for each in corpora]
    observed = sum(
        share[:, None, None] * each.mean
        for share, each in zip(weights, moments, strict=True)
    )
    found, model, effect = _solve(observed, mine, theirs, pairs)
    influence = []
    for place, (corpus, share) in enumerate(zip(corpora, weights, strict=True)):
        parts = moments[place].influence(share[:, None, None] * effect.products)
        if place < 2:
            size = len(found)
            own = slice(size) if place == 0 else slice(size, None)
            parts += (mine, theirs)[place].influence(
                effect.emotions[..., own],
                effect.traits[..., own],
                effect.matrix[:, own, own],
            )
        index, count = cluster_index(corpus.speakers)
        sums = cluster_sums(parts - parts.mean(0), index, count) / len(parts)
        influence.append(sums.reshape(count, *found.shape))
    n_speakers = sum(len(each) for each in influence)
    if reliability is not None:
        errors = np.concatenate([reliability.emotion_errors, reliability.trait_errors])
        slopes = np.diagonal(effect.matrix, axis1=1, axis2=2)  # (association, label)
        influence.append((errors[:, None] * slopes.T).reshape(-1, *found.shape))
    return CrossSource(
        found,
        influence,
        sum(len(each.present) for each in corpora),
        n_speakers,
        float(np.sqrt(((observed - model.expected) ** 2).mean())),
        float(np.linalg.eigvalsh(model.joint)[0]),
        sum(int(_crossed(each.present, pairs).sum()) for each in used),
    )


def _crossed(present: np.ndarray, pairs) -> np.ndarray:
    """Clips in which both modalities of some pair are seen."""
    return np.any([present[:, pair].all(1) for pair in pairs], axis=0)


def _masked(values: np.ndarray, present: np.ndarray) -> np.ndarray:
    return np.where(present[..., None], values, 0.0)


def _centred(scores: Scores) -> Scores:
    count = np.maximum(scores.present.sum(0), 1)[:, None]
    parts = []
    for values in (scores.emotions, scores.traits):
        values = _masked(values, scores.present)
        parts.append(_masked(values - values.sum(0) / count, scores.present))
    return scores._replace(emotions=parts[0], traits=parts[1])


def _deviations(corpora: list[Scores]) -> list[np.ndarray]:
    """Standard deviation of each score, over all corpora."""
    count = np.maximum(sum(each.present.sum(0) for each in corpora), 1)[:, None]
    return [
        np.sqrt(sum((getattr(c, name) ** 2).sum(0) for c in corpora) / count) + 1e-12
        for name in ("emotions", "traits")
    ]


def _divided(scores: Scores, emotions: np.ndarray, traits: np.ndarray) -> Scores:
    return scores._replace(
        emotions=scores.emotions / emotions, traits=scores.traits / traits
    )


class _Products:
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

    def influence(self, effect: np.ndarray) -> np.ndarray:
        """Of clips on C: (clip, association); `effect` as `_Effect.products`."""
        return self.each().reshape(len(self._scores.present), -1) @ _rows(effect).T


class _Effect(NamedTuple):
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


def _rows(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1)


class _Labelled:
    """Covariances of scores with the labels of one corpus, and their influence.

    Attributes
    ----------
    emotions : (modality, emotion score, label) ndarray
    traits : (modality, trait score, label) ndarray
    matrix : (label, label) ndarray
        Correlations of the labels.
    """

    def __init__(self, scores: Scores, values: np.ndarray, slope: np.ndarray):
        share = np.maximum(scores.present.mean(0), 1e-12)
        self._weights = scores.present / share
        self._scores, self._values, self._slope = scores, values, slope
        self.emotions, self.traits = (
            np.einsum("nm,nms,nl->msl", self._weights, each, values) / len(values)
            for each in (scores.emotions, scores.traits)
        )

    def _each(self, name: str, m: int) -> np.ndarray:
        """Influence of clips on a covariance: (clip, score, label)."""
        product = np.einsum(
            "n,ns,nl->nsl",
            self._weights[:, m],
            getattr(self._scores, name)[:, m],
            self._values,
        )
        estimate = getattr(self, name)[m]
        return product - estimate * (self._values * self._slope)[:, None, :]

    def influence(self, emotions, traits, matrix) -> np.ndarray:
        """Of clips on C: (clip, association).

        Parameters
        ----------
        emotions, traits, matrix
            As in `_Effect`, of the labels of this corpus alone.
        """
        found = self._influence.reshape(len(self._values), -1) @ _rows(matrix).T
        for name, effect in (("emotions", emotions), ("traits", traits)):
            for m in range(effect.shape[1]):
                each = self._each(name, m).reshape(len(self._values), -1)
                found = found + each @ _rows(effect[:, m]).T
        return found


class _Emotions(_Labelled):
    """Of the emotion corpus; labels are thresholded latent variables."""

    def __init__(self, scores: Scores):
        labels = scores.labels > 0
        share = labels.mean(0)
        if ((share == 0) | (share == 1)).any():
            raise IdentificationError("an emotion is present in all clips or in none")
        self.threshold = norm.isf(share)
        self._density = norm.pdf(self.threshold)
        values = (labels - share) / self._density
        super().__init__(scores, values, self.threshold)
        self._labels, self._share = labels, share
        self.matrix, self._influence = self._tetrachoric()

    def _tetrachoric(self) -> tuple[np.ndarray, np.ndarray]:
        count = len(self._share)
        matrix, influence = np.eye(count), np.zeros((len(self._labels), count, count))
        for i in range(count):
            for j in range(i):
                ends = self.threshold[[i, j]]
                both = self._labels[:, i] & self._labels[:, j]
                # Half a clip: two emotions that never met need not exclude each other.
                least, half = self._share[[i, j]].min(), 0.5 / len(both)
                r = tetrachoric(*ends, np.clip(both.mean(), half, least - half))
                spread = np.sqrt(1 - r**2)
                other = norm.cdf((r * ends - ends[::-1]) / spread)
                change = both - both.mean()
                for place, each in enumerate((i, j)):
                    own = self._labels[:, each] - self._share[each]
                    change = change - own * other[place]
                density = multivariate_normal.pdf(ends, cov=[[1, r], [r, 1]])
                matrix[i, j] = matrix[j, i] = r
                influence[:, i, j] = influence[:, j, i] = change / density
        return _smoothed(matrix), influence


def _smoothed(matrix: np.ndarray) -> np.ndarray:
    """A correlation matrix without eigenvalues near 0 or below.

    Tetrachoric correlations are estimated pair by pair, and in few clips need not be a
    correlation matrix.
    """
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= SMOOTHED:
        return matrix
    smooth = (vectors * np.maximum(values, SMOOTHED)) @ vectors.T
    scale = np.sqrt(np.diag(smooth))
    return smooth / np.outer(scale, scale)


class _Traits(_Labelled):
    """Of the personality corpus; labels are standardised."""

    def __init__(self, scores: Scores):
        labels = scores.labels - scores.labels.mean(0)
        deviation = labels.std(0)
        if (deviation == 0).any():
            raise IdentificationError("a trait is the same in all clips")
        values = labels / deviation
        # A larger deviation makes covariances smaller: half a squared value each.
        super().__init__(scores, values, values / 2)
        self.matrix = values.T @ values / len(values)
        squares = values**2
        self._influence = np.einsum("nj,nk->njk", values, values) - self.matrix * (
            (squares[:, :, None] + squares[:, None, :]) / 2
        )


class _Model:
    """What associations C imply for the covariances of scores.

    `lam`, `gam` are the loadings of emotion scores on emotions and traits, `phi`,
    `psi` those of trait scores, `expected` the covariances of scores of each pair of
    modalities.
    """

    def __init__(self, associations, mine: _Labelled, theirs: _Labelled, pairs):
        self._shape, self._pairs = associations.shape, pairs
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

    def hessian(self, residual: np.ndarray) -> np.ndarray:
        """Of half the squared residuals, by C: (association, association).

        Where scores carry little, residuals bend the sum of squares more than the
        Jacobian does: without them (Gauss-Newton) steps overshoot and never settle.
        """
        jacobian, change = self.jacobian(), self._changes()
        once = self._mixed(residual).T @ change @ self._inverse
        bent = _rows(once) @ _rows(change).T
        return jacobian.T @ jacobian - bent - bent.T

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

    def effect(self, residual: np.ndarray) -> _Effect:
        """What changes of moments do to the C that minimises the squared residuals.

        By the implicit function theorem, from the derivatives of the gradient by the
        moments; `residual` is what the model leaves of the covariances of scores.
        """
        change, inverse = self._changes(), self._inverse
        emotions = np.zeros((len(change), *self._of_emotions.shape))
        traits = np.zeros((len(change), *self._of_traits.shape))
        matrix = np.zeros_like(change)
        for (m, k), each in zip(self._pairs, residual, strict=True):
            mine, theirs = self._of_emotions[m], self._of_traits[k]
            one, two = mine @ change @ theirs.T, each @ theirs @ change @ inverse
            emotions[:, m] += one @ theirs - two
            back = each.T @ mine @ change @ inverse
            traits[:, k] += one.transpose(0, 2, 1) @ mine - back
            matrix -= mine.T @ one @ theirs
        mixed = self._mixed(residual)
        matrix += mixed @ change @ inverse + inverse @ change @ mixed
        hessian = self.hessian(residual)
        products = self.jacobian().T.reshape(len(change), *residual.shape)
        return _Effect(
            *(
                np.linalg.solve(hessian, _rows(each)).reshape(each.shape)
                for each in (products, emotions, traits, matrix)
            )
        )


def _joint(associations, mine: _Labelled, theirs: _Labelled) -> np.ndarray:
    return np.block([[mine.matrix, associations], [associations.T, theirs.matrix]])


def _solve(observed, mine: _Labelled, theirs: _Labelled, pairs):
    """Associations that fit the covariances of scores best.

    Returns
    -------
    found : (emotion, trait) ndarray
    model : _Model
        With these associations.
    effect : _Effect
    """
    shape = len(mine.matrix), len(theirs.matrix)

    @lru_cache(2)
    def model_of(values: bytes) -> _Model:
        return _Model(np.frombuffer(values).reshape(shape), mine, theirs, pairs)

    def squares(values):
        joint = _joint(values.reshape(shape), mine, theirs)
        if np.linalg.eigvalsh(joint)[0] <= SMALLEST_EIGENVALUE:
            return np.inf
        return ((observed - model_of(values.tobytes()).expected) ** 2).sum() / 2

    def gradient(values):
        model = model_of(values.tobytes())
        return -model.jacobian().T @ (observed - model.expected).ravel()

    def hessian(values):
        model = model_of(values.tobytes())
        return model.hessian(observed - model.expected)

    start = np.zeros(np.prod(shape))
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
    effect = model.effect(observed - model.expected)
    last = found.x + _rows(effect.products) @ (observed - model.expected).ravel()
    return last.reshape(shape), model, effect


@lru_cache(maxsize=256)  # the same labels are met again with other scores
def tetrachoric(first: float, second: float, both: float) -> float:
    """Correlation of two normal variables from how often both exceed a threshold.

    Parameters
    ----------
    first, second : float
        Thresholds, in standard deviations.
    both : float
        Share of cases in which both are exceeded.

    Returns
    -------
    float
        At the nearer end of (-1, 1) if no correlation gives that share.
    """

    def excess(r: float) -> float:
        ends = [-first, -second]
        return multivariate_normal.cdf(ends, cov=[[1, r], [r, 1]]) - both

    limit = 0.999
    if excess(-limit) >= 0:
        return -limit
    if excess(limit) <= 0:
        return limit
    return float(brentq(excess, -limit, limit, xtol=1e-8))


def intervals(
    estimate: np.ndarray, error: np.ndarray, confidence: float, n_speakers: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Intervals and p-values of associations.

    Parameters
    ----------
    estimate, error : (...) arrays
        Beyond a correlation of `FISHER`, on the scale of Fisher's z.
    confidence : float
    n_speakers : int

    Returns
    -------
    low, high, p : (...) ndarrays
    """
    freedom = max(n_speakers - 1, 1)
    quantile = stats.t.ppf((1 + confidence) / 2, freedom)
    low, high = estimate - quantile * error, estimate + quantile * error
    z = np.arctanh(np.clip(estimate, -0.999, 0.999))
    width = quantile * error / (1 - np.tanh(z) ** 2)
    strong = np.abs(estimate) > FISHER
    low = np.where(strong, np.tanh(z - width), low)
    high = np.where(strong, np.tanh(z + width), high)
    return low, high, 2 * stats.t.sf(np.abs(estimate) / error, freedom)


def largest_t(
    influence: Sequence[np.ndarray], error: np.ndarray, draws: int, seed: int
) -> np.ndarray:
    """Largest |t| over a family of cells if nothing were associated.

    Influence of speakers is multiplied by random signs (Rademacher multipliers).

    Parameters
    ----------
    influence : sequence of (speaker, ...) arrays
    error : (...) array
    draws : int
    seed : int

    Returns
    -------
    (draw,) ndarray
    """
    drawn = multiplied(influence, draws, seed) / error
    return np.abs(drawn).reshape(draws, -1).max(1)


def multiplied(influence: Sequence[np.ndarray], draws: int, seed: int) -> np.ndarray:
    """Deviations of the associations under random signs of speakers: (draw, ...)."""
    rng = np.random.default_rng(seed)
    every = np.concatenate(influence)
    signs = rng.choice([-1.0, 1.0], (draws, len(every)))
    return np.tensordot(signs, every, 1)
