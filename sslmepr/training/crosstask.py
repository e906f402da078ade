"""Stage 2: cross-attention between the two tasks of one modality, on both corpora."""

from pathlib import Path

import numpy as np
from scipy.special import expit

from sslmepr.device import choose_device, seed_everything
from sslmepr.labels import (
    TASKS,
    Model,
)
from sslmepr.models.crosstask import CrosstaskConfig, CrosstaskModel
from sslmepr.models.unimodal import UnimodalModel
from sslmepr.params import Params
from sslmepr.training.batches import ModalityClips, balanced
from sslmepr.training.checkpoints import (
    CheckpointError,
    load_checkpoint,
    remedy,
    save_checkpoint,
)
from sslmepr.training.clips import read_study_clips
from sslmepr.training.loop import Schedule, fit
from sslmepr.training.losses import emotion_loss, trait_loss
from sslmepr.training.outputs import (
    model_of_outputs,
    predict_outputs,
    study_outputs,
    write_outputs,
)
from sslmepr.training.predictions import (
    dev_score,
    prediction_table,
    training_thresholds,
    write_predictions,
)

OUTPUTS = (
    "emotion_embedding",
    "personality_embedding",
    "emotion_logits",
    "trait_scores",
    "features",
)


def train_crosstask(
    params: Params,
    modality: str,
    study_folder: str | Path,
    run_folder: str | Path,
    data_folder: str | Path = "data",
    progress: bool = True,
) -> dict:
    """Train stage 2: join the two stage-1 encoders of a modality by cross-attention.

    Written to `run_folder`, for all clips that have the modality: the checkpoint
    ``model``, ``predictions.parquet`` (stage ``crosstask``) and the outputs that
    stage 3 reads (`sslmepr.training.outputs`). Predictions and outputs for training
    clips of a task are those of the out-of-fold probes.

    Parameters
    ----------
    params : Params
        Sections ``crosstask`` (model and schedule), ``roles`` (which corpus is labelled
        for which task), ``seed`` and ``compute.device``.
    modality : str
        One of ``params.modalities``.
    study_folder : path
        Holds ``unimodal/<modality>-<task>`` for both tasks, written by stage 1.
    run_folder : path
        Receives the files listed above; it is created if missing.
    data_folder : path
        Holds ``<corpus>/corpus/clips.parquet`` and ``<corpus>/features``.
    progress : bool
        Show a progress bar over epochs.

    Returns
    -------
    dict
        modality, clips (number of labelled training clips per task), dev_score (per
        task), epochs (last epoch run), history (list of dict: epoch, train_loss,
        dev_score, the mean over tasks).

    Raises
    ------
    CheckpointError
        If a file of stage 1 is missing or damaged, stage 1 was trained on features of
        another encoder, or its checkpoint and outputs come from different runs.
    CorpusError
        If a corpus has no valid clip table.
    TrainingError
        If the training loss is not finite.
    """
    seed_everything(params.seed)
    clips = read_study_clips(params, data_folder)
    device = choose_device(params.compute.device)
    data = ModalityClips(clips, modality, data_folder, device)
    for task in TASKS:
        folder = Path(study_folder, "unimodal", f"{modality}-{task}")
        known, outputs = study_outputs(folder, clips)
        data.set_offset_logits(task, known.numpy(), outputs["probe_logits"])
    stage_1, trained_on = _stage_1(data, Path(study_folder))
    model = _model(params, stage_1)
    model.to(device)
    groups, dev = (
        {
            task: data.labelled_rows(getattr(params.roles, task), task, split)
            for task in TASKS
        }
        for split in ("train", "dev")
    )

    def batch_rows(epoch):
        rng = np.random.default_rng([params.seed, epoch])
        each_task = list(groups.values())
        return balanced(each_task, data.lengths, params.crosstask.batch, rng)

    history = fit(
        model,
        lambda epoch: map(data.batch, batch_rows(epoch)),
        len(batch_rows(0)),
        _loss,
        lambda model: _mean_score(_scores(model, data, dev)),
        Schedule.from_section(params.crosstask),
        f"{modality}, both tasks",
        progress,
    )
    scores = _scores(model, data, dev)
    rows = data.present(np.arange(len(clips.table)))
    found = predict_outputs(model, data, rows, OUTPUTS)
    for task, train in groups.items():
        places = np.searchsorted(rows, train)
        replace_in_sample_outputs(found, data, task, train, places)
    probabilities = expit(found["emotion_logits"])
    predicted = {"emotion": probabilities, "personality": found["trait_scores"]}
    run_folder = Path(run_folder)
    named = Model("crosstask", modality)
    tables = [
        prediction_table(clips, rows, task, predicted[task], named, params.seed)
        for task in TASKS
    ]
    write_predictions(run_folder, tables)
    thresholds = training_thresholds(clips, params.roles.emotion)
    best = {"dev_score": scores, "thresholds": thresholds}
    digest = save_checkpoint(
        model,
        run_folder / "model",
        data.statistics,
        best,
        data.made_by,
        trained_on,
    )
    write_outputs(run_folder, clips, rows, found, digest)
    return {
        "modality": modality,
        "clips": {task: len(group) for task, group in groups.items()},
        "dev_score": scores,
        "epochs": int(history["epoch"].max()),
        "history": history.to_dict("records"),
    }


