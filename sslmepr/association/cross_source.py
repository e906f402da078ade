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
region; twice, since what the first solution leaves tells how much each covariance of
scores should count in the second (`sslmepr.association.moment_weights`). The joint law
is the same in all corpora up to the scales of scores, which may carry less of a label
in another corpus than in their own: scores are divided by these scales, for which no
label is needed (`sslmepr.association.domain_scales`). Standard errors come from the
influence of each clip on every one of these moments, summed by speaker. No clip needs
both labels; with a single modality, C is not identified.

Face, body and scene are crops of the same picture. Each shows parts of the others, so
that their scores share errors; these look like an association that the labels do not
have, and W takes it from C. Pairs are therefore used only if they come from different
sensors: camera, microphone, words (`sslmepr.association.scores.SENSORS`).

Emotions are latent variables of which presence is seen above a threshold: covariances
with them are those with $(e - p) / \varphi(\tau)$ (Stein's lemma), and G holds
tetrachoric correlations. Where every clip has one emotion at most, as in corpora of
acted or written lines, emotions are categories, and taken as they are
(`sslmepr.association.labelled_moments.emotion_moments`).
"""

from collections.abc import Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np

from sslmepr.association.domain_scales import DomainScales, domain_scales
from sslmepr.association.labelled_moments import (
    LabelledMoments,
    StandardisedMoments,
    emotion_moments,
)
from sslmepr.association.moment_fit import (
    MomentEffect,
    MomentModel,
    ScoreProducts,
    solve,
)
from sslmepr.association.moment_weights import normal_theory_weight
from sslmepr.association.scores import (
    IdentificationError,
    Scores,
    centred,
    of_unit_variance,
)
from sslmepr.statistics.cluster_bootstrap import cluster_index, cluster_sums


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
    n_crossed : int
        Clips in which two modalities of different sensors were seen; others tell only
        what scores carry of labels.
    """

    associations: np.ndarray
    influence: list[np.ndarray]
    n_clips: int
    n_speakers: int
    n_crossed: int = 0

    @property
    def error(self) -> np.ndarray:
        """Standard errors, (emotion, trait)."""
        return np.sqrt(sum((each**2).sum(0) for each in self.influence))


class Observed(NamedTuple):
    """What is observed of the three sources.

    Attributes
    ----------
    corpora : list of Scores
        Centred, of unit variance over all corpora, divided by `scales`.
    scales : DomainScales or None
        None where they are taken as 1.
    pairs : list of (int, int)
        Of modalities of different sensors.
    mine, theirs : LabelledMoments
        Of emotions and of traits.
    products : list of ScoreProducts
        By corpus.
    weights : (corpus, pair) ndarray
        Of the corpora in the covariances of scores.
    covariances : (pair, emotion, trait) ndarray
        Of scores, over corpora.
    n_crossed : int
        As of `CrossSource`.
    """

    corpora: list[Scores]
    scales: DomainScales | None
    pairs: list[tuple[int, int]]
    mine: LabelledMoments
    theirs: LabelledMoments
    products: list[ScoreProducts]
    weights: np.ndarray
    covariances: np.ndarray
    n_crossed: int

    def scale_slopes(
        self, products: np.ndarray, emotions: np.ndarray, traits: np.ndarray
    ) -> dict[tuple[int, int], np.ndarray]:
        """Slopes of an estimate on the logarithms of scales, by task and corpus.

        Parameters
        ----------
        products, emotions, traits
            What moments do to it, as in `MomentEffect`.

        Returns
        -------
        dict of (int, int) to (number, modality) ndarray
        """
        found = {}
        for own, place in self.scales.influence if self.scales else ():
            slope = np.zeros((len(products), len(self.scales.values[own, place])))
            for pair, (m, k) in enumerate(self.pairs):
                part = self.weights[place, pair] * self.products[place].mean[pair]
                slope[:, (m, k)[own]] -= (products[:, pair] * part).sum((1, 2))
            if place < 2:  # then it has the labels of the other task
                effect = (emotions, traits)[own][..., self.labels(place)]
                moments = (self.mine, self.theirs)[place]
                moments = (moments.emotions, moments.traits)[own]
                slope -= (effect * moments).sum((2, 3))
            found[own, place] = slope
        return found

    def labels(self, place: int) -> slice:
        """Places of the labels of the first or second corpus among all."""
        size = len(self.mine.matrix)
        return slice(size) if place == 0 else slice(size, None)


def cross_source(
    emotion: Scores,
    personality: Scores,
    others: Sequence[Scores] = (),
    *,
    counted: Sequence[bool] | None = None,
    reliability: Reliability | None = None,
    scaled: bool = True,
) -> CrossSource:
    """Estimate the associations of emotions and traits.

    Parameters
    ----------
    emotion, personality : Scores
        Of the corpora with these labels.
    others : sequence of Scores
        Of corpora without labels, or whose labels are not to be used.
    counted : (corpus,) sequence of bool, optional
        Corpora whose covariances of scores are used; by default all.
    reliability : Reliability, optional
        Of the labels. Noise of raters is in no score, but counts in the variances of
        the labels, which then seem to explain less than they do, and associations come
        out too small. It is taken from these variances. By default there is none.
    scaled : bool
        Whether scores may carry less of a label in another corpus than in their own.

    Returns
    -------
    CrossSource
        With a reliability, `influence` has a last array with one row for each label:
        what the error of its reliability does.

    Raises
    ------
    IdentificationError
        If no corpus has clips with modalities of two sensors, a label does not vary,
        or the scores leave the associations undetermined.
    """
    seen = observe(
        *(emotion, personality, others),
        counted=counted,
        reliability=reliability,
        scaled=scaled,
    )
    found, _, effect = fit(seen)
    each = []
    for place, share in enumerate(seen.weights):
        parts = seen.products[place].influence(share[:, None, None] * effect.products)
        if place < 2:
            own = seen.labels(place)
            parts += (seen.mine, seen.theirs)[place].influence(
                effect.emotions[..., own],
                effect.traits[..., own],
                effect.matrix[:, own, own],
            )
        each.append(parts)
    if seen.scales:
        seen.scales.add_to(each, seen.scale_slopes(*effect[:3]))
    influence = []
    for corpus, parts in zip(seen.corpora, each, strict=True):
        index, count = cluster_index(corpus.speakers)
        sums = cluster_sums(parts - parts.mean(0), index, count) / len(parts)
        influence.append(sums.reshape(count, *found.shape))
    n_speakers = sum(len(each) for each in influence)
    if reliability is not None:
        errors = np.concatenate([reliability.emotion_errors, reliability.trait_errors])
        slopes = np.diagonal(effect.matrix, axis1=1, axis2=2)  # (association, label)
        influence.append((errors[:, None] * slopes.T).reshape(-1, *found.shape))
    n_clips = sum(len(each.present) for each in seen.corpora)
    return CrossSource(found, influence, n_clips, n_speakers, seen.n_crossed)


def fit(seen: Observed) -> tuple[np.ndarray, MomentModel, MomentEffect]:
    """Associations that fit what is observed, by weighted least squares.

    Parameters
    ----------
    seen : Observed

    Returns
    -------
    tuple
        As `sslmepr.association.moment_fit.solve`.

    Raises
    ------
    IdentificationError
        If the scores leave the associations undetermined.
    """
    given = seen.covariances, seen.mine, seen.theirs, seen.pairs
    first, model, _ = solve(*given)
    labelled = seen.mine, seen.theirs
    weight = normal_theory_weight(
        seen.corpora, labelled, seen.weights, seen.pairs, model
    )
    return solve(*given, weight, first)


def observe(
    emotion: Scores,
    personality: Scores,
    others: Sequence[Scores] = (),
    *,
    counted: Sequence[bool] | None = None,
    reliability: Reliability | None = None,
    scaled: bool = True,
) -> Observed:
    """Take the moments from which associations are estimated.

    Parameters
    ----------
    emotion, personality, others, counted, reliability, scaled
        As of `cross_source`.

    Returns
    -------
    Observed

    Raises
    ------
    IdentificationError
        If no corpus has clips with modalities of two sensors, or a label does not vary.
    """
    corpora = [centred(each) for each in (emotion, personality, *others)]
    counted = [True] * len(corpora) if counted is None else counted
    used = [each for each, count in zip(corpora, counted, strict=True) if count]
    pairs = crossed_pairs(used, emotion.sensors)
    if not pairs:
        raise IdentificationError(
            "associations are not identified: no two modalities of different sensors "
            "are seen together, so that errors which both predictions share cannot be "
            "told from them"
        )
    corpora, scales = of_unit_variance(corpora), None
    if scaled:
        scales = domain_scales(corpora)
        corpora = scales.rescaled(corpora)
    mine, theirs = emotion_moments(corpora[0]), StandardisedMoments(corpora[1])
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
    products = [ScoreProducts(each, pairs) for each in corpora]
    covariances = sum(
        share[:, None, None] * each.mean
        for share, each in zip(weights, products, strict=True)
    )
    n_crossed = sum(int(crossed_clips(each.present, pairs).sum()) for each in used)
    return Observed(
        corpora,
        scales,
        pairs,
        mine,
        theirs,
        products,
        weights,
        covariances,
        n_crossed,
    )


def crossed_pairs(
    corpora: Sequence[Scores], sensors: Sequence[str] | None
) -> list[tuple[int, int]]:
    """Ordered pairs of modalities of different sensors that some clips have."""
    modalities = range(corpora[0].present.shape[1])
    sensors = modalities if sensors is None else sensors
    return [
        pair
        for pair in permutations(modalities, 2)
        if sensors[pair[0]] != sensors[pair[1]]
        and any(each.present[:, pair].all(1).sum() > 1 for each in corpora)
    ]


def crossed_clips(present: np.ndarray, pairs) -> np.ndarray:
    """Clips in which both modalities of some pair are seen."""
    return np.any([present[:, pair].all(1) for pair in pairs], axis=0)
