"""Evidence that a modality holds for emotions and traits, where the truth is planted.

The controls z of a channel are z = H x + o + n with noise of variance 1 / q, where q
is how well it is seen in that clip. The posterior mean of the latents x is the sum over
channels of

    Q H' q (z - o),    Q = (P⁻¹ + Σ q H'H)⁻¹,

so that the ideal observer's evidence adds up over modalities as attributions do, and
q H'H is the precision that a modality adds. Both are exact for what is linear and
Gaussian in a simulated world; what else its knobs do to a clip is not in them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.labels import TARGETS
from sslmepr.params import Params
from sslmepr.params.corpora import SimulatedCorpus
from sslmepr.simulation.channels import make_channels
from sslmepr.simulation.world import LATENTS, make_world

LOGIT_PER_PROBIT = 1.702
"""Scale at which a logistic function is closest to the normal distribution function
(Camilli 1994, Journal of Educational and Behavioral Statistics 19, 293-295)."""


@dataclass(frozen=True)
class ObserverEvidence:
    """What an ideal observer takes from each modality of the clips of a corpus.

    Attributes
    ----------
    evidence : DataFrame
        clip_id, modality, target (those with a latent), evidence: of emotions in
        logits, of traits in units of their scores, as a model's outputs are.
    precision : DataFrame
        clip_id, task, modality, quality (precision of the controls of this clip,
        relative to the usual), weight (share of the modality in the precision that all
        modalities add about the latents of the task).
    """

    evidence: pd.DataFrame
    precision: pd.DataFrame


def observer_evidence(
    params: Params, corpus: str, folder: str | Path
) -> ObserverEvidence | None:
    """Evidence of the clips of a simulated corpus; None where no truth is planted.

    Parameters
    ----------
    params : Params
    corpus : str
    folder : path
        Of the corpus. ``quality_<channel>`` in its ``truth.parquet`` is the precision
        of the channel's controls in a clip, 1 being the usual, 0 absent.

    Returns
    -------
    ObserverEvidence or None
    """
    settings = params.corpus[corpus]
    if not isinstance(settings, SimulatedCorpus):
        return None
    truth = pd.read_parquet(Path(folder, "truth.parquet"))
    channels = make_channels(params.simulation)
    world = make_world(settings.world, params.simulation.worlds)
    prior = np.linalg.inv(world.covariance)
    parts, weights = [], []
    for domain, clips in truth.groupby("domain", sort=False):
        scale = params.simulation.domains[domain].emotion_scale
        linear = {}
        for name, channel in channels.items():
            loadings = channel.loadings(scale)
            read = clips[[f"{name}_{each}" for each in channel.controls]].to_numpy()
            quality = clips[f"quality_{name}"].to_numpy(float)
            # Controls of an absent channel may be unknown; they count with weight 0.
            moved = np.where(quality[:, None] > 0, read - channel.offset(domain), 0.0)
            linear[name] = (
                quality,
                quality[:, None] * (moved @ loadings),
                loadings.T @ loadings,
            )
        gained = {n: q[:, None, None] * each for n, (q, _, each) in linear.items()}
        posterior = np.linalg.inv(prior + sum(gained.values()))
        unit = _units(posterior, params.simulation.trait_scale)
        ids = clips["clip_id"].to_numpy()
        for name, (_, pull, _) in linear.items():
            values = np.einsum("clm,cm->cl", posterior, pull) * unit
            table = pd.DataFrame(values, columns=list(LATENTS), index=ids)
            table = table.rename_axis(index="clip_id", columns="target").stack()
            parts.append(table.rename("evidence").reset_index().assign(modality=name))
        weights.append(_weights(ids, {n: q for n, (q, *_) in linear.items()}, gained))
    return ObserverEvidence(
        pd.concat(parts, ignore_index=True), pd.concat(weights, ignore_index=True)
    )


def _units(posterior: np.ndarray, trait_scale: float) -> np.ndarray:
    """Factors from latents to logits of emotions and scores of traits."""
    deviation = np.sqrt(np.diagonal(posterior, axis1=1, axis2=2))
    emotional = np.array([name in TARGETS["emotion"] for name in LATENTS])
    return np.where(emotional, LOGIT_PER_PROBIT / deviation, trait_scale)


def _weights(ids, quality: dict, gained: dict) -> pd.DataFrame:
    """The table `precision` of some clips."""
    tables = []
    for task, names in TARGETS.items():
        own = [place for place, name in enumerate(LATENTS) if name in names]
        added = {
            name: np.diagonal(each, axis1=1, axis2=2)[:, own].sum(1)
            for name, each in gained.items()
        }
        total = np.sum(list(added.values()), axis=0)
        for name, each in added.items():
            share = np.divide(each, total, out=np.zeros_like(each), where=total > 0)
            table = {"clip_id": ids, "task": task, "modality": name}
            table |= {"quality": quality[name], "weight": share}
            tables.append(pd.DataFrame(table))
    return pd.concat(tables, ignore_index=True)
