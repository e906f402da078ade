"""What Mamba-2 and the Transformer of stage 1 are worth where expressions move.

Knobs ``burst`` and ``order`` make expressions change over the clip. Networks of stage 1
are trained on sequences of drawn studies (`sslmepr.trials.drawn`). Beside them stand
two linear models without layers to train: that on the mean over steps (pooling), which
the network corrects, and one that also has the slope over the clip. A regression stacks
the modalities of each arm (late fusion); it is fitted to dev clips, from which no
network has learned. All are scored on new people.
"""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch
from scipy.special import logit
from tqdm.auto import tqdm

from sslmepr.features import write_store
from sslmepr.labels import MODALITIES, TASKS
from sslmepr.params import Params
from sslmepr.params.training import Variant
from sslmepr.processes import each_result
from sslmepr.simulation.knobs import FRAMED
from sslmepr.simulation.world import make_world
from sslmepr.training.batches import ModalityClips
from sslmepr.training.clips import StudyClips
from sslmepr.training.predictions import training_thresholds
from sslmepr.training.probes import Linear
from sslmepr.training.stacking_regression import StackingRegression
from sslmepr.training.unimodal import fit_unimodal
from sslmepr.trials.collapse import (
    ROLES,
    Arm,
    mean_concordance,
    recall,
    study_clips,
)
from sslmepr.trials.drawn import DrawnCorpus, DrawnStudy, draw_study, with_doses
from sslmepr.trials.params import Timing
from sslmepr.trials.seeds import over_seeds

POOLING, SLOPE = "pooling", "pooling and slope"
STACKED = "stacked"
METRICS = {"emotion": "mWACC", "personality": "CCC"}


_SMALLEST = 1e-6  # distance of a prediction from 0 and 1, which keeps its logit finite


def try_timing(params: Params, section: Timing, progress: bool = True) -> pd.DataFrame:
    """Train stage 1 with each kind of block, at every dose and seed.

    Parameters
    ----------
    params : Params
        Section ``unimodal`` gives the model and schedule except the kind of block.
    section : Timing
    progress : bool
        Show a progress bar over studies.

    Returns
    -------
    DataFrame
        knob, dose, seed, modality (face, body, audio or `STACKED`, of all modalities),
        arm (a kind of block, `POOLING` or `SLOPE`), metric (``mWACC`` or ``CCC``, on a
        corpus of new people; ``emotion share`` or ``personality share`` of the
        network's correction in its output, on dev), value.

    Raises
    ------
    WorldError
        If the section names a world that the simulation does not have.
    """
    cells = product(section.knobs, section.doses, section.seeds)
    calls = [(params, section, *cell) for cell in cells]
    one_thread, workers = (torch.set_num_threads, (1,)), params.compute.workers
    found = each_result(_cell, calls, workers, [__name__], *one_thread)
    bar = tqdm(found, total=len(calls), desc="timing", disable=not progress)
    return pd.concat(list(bar), ignore_index=True)


def _cell(
    params: Params, section: Timing, knob: str, dose: float, seed: int
) -> pd.DataFrame:
    """All arms on one drawn study."""
    simulation = with_doses(params.simulation, **{knob: dose})
    own = params.model_copy(
        update={"roles": ROLES, "simulation": simulation, "seed": seed}
    )
    study = draw_study(
        simulation,
        make_world(section.world, simulation.worlds),
        clips=round(section.clips / simulation.split["train"]),
        clips_per_speaker=1,
        features=section.features,
        offset=0.0,
        seed=seed,
    )
    clips = study_clips(study, Arm(Variant()))
    rows = []
    for task in TASKS:
        predicted, shares = _predictions(own, section, study, clips, task)
        rows += [(*key, f"{task} share", share) for key, share in shares.items()]
        stacked = _stack(clips, task, predicted)
        score = _scorer(study.held_out, clips, task)
        for (modality, arm), values in (predicted | stacked).items():
            if modality in (*FRAMED, STACKED):
                rows.append((modality, arm, METRICS[task], score(values)))
    table = pd.DataFrame(rows, columns=["modality", "arm", "metric", "value"])
    return table.assign(knob=knob, dose=dose, seed=seed)[
        ["knob", "dose", "seed", "modality", "arm", "metric", "value"]
    ]


