"""Attribution of a fusion model's outputs to its inputs.

The model has three kinds of input: the embedding of each modality (the first half is
from the emotion encoder, the second from the personality encoder), the unimodal
predictions (emotion logits, trait scores) of the stacking layer, and the features of
the co-training probes. Attributions to all of them add up to the difference between the
outputs for the clip and for the baseline (completeness; Sundararajan, Taly and Yan
2017, Axiomatic attribution for deep networks).

The baseline decides what an attribution means (Sturmfels, Lundberg and Lee 2020,
Visualizing the impact of feature attribution baselines). Here it is the average
training clip in every kind of input: with unimodal predictions of one half instead, a
modality that says "0.3, more than usual" would count as evidence against an emotion.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from captum.attr import IntegratedGradients
from torch import Tensor, nn

from sslmepr.labels import TARGETS
from sslmepr.models.fusion import FusionInput, FusionModel

HALVES = ("emotion", "personality")
LARGEST_BATCH = 2048
"""Largest number of interpolated inputs per forward pass; bounds memory."""


class Attribution(NamedTuple):
    """Attributions and the outputs that they decompose.

    Attributes
    ----------
    values : DataFrame
        clip_id, target, modality, pathway (embedding, prediction or feature), half
        (emotion or personality; for features, the target's task), attribution.
        Modalities that a clip lacks have no rows.
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
    baseline: FusionInput,
    targets: Sequence[str] | None = None,
    steps: int = 32,
) -> Attribution:
    """Attribute outputs to modalities, pathways and halves of embeddings.

    Parameters
    ----------
    model : FusionModel
    given : FusionInput
    clip_ids : (clip,) sequence of str
    baseline : FusionInput
        A single clip, from :func:`average_clip`.
    targets : sequence of str, optional
        Emotions and traits; by default all that the model predicts.
    steps : int
        Steps of the path integral.

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
        inputs = _inputs(model, given)
        start = _inputs(model, baseline._replace(present=given.present))
        with torch.no_grad():
            value = outputs(*inputs, given.present)
            origin = outputs(*start, given.present)
        chosen = _targets(outputs.targets, targets)
        parts = [
            IntegratedGradients(outputs).attribute(
                inputs,
                baselines=start,
                target=column,
                additional_forward_args=given.present,
                n_steps=steps,
                internal_batch_size=max(LARGEST_BATCH, len(clip_ids)),
            )
            for column in chosen
        ]
    finally:
        model.train(was_training)
    values, sums = [], []
    for column, attributions in zip(chosen, parts, strict=True):
        name = outputs.targets[column]
        values.append(_tidy(model, attributions, given.present, clip_ids, name))
        total = sum(each.detach().flatten(1).sum(dim=1) for each in attributions)
        sums.append(
            pd.DataFrame(
                {
                    "clip_id": list(clip_ids),
                    "target": name,
                    "output": value[:, column].cpu().numpy(),
                    "baseline": origin[:, column].cpu().numpy(),
                    "attributed": total.cpu().numpy(),
                }
            )
        )
    told = pd.concat(sums, ignore_index=True)
    told["gap"] = told["output"] - told["baseline"] - told["attributed"]
    return Attribution(pd.concat(values, ignore_index=True), told)


def average_clip(given: FusionInput) -> FusionInput:
    """The average of clips in every input of the model, as one clip.

    Every modality is averaged over the clips that have it; one that no clip has is at
    neutral values. Scores are averaged as logits, which is how models read them.

    Parameters
    ----------
    given : FusionInput
        Usually the training clips.

    Returns
    -------
    FusionInput
        Of a single clip, with the modalities that any clip has.
    """
    here = given.present.T[..., None].to(given.emotion_logits.dtype)
    count = here.sum(1).clamp(min=1)

    def mean(values: Tensor, place: int) -> Tensor:
        known = torch.where(here[place] > 0, values, 0.0)
        return known.sum(0, keepdim=True) / count[place]

    embeddings, features = (
        {name: mean(each, place) for place, (name, each) in enumerate(field.items())}
        for field in (given.embeddings, given.features)
    )
    logits, scores = (
        torch.stack([mean(values[:, place], place) for place in range(len(here))], 1)
        for values in (given.emotion_logits, given.trait_scores.logit(eps=1e-6))
    )
    present = given.present.any(0, keepdim=True)
    return FusionInput(embeddings, logits, scores.sigmoid(), present, features)


def _inputs(model: FusionModel, given: FusionInput) -> tuple[Tensor, ...]:
    """All attributed tensors, at neutral values where a modality is absent.

    A single clip is repeated for all of `given.present`.
    """
    absent, clips = ~given.present[..., None], len(given.present)
    sequences = [given.embeddings] + [given.features] * model.co_trained
    tensors = [
        values[name].expand(clips, -1).masked_fill(absent[:, place], 0.0)
        for values in sequences
        for place, name in enumerate(model.config.widths)
    ]
    return (
        *tensors,
        given.emotion_logits.expand(clips, -1, -1).masked_fill(absent, 0.0),
        given.trait_scores.expand(clips, -1, -1).masked_fill(absent, 0.5),
    )


def _targets(known: list[str], targets) -> list[int]:
    """Columns of the explained outputs."""
    chosen = known if targets is None else list(targets)
    for name in chosen:
        if name not in known:
            raise ValueError(f"targets: the model predicts no {name!r}")
    return [known.index(name) for name in chosen]


def _tidy(model, attributions, present, clip_ids, target: str) -> pd.DataFrame:
    """One row per clip, modality, pathway and half; features of a half are summed."""
    rows = []
    *tensors, logits, scores = (each.detach().cpu().numpy() for each in attributions)
    count = len(model.config.widths)
    embeddings, features = tensors[:count], tensors[count:]
    task = next(task for task, names in TARGETS.items() if target in names)
    for place, modality in enumerate(model.config.widths):
        here = np.flatnonzero(present[:, place].cpu().numpy())
        parts = [
            ("embedding", half, values)
            for half, values in zip(
                HALVES, np.split(embeddings[place], 2, axis=1), strict=True
            )
        ]
        parts += [
            ("prediction", half, values[:, place])
            for half, values in zip(HALVES, (logits, scores), strict=True)
        ]
        if features:
            parts.append(("feature", task, features[place]))
        for pathway, half, values in parts:
            rows.append(
                pd.DataFrame(
                    {
                        "clip_id": np.asarray(clip_ids, dtype=object)[here],
                        "target": target,
                        "modality": modality,
                        "pathway": pathway,
                        "half": half,
                        "attribution": values[here].sum(1),
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)
