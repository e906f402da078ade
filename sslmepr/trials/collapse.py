"""Performance of each head on the corpus without labels for its task.

The method claims to predict exactly those clips: emotions of people with annotated
traits, and traits of people with annotated emotions. Studies are simulated as features
with an offset between the corpora (domain shift), and stage 3 is trained in several
ways (`ARMS`). All labels are known, including those that are hidden in training.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from sslmepr.device import choose_device
from sslmepr.evaluation.metrics import emotion_draws
from sslmepr.labels import MODALITIES, TASKS
from sslmepr.models.fusion import FusionInput
from sslmepr.models.published import PUBLISHED_THRESHOLD
from sslmepr.params import Params
from sslmepr.params.study import Roles
from sslmepr.params.training import Variant
from sslmepr.processes import each_result
from sslmepr.simulation.ideal_observer import agreement, correlate
from sslmepr.simulation.world import make_world
from sslmepr.statistics.cluster_bootstrap import Clusters
from sslmepr.statistics.metrics import concordance
from sslmepr.training.clips import StudyClips
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.fusion_training import predict_fused, train_variant
from sslmepr.training.predictions import training_thresholds
from sslmepr.training.probes import Linear
from sslmepr.training.stacking import fit_predict_projector
from sslmepr.trials.drawn import (
    DrawnCorpus,
    DrawnStudy,
    draw_study,
    with_doses,
    zscored,
)
from sslmepr.trials.params import Collapse

ROLES = Roles(emotion="emotion", personality="personality", held_out="held_out")
SUPERVISED = ["semi_supervised", "gradnorm"]

PUBLISHED_SCHEDULE = {"learning_rate": 1e-4, "weight_decay": 1e-5, "batch": 32}
PUBLISHED_EPOCHS = 2
"""Factor by which the published schedule, with its small steps, has more epochs."""


@dataclass(frozen=True)
class Arm:
    """One condition of the trial.

    Attributes
    ----------
    variant : Variant
    by_corpus : bool
        Whether each corpus is standardised separately instead of all together.
    oracle : bool
        Whether training uses the labels of both tasks on both training corpora.
    published_schedule : bool
        Whether learning rate, weight decay and batch size are those of the paper, with
        `PUBLISHED_EPOCHS` times as many epochs.
    """

    variant: Variant
    by_corpus: bool = True
    oracle: bool = False
    published_schedule: bool = False


ARMS = {
    "as published": Arm(Variant(as_published=True), by_corpus=False),
    "as published, supervised only": Arm(
        Variant(as_published=True, without=SUPERVISED), by_corpus=False
    ),
    "as published, its schedule": Arm(
        Variant(as_published=True), by_corpus=False, published_schedule=True
    ),
    "ours": Arm(Variant()),
    "ours, no pseudo-labels": Arm(Variant(without=["co_training"])),
    "ours, own pseudo-labels": Arm(
        Variant(without=["co_training"], adding=["semi_supervised"])
    ),
    "ours, standardised together": Arm(Variant(), by_corpus=False),
    "emotion only": Arm(Variant(tasks=["emotion"])),
    "personality only": Arm(Variant(tasks=["personality"])),
    "oracle": Arm(Variant(), oracle=True),
}
"""Conditions by name; `oracle` is the upper bound of what pseudo-labels can reach."""


def try_collapse(
    params: Params, section: Collapse, progress: bool = True
) -> pd.DataFrame:
    """Train all arms at all offsets and seeds of `section`.

    Parameters
    ----------
    params : Params
        Section ``fusion`` gives the model and schedule except the number of epochs.
    section : Collapse
    progress : bool
        Show a progress bar over studies.

    Returns
    -------
    DataFrame
        arm, offset, seed, metric, value. Metrics: ``own UAR``, ``other UAR``
        (unweighted average recall of presence and absence, mean over six emotions) and
        ``own CCC``, ``other CCC`` (concordance, mean over traits), on test clips of the
        corpus that is labelled for the task (own) or on clips outside the training
        split of the corpus that is not (other); ``association r``, the correlation over
        the thirty cells between recovered and planted correlations, on the held-out
        corpus; ``confidence``, the mean of max(p, 1 - p) of emotions on the other
        corpus.

    Raises
    ------
    WorldError
        If the section names a world that the simulation does not have.
    """
    # One thread per process; results do not depend on other cells.
    calls = [(params, section, *c) for c in product(section.offsets, section.seeds)]
    one_thread, workers = (torch.set_num_threads, (1,)), params.compute.workers
    found = each_result(_cell, calls, workers, [__name__], *one_thread)
    bar = tqdm(found, total=len(calls), desc="collapse", disable=not progress)
    return pd.concat(list(bar), ignore_index=True)


def _cell(params: Params, section: Collapse, offset: float, seed: int) -> pd.DataFrame:
    """All arms on one drawn study."""
    simulation = with_doses(params.simulation)
    world = make_world(section.world, simulation.worlds)
    raw = draw_study(
        simulation,
        world,
        clips=section.clips // 2,
        clips_per_speaker=1,
        features=section.features,
        offset=offset,
        seed=seed,
    )
    studies = {False: raw, True: raw.standardised()}
    rows = []
    for title, arm in ARMS.items():
        study = studies[arm.by_corpus]
        training = training_of(params, section, arm)
        predicted, thresholds = train_arm(training, study, arm, seed)
        scores = _measure(study, predicted, thresholds, world.association)
        rows += [(title, offset, seed, *score) for score in scores]
    return pd.DataFrame(rows, columns=["arm", "offset", "seed", "metric", "value"])


def training_of(params: Params, section: Collapse, arm: Arm) -> Params:
    """Parameters of an arm's training, without early stopping."""
    schedule, epochs = {}, section.epochs
    if arm.published_schedule:
        schedule, epochs = PUBLISHED_SCHEDULE, PUBLISHED_EPOCHS * epochs
    changes = {**schedule, "epochs": epochs, "patience": epochs}
    fusion = params.fusion.model_copy(update=changes)
    return params.model_copy(update={"roles": ROLES, "fusion": fusion})


