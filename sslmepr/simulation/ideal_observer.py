"""The ideal observer: an upper bound for any model on a simulated corpus.

The ideal observer knows the generator and sees the controls of a clip, but neither its
latents nor the noise. Emotions and traits x have the prior N(0, P), the controls of a
channel are z = H x + offset + N(0, I), so that the posterior is Gaussian with

    covariance  Q = (P⁻¹ + Hᵀ H)⁻¹        mean  m = Q Hᵀ (z - offset)

(Bishop 2006, Pattern recognition and machine learning, eq. 2.116-2.117); the
terms HᵀH of several channels add up. For every metric the optimal decision is taken:

- mWACC (mean of sensitivity and specificity, over emotions): an emotion is predicted
  where its posterior probability reaches its base rate;
- mACC (1 - mean absolute error, over traits): the posterior median;
- CCC (Lin 1989, mean over traits): the posterior mean stretched to the variance of the
  true score. With a correlation of ρ this gives ρ, the largest CCC that any prediction
  can reach; the posterior mean itself gives only 2ρ²/(1 + ρ²).

The observer sees the controls, not the rendered media, and every clip by itself: its
scores bound those of any model, in expectation over clips.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.metrics import balanced_accuracy_score

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.simulation.channels import Channel
from sslmepr.simulation.world import (
    EMOTION_PART,
    LATENTS,
    TRAIT_PART,
    World,
    trait_scores,
)

ALL = "all"


@dataclass(frozen=True)
class Posterior:
    """Posterior of the latents of some clips.

    Attributes
    ----------
    mean : (clip, latent) ndarray
    deviation : (clip, latent) ndarray
        Posterior standard deviation of each latent.
    reliability : (clip, latent) ndarray
        Expected correlation of posterior mean and latent among clips of that domain.
    """

    mean: np.ndarray
    deviation: np.ndarray
    reliability: np.ndarray


def posterior_covariance(prior: np.ndarray, loadings: np.ndarray) -> np.ndarray:
    """Posterior covariance Q = (P⁻¹ + HᵀH)⁻¹.

    Parameters
    ----------
    prior : (latent, latent) ndarray
        P.
    loadings : (control, latent) ndarray
        H.

    Returns
    -------
    (latent, latent) ndarray
    """
    gain = prior @ loadings.T
    seen = loadings @ gain + np.eye(len(loadings))
    return prior - gain @ np.linalg.solve(seen, gain.T)


def infer(
    world: World,
    channels: list[Channel],
    controls: Mapping[str, np.ndarray],
    domains: np.ndarray,
    emotion_scales: Mapping[str, float],
) -> Posterior:
    """Posterior of the latents given the controls of `channels`.

    Parameters
    ----------
    world : World
    channels : list of Channel
        The channels that are seen.
    controls : mapping of str to (clip, control) ndarray
        By channel name.
    domains : (clip,) array of str
    emotion_scales : mapping of str to float
        By domain.
    """
    shape = (len(domains), len(LATENTS))
    mean, deviation, reliability = (np.zeros(shape) for _ in range(3))
    for domain in np.unique(domains):
        rows = domains == domain
        loadings = np.vstack([c.loadings(emotion_scales[domain]) for c in channels])
        seen = np.hstack([controls[c.name][rows] - c.offset(domain) for c in channels])
        covariance = posterior_covariance(world.covariance, loadings)
        mean[rows] = seen @ loadings @ covariance
        deviation[rows] = np.sqrt(np.diag(covariance))
        explained = 1 - np.diag(covariance) / np.diag(world.covariance)
        reliability[rows] = np.sqrt(np.maximum(explained, 0))
    return Posterior(mean, deviation, reliability)


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
    mean, deviation = posterior.mean[:, EMOTION_PART], posterior.deviation
    probability = norm.sf((threshold - mean) / deviation[:, EMOTION_PART])
    decided = probability >= norm.sf(threshold)
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
    median = trait_scores(mean, scale)
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
    controls: Mapping[str, np.ndarray],
    latents: np.ndarray,
    domains: np.ndarray,
    emotion_scales: Mapping[str, float],
    threshold: float,
    trait_scale: float,
) -> tuple[dict, pd.DataFrame]:
    """Score the ideal observer of each channel and of all channels together.

    Parameters
    ----------
    world, channels, controls, domains, emotion_scales
        See `infer`.
    latents : (clip, latent) ndarray
        The truth.
    threshold : float
        Of presence of an emotion, in standard deviations of its latent.
    trait_scale : float
        Standard deviation of a trait score.

    Returns
    -------
    scores : dict
        Channel name (or ``all``) to ``emotion``, ``personality`` and ``association``;
        the latter holds the correlation of the 30 recovered with the 30 planted cells,
        and the largest recovered cell that differs from its planted value.
    associations : DataFrame
        One row per channel, emotion and trait: planted; sampled (true latents); crossed
        (posterior mean of the emotion with the true trait, and the reverse); recovered
        (posterior means of both).
    """
    emotions, traits = latents[:, EMOTION_PART], latents[:, TRAIT_PART]
    sampled = correlate(emotions, traits)
    scores, tables = {}, []
    for name in [*channels, ALL]:
        seen = list(channels.values()) if name == ALL else [channels[name]]
        posterior = infer(world, seen, controls, domains, emotion_scales)
        guessed_emotions = posterior.mean[:, EMOTION_PART]
        guessed_traits = posterior.mean[:, TRAIT_PART]
        matrices = {
            "planted": world.association,
            "sampled": sampled,
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
