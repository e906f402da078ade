"""Studies drawn directly as features, so that learning is tested in seconds.

Traits cause emotions through the planted association; every modality reads both with
noise of its own, and nuisance factors, a linear map and step noise lead to features.
Corpora with disjoint labels differ by a constant offset.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.corpora.schema import write_clips
from sslmepr.features import write_store
from sslmepr.labels import (
    EMOTION_COLUMNS,
    SCORED_EMOTIONS,
    TRAIT_COLUMNS,
    TRAITS,
)
from sslmepr.statistics.metrics import area_under_curve, concordance

TRAIT_CORRELATION = np.full((5, 5), 0.2) + 0.8 * np.eye(5)
NUISANCES = 12
STEPS = {"face": 8, "body": 8, "scene": 8, "audio": 16, "text": 16}


def association(params, world="planted"):
    """Correlation of latent emotions with latent traits: (emotion, trait)."""
    planted = params.simulation.worlds[world]
    return np.array(
        [[planted.get(e, {}).get(t, 0.0) for t in TRAITS] for e in SCORED_EMOTIONS]
    )


def draw_persons(params, count, rng, world):
    """Latent traits (person, trait) and emotions (person, emotion), unit variance."""
    cross = association(params, world)
    slope = cross @ np.linalg.inv(TRAIT_CORRELATION)
    traits = rng.multivariate_normal(np.zeros(5), TRAIT_CORRELATION, count)
    rest = np.sqrt(1 - np.einsum("et,et->e", slope, cross))
    emotions = traits @ slope.T + rng.standard_normal((count, 6)) * rest
    return traits, emotions


def draw_corpus(
    params, name, count, tasks, offset, widths, folder, rng, world, maps, missing_text
):
    """Write one corpus: clip table and stores; returns all labels, hidden ones too."""
    sim = params.simulation
    traits, latent = draw_persons(params, count, rng, world)
    present = latent > sim.emotion_threshold
    shown = np.where(present, np.minimum(latent / sim.emotion_ceiling, 1), 0)
    table = pd.DataFrame({"clip_id": [f"{name}-{n:05d}" for n in range(count)]})
    # Two clips each, so that folds and resamples by speaker are not those by clip.
    table["speaker_id"] = [f"{name}-p{n // 2:05d}" for n in range(count)]
    marks = np.arange(count) / max(count, 1)
    held_out = len(tasks) == 2
    table["split"] = np.select([marks < 0.7, marks < 0.85], ["train", "dev"], "test")
    if held_out:
        table["split"] = "test"
    table["media"] = None
    table["start_seconds"] = np.nan
    table["end_seconds"] = np.nan
    table["transcript"] = None
    neutral = np.where(present.any(1), 0.0, 1.0)
    emotions = np.column_stack([neutral, shown])
    scores = np.clip(0.5 + sim.trait_scale * traits, 0, 1)
    truth = table[["clip_id", "split"]].copy()
    truth[list(EMOTION_COLUMNS)], truth[list(TRAIT_COLUMNS)] = emotions, scores
    table[list(EMOTION_COLUMNS)] = emotions if "emotion" in tasks else np.nan
    table[list(TRAIT_COLUMNS)] = scores if "personality" in tasks else np.nan
    if not count:
        table.attrs["left_out"] = {name: "not given"}
    write_clips(table, Path(folder, name, "corpus"))
    for modality, width in widths.items():
        channel = sim.channels[modality]
        signal = np.column_stack(
            [channel.emotion * shown * sim.emotion_ceiling, channel.trait * traits]
        )
        readout = signal + rng.standard_normal(signal.shape)
        readout = readout + offset * 2 * rng.standard_normal(readout.shape[1])
        nuisance = rng.standard_normal((count, NUISANCES)) * 2
        clip_level = np.column_stack([readout, nuisance]) @ maps[modality]
        clip_level = clip_level + offset * rng.standard_normal(width)
        lengths = rng.integers(STEPS[modality] // 2, STEPS[modality] + 1, count)
        sequences = (
            (
                clip_id,
                (row + rng.standard_normal((length, width))).astype(np.float32),
            )
            for clip_id, row, length in zip(
                table["clip_id"], clip_level, lengths, strict=True
            )
            if missing_text == 0 or modality != "text" or rng.random() >= missing_text
        )
        features = Path(folder, name, "features")
        write_store(features, modality, sequences, "drawn", "1", None)
    return truth


def draw_study(
    params,
    folder,
    counts,
    widths,
    offset=0.5,
    seed=0,
    world="planted",
    missing_text=0.0,
):
    """Write the three corpora of ``params.roles`` below `folder`; their true labels.

    Parameters
    ----------
    counts : (int, int, int)
        Clips of the emotion, personality and held-out corpus, multiples of 40 so that
        no speaker crosses splits; those of the held-out corpus may be any.
    widths : dict
        Modality to feature count.
    offset : float
        Distance between the corpora, in standard deviations of a channel's noise.
    missing_text : float
        Share of clips without words.
    """
    rng = np.random.default_rng(seed)
    maps = {
        modality: rng.standard_normal((11 + NUISANCES, width)) / 2
        for modality, width in widths.items()
    }
    roles = params.roles
    plan = [
        (roles.emotion, ["emotion"]),
        (roles.personality, ["personality"]),
        (roles.held_out, ["emotion", "personality"]),
    ]
    return {
        name: draw_corpus(
            params,
            name,
            count,
            tasks,
            offset,
            widths,
            folder,
            rng,
            world,
            maps,
            missing_text,
        )
        for (name, tasks), count in zip(plan, counts, strict=True)
    }


def cross_corpus(params, truth, predictions):
    """Score of each task on the corpus without its labels.

    Parameters
    ----------
    truth : dict
        What `draw_study` returned.
    predictions : DataFrame
        Of one variant and seed: corpus, clip_id, target, predicted.

    Returns
    -------
    dict
        auc: emotions in the personality corpus; ccc: traits in the emotion corpus;
        association: correlation, over emotion-trait cells, of the associations
        between predictions in the held-out corpus with the planted ones.
    """
    roles = params.roles
    wide = predictions.pivot(
        index=["corpus", "clip_id"], columns="target", values="predicted"
    )
    emotions, traits = list(SCORED_EMOTIONS), list(TRAITS)
    personality = truth[roles.personality].set_index("clip_id")
    emotion = truth[roles.emotion].set_index("clip_id")
    present = personality[list(EMOTION_COLUMNS[1:])] > 0
    scores = emotion[list(TRAIT_COLUMNS)]
    both = wide.loc[roles.held_out]
    found = np.corrcoef(both[emotions].T, both[traits].T)[:6, 6:]
    return {
        "auc": np.nanmean(
            area_under_curve(
                present, wide.loc[roles.personality].loc[present.index, emotions]
            )
        ),
        "ccc": np.nanmean(
            concordance(scores, wide.loc[roles.emotion].loc[scores.index, traits])
        ),
        "association": np.corrcoef(found.ravel(), association(params).ravel())[0, 1],
    }
