"""The whole chain of a trained model, stage 1 to 3, as a function of its sequences.

Stage 3 reads what stage 2 makes of standardised sequences of features, and stage 2
holds the encoders of stage 1. As one function they can be explained down to what a
sequence consists of: frames, moments of the voice and pieces of words.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sslmepr.labels import TARGETS
from sslmepr.models.crosstask import CrosstaskModel
from sslmepr.models.fusion import FusionInput, FusionModel
from sslmepr.training.batches import ModalityClips, append_log_length
from sslmepr.training.checkpoints import load_checkpoint
from sslmepr.training.fusion_clips import FusionClips, join_modalities

ORDERS = ("by attribution", "at random")
"""Orders in which steps are deleted."""


COLUMN_FIELDS = ("clip_id", "target", "modality", "column", "attribution")
"""Of the table of attributions to named features."""


class Steps(NamedTuple):
    """Standardised sequences of one modality.

    Attributes
    ----------
    clips : (clip with modality,) int64 Tensor
        Places in the batch.
    values : (clip with modality, step, feature) Tensor
        The average step of the corpus is 0.
    mask : (clip with modality, step) bool Tensor
    """

    clips: Tensor
    values: Tensor
    mask: Tensor


class StepAttribution(NamedTuple):
    """Attributions to steps and to named features, and the outputs they decompose.

    Attributes
    ----------
    values : DataFrame
        clip_id, target, modality, step, attribution.
    outputs : DataFrame
        As of `sslmepr.explanation.attribution.Attribution`.
    columns : DataFrame
        clip_id, target, modality, column, attribution: the same attributions, of all
        steps together, by feature. Modalities whose features have no names have no
        rows.
    """

    values: pd.DataFrame
    outputs: pd.DataFrame
    columns: pd.DataFrame


class Chain:
    """Stage 2 of every modality and stage 3, on the device of stage 3.

    Parameters
    ----------
    fusion : FusionModel
    stage2 : mapping of str to CrosstaskModel
        By modality, in the order of the model.
    sequences : mapping of str to ModalityClips
    data : FusionClips
        Stored outputs of stage 2, of the same models, on that device.

    Attributes
    ----------
    device : torch.device
    targets : list of str
        In the order of the outputs: logits of emotions, scores of traits.
    """

    def __init__(
        self,
        fusion: FusionModel,
        stage2: Mapping[str, CrosstaskModel],
        sequences: Mapping[str, ModalityClips],
        data: FusionClips,
    ):
        self.fusion, self.stage2 = fusion.eval(), stage2
        self.sequences, self.data = sequences, data
        self.targets = [name for task in fusion.config.tasks for name in TARGETS[task]]
        self.device = next(fusion.parameters()).device
        for model in (fusion, *stage2.values()):
            model.to(self.device).eval().requires_grad_(False)

    @classmethod
    def of_study(
        cls,
        fusion: FusionModel,
        data: FusionClips,
        study_folder: str | Path,
        data_folder: str | Path,
    ) -> "Chain":
        """Load stage 2 and the sequences that a fusion model reads.

        Parameters
        ----------
        fusion : FusionModel
        data : FusionClips
            The outputs of stage 2 that it reads.
        study_folder, data_folder : path
            As in `sslmepr.training.stacking.train_stacking`.

        Raises
        ------
        CheckpointError
            If a model is missing or damaged.
        """
        stage2, sequences = {}, {}
        for modality in fusion.config.widths:
            stem = Path(study_folder, "crosstask", modality, "model")
            stage2[modality] = load_checkpoint(stem).model
            sequences[modality] = ModalityClips(data.clips, modality, data_folder)
        return cls(fusion, stage2, sequences, data)

    def read(self, rows: np.ndarray) -> dict[str, Steps]:
        """Sequences of the clips of `rows`, by modality."""
        steps = {}
        for modality, clips in self.sequences.items():
            here = np.flatnonzero(clips.lengths[rows] > 0)
            if len(here):
                arrays = here, *clips.padded(rows[here])
                steps[modality] = Steps(*map(self._tensor, arrays))
        return steps

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self.device)

    def places(self, targets: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Where in the outputs of as many clips the target of each is."""
        columns = np.array([self.targets.index(name) for name in targets], int)
        return self._tensor(np.arange(len(columns))), self._tensor(columns)

    def inputs(self, steps: Mapping[str, Steps], count: int) -> FusionInput:
        """What stage 2 makes of the sequences of `count` clips."""
        sizes = {
            name: (width, self.data.feature_counts[name])
            for name, width in self.fusion.config.widths.items()
        }
        parts = (
            (name, each.clips, self.stage2[name](each.values, each.mask)._asdict())
            for name, each in steps.items()
        )
        return join_modalities(count, sizes, parts, self.device)

    def outputs(self, given: FusionInput) -> Tensor:
        """Outputs of stage 3, (clip, target)."""
        said = self.fusion(given)
        return torch.cat([said.of(task) for task in self.fusion.config.tasks], 1)

    @torch.no_grad()
    def replaced(
        self, rows: np.ndarray, modality: str, read: Sequence[np.ndarray]
    ) -> np.ndarray:
        """Outputs if one modality of clips had other features, all else as it is.

        Parameters
        ----------
        rows : (clip,) int array
            A clip may be there repeatedly.
        modality : str
        read : (clip,) sequence of (step, feature) array
            From the encoder, not standardised.

        Returns
        -------
        (clip, target) ndarray
        """
        clips = self.sequences[modality]
        groups = clips.clips.table["group"].iloc[rows]
        sequences = [
            self._tensor(
                clips.statistics[group].apply(append_log_length(each, len(each)))
            )
            for group, each in zip(groups, read, strict=True)
        ]
        values = torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True)
        lengths = np.array([len(each) for each in sequences])
        mask = self._tensor(np.arange(values.shape[1]) < lengths[:, None])
        said = self.stage2[modality](values, mask)
        place = list(self.fusion.config.widths).index(modality)
        given = self.data.batch(rows).inputs  # a copy
        both = [said.emotion_embedding, said.personality_embedding]
        given.embeddings[modality] = torch.cat(both, 1)
        given.features[modality] = said.features
        given.emotion_logits[:, place] = said.emotion_logits
        given.trait_scores[:, place] = said.trait_scores
        given.present[:, place] = True
        return self.outputs(given).cpu().numpy()


