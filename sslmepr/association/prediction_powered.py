r"""Associations from clips that carry both labels, with predictions for all others.

Where some clips (a *bridge sample*) are labelled with emotions and traits, their
correlation r needs no assumption on cues and no model, but is as uncertain as the
sample is small. Predictions :math:`\hat e, \hat t` make it more certain: the
correlations

.. math:: d = \big(\rho(\hat e, t),\ \rho(e, \hat t),\ \rho(\hat e, \hat t)\big)

are known on the bridge sample and, far better, on the corpus with trait labels, on that
with emotion labels, and on both. Where the bridge sample has drawn a d that is too
large, its r is probably too large as well, and

.. math:: r_\lambda = r_{bridge} - \lambda^\top (d_{bridge} - d_{corpora})

takes that away. This is prediction-powered inference (PPI++; Angelopoulos, Duchi and
Zrnic 2023, arXiv:2311.01453) with three kinds of predictions, because each corpus
knows one of the two labels; the power tuning :math:`\lambda` minimises the variance.
Poor predictions cost nothing, they get a :math:`\lambda` near 0. What is assumed is
that clips of all corpora follow one law. Variances are sums of squared influence by
speaker.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from sslmepr.association.cross_source import CrossSource
from sslmepr.association.scores import IdentificationError, Scores
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.statistics.cluster_bootstrap import cluster_index, cluster_sums

FEWEST_SPEAKERS = 30
"""Fewer speakers with both labels, and no estimate is made. By convention."""


class _Correlations(NamedTuple):
    """Correlations of two sets of columns, and the influence of clips on them.

    Attributes
    ----------
    r : (emotion, trait) ndarray
    influence : (clip, emotion, trait) ndarray
        Divided by the number of clips; 0 for clips that are not used.
    """

    r: np.ndarray
    influence: np.ndarray


def prediction_powered(
    scores: Sequence[Scores], labels: np.ndarray, place: int = 2
) -> CrossSource:
    """Estimate associations with the help of doubly labelled clips.

    Parameters
    ----------
    scores : sequence of Scores
        Of the emotion corpus, the personality corpus, and further ones.
    labels : (clip, label) array
        Emotions (present above 0) and traits of the clips of ``scores[place]``, in the
        order of the labels of the first two; NaN where unknown.
    place : int
        Of the corpus with the bridge sample, neither of the first two.

    Returns
    -------
    CrossSource
        On the scale of latent emotions, as of `cross_source`; ``n_clips`` and
        ``n_speakers`` are those of the bridge sample.

    Raises
    ------
    IdentificationError
        If fewer than `FEWEST_SPEAKERS` have clips with both labels, or a label or a
        prediction does not vary.
    """
    useful = [comparable(each) for each in scores]
    known = np.isfinite(labels).all(1) & useful[place]
    n_speakers = len(np.unique(scores[place].speakers[known]))
    if n_speakers < FEWEST_SPEAKERS:
        raise IdentificationError(
            f"{n_speakers} people have clips with both labels, and {FEWEST_SPEAKERS} "
            "are needed"
        )
    count = scores[0].labels.shape[1]
    both = np.where(known[:, None], labels, 0)
    true = (both[:, :count] > 0).astype(float), both[:, count:]
    target = _latent(_correlations(*true, known), true[0], known)
    emotions, traits = stacked(scores, 0), stacked(scores, 1)
    mine = (scores[0].labels > 0).astype(float), traits[0]
    theirs = emotions[1], scores[1].labels.astype(float)
    guessed = [(emotions[n], traits[n]) for n in range(len(scores))]
    # Each control: sides on the bridge sample, and by corpus elsewhere.
    controls = [
        ((guessed[place][0], true[1]), {1: theirs}),
        ((true[0], guessed[place][1]), {0: mine}),
        (guessed[place], {0: guessed[0], 1: guessed[1]}),
    ]
    found = [_difference(*each, useful, known, place, len(scores)) for each in controls]
    gap = np.stack([each[0] for each in found])
    # By corpus: (speaker, control, emotion, trait)
    change = [
        np.stack([by_speaker(scores[n], each[1][n]) for each in found], 1)
        for n in range(len(scores))
    ]
    own = by_speaker(scores[place], target.influence)
    power = _tuned(change, own, place)
    influence = [-np.einsum("ket,nket->net", power, each) for each in change]
    # What the tuning takes from the freedom of the bridge sample.
    left = np.sqrt(n_speakers / (n_speakers - 1 - len(controls)))
    influence[place] = left * (influence[place] + own)
    r = target.r - np.einsum("ket,ket->et", power, gap)
    count = int(known.sum())
    return CrossSource(r, influence, count, n_speakers, n_crossed=count)


def bridge_labels(predictions: pd.DataFrame, clips: pd.DataFrame) -> np.ndarray:
    """Labels of clips that were evaluated against both kinds of them.

    Parameters
    ----------
    predictions : DataFrame
        Of the stage ``evaluate``: corpus, clip_id, target and true (NaN without a
        label).
    clips : DataFrame
        part (the name of the corpus there) and clip_id of a row per clip.

    Returns
    -------
    (clip, label) ndarray
        Intensities of the scored emotions, and traits; NaN where unknown.
    """
    keys = ["corpus", "clip_id"]
    known = predictions.dropna(subset=["true"]).drop_duplicates([*keys, "target"])
    wide = known.pivot(index=keys, columns="target", values="true")
    rows = pd.MultiIndex.from_frame(clips[["part", "clip_id"]])
    return wide.reindex(index=rows, columns=[*SCORED_EMOTIONS, *TRAITS]).to_numpy(float)


def comparable(scores: Scores) -> np.ndarray:
    """Clips with two modalities or more; if no clip has them, those with one.

    Clips that were added to learn from text alone follow another law: what is predicted
    from words alone varies less, and has other errors.
    """
    several = scores.present.sum(1) > 1
    return several if several.any() else scores.present.any(1)


def stacked(scores: Sequence[Scores], task: int) -> list[np.ndarray]:
    """One prediction from the scores of all modalities: of each corpus (clip, target).

    Weights of the modalities are those of the least-squares regression of each label
    in its own corpus. An absent modality has the mean.

    Parameters
    ----------
    scores : sequence of Scores
        Of the emotion corpus, the personality corpus, and further ones.
    task : {0, 1}
        Emotions or traits.
    """
    masked = []
    for each in scores:
        values = np.where(each.present[..., None], each[task], 0)
        number = np.maximum(each.present.sum(0), 1)[:, None]
        masked.append(
            np.where(each.present[..., None], values - values.sum(0) / number, 0)
        )
    labels = scores[task].labels
    true = (labels > 0).astype(float) if task == 0 else labels.astype(float)
    weights = np.stack(
        [
            np.linalg.lstsq(masked[task][..., k], true[:, k] - true[:, k].mean())[0]
            for k in range(true.shape[1])
        ],
        1,
    )  # (modality, target)
    return [np.einsum("nmk,mk->nk", each, weights) for each in masked]


def _correlations(emotions, traits, used) -> _Correlations:
    count = used.sum()
    sides = []
    for values in (emotions, traits):
        values = np.where(used[:, None], values - values[used].mean(0), 0)
        deviation = np.sqrt((values**2).sum(0) / count)
        if (deviation < 1e-9).any():
            raise IdentificationError(
                "a label or a prediction is the same in all clips with both labels"
            )
        sides.append(values / deviation)
    e, t = sides
    r = e.T @ t / count
    squares = (e**2)[:, :, None] + (t**2)[:, None, :]
    influence = e[:, :, None] * t[:, None, :] - r * squares / 2
    return _Correlations(r, np.where(used[:, None, None], influence, 0) / count)


def _latent(found: _Correlations, present, used) -> _Correlations:
    """From the scale of presence to that of the latent emotion, normal by assumption.

    The factor sqrt(p (1 - p)) / phi(tau) depends on the share p of clips in which the
    emotion is present; so does the influence of each clip.
    """
    share = present[used].mean(0)
    threshold = norm.isf(share)
    density = norm.pdf(threshold)
    factor = (np.sqrt(share * (1 - share)) / density)[:, None]
    # Derivative of its logarithm by the share.
    slope = (1 / share - 1 / (1 - share)) / 2 - threshold / density
    moved = np.where(used[:, None], present - share, 0) * slope / used.sum()
    r = factor * found.r
    return _Correlations(r, factor * found.influence + moved[:, :, None] * r)


def _difference(bridge, elsewhere, useful, known, place, corpora):
    """What a control is on the bridge sample less what it is elsewhere.

    Returns
    -------
    difference : (emotion, trait) ndarray
    influence : list of (clip, emotion, trait) ndarray
        By corpus.
    """
    here = _correlations(*bridge, known)
    total = sum(useful[n].sum() for n in elsewhere)
    gap = here.r.copy()
    influence = [np.zeros((len(useful[n]), *gap.shape)) for n in range(corpora)]
    influence[place] = here.influence
    for n, sides in elsewhere.items():
        there, share = _correlations(*sides, useful[n]), useful[n].sum() / total
        gap -= share * there.r
        influence[n] = -share * there.influence
    return gap, influence


def by_speaker(scores: Scores, influence: np.ndarray) -> np.ndarray:
    """Sums over the clips of each speaker: of (clip, ...), (speaker, ...)."""
    index, count = cluster_index(scores.speakers)
    sums = cluster_sums(influence.reshape(len(influence), -1), index, count)
    return sums.reshape(count, *influence.shape[1:])


def _tuned(change: list[np.ndarray], own: np.ndarray, place: int) -> np.ndarray:
    """Power tuning that minimises the variance of each cell: (control, ...)."""
    spread = sum(np.einsum("nket,nlet->etkl", each, each) for each in change)
    shared = np.einsum("nket,net->etk", change[place], own)
    return np.moveaxis(np.linalg.solve(spread, shared[..., None])[..., 0], -1, 0)


def combined(first: CrossSource, second: CrossSource) -> CrossSource:
    """The mean of two estimates from the same clips that has the smallest variance.

    Parameters
    ----------
    first, second : CrossSource
        Of the same corpora; their covariance is that of their influence by speaker.

    Returns
    -------
    CrossSource
        With the clips and speakers of `first`. No estimate counts less than nothing.
    """
    pairs = list(zip(first.influence, second.influence, strict=True))
    shared = sum((one * other).sum(0) for one, other in pairs)
    mine, theirs = first.error**2, second.error**2
    weight = np.clip((mine - shared) / (mine + theirs - 2 * shared), 0, 1)
    return first._replace(
        associations=weight * second.associations + (1 - weight) * first.associations,
        influence=[weight * other + (1 - weight) * one for one, other in pairs],
    )