def _predictions(
    params: Params, section: Timing, study: DrawnStudy, clips: StudyClips, task: str
) -> tuple[dict[tuple[str, str], np.ndarray], dict[tuple[str, str], float]]:
    """Predictions for all clips, and shares of the networks, by (modality, arm).

    Where nothing changes over the clip, as in text, every arm has the linear model.
    """
    predicted, shares = {}, {}
    for modality in MODALITIES:
        with TemporaryDirectory() as folder:
            write_sequences(study, modality, folder)
            data = ModalityClips(clips, modality, folder)
            if modality not in FRAMED:
                pooled = _linear(data, task, data.pooled)
                for arm in (*section.blocks, POOLING, SLOPE):
                    predicted[modality, arm] = pooled
                continue
            predicted[modality, POOLING] = _linear(data, task, data.pooled)
            predicted[modality, SLOPE] = _linear(
                data,
                task,
                lambda rows, data=data: np.hstack(
                    [data.pooled(rows), data.slopes(rows)]
                ),
            )
            for block in section.blocks:
                blocks = dict.fromkeys(params.unimodal.blocks, block)
                changes = {"blocks": blocks, "refits": 0}
                unimodal = params.unimodal.model_copy(update=changes)
                own = params.model_copy(update={"unimodal": unimodal})
                fitted = fit_unimodal(own, data, task, progress=False)
                predicted[modality, block] = fitted.predicted
                shares[modality, block] = fitted.share
    return predicted, shares


def write_sequences(study: DrawnStudy, modality: str, folder: str | Path) -> None:
    """Write the sequences of a drawn study as feature stores.

    Parameters
    ----------
    study : DrawnStudy
    modality : str
    folder : path
        Receives ``<role>/features`` of every role.
    """
    for role in ROLES.model_dump().values():
        corpus = study[role]
        pairs = zip(corpus.clip_ids, corpus.sequences[modality], strict=True)
        target = Path(folder, role, "features")
        write_store(target, modality, pairs, "drawn", "1")


def _linear(data: ModalityClips, task: str, features) -> np.ndarray:
    """Predictions of a linear model for all clips; `features` maps rows to features."""
    true = data.clips.labels[task]
    train, dev = (
        data.labelled_rows(getattr(ROLES, task), task, split)
        for split in ("train", "dev")
    )
    model = Linear(task, features(train), true[train], features(dev), true[dev])
    return model.predict(features(np.arange(len(data.clips.table))))


def _stack(
    clips: StudyClips, task: str, predicted: Mapping[tuple[str, str], np.ndarray]
) -> dict[tuple[str, str], np.ndarray]:
    """Late fusion of the modalities of each arm.

    Fitted to every other dev clip; the rest choose the penalty.
    """
    dev, true = clips.rows(getattr(ROLES, task), "dev"), clips.labels[task]
    fit, choose = dev[::2], dev[1::2]
    stacked = {}
    for arm in dict.fromkeys(arm for _, arm in predicted):
        parts = [predicted[name, arm] for name in MODALITIES]
        logits = logit(np.clip(np.hstack(parts), _SMALLEST, 1 - _SMALLEST))
        logits = logits - logits[fit].mean(0)
        model = StackingRegression(
            task, logits[fit], true[fit], logits[choose], true[choose]
        )
        stacked[STACKED, arm] = model.predict(logits)
    return stacked


def _scorer(unseen: DrawnCorpus, clips: StudyClips, task: str):
    """Function from predictions for all clips to the score on the last ones, unseen."""
    everyone = np.ones(len(unseen.clip_ids), bool)
    thresholds = np.array([*training_thresholds(clips, ROLES.emotion).values()])

    def score(values: np.ndarray) -> float:
        last = values[-len(everyone) :]
        if task == "emotion":
            return recall(unseen, everyone, last[:, 1:], thresholds)
        return mean_concordance(unseen.traits, last)

    return score


def timing_gains(runs: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """What each kind of block, and the slope, gain over pooling in the same study.

    Parameters
    ----------
    runs : DataFrame
        From `try_timing`.
    confidence : float
        Of Student's t intervals over seeds, each of which is a study of its own.

    Returns
    -------
    DataFrame
        knob, dose, modality, arm, against (`POOLING`, or `SLOPE` for a block), metric,
        estimate, low, high, interval, n (seeds).
    """
    keys = ["knob", "dose", "seed", "modality", "metric"]
    scores = runs[runs["metric"].isin(METRICS.values())]
    tables = []
    for against in (POOLING, SLOPE):
        other = scores[scores["arm"] == against].set_index(keys)["value"]
        mine = scores[~scores["arm"].isin([POOLING, against])]
        paired = mine.join(other.rename("other"), on=keys)
        value = paired["value"] - paired["other"]
        tables.append(paired.assign(value=value, against=against))
    names = ["knob", "dose", "modality", "arm", "against", "metric"]
    return over_seeds(pd.concat(tables, ignore_index=True), names, confidence)