def replace_in_sample_outputs(
    outputs: dict, data: ModalityClips, task: str, train, places
) -> None:
    """Replace a task's outputs for its training clips by out-of-fold probe logits.

    The networks of stages 1 and 2 were fitted to these clips, so their outputs are
    overconfident there. Stage 3 is a stacking model and must not be fitted to
    in-sample confidence (stacked generalisation, Wolpert 1992).

    Parameters
    ----------
    outputs : dict of str to (clip, ...) array
        Outputs of stage 2; ``emotion_logits`` or ``trait_scores`` is changed in place.
    data : ModalityClips
        Holds the out-of-fold logits (`ModalityClips.offset_logits`).
    task : {"emotion", "personality"}
    train : (training clip,) int array
        Positions of the labelled training clips among the study's clips.
    places : (training clip,) int array
        Positions of the same clips in `outputs`.
    """
    logits = data.offset_logits(task, train).numpy()
    if task == "emotion":
        outputs["emotion_logits"][places] = logits
    else:
        outputs["trait_scores"][places] = expit(logits)


def _stage_1(
    data: ModalityClips, study_folder: Path
) -> tuple[dict[str, UnimodalModel], dict[str, str]]:
    """Stage-1 models, by task, and their digests; `data` has their probe logits."""
    found, trained_on = {}, {}
    for task in TASKS:
        name = f"unimodal/{data.modality}-{task}"
        folder = study_folder / name
        checkpoint = load_checkpoint(folder / "model")
        if not isinstance(checkpoint.model, UnimodalModel):
            raise CheckpointError(
                f"{folder}: holds no model of stage 1; {remedy(folder)}"
            )
        if checkpoint.made_by != data.made_by:
            raise CheckpointError(
                f"{folder}: was trained on features of {checkpoint.made_by}, "
                f"but these are of {data.made_by}; {remedy(folder)}"
            )
        if checkpoint.digest != model_of_outputs(folder, data.clips):
            raise CheckpointError(
                f"{folder}: holds outputs of another model; {remedy(folder)}"
            )
        found[task], trained_on[name] = checkpoint.model, checkpoint.digest
    return found, trained_on


def _model(params: Params, stage_1: dict[str, UnimodalModel]) -> CrosstaskModel:
    section = params.crosstask
    model = CrosstaskModel(
        CrosstaskConfig(
            emotion=stage_1["emotion"].config,
            personality=stage_1["personality"].config,
            hidden=section.hidden,
            layers=section.layers,
            heads=section.heads,
            dropout=section.dropout,
        )
    )
    model.emotion_encoder.load_state_dict(stage_1["emotion"].state_dict())
    model.personality_encoder.load_state_dict(stage_1["personality"].state_dict())
    model.freeze_encoders()
    return model


def _loss(model, _, batch):
    output = model(batch.values, batch.mask, batch.offset_logits)
    emotion = emotion_loss(output.emotion_logits, batch.labels["emotion"])
    return emotion + trait_loss(output.trait_scores, batch.labels["personality"])


def _mean_score(scores: dict[str, float]) -> float:
    """Mean over the tasks that have dev clips with the modality."""
    known = [score for score in scores.values() if not np.isnan(score)]
    return float(np.mean(known)) if known else float("nan")


def _scores(model, data: ModalityClips, dev: dict) -> dict[str, float]:
    names = {"emotion": "emotion_logits", "personality": "trait_scores"}
    return {
        task: dev_score(
            task,
            data.clips.labels[task][rows],
            predict_outputs(model, data, rows, [names[task]])[names[task]],
        )
        if len(rows)
        else float("nan")
        for task, rows in dev.items()
    }
