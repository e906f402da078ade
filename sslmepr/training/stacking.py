"""Stacking (late fusion): fitted to the logits of all modalities after stage 2.

It is a baseline of its own, and the networks of stage 3 start from it.
"""

from pathlib import Path

import numpy as np
import torch
from scipy.stats import norm

from sslmepr.labels import Model
from sslmepr.models.fusion_parts import PredictProjector
from sslmepr.params import Params
from sslmepr.params.training import Variant
from sslmepr.training.co_training import co_train
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.predictions import (
    dev_score,
    prediction_table,
    write_predictions,
)
from sslmepr.training.stacking_regression import StackingRegression

REFITS = 100
"""Cluster-bootstrap refits behind the intervals of weights. By convention, not tuned:
they know a standard error to a fourteenth."""

STRENGTHS = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Factors on the size of co-trained probes (``fusion.co_training``) that are tried. At
0 there is no co-training; the others were laid on drawn studies with 100 labelled
clips."""

CONFIDENCE = 0.95
"""Of these intervals. That of the evaluation would make training depend on it."""


def train_stacking(
    params: Params,
    task: str,
    study_folder: str | Path,
    run_folder: str | Path,
    data_folder: str | Path = "data",
) -> dict:
    """Fit the stacking regression of a task to all modalities of a study.

    ``predictions.parquet`` in `run_folder` receives its predictions for every clip that
    has at least one modality (stage ``stacking``).

    Parameters
    ----------
    params : Params
        Sections ``fusion`` (components), ``modalities``, ``roles`` (which corpus is
        labelled for the task), ``seed`` and ``compute.device``.
    task : {"emotion", "personality"}
    study_folder : path
        Holds ``crosstask/<modality>`` of every modality, written by stage 2.
    run_folder : path
    data_folder : path
        Holds ``<corpus>/corpus/clips.parquet``.

    Returns
    -------
    dict
        task, dev_score, penalty (chosen ``alpha`` of ridge or ``C`` of logistic
        regression) and weights: dict from modality to weight (of its logit of the same
        target, per standard deviation of that logit, mean over targets), low and high.
        The interval has `CONFIDENCE` and the normal form, with the standard error over
        `REFITS` cluster-bootstrap refits.

    Raises
    ------
    CheckpointError
        If an output file of stage 2 is missing or damaged, or the files of a modality
        come from different runs.
    CorpusError
        If a corpus has no valid clip table.
    """
    data = FusionClips.of_study(params, params.modalities, study_folder, data_folder)
    rows = data.predictable()
    _, linear, predicted = fit_predict_projector(params, Variant(), data, task, rows)
    named = Model("stacking")
    table = prediction_table(data.clips, rows, task, predicted, named, params.seed)
    write_predictions(Path(run_folder), [table])
    dev = data.rows(getattr(params.roles, task), "dev")
    true = data.clips.labels[task][dev]
    train = data.rows(getattr(params.roles, task), "train")
    train = train[data.clips.labelled(task)[train]]
    speakers = data.clips.table["speaker_id"].to_numpy()[train]
    weights = linear.modality_weights()
    refits = linear.refitted_modality_weights(speakers, REFITS, params.seed)
    reach = norm.isf((1 - CONFIDENCE) / 2) * refits.std(0, ddof=1)
    spans = np.transpose([weights, weights - reach, weights + reach]).tolist()
    return {
        "task": task,
        "dev_score": dev_score(task, true, predicted[np.searchsorted(rows, dev)]),
        "penalty": linear.penalty,
        "weights": {
            modality: dict(zip(("weight", "low", "high"), span, strict=True))
            for modality, span in zip(params.modalities, spans, strict=True)
        },
    }


def fit_predict_projector(
    params: Params, settings: Variant, data: FusionClips, task: str, rows: np.ndarray
) -> tuple[PredictProjector, StackingRegression, np.ndarray]:
    """Fit the stacking regression (late fusion) of a task as a part of the network.

    It is fitted to the centred unimodal logits of labelled training clips, and its
    L2 penalty is chosen on dev. If the variant includes co-training, its
    probes are fitted first and added to the unimodal logits, times that one of
    `STRENGTHS` with which the regression predicts left-out folds of the labelled
    training clips best. At 0 they change nothing, and the model is the one without
    co-training. The fewer labels there are, the worse is a unimodal prediction
    that was learned from them, and the more a co-trained probe should count.

    Parameters
    ----------
    params : Params
    settings : Variant
    data : FusionClips
    task : {"emotion", "personality"}
    rows : (clip,) int array
        Clips to predict.

    Returns
    -------
    projector : PredictProjector
    linear : StackingRegression
    predicted : (clip, target) array
        Predictions of the stacking regression for `rows`.
    """
    co_training = "co_training" not in params.fusion.left_out(settings)
    features = data.feature_counts if co_training else None
    projector = PredictProjector(task, len(data.widths), features).to(data.device)
    probes = co_train(params, data, task) if co_training else {}
    known, corpus = data.clips.labelled(task), getattr(params.roles, task)
    train, dev = (data.rows(corpus, split) for split in ("train", "dev"))
    train, dev = train[known[train]], dev[known[dev]]
    projector.centre(data.batch(train).inputs)

    def set_probes(strength):
        for modality, probe in probes.items():
            scaled = (torch.from_numpy(strength * each) for each in probe)
            projector.set_probe(modality, *scaled)
        projector.to(data.device)

    def centred_logits(rows):
        return projector.centred_logits(data.batch(rows).inputs).cpu().numpy()

    def fitted(strength):
        set_probes(strength)
        return StackingRegression(
            task, centred_logits(train), true[train], centred_logits(dev), true[dev]
        )

    true = data.clips.labels[task]
    speakers = data.clips.table["speaker_id"].to_numpy()[train]
    fits = {each: fitted(each) for each in (STRENGTHS if probes else STRENGTHS[:1])}
    best = max(fits, key=lambda each: fits[each].cross_fitted_score(speakers))
    set_probes(best)
    linear = fits[best]
    projector.set_linear(*map(torch.from_numpy, linear.probe()))
    return projector, linear, linear.predict(centred_logits(rows))
