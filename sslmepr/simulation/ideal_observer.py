"""The ideal observer: an upper bound for any model on a simulated corpus.

The ideal observer knows the generator and sees the controls of a clip and whatever else
is seen of it, but neither its latents nor the noise. Its posterior of emotions and
traits is exact (`sslmepr.simulation.mixture`). For every metric the optimal decision is
taken:

- mWACC (mean of sensitivity and specificity, over emotions): an emotion is predicted
  where its posterior probability reaches its base rate;
- mACC (1 - mean absolute error, over traits): the posterior median;
- CCC (Lin 1989, mean over traits): the posterior mean stretched to the variance of the
  true score. With a correlation of ρ this gives ρ, the largest CCC that any prediction
  can reach; the posterior mean itself gives only 2ρ²/(1 + ρ²).

The observer sees the controls, not the rendered media, and every clip by itself: its
scores bound those of any model, in expectation over clips. A *nested* observer lacks
one piece of knowledge and takes every clip for one of a world without it; what it
loses is what this knowledge is worth to it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.metrics import balanced_accuracy_score

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.params.simulation import Knobs
from sslmepr.simulation.channels import Channel
from sslmepr.simulation.knobs import Circumstances
from sslmepr.simulation.mixture import infer
from sslmepr.simulation.world import (
    EMOTION_PART,
    LATENTS,
    TRAIT_PART,
    World,
    trait_scores,
)

ALL = "all"


@dataclass(frozen=True)
class Seen:
    """What an observer sees of clips.

    Attributes
    ----------
    controls : mapping of str to (clip, frame, control) ndarray
        By channel.
    circumstances : Circumstances
    domains : (clip,) ndarray of str
    """

    controls: Mapping[str, np.ndarray]
    circumstances: Circumstances
    domains: np.ndarray


@dataclass(frozen=True)
class Posterior:
    """Posterior of the latents of some clips.

    Attributes
    ----------
    present : (clip, emotion) ndarray
        Probability that a scored emotion is present.
    mean, median, deviation : (clip, latent) ndarray
    reliability : (clip, latent) ndarray
        Expected correlation of posterior mean and latent among clips of that domain.
    """

    present: np.ndarray
    mean: np.ndarray
    median: np.ndarray
    deviation: np.ndarray
    reliability: np.ndarray


def observe_clips(
    world: World,
    channels: Mapping[str, Channel],
    seen: Seen,
    emotion_scales: Mapping[str, float],
    threshold: float,
    knobs: Knobs,
    frames: int,
    without: Collection[str] = (),
) -> Posterior:
    """Posterior of the latents given what is seen of `channels`.

    Parameters
    ----------
    world : World
    channels : mapping of str to Channel
        The channels that are seen. A clip that lacks all of them has the prior.
    seen : Seen
    emotion_scales : mapping of str to float
        By domain.
    threshold : float
        Latent value above which an emotion is present, in standard deviations.
    knobs : Knobs
    frames : int
        Moments of a clip (``simulation.cue_frames``).
    without : collection of str
        Knobs that the observer does not know of (`sslmepr.simulation.mixture.infer`).

    Returns
    -------
    Posterior
    """
    clips = len(seen.domains)
    present = np.zeros((clips, len(SCORED_EMOTIONS)))
    mean, median, variance, reliability = np.zeros((4, clips, len(LATENTS)))
    for domain in np.unique(seen.domains):
        of_domain = np.flatnonzero(seen.domains == domain)
        loadings = {
            name: channel.in_domain(domain, emotion_scales[domain])
            for name, channel in channels.items()
        }
        parts = infer(
            world.covariance,
            loadings,
            {name: seen.controls[name][of_domain] for name in channels},
            seen.circumstances.at(of_domain),
            knobs,
            frames,
            without,
        )
        for part, mixture in parts:
            rows = of_domain[part]
            limit = np.full((1, len(LATENTS)), threshold)
            present[rows] = 1 - mixture.below(limit)[:, EMOTION_PART]
            mean[rows], median[rows] = mixture.expected(), mixture.median()
            variance[rows] = mixture.variance()
        explained = 1 - variance[of_domain].mean(0) / np.diag(world.covariance)
        reliability[of_domain] = np.sqrt(np.maximum(explained, 0))
    return Posterior(present, mean, median, np.sqrt(variance), reliability)


def score_emotions(
    posterior: Posterior, emotions: np.ndarray, threshold: float
) -> dict[str, float | None]:
    """Balanced accuracy per emotion and their mean, mWACC.

    Parameters
    ----------
    posterior : Posterior
    emotions : (clip, emotion) ndarray
        True latents.
    threshold : float
        Latent value above which an emotion is present, in standard deviations.

    Returns
    -------
    dict of str to float or None
        ``mWACC`` and ``WACC_<emotion>``. An emotion that is present in all clips or in
        none has no balanced accuracy (None) and is left out of the mean.
    """
    decided = posterior.present >= norm.sf(threshold)
    present = emotions > threshold
    scores = {
        name: float(balanced_accuracy_score(present[:, index], decided[:, index]))
        if 0 < present[:, index].mean() < 1
        else None
        for index, name in enumerate(SCORED_EMOTIONS)
    }
    return {"mWACC": _mean(scores.values())} | {
        f"WACC_{name}": score for name, score in scores.items()
    }


def score_traits(
    posterior: Posterior, traits: np.ndarray, scale: float
) -> dict[str, float | None]:
    """Accuracy (1 - mean absolute error) and CCC per trait, and their means.

    Parameters
    ----------
    posterior : Posterior
    traits : (clip, trait) ndarray
        True latents.
    scale : float
        Standard deviation of a trait label.

    Returns
    -------
    dict of str to float
        ``mACC``, ``CCC``, ``ACC_<trait>`` and ``CCC_<trait>``.
    """
    true = trait_scores(traits, scale)
    mean, reliability = posterior.mean[:, TRAIT_PART], posterior.reliability
    median = trait_scores(posterior.median[:, TRAIT_PART], scale)
    stretch = np.maximum(reliability[:, TRAIT_PART], 1e-9)
    stretched = trait_scores(mean / stretch, scale)
    accuracy = 1 - np.abs(true - median).mean(axis=0)
    concordance = [
        concordance_correlation(true[:, index], stretched[:, index])
        for index in range(len(TRAITS))
    ]
    scores = {"mACC": float(accuracy.mean()), "CCC": float(np.mean(concordance))}
    for index, name in enumerate(TRAITS):
        scores[f"ACC_{name}"] = float(accuracy[index])
        scores[f"CCC_{name}"] = concordance[index]
    return scores


def concordance_correlation(true: np.ndarray, predicted: np.ndarray) -> float:
    """Lin's concordance correlation coefficient, with population moments.

    Parameters
    ----------
    true, predicted : (clip,) ndarray

    Returns
    -------
    float
        0 where both are constant.
    """
    covariance = np.mean((true - true.mean()) * (predicted - predicted.mean()))
    spread = true.var() + predicted.var() + (true.mean() - predicted.mean()) ** 2
    return float(2 * covariance / spread) if spread > 0 else 0.0


def correlate(emotions: np.ndarray, traits: np.ndarray) -> np.ndarray:
    """Correlation of each emotion with each trait over clips.

    Parameters
    ----------
    emotions : (clip, emotion) ndarray
    traits : (clip, trait) ndarray

    Returns
    -------
    (emotion, trait) ndarray
        0 where one of the two is constant.
    """
    emotions = emotions - emotions.mean(axis=0)
    traits = traits - traits.mean(axis=0)
    lengths = np.outer(np.linalg.norm(emotions, axis=0), np.linalg.norm(traits, axis=0))
    products = emotions.T @ traits
    return np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)


def agreement(recovered: np.ndarray, planted: np.ndarray) -> float | None:
    """Correlation of two association matrices over their cells.

    Parameters
    ----------
    recovered, planted : (emotion, trait) ndarray

    Returns
    -------
    float or None
        None where one of them is constant.
    """
    if np.ptp(recovered) == 0 or np.ptp(planted) == 0:
        return None
    return float(np.corrcoef(recovered.ravel(), planted.ravel())[0, 1])


def observe(
    world: World,
    channels: Mapping[str, Channel],
    seen: Seen,
    latents: np.ndarray,
    emotion_scales: Mapping[str, float],
    threshold: float,
    trait_scale: float,
    knobs: Knobs,
    frames: int,
) -> tuple[dict, pd.DataFrame]:
    """Score the ideal observer of each channel and of all channels together.

    Parameters
    ----------
    world, channels, seen, emotion_scales, threshold, knobs, frames
        See `observe_clips`.
    latents : (clip, latent) ndarray
        The truth.
    trait_scale : float
        Standard deviation of a trait score.

    Returns
    -------
    scores : dict
        Channel name (or ``all``) to ``emotion``, ``personality`` and ``association``;
        the latter holds the correlation of the 30 recovered with the 30 planted cells,
        and the largest recovered cell that differs from its planted value. The scores
        of a channel are those of the clips that have it.
    associations : DataFrame
        One row per channel, emotion and trait: planted; sampled (true latents); crossed
        (posterior mean of the emotion with the true trait, and the reverse); recovered
        (posterior means of both).
    """
    scores, tables = {}, []
    for name in [*channels, ALL]:
        chosen = channels if name == ALL else {name: channels[name]}
        absent = [seen.circumstances.absent[each] for each in chosen]
        rows = np.flatnonzero(~np.all(absent, axis=0))
        posterior = observe_clips(
            world,
            chosen,
            Seen(
                {each: seen.controls[each][rows] for each in chosen},
                seen.circumstances.at(rows),
                seen.domains[rows],
            ),
            emotion_scales,
            threshold,
            knobs,
            frames,
        )
        emotions, traits = latents[rows, EMOTION_PART], latents[rows, TRAIT_PART]
        guessed_emotions = posterior.mean[:, EMOTION_PART]
        guessed_traits = posterior.mean[:, TRAIT_PART]
        matrices = {
            "planted": world.association,
            "sampled": correlate(emotions, traits),
            "emotion_crossed": correlate(guessed_emotions, traits),
            "trait_crossed": correlate(emotions, guessed_traits),
            "recovered": correlate(guessed_emotions, guessed_traits),
        }
        scores[name] = {
            "emotion": score_emotions(posterior, emotions, threshold),
            "personality": score_traits(posterior, traits, trait_scale),
            "association": _compare(matrices),
        }
        tables.append(_tidy(name, matrices))
    return scores, pd.concat(tables, ignore_index=True)


def _compare(matrices: dict[str, np.ndarray]) -> dict[str, float | None]:
    planted = matrices["planted"]
    others = {name: matrix for name, matrix in matrices.items() if name != "planted"}
    return {
        f"r_{name}": agreement(matrix, planted) for name, matrix in others.items()
    } | {
        f"largest_error_{name}": float(np.abs(matrix - planted).max())
        for name, matrix in others.items()
    }


def _tidy(channel: str, matrices: dict[str, np.ndarray]) -> pd.DataFrame:
    cells = pd.MultiIndex.from_product([SCORED_EMOTIONS, TRAITS])
    table = pd.DataFrame(
        {name: matrix.ravel() for name, matrix in matrices.items()}, index=cells
    )
    table = table.rename_axis(["emotion", "trait"]).reset_index()
    table.insert(0, "channel", channel)
    return table


def _mean(scores) -> float | None:
    known = [score for score in scores if score is not None]
    return float(np.mean(known)) if known else None