def attribute_steps(
    chain: Chain, rows: np.ndarray, targets: Sequence[str], steps: int
) -> StepAttribution:
    """Attribute one output of each clip to steps and features of its sequences.

    Integrated gradients through all stages. The baseline is a clip of as many steps
    that are all the average step of the corpus.

    Parameters
    ----------
    chain : Chain
    rows : (clip,) int array
        A clip may be there repeatedly, with several targets.
    targets : (clip,) sequence of str
    steps : int
        Steps of the path integral.

    Returns
    -------
    StepAttribution

    Raises
    ------
    ValueError
        If the model does not predict a target.
    """
    for name in targets:
        if name not in chain.targets:
            raise ValueError(f"targets: the model predicts no {name!r}")
    given, count = chain.read(rows), len(rows)
    chosen = chain.places(targets)

    def output(share: float, moving: Mapping[str, Tensor]) -> Tensor:
        scaled = {
            name: each._replace(values=share * moving[name])
            for name, each in given.items()
        }
        return chain.outputs(chain.inputs(scaled, count))[chosen]

    moving = {name: each.values.requires_grad_() for name, each in given.items()}
    slopes = {name: torch.zeros_like(each) for name, each in moving.items()}
    for point in (np.arange(steps) + 0.5) / steps:
        # The gradient by the scaled values is that by the clip's, over the scale.
        found = torch.autograd.grad(
            output(float(point), moving).sum(), list(moving.values())
        )
        for slope, each in zip(slopes.values(), found, strict=True):
            slope += each / (float(point) * steps)
    with torch.no_grad():
        ends = [output(share, moving).cpu().numpy() for share in (1.0, 0.0)]
    ids = chain.data.clips.table["clip_id"].to_numpy()[rows]
    tables, total = [], np.zeros(count)
    by_column = [pd.DataFrame(columns=list(COLUMN_FIELDS))]
    for name, each in given.items():
        products = (each.values.detach() * slopes[name]).cpu().numpy()
        parts, clips = products.sum(-1), each.clips.cpu().numpy()
        names = chain.sequences[name].columns
        if names is not None:
            clip = np.repeat(clips, len(names))
            by_column.append(
                pd.DataFrame(
                    {
                        "clip_id": ids[clip],
                        "target": np.asarray(targets, dtype=object)[clip],
                        "modality": name,
                        "column": np.tile(names, len(products)),
                        "attribution": products.sum(1).ravel(),
                    }
                )
            )
        place, step = np.nonzero(each.mask.cpu().numpy())
        clip = clips[place]
        np.add.at(total, clip, parts[place, step])
        tables.append(
            pd.DataFrame(
                {
                    "clip_id": ids[clip],
                    "target": np.asarray(targets, dtype=object)[clip],
                    "modality": name,
                    "step": step,
                    "attribution": parts[place, step],
                }
            )
        )
    told = pd.DataFrame(
        {
            "clip_id": ids,
            "target": list(targets),
            "output": ends[0],
            "baseline": ends[1],
            "attributed": total,
        }
    )
    told["gap"] = told["output"] - told["baseline"] - told["attributed"]
    named = pd.concat(by_column[1:] or by_column, ignore_index=True)
    return StepAttribution(pd.concat(tables, ignore_index=True), told, named)


