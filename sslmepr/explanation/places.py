"""Where in a clip the evidence for an emotion is planted, and whether a model is there.

What is drawn of a simulated corpus beside its table is drawn again, from the same
random numbers: the moment in which an expression bursts out, the controls of every
moment, and whether the words say the opposite. The evidence of a moment or of a part of
the face is the ideal observer's (`sslmepr.explanation.observer_evidence`), of the
controls there. Where the body shows an emotion moves with it, and is not recorded.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.labels import SCORED_EMOTIONS
from sslmepr.params import Params
from sslmepr.params.corpora import SimulatedCorpus
from sslmepr.simulation.channels import make_channels
from sslmepr.simulation.draw import draw_corpus
from sslmepr.simulation.world import EMOTION_PART

PARTS_OF_FACE = {
    "brows and eyes": (
        *("brow_height", "brow_slant", "brow_squeeze", "lid_opening", "eye_rings"),
    ),
    "nose and cheeks": ("cheek_raise", "nose_wrinkle"),
    "mouth": ("mouth_curve", "mouth_opening", "mouth_width"),
}
"""Part to the controls that show in it; the others show in the whole face."""

EDGES = (0.0, 0.44, 0.67, 1.0)
"""Where parts of the face begin and end in its crop, as shares of its height."""

PLACES = ["clip_id", "what", "hit", "there", "chance"]


@dataclass(frozen=True)
class Planted:
    """What was planted in each clip, and where.

    Attributes
    ----------
    clips : DataFrame
        Index clip_id: target (the emotion that is strongest), contrary (whether the
        words say the opposite), onset (moment of the burst; missing without bursts).
    moments : DataFrame
        clip_id, modality, moment, evidence (for the target), of those that change.
    parts : DataFrame
        clip_id, part (of `PARTS_OF_FACE`), evidence.
    """

    clips: pd.DataFrame
    moments: pd.DataFrame
    parts: pd.DataFrame


def planted_places(params: Params, corpus: str, folder: str | Path) -> Planted | None:
    """Draw again what was planted; None if it is not in the corpus.

    So where recordings were not simulated, or not with these parameters.

    Parameters
    ----------
    params : Params
    corpus : str
    folder : path
        Of the corpus.
    """
    settings = params.corpus[corpus]
    if not isinstance(settings, SimulatedCorpus):
        return None
    draw = draw_corpus(corpus, settings, params)
    truth = pd.read_parquet(Path(folder, "truth.parquet"))[: len(draw.persons)]
    ids, latents = truth["clip_id"].to_numpy(), truth.filter(regex="^latent_")
    if not np.array_equal(latents.to_numpy(), draw.latents):
        return None
    strongest = draw.latents[:, EMOTION_PART].argmax(1)
    bursts = params.simulation.knobs.burst > 0
    clips = pd.DataFrame(
        {
            "target": np.array(SCORED_EMOTIONS, dtype=object)[strongest],
            "contrary": draw.circumstances.contrary,
            "onset": draw.circumstances.onset if bursts else np.nan,
        },
        index=pd.Index(ids, name="clip_id"),
    )
    moments, parts = [], []
    for name, values in _evidence(params, draw, strongest).items():
        if values.shape[1] > 1:
            each = pd.DataFrame(values.sum(2), index=clips.index)
            each = each.rename_axis(columns="moment").stack().rename("evidence")
            moments.append(each.reset_index().assign(modality=name))
        if name == "face":
            controls = list(draw.channels[name].controls)
            for part, shown in PARTS_OF_FACE.items():
                here = [controls.index(control) for control in shown]
                mean = values[:, :, here].sum(2).mean(1)
                table = {"clip_id": ids, "part": part, "evidence": mean}
                parts.append(pd.DataFrame(table))
    columns = ["clip_id", "modality", "moment", "evidence"]
    joined = pd.concat([pd.DataFrame(columns=columns), *moments], ignore_index=True)
    return Planted(clips, joined, pd.concat(parts, ignore_index=True))


def _evidence(params: Params, draw, strongest: np.ndarray) -> dict[str, np.ndarray]:
    """Channel to what each control of each moment says of a clip's strongest emotion.

    (clip, moment, control); 0 where the channel is absent.
    """
    prior = np.linalg.inv(draw.world.covariance)
    channels, given = make_channels(params.simulation), draw.circumstances
    found = {name: np.zeros(each.shape) for name, each in draw.controls.items()}
    for domain in np.unique(draw.domains):
        rows = np.flatnonzero(draw.domains == domain)
        scale = params.simulation.domains[domain].emotion_scale
        loadings = {name: each.loadings(scale) for name, each in channels.items()}
        quality = {
            name: ~given.absent[name][rows] / given.noise[name][rows] ** 2
            for name in channels
        }
        added = [
            quality[name][:, None, None] * (each.T @ each)
            for name, each in loadings.items()
        ]
        posterior = np.linalg.inv(prior + np.sum(added, axis=0))
        own = posterior[np.arange(len(rows)), strongest[rows]]
        for name, channel in channels.items():
            moved = draw.controls[name][rows] - channel.offset(domain)
            weight = quality[name][:, None] * (own @ loadings[name].T)
            found[name][rows] = weight[:, None] * moved
    return found


def moment_game(steps: pd.DataFrame, planted: Planted) -> pd.DataFrame:
    """Whether the step that raises the planted emotion most lies in the burst.

    Parameters
    ----------
    steps : DataFrame
        clip_id, modality, step, attribution, to the clip's planted emotion.
    planted : Planted

    Returns
    -------
    DataFrame
        clip_id, what (the modality), hit (1 or 0), there (1 if the controls themselves
        say most in the moment of the burst), chance (share of the clip's steps that lie
        in it). Empty without bursts.
    """
    says_most = planted.moments["evidence"].groupby(
        [planted.moments["clip_id"], planted.moments["modality"]]
    )
    last = planted.moments["moment"].max()
    best = planted.moments.loc[says_most.idxmax()]
    best = best.set_index(["clip_id", "modality"])["moment"]
    onset, rows = planted.clips["onset"].dropna(), []
    for (clip, name), mine in steps.groupby(["clip_id", "modality"], sort=False):
        if clip not in onset.index or (clip, name) not in best.index:
            continue
        mine = mine.sort_values("step")
        place = (np.arange(len(mine)) + 0.5) / len(mine) * (last + 1) - 0.5
        inside = np.abs(place - onset[clip]) <= 0.5
        if inside.any():
            hit = float(inside[mine["attribution"].to_numpy().argmax()])
            there = float(best[clip, name] == onset[clip])
            rows.append((clip, name, hit, there, inside.mean()))
    return pd.DataFrame(rows, columns=PLACES)


def part_game(effects: pd.DataFrame, planted: Planted) -> pd.DataFrame:
    """Whether the part of the face that says most of an emotion counts most for it.

    Parameters
    ----------
    effects : DataFrame
        clip_id, part, target, attribution: what hiding a part takes from an output.
    planted : Planted

    Returns
    -------
    DataFrame
        clip_id, what (the part that says most), hit (1 or 0), there (missing: the part
        is by definition where the controls say most), chance (its share of the face:
        hiding more of a picture changes more).
    """
    mine = effects[effects["target"] == effects["clip_id"].map(planted.clips["target"])]
    truth = planted.parts[planted.parts["clip_id"].isin(mine["clip_id"])]
    says = truth.pivot(index="clip_id", columns="part", values="evidence")
    counts = mine.pivot(index="clip_id", columns="part", values="attribution")
    most = says.idxmax(axis=1)
    hit = (counts.loc[most.index].idxmax(axis=1) == most).astype(float)
    table = {"clip_id": most.index, "what": most, "hit": hit, "there": np.nan}
    share = dict(zip(PARTS_OF_FACE, np.diff(EDGES), strict=True))
    return pd.DataFrame(table | {"chance": most.map(share)})[PLACES].reset_index(
        drop=True
    )
