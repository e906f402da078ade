"""Ideal observers of drawn studies: of controls, and of what features keep of them.

Features f of a modality are M' s plus noise, where the sources s are the controls, the
nuisance factors and the signs (`sslmepr.trials.drawn`). What they tell about controls z
of which the clip's mean counts alone is their best linear unbiased estimate

    R = (M_z' C^-1 M_z)^-1,    ẑ = R M_z' C^-1 (f - what the signs stand for),

with C the covariance of f given the controls. Its error is Gaussian with covariance R,
and joins that of the controls. The observer of features is told what the signs stand
for (how noisy a channel is, the marker of contrary words), which a model has to read
off them. It is therefore an upper bound for models of features, and knows all else that
is to be known: the exact posterior is that of `sslmepr.simulation.mixture`.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm

from sslmepr.labels import EMOTIONS
from sslmepr.params.simulation import Knobs, Simulation
from sslmepr.simulation.channels import make_channels
from sslmepr.simulation.knobs import Circumstances, Loadings
from sslmepr.simulation.mixture import Known, infer
from sslmepr.simulation.world import (
    EMOTION_PART,
    LATENTS,
    TRAIT_PART,
    World,
    trait_scores,
)
from sslmepr.trials.drawn import (
    NUISANCE_SCALE,
    NUISANCES,
    DrawnCorpus,
    DrawnStudy,
    sign_means,
)

UNKNOWN = ("occlusion", "order", "offset", "shared_looks", "missing_when_sad")
"""Knobs of whose effect on pooled features the observer has no law."""


@dataclass(frozen=True)
class Belief:
    """Posterior of the latents of some clips.

    Attributes
    ----------
    present : (clip, emotion) ndarray
        Probability that a scored emotion is present.
    mean, variance : (clip, latent) ndarray
    """

    present: np.ndarray
    mean: np.ndarray
    variance: np.ndarray

    def predictions(self, simulation: Simulation) -> tuple[dict, np.ndarray]:
        """What a model would predict that believes this, and where it decides.

        Returns
        -------
        predicted : dict of str to (clip, target) ndarray
            Task to probabilities of emotions, of which ``neutral`` is left at 0, or to
            scores of traits: the posterior mean stretched to the variance of the truth,
            which maximises concordance (`sslmepr.simulation.ideal_observer`).
        thresholds : (emotion,) ndarray
            Base rates.
        """
        emotions = np.zeros((len(self.present), len(EMOTIONS)))
        emotions[:, 1:] = self.present
        reliability = np.sqrt(1 - self.variance[:, TRAIT_PART].mean(0))
        stretched = self.mean[:, TRAIT_PART] / reliability
        traits = trait_scores(stretched, simulation.trait_scale)
        rate = norm.sf(simulation.emotion_threshold)
        thresholds = np.full(EMOTION_PART.stop, rate)
        return {"emotion": emotions, "personality": traits}, thresholds


def observe_controls(
    simulation: Simulation, world: World, corpus: DrawnCorpus, role: str
) -> Belief:
    """Posterior given the controls of all frames and all that is seen of a clip.

    Parameters
    ----------
    simulation : Simulation
        Of the study, which was drawn without a shift between its corpora.
    world : World
    corpus : DrawnCorpus
    role : str
        Of the corpus.

    Returns
    -------
    Belief

    Raises
    ------
    ValueError
        If the world has a knob of `UNKNOWN`.
    """
    _require_law(simulation.knobs)
    loadings = _loadings(simulation, role)
    every = np.arange(len(corpus.clip_ids))
    belief = _empty(len(every))
    _observe(
        belief, every, simulation, world, loadings, corpus.controls, corpus.given, ()
    )
    return belief


def observe_features(
    simulation: Simulation, world: World, study: DrawnStudy, role: str
) -> Belief:
    """Posterior given the features of a corpus, and what the signs among them mean.

    Parameters
    ----------
    simulation, world, role
        As for `observe_controls`.
    study : DrawnStudy
        Not standardised.

    Returns
    -------
    Belief

    Raises
    ------
    ValueError
        If the world has a knob of `UNKNOWN`.
    """
    _require_law(simulation.knobs)
    corpus, loadings = study[role], _loadings(simulation, role)
    found = {
        name: estimated_controls(
            name, corpus, study.maps[name], len(each.offset), simulation.knobs
        )
        for name, each in loadings.items()
    }
    noise = np.column_stack([corpus.given.noise[name] for name in loadings])
    without = ("burst",) if simulation.knobs.burst else ()
    belief = _empty(len(noise))
    # Noise of controls and of their estimate make one covariance, which is the same for
    # all clips whose channels are equally noisy. It is whitened.
    for levels, rows in _alike(noise):
        whitened, controls = {}, {}
        for level, (name, each) in zip(levels, loadings.items(), strict=True):
            values, error = found[name]
            turn = _inverse_root(error + level**2 * np.eye(len(error)))
            axes = (turn @ part for part in (each.first, each.second, each.traits))
            whitened[name] = Loadings(*axes, each.offset)
            controls[name] = (values[rows] @ turn)[:, None]
        given = corpus.given.at(rows)
        clear = {name: np.ones(len(rows)) for name in loadings}
        given = replace(given, noise=clear)
        _observe(belief, rows, simulation, world, whitened, controls, given, without)
    return belief


def estimated_controls(
    name: str,
    corpus: DrawnCorpus,
    feature_map: np.ndarray,
    controls: int,
    knobs: Knobs,
) -> tuple[np.ndarray, np.ndarray]:
    """Best linear unbiased estimate of a channel's controls from its features.

    Parameters
    ----------
    name : str
        Of the channel.
    corpus : DrawnCorpus
        Not standardised.
    feature_map : (source, feature) ndarray
    controls : int
        How many of the first sources are controls.
    knobs : Knobs

    Returns
    -------
    estimate : (clip, control) ndarray
    error : (control, control) ndarray
        Covariance of its error.
    """
    shown, nuisance, signs = np.split(feature_map, [controls, controls + NUISANCES])
    noise = np.eye(feature_map.shape[1]) + NUISANCE_SCALE**2 * nuisance.T @ nuisance
    noise += signs.T @ signs
    values = corpus.features[name]
    if knobs != Knobs():
        values = values - sign_means(name, corpus.given) @ signs
    weights = np.linalg.solve(noise, shown.T)  # (feature, control)
    error = np.linalg.inv(shown @ weights)
    return values @ weights @ error, error


def _require_law(knobs: Knobs) -> None:
    found = [name for name in UNKNOWN if getattr(knobs, name)]
    if found:
        raise ValueError(f"the observer has no law for {', '.join(found)}")


def _loadings(simulation: Simulation, role: str) -> dict[str, Loadings]:
    """Linear models of the channels, as `sslmepr.trials.drawn` has them."""
    return {
        name: replace(
            channel.in_domain(role, 1.0), offset=np.zeros(len(channel.controls))
        )
        for name, channel in make_channels(simulation).items()
    }


def _empty(clips: int) -> Belief:
    latents = np.zeros((2, clips, len(LATENTS)))
    return Belief(np.zeros((clips, EMOTION_PART.stop)), *latents)


def _observe(
    belief: Belief,
    rows: np.ndarray,
    simulation: Simulation,
    world: World,
    loadings: dict[str, Loadings],
    controls: dict[str, np.ndarray],
    given: Circumstances,
    without: tuple[str, ...],
) -> None:
    """Write the posterior of the clips into the `rows` of `belief`."""
    limit = np.full((1, EMOTION_PART.stop), simulation.emotion_threshold)
    doses = simulation.knobs, simulation.cue_frames
    known = Known(world.covariance, loadings, *doses, without)
    for part, mixture in infer(known, controls, given):
        here = rows[part]
        belief.present[here] = 1 - mixture.part(EMOTION_PART).below(limit)
        belief.mean[here] = mixture.expected()
        belief.variance[here] = mixture.variance()


def _alike(noise: np.ndarray):
    """Yield (levels, rows) of clips with equal `noise` (clip, channel)."""
    levels, group = np.unique(noise, axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(group.ravel()))[:-1]
    yield from zip(levels, np.split(order, ends), strict=True)


def _inverse_root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors / np.sqrt(values)) @ vectors.T
