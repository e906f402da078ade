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

Where labels are what raters say (`sslmepr.simulation.raters`), the observer predicts
these: E[t + halo kappa' g | z] for traits, whose noise only adds to the variance, and
the probability that most raters see an emotion. Its scores are then below those of an
observer of the truth, and so is what any model can reach on such labels.

The observer sees the controls, not the rendered media, and every clip by itself: its
scores bound those of any model, in expectation over clips. Of words it may see what
rendering keeps of their controls instead (`sslmepr.simulation.words_heard`), which
is a closer bound. Of the other channels all is drawn, without steps.

A *nested* observer lacks one piece of knowledge and takes every clip for one of a world
without it; what it loses is what this knowledge is worth to it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.metrics import balanced_accuracy_score

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.params.simulation import Knobs, Raters
from sslmepr.simulation.channels import Channel
from sslmepr.simulation.knobs import Circumstances, domain_shift
from sslmepr.simulation.mixture import Known, Mixture, infer
from sslmepr.simulation.raters import (
    halo_rows,
    majority_errors,
    noise_variance,
    rating_ceiling,
)
from sslmepr.simulation.words_heard import infer_heard
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
    said : (clip, control) int ndarray, optional
        What is put into words (`sslmepr.simulation.words.said`). If given, it is seen
        instead of the controls of text.
    """

    controls: Mapping[str, np.ndarray]
    circumstances: Circumstances
    domains: np.ndarray
    said: np.ndarray | None = None

    def of(self, channels: Collection[str], rows: np.ndarray) -> "Seen":
        """What is seen of some channels of some clips."""
        return Seen(
            {name: self.controls[name][rows] for name in channels},
            self.circumstances.at(rows),
            self.domains[rows],
            None if self.said is None or "text" not in channels else self.said[rows],
        )


@dataclass(frozen=True)
class Posterior:
    """Posterior of the latents of some clips, or of the latents as raters see them.

    Attributes
    ----------
    present : (clip, emotion) ndarray
        Probability that a scored emotion is present.
    mean, median, deviation : (clip, latent) ndarray
    reliability : (clip, latent) ndarray
        Expected correlation of posterior mean and latent among clips of that domain.
    base_rate : (clip, emotion) ndarray
        Probability that an emotion is present in a clip of that domain.
    centre : (clip, latent) ndarray
        Mean of the latents among clips of that domain.
    rated : Posterior, optional
        Of the latents as rated (`sslmepr.simulation.raters.Labels`), if there are
        raters. Mean and deviation of emotions are those of the latents.
    """

    present: np.ndarray
    mean: np.ndarray
    median: np.ndarray
    deviation: np.ndarray
    reliability: np.ndarray
    base_rate: np.ndarray
    centre: np.ndarray
    rated: "Posterior | None" = None

    @property
    def of_labels(self) -> "Posterior":
        """Posterior of what the labels are about."""
        return self.rated or self


def observe_clips(
    world: World,
    channels: Mapping[str, Channel],
    seen: Seen,
    emotion_scales: Mapping[str, float],
    threshold: float,
    knobs: Knobs,
    frames: int,
    without: Collection[str] = (),
    raters: Raters | None = None,
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
    raters : Raters, optional
        Whose ratings are the labels.

    Returns
    -------
    Posterior

    Raises
    ------
    ValueError
        If words are seen by an observer that lacks knowledge.
    """
    if seen.said is not None and without:
        raise ValueError("words are seen only by an observer that knows all knobs")
    kinds = [None] if raters is None else [None, raters]
    gathered = [_Gathered(len(seen.domains), world, threshold, each) for each in kinds]
    further = None if raters is None else halo_rows(raters)
    dose = 0 if "offset" in without else knobs.offset
    for domain in np.unique(seen.domains):
        of_domain = np.flatnonzero(seen.domains == domain)
        loadings = {
            name: replace(channel, unlikeness=dose).in_domain(
                domain, emotion_scales[domain]
            )
            for name, channel in channels.items()
        }
        mean = domain_shift(dose, domain)
        known = Known(world.covariance, loadings, knobs, frames, without, mean, further)
        there = seen.of(channels, of_domain)
        shown = known, there.controls, there.circumstances
        if there.said is None:
            parts = infer(*shown)
        else:
            parts = infer_heard(there.said, channels["text"].spread(world), *shown)
        for part, mixture in parts:
            for each in gathered:
                each.add(of_domain[part], mixture)
        for each in gathered:
            each.close(of_domain, mean)
    whole, *rated = [each.posterior() for each in gathered]
    return replace(whole, rated=rated[0]) if rated else whole


class _Gathered:
    """Posterior of latents, or of latents as rated, gathered chunk by chunk."""

    def __init__(
        self, clips: int, world: World, threshold: float, raters: Raters | None
    ):
        self.present, self.base_rate = np.zeros((2, clips, EMOTION_PART.stop))
        arrays = np.zeros((5, clips, len(LATENTS)))
        self.mean, self.median, self.variance, self.reliability, self.centre = arrays
        self.rows, self.noise = np.eye(len(LATENTS)), np.zeros(len(LATENTS))
        self.chosen = np.arange(len(LATENTS))
        errors, self.weights = np.zeros(1), np.ones(1)
        if raters is not None:
            self.rows[TRAIT_PART] = halo_rows(raters)
            self.noise[TRAIT_PART] = noise_variance(raters)
            self.chosen[TRAIT_PART] += len(TRAITS)
            errors, self.weights = majority_errors(raters)
        self.limits = threshold - errors
        self.spread = ((self.rows @ world.covariance) * self.rows).sum(1)

    def add(self, rows: np.ndarray, mixture: Mixture) -> None:
        """Clips at `rows`; with raters, traits as rated follow the latents."""
        emotions, own = mixture.part(EMOTION_PART), mixture.part(self.chosen)
        size = 1, EMOTION_PART.stop
        under = [emotions.below(np.full(size, limit)) for limit in self.limits]
        self.present[rows] = 1 - np.tensordot(self.weights, under, 1)
        self.mean[rows], self.variance[rows] = own.expected(), own.variance()
        self.median[rows] = mixture.part(self.chosen, self.noise).median()

    def close(self, rows: np.ndarray, mean: np.ndarray) -> None:
        """Once all clips of a domain, whose latents have the mean `mean`, are there."""
        explained = 1 - self.variance[rows].mean(0) / self.spread
        explained *= self.spread / (self.spread + self.noise)
        self.reliability[rows] = np.sqrt(np.maximum(explained, 0))
        self.centre[rows] = self.rows @ mean
        above = norm.sf(self.limits[:, None] - mean[EMOTION_PART])
        self.base_rate[rows] = self.weights @ above

    def posterior(self) -> Posterior:
        return Posterior(
            self.present,
            self.mean,
            self.median,
            np.sqrt(self.variance + self.noise),
            self.reliability,
            self.base_rate,
            self.centre,
        )


def score_emotions(
    posterior: Posterior, emotions: np.ndarray, threshold: float
) -> dict[str, float | None]:
    """Balanced accuracy per emotion and their mean, mWACC.

    Parameters
    ----------
    posterior : Posterior
    emotions : (clip, emotion) ndarray
        True latents, or those as rated for a posterior of these.
    threshold : float
        Latent value above which an emotion is present, in standard deviations.

    Returns
    -------
    dict of str to float or None
        ``mWACC`` and ``WACC_<emotion>``. An emotion that is present in all clips or in
        none has no balanced accuracy (None) and is left out of the mean.
    """
    decided = posterior.present >= posterior.base_rate.mean(0)
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
        True latents, or those as rated for a posterior of these.
    scale : float
        Standard deviation of a trait label.

    Returns
    -------
    dict of str to float
        ``mACC``, ``CCC``, ``ACC_<trait>`` and ``CCC_<trait>``.
    """
    true = trait_scores(traits, scale)
    mean, centre = posterior.mean[:, TRAIT_PART], posterior.centre[:, TRAIT_PART]
    median = trait_scores(posterior.median[:, TRAIT_PART], scale)
    stretch = np.maximum(posterior.reliability[:, TRAIT_PART], 1e-9)
    stretched = trait_scores(centre + (mean - centre) / stretch, scale)
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
    raters: Raters | None = None,
    rated: np.ndarray | None = None,
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
    raters : Raters, optional
    rated : (clip, latent) ndarray, optional
        The latents as rated (`sslmepr.simulation.raters.Labels`), if there are raters.

    Returns
    -------
    scores : dict
        Channel name (or ``all``) to ``emotion``, ``personality`` and ``association``;
        the latter holds the correlation of the 30 recovered with the 30 planted cells,
        and the largest recovered cell that differs from its planted value. The scores
        of a channel are those of the clips that have it, against the labels. Where
        words are seen there is also ``controls``: the scores, by task, of an observer
        that sees their controls. With
        raters there is also ``truth``: the scores, by task, against the latents; and,
        for ``all``, ``rating_ceiling``: by trait, the concordance that no prediction of
        the ratings can exceed.
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
        there = seen.of(chosen, rows)
        given = emotion_scales, threshold, knobs, frames
        posterior = observe_clips(world, chosen, there, *given, raters=raters)
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
        pair = threshold, trait_scale
        labelled = latents if rated is None else rated
        scores[name] = _score(posterior.of_labels, labelled[rows], *pair)
        scores[name]["association"] = _compare(matrices)
        if there.said is not None:
            there = replace(there, said=None)
            better = observe_clips(world, chosen, there, *given, raters=raters)
            scores[name]["controls"] = _score(better.of_labels, labelled[rows], *pair)
        if raters is not None:
            scores[name]["truth"] = _score(posterior, latents[rows], *pair)
        tables.append(_tidy(name, matrices))
    if raters is not None:
        ceiling = rating_ceiling(world, raters).tolist()
        scores[ALL]["rating_ceiling"] = dict(zip(TRAITS, ceiling, strict=True))
    return scores, pd.concat(tables, ignore_index=True)


def _score(posterior, latents, threshold, trait_scale) -> dict[str, dict]:
    emotions, traits = latents[:, EMOTION_PART], latents[:, TRAIT_PART]
    return {
        "emotion": score_emotions(posterior, emotions, threshold),
        "personality": score_traits(posterior, traits, trait_scale),
    }


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
