"""Stage 3: fusion of all modalities for both tasks, one model per variant and seed."""

from pathlib import Path

import numpy as np

from sslmepr.labels import Model
from sslmepr.params import Params
from sslmepr.training.calibration import FILE, calibrate, write_calibration
from sslmepr.training.checkpoints import save_checkpoint
from sslmepr.training.corrections import added_shares, kept_shares
from sslmepr.training.factor_choice import fit_factor_expert
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.fusion_training import (
    predict_fused,
    score_on_dev,
    train_variant,
)
from sslmepr.training.new_clips import StudyModels
from sslmepr.training.predictions import (
    dev_score,
    prediction_table,
    write_predictions,
)
from sslmepr.training.stacking import fit_predict_projector


def train_fusion(
    params: Params,
    variant: str,
    study_folder: str | Path,
    run_folder: str | Path,
    data_folder: str | Path = "data",
    progress: bool = True,
) -> dict:
    """Train stage 3: one variant of the fusion model with every seed.

    Written to `run_folder`: a checkpoint ``seed-<n>`` per seed, ``predictions.parquet``
    with the predictions of all seeds for every clip that has at least one modality
    (stage ``fusion``), and ``calibration.json`` for intervals of new clips
    (`sslmepr.training.calibration`).

    Parameters
    ----------
    params : Params
        Sections ``fusion`` (model, schedule and seeds), ``variant``, ``roles`` (which
        corpus is labelled for which task), ``seed`` and ``compute.device``.
    variant : str
        Key of ``params.variant``: components left out or added, tasks, modalities.
    study_folder : path
        Holds ``crosstask/<modality>`` of every modality, written by stage 2.
    run_folder : path
        Receives the files listed above. Checkpoints of an earlier run are deleted.
    data_folder : path
        Holds ``<corpus>/corpus/clips.parquet`` and ``<corpus>/features``.
    progress : bool
        Show a progress bar over the epochs of each seed.

    Returns
    -------
    dict
        variant, modalities, linear_dev_score (of the stacking regression that the
        network starts from, per task), seeds (list of dict: seed, dev_score per task,
        epochs, shares (`sslmepr.training.corrections.Kept`) and added_shares
        (`sslmepr.training.corrections.added_shares`) per task, history).

    Raises
    ------
    CheckpointError
        If an output file of stage 2 is missing or damaged, or the files of a modality
        come from different runs.
    CorpusError
        If a corpus has no valid clip table.
    FeatureError
        If the features of a corpus are missing, damaged or of another encoder.
    TrainingError
        If the training loss is not finite.
    """
    settings = params.variant[variant]
    chosen = settings.modalities or params.modalities
    modalities = [name for name in params.modalities if name in chosen]
    data = FusionClips.of_study(params, modalities, study_folder, data_folder)
    rows = data.predictable()
    run_folder = Path(run_folder)
    for old in (*run_folder.glob("seed-*"), *run_folder.glob(FILE)):
        old.unlink()  # an interrupted run must not be mixed with seeds of another
    projectors, scores, tables, results = {}, {}, [], []
    for task in settings.tasks:
        projectors[task], _, predicted = fit_predict_projector(
            params, settings, data, task, rows
        )
        dev = data.rows(getattr(params.roles, task), "dev")
        true = data.clips.labels[task][dev]
        scores[task] = dev_score(task, true, predicted[np.searchsorted(rows, dev)])
    named, factors = Model("fusion", variant=variant), None
    if "factor_model" not in params.fusion.left_out(settings):
        factors = fit_factor_expert(params, data, settings.tasks)
    for seed in params.fusion.seeds:
        model, history = train_variant(
            params,
            settings,
            data,
            projectors,
            seed,
            f"{variant} seed {seed}",
            progress,
            factors=factors,
        )
        fused = predict_fused(model, data, rows)
        tables += [
            prediction_table(data.clips, rows, task, fused[task], named, seed)
            for task in settings.tasks
        ]
        best = score_on_dev(params, settings.tasks, data, model)
        save_checkpoint(
            model,
            run_folder / f"seed-{seed}",
            metrics=best,
            trained_on=data.trained_on,
            seeds=params.fusion.seeds,
        )
        results.append(
            {
                "seed": seed,
                "dev_score": best["dev_score"],
                "epochs": int(history["epoch"].max()),
                "shares": {
                    task: kept._asdict() for task, kept in kept_shares(model).items()
                },
                "added_shares": added_shares(params, data, model, projectors),
                "history": history.to_dict("records"),
            }
        )
    write_predictions(run_folder, tables)
    models = StudyModels(study_folder, run_folder, params.compute.device)
    write_calibration(calibrate(params, data.clips, models, data_folder), run_folder)
    return {
        "variant": variant,
        "modalities": modalities,
        "linear_dev_score": scores,
        "seeds": results,
    }