def train_arm(
    params: Params, study: DrawnStudy, arm: Arm, seed: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Predictions of an arm for all clips, and thresholds of its emotions."""
    return train_on(params, fusion_clips(params, study, arm), arm, seed)


def train_on(
    params: Params, data: FusionClips, arm: Arm, seed: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """As `train_arm`, on clips that are there (`fusion_clips`)."""
    rows = np.arange(len(data.clips.table))
    projectors = {
        task: fit_predict_projector(params, arm.variant, data, task, rows)[0]
        for task in arm.variant.tasks
    }
    model, _ = train_variant(
        params, arm.variant, data, projectors, seed, progress=False
    )
    thresholds = np.array([*training_thresholds(data.clips, "emotion").values()])
    if arm.variant.as_published:
        thresholds = np.full(len(thresholds), PUBLISHED_THRESHOLD)
    return predict_fused(model, data, rows), thresholds


def fusion_clips(params: Params, study: DrawnStudy, arm: Arm) -> FusionClips:
    """A drawn study in the form of outputs of stage 2.

    Features serve as embeddings, and logits of linear probes (out of fold in training)
    as unimodal predictions.
    """
    clips = study_clips(study, arm)
    features = {
        modality: np.concatenate(
            [study[c].features[modality] for c in clips.corpora], dtype=np.float32
        )
        for modality in MODALITIES
    }
    if not arm.by_corpus:
        learned = np.concatenate(
            [clips.rows(getattr(ROLES, task), "train") for task in TASKS]
        )
        features = {name: zscored(each, learned) for name, each in features.items()}
    predicted = {
        task: np.stack([_linear(clips, task, each) for each in features.values()], 1)
        for task in TASKS
    }
    read = {name: torch.from_numpy(each) for name, each in features.items()}
    outputs = FusionInput(
        read,
        torch.from_numpy(predicted["emotion"]),
        torch.from_numpy(predicted["personality"]).sigmoid(),
        _present(study, clips),
        read,
    )
    return FusionClips(clips, outputs, choose_device(params.compute.device))


def _present(study: DrawnStudy, clips: StudyClips) -> torch.Tensor:
    """Modalities that each clip has: (clip, modality)."""
    each = [np.stack([*study[c].present.values()], 1) for c in clips.corpora]
    return torch.from_numpy(np.concatenate(each))


def _linear(clips: StudyClips, task: str, features: np.ndarray) -> np.ndarray:
    """Logits (clip, target) of a linear model on one modality."""
    corpus, true = getattr(ROLES, task), clips.labels[task]
    known = clips.labelled(task)
    rows = (clips.rows(corpus, split) for split in ("train", "dev"))
    train, dev = (each[known[each]] for each in rows)
    model = Linear(task, features[train], true[train], features[dev], true[dev])
    weights, bias = model.probe()
    logits = (features @ weights.T + bias).astype(np.float32)
    speakers = clips.table["speaker_id"].to_numpy()[train]
    logits[train] = model.out_of_fold(speakers)
    return logits


def study_clips(study: DrawnStudy, arm: Arm) -> StudyClips:
    """Clips of a drawn study, with the labels that an arm may use in training."""
    corpora = list(ROLES.model_dump().values())
    tables, labels = [], {task: [] for task in TASKS}
    for name in corpora:
        corpus = study[name]
        table = pd.DataFrame(
            {
                "corpus": name,
                "part": name,
                "clip_id": corpus.clip_ids,
                "speaker_id": corpus.speaker_ids,
                "split": corpus.split,
                "group": name,
            }
        )
        tables.append(table)
        known = {"emotion": corpus.emotions, "personality": corpus.traits}
        for task, values in known.items():
            labelled = corpus.labelled & (corpus.split != "test")
            if not arm.oracle:
                labelled &= name == getattr(ROLES, task)
            hidden = np.where(labelled[:, None], values, np.nan)
            labels[task].append(hidden.astype(np.float32))
    joined = {task: np.concatenate(parts) for task, parts in labels.items()}
    return StudyClips(pd.concat(tables, ignore_index=True), joined, corpora)


def _measure(
    study: DrawnStudy,
    predicted: dict[str, np.ndarray],
    thresholds: np.ndarray,
    planted: np.ndarray,
) -> Iterator[tuple[str, float]]:
    """(metric, value) of one arm."""
    corpora = list(ROLES.model_dump().values())
    counts = [len(study[name].clip_ids) for name in corpora]
    ends = np.cumsum(counts)
    place = {
        name: slice(end - count, end)
        for name, end, count in zip(corpora, ends, counts, strict=True)
    }
    for where in ("own", "other"):
        if "emotion" in predicted:
            name = "emotion" if where == "own" else "personality"
            corpus, values = study[name], predicted["emotion"][place[name], 1:]
            chosen = _unseen(corpus, where)
            yield f"{where} UAR", recall(corpus, chosen, values, thresholds)
            if where == "other":
                yield "confidence", float(np.maximum(values, 1 - values).mean())
        if "personality" in predicted:
            name = "personality" if where == "own" else "emotion"
            corpus, values = study[name], predicted["personality"][place[name]]
            chosen = _unseen(corpus, where)
            yield (
                f"{where} CCC",
                mean_concordance(corpus.traits[chosen], values[chosen]),
            )
    if len(predicted) == len(TASKS):
        both = [predicted[task][place["held_out"]] for task in TASKS]
        r = agreement(correlate(both[0][:, 1:], both[1]), planted)
        yield "association r", np.nan if r is None else r


def _unseen(corpus: DrawnCorpus, where: str) -> np.ndarray:
    """Clips on which a score is measured; no arm, not even the oracle, trains on them.

    Parameters
    ----------
    where : {"own", "other"}

    Returns
    -------
    (clip,) bool array
    """
    return corpus.split == "test" if where == "own" else corpus.split != "train"


def recall(
    corpus: DrawnCorpus, chosen, values: np.ndarray, thresholds: np.ndarray
) -> float:
    """Unweighted average recall of the chosen clips, mean over emotions."""
    values, speakers = values[chosen], Clusters(corpus.speaker_ids[chosen], 0, 0)
    present = corpus.emotions[chosen, 1:] > 0
    draws = emotion_draws(present, values, values >= thresholds, speakers)
    return float(draws["mUAR", "mean"][0])


def mean_concordance(true: np.ndarray, predicted: np.ndarray) -> float:
    """Concordance, mean over traits; 0 where undefined."""
    return float(np.nan_to_num(concordance(true, predicted)).mean())