@torch.no_grad()
def deletion_curve(
    chain: Chain,
    rows: np.ndarray,
    targets: Sequence[str],
    values: pd.DataFrame,
    shares: Sequence[float],
    seed: int,
) -> pd.DataFrame:
    """One output of each clip while more and more of its steps become average ones.

    An attribution that finds what an output rests on makes it fall faster than steps
    in random order do (Petsiuk, Das and Saenko 2018, RISE).

    Parameters
    ----------
    chain : Chain
    rows : (clip,) int array
        Each clip once.
    targets : (clip,) sequence of str
    values : DataFrame
        Of :func:`attribute_steps` for the same clips and targets.
    shares : sequence of float
        Of the steps that are deleted.
    seed : int
        Of the random order.

    Returns
    -------
    DataFrame
        clip_id, target, order (of `ORDERS`), share, output.
    """
    ids = chain.data.clips.table["clip_id"].to_numpy()[rows]
    chosen = chain.places(targets)
    rng = np.random.default_rng(seed)
    keys = {ORDERS[0]: -values["attribution"], ORDERS[1]: rng.random(len(values))}
    given, tables = chain.read(rows), []
    by_clip = pd.Series(range(len(rows)), index=ids)
    clip = by_clip[values["clip_id"]].to_numpy()
    for order, key in keys.items():
        key = pd.Series(np.asarray(key))
        rank = key.groupby(clip).rank(method="first").to_numpy() - 1
        size = key.groupby(clip).transform("size").to_numpy()
        for share in shares:
            gone = values[rank < np.round(share * size)]
            left = {name: each.values.clone() for name, each in given.items()}
            for name, part in gone.groupby("modality"):
                place = np.full(len(rows), -1)
                clips = given[name].clips.cpu().numpy()
                place[clips] = np.arange(len(clips))
                where = place[by_clip[part["clip_id"]].to_numpy()]
                left[name][where, part["step"].to_numpy(copy=True)] = 0.0
            steps = {n: each._replace(values=left[n]) for n, each in given.items()}
            output = chain.outputs(chain.inputs(steps, len(rows)))[chosen]
            table = {"clip_id": ids, "target": list(targets), "order": order}
            table |= {"share": share, "output": output.cpu().numpy()}
            tables.append(pd.DataFrame(table))
    return pd.concat(tables, ignore_index=True)
