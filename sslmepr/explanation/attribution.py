"""Attribution of a fusion model's outputs to its inputs.

The model has three kinds of input: the embedding of each modality (the first half is
from the emotion encoder, the second from the personality encoder), the unimodal
predictions (emotion logits, trait scores) of the stacking layer, and the features of
the co-training probes. Attributions to all of them add up to the difference between the
outputs for the clip and for the baseline (completeness; Sundararajan, Taly and Yan
2017, Axiomatic attribution for deep networks). Input x gradient, as in the published
heatmaps, is an option; it is not complete.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from captum.attr import IntegratedGradients
from torch import Tensor, nn

from sslmepr.labels import EMOTIONS, TARGETS, TRAITS
from sslmepr.models.fusion import FusionInput, FusionModel

HALVES = ("emotion", "personality")
ATTRIBUTION_COLUMNS = ("clip_id", "target", "modality", "pathway", "half", "index")
ATTRIBUTION_COLUMNS += ("attribution",)
LARGEST_BATCH = 2048
"""Largest number of interpolated inputs per forward pass; bounds memory."""


class Attribution(NamedTuple):
    """Attributions and the outputs that they decompose.

    Attributes
    ----------
    values : DataFrame
        clip_id, target, modality, pathway (embedding, prediction or feature), half
        (emotion or personality; for features, the target's task), index, attribution.
        Features are summed over a modality. Modalities that a clip lacks have no rows.
    outputs : DataFrame
        clip_id, target, output, baseline (output for the baseline input), attributed
        (sum of attributions), gap (output - baseline - attributed; 0 if complete).
        Emotions are logits, traits scores in 0..1.
    """

    values: pd.DataFrame
    outputs: pd.DataFrame


class _Outputs(nn.Module):
    """Fusion model with the interface of captum: tensors in, (clip, target) out."""

    def __init__(self, model: FusionModel):
        super().__init__()
        self.model = model
        self.targets = [name for task in model.config.tasks for name in TARGETS[task]]

    def forward(self, *given: Tensor) -> Tensor:
        *tensors, emotion_logits, trait_scores, present = given
        names, count = self.model.config.widths, len(self.model.config.widths)
        embeddings, features = tensors[:count], tensors[count:]
        output = self.model(
            FusionInput(
                dict(zip(names, embeddings, strict=True)),
                emotion_logits,
                trait_scores,
                present,
                dict(zip(names, features, strict=True)) if features else {},
            )
        )
        return torch.cat([output.of(task) for task in self.model.config.tasks], dim=1)


def attribute(
    model: FusionModel,
    given: FusionInput,
    clip_ids: Sequence[str],
    targets: Sequence[str] | None = None,
    steps: int = 32,
    baseline: dict[str, Tensor] | None = None,
    bins: int | None = None,
) -> Attribution:
    """Attribute outputs to modalities and to the halves of their embeddings.

    Parameters
    ----------
    model : FusionModel
    given : FusionInput
    clip_ids : (clip,) sequence of str
    targets : sequence of str, optional
        Emotions and traits; by default each clip's predicted emotion and all traits.
    steps : int
        Steps of the path integral.
    baseline : dict of str to (width,) Tensor, optional
        Baseline embedding of each modality, for example the mean over training clips;
        zeros by default. The baseline of unimodal predictions is logits of 0 and scores
        of 0.5; that of features is 0, their mean.
    bins : int, optional
        Number of bins per half, into which neighbouring features are summed; one row
        per feature by default.

    Returns
    -------
    Attribution

    Raises
    ------
    ValueError
        If a target is unknown, or the numbers of clips differ.
    """
    if len(clip_ids) != len(given.present):
        raise ValueError(f"{len(clip_ids)} clip ids for {len(given.present)} clips")
    outputs = _Outputs(model)
    was_training = model.training
    model.eval()
    try:
        inputs, start = _inputs(model, given), _baselines(model, given, baseline)
        with torch.no_grad():
            value = outputs(*inputs, given.present)
            origin = outputs(*start, given.present)
        chosen = _targets(outputs.targets, value, targets)
        parts = [
            _attribute_one(outputs, inputs, start, given.present, row, steps)
            for row in chosen
        ]
    finally:
        model.train(was_training)
    values, sums = [], []
    for row, attributions in zip(chosen, parts, strict=True):
        names = np.array(outputs.targets)[row.cpu().numpy()]
        values.append(_tidy(model, attributions, given.present, clip_ids, names, bins))
        sums.append(
            _sums(attributions, value, origin, row, clip_ids, names),
        )
    return Attribution(
        pd.concat(values, ignore_index=True), pd.concat(sums, ignore_index=True)
    )


def _inputs(model: FusionModel, given: FusionInput) -> tuple[Tensor, ...]:
    """All attributed tensors, at neutral values where a modality is absent."""
    absent = ~given.present[..., None]
    sequences = [given.embeddings] + [given.features] * model.co_trained
    tensors = [
        values[name].masked_fill(absent[:, place], 0.0)
        for values in sequences
        for place, name in enumerate(model.config.widths)
    ]
    return (
        *tensors,
        given.emotion_logits.masked_fill(absent, 0.0),
        given.trait_scores.masked_fill(absent, 0.5),
    )


def _baselines(model, given: FusionInput, baseline) -> tuple[Tensor, ...]:
    inputs = _inputs(model, given)
    start = [torch.zeros_like(each) for each in inputs]
    for place, name in enumerate(model.config.widths):
        if baseline is not None and name in baseline:
            here = given.present[:, place, None]
            start[place] = torch.where(here, baseline[name].to(start[place]), 0.0)
    start[-1] = torch.full_like(inputs[-1], 0.5)
    return tuple(start)


def _targets(known: list[str], value: Tensor, targets) -> list[Tensor]:
    """For every panel, the index of the explained output of each clip: (clip,)."""
    rows = []
    if targets is None:
        if EMOTIONS[0] in known:
            first = known.index(EMOTIONS[0])
            emotions = value[:, first : first + len(EMOTIONS)]
            rows.append(first + emotions.argmax(dim=1))
        targets = [name for name in TRAITS if name in known]
    for name in targets:
        if name not in known:
            raise ValueError(f"targets: the model predicts no {name!r}")
        rows.append(torch.full((len(value),), known.index(name), device=value.device))
    return rows


def _attribute_one(
    outputs: _Outputs, inputs, start, present, row, steps: int
) -> tuple[Tensor, ...]:
    return IntegratedGradients(outputs).attribute(
        inputs,
        baselines=start,
        target=row,
        additional_forward_args=present,
        n_steps=steps,
        internal_batch_size=max(LARGEST_BATCH, len(row)),
    )


def _tidy(
    model, attributions, present, clip_ids, targets, bins: int | None
) -> pd.DataFrame:
    rows = []
    *tensors, logits, scores = (each.detach().cpu().numpy() for each in attributions)
    count = len(model.config.widths)
    embeddings, features = tensors[:count], tensors[count:]
    task_of = {name: task for task, names in TARGETS.items() for name in names}
    for place, modality in enumerate(model.config.widths):
        here = np.flatnonzero(present[:, place].cpu().numpy())
        halves = np.split(embeddings[place], 2, axis=1)
        parts = [
            ("embedding", half, _binned(v, bins))
            for half, v in zip(HALVES, halves, strict=True)
        ]
        parts += [
            ("prediction", half, v[:, place])
            for half, v in zip(HALVES, (logits, scores), strict=True)
        ]
        if features:
            total = features[place].sum(1, keepdims=True)
            parts.append(("feature", [task_of[name] for name in targets[here]], total))
        for pathway, half, values in parts:
            size = values.shape[1]
            columns = (
                np.repeat(np.asarray(clip_ids)[here], size),
                np.repeat(targets[here], size),
                modality,
                pathway,
                half,
                np.tile(np.arange(size), len(here)),
                values[here].ravel(),
            )
            rows.append(
                pd.DataFrame(dict(zip(ATTRIBUTION_COLUMNS, columns, strict=True)))
            )
    return pd.concat(rows, ignore_index=True)


def _binned(values: np.ndarray, bins: int | None) -> np.ndarray:
    """Sum neighbouring columns into bins, which preserves the total."""
    if bins is None or bins >= values.shape[1]:
        return values
    starts = np.linspace(0, values.shape[1], bins, endpoint=False).astype(int)
    return np.add.reduceat(values, starts, axis=1)


def _sums(attributions, value, origin, row, clip_ids, targets) -> pd.DataFrame:
    clips = torch.arange(len(row), device=row.device)
    total = sum(each.detach().flatten(1).sum(dim=1) for each in attributions)
    table = pd.DataFrame(
        {
            "clip_id": list(clip_ids),
            "target": targets,
            "output": value[clips, row].cpu().numpy(),
            "baseline": origin[clips, row].cpu().numpy(),
            "attributed": total.cpu().numpy(),
        }
    )
    return table.assign(gap=table["output"] - table["baseline"] - table["attributed"])
