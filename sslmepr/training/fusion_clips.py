"""Input of stage 3: embeddings and unimodal predictions of every modality."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sslmepr.device import choose_device
from sslmepr.labels import QUALITY_COUNTS, TARGETS, TASKS
from sslmepr.models.fusion import FusionInput, FusionModel
from sslmepr.params import Params
from sslmepr.training.batches import chunks
from sslmepr.training.clips import StudyClips, read_study_clips
from sslmepr.training.outputs import model_of_outputs, study_outputs

ASKED = 4096
"""Clips of which a factor model is asked at a time; bounds memory."""


@dataclass(frozen=True)
class FusionBatch:
    """A batch of inputs of the fusion model, with labels (NaN where not annotated)."""

    inputs: FusionInput
    labels: dict[str, Tensor]


def join_modalities(
    count: int,
    sizes: Mapping[str, tuple[int, int]],
    parts: Iterable[tuple[str, Tensor, Mapping[str, Tensor]]],
    device: torch.device | str = "cpu",
) -> FusionInput:
    """Input of stage 3 from outputs of stage 2, in training and in prediction.

    Parameters
    ----------
    count : int
        Number of clips.
    sizes : dict of str to (int, int)
        Modality to the width of both embeddings together and of its features; its order
        is that of all modality axes.
    parts : iterable of (modality, rows, outputs)
        Positions of some clips, and the fields of
        `sslmepr.models.crosstask.CrosstaskOutput` for these clips.
    device : torch.device

    Returns
    -------
    FusionInput
        Zero where a clip lacks the modality.
    """
    logits, scores = (
        torch.zeros(count, len(sizes), len(TARGETS[task]), device=device)
        for task in TASKS
    )
    present = torch.zeros(count, len(sizes), dtype=torch.bool, device=device)
    embeddings, features = (
        {
            name: torch.zeros(count, each[i], device=device)
            for name, each in sizes.items()
        }
        for i in range(2)
    )
    places = {name: place for place, name in enumerate(sizes)}
    for modality, rows, outputs in parts:
        both = [outputs[f"{task}_embedding"] for task in TASKS]
        embeddings[modality][rows] = torch.cat(both, 1)
        features[modality][rows] = outputs["features"]
        logits[rows, places[modality]] = outputs["emotion_logits"]
        scores[rows, places[modality]] = outputs["trait_scores"]
        present[rows, places[modality]] = True
    return FusionInput(embeddings, logits, scores, present, features)


class FusionClips:
    """Outputs of stage 2 for every clip of a study, in memory.

    Parameters
    ----------
    clips : StudyClips
    outputs : FusionInput
        Of all clips; the order of ``embeddings`` is that of all modality axes.
    device : torch.device
    trained_on : dict of str to str, optional
        Folder of each model of stage 2, relative to the study's, to its digest.
    measures : dict of str to int, optional
        Modality to the number of its last features that tell how well it was recorded:
        measures of quality and the log length; 0 if it is not known.

    Attributes
    ----------
    present : (clip, modality) bool Tensor
    features : dict of str to (clip, feature) Tensor
    widths, feature_counts : dict
        Modality to the width of its concatenated embeddings and of its features.
    trained_on, measures : dict
    """

    def __init__(
        self,
        clips: StudyClips,
        outputs: FusionInput,
        device: torch.device,
        trained_on: dict[str, str] | None = None,
        measures: Mapping[str, int] | None = None,
    ):
        self.clips, self.device = clips, device
        self.trained_on = trained_on or {}
        self.measures = dict.fromkeys(outputs.features, 0) | dict(measures or {})
        self.present, self.features = outputs.present, outputs.features
        self.widths, self.feature_counts = (
            {name: each.shape[1] for name, each in field.items()}
            for field in (outputs.embeddings, outputs.features)
        )
        self._inputs = outputs.to(device)
        self._labels = {
            task: torch.from_numpy(values).to(device)
            for task, values in clips.labels.items()
        }

    @classmethod
    def of_study(
        cls,
        params: Params,
        modalities: Sequence[str],
        study_folder: str | Path,
        data_folder: str | Path,
    ) -> "FusionClips":
        """Read the clips of a study and their outputs, onto the device of `params`.

        Parameters
        ----------
        params : Params
            Sections ``roles``, ``corpus``, ``extract`` and ``compute.device``.
        modalities : sequence of str
        study_folder, data_folder : path
            As in `sslmepr.training.stacking.train_stacking`.

        Raises
        ------
        CheckpointError, CorpusError
            As there.
        """
        clips = read_study_clips(params, data_folder)
        device = choose_device(params.compute.device)
        measures = {  # and the length
            name: QUALITY_COUNTS[params.encoder_of(name)] + 1 for name in modalities
        }
        return cls.read(clips, modalities, study_folder, device, measures)

    def predictable(self) -> np.ndarray:
        """Clips that have at least one modality: (clip,) int array.

        Clips that are text alone (`sslmepr.training.clips.StudyClips.text_only`) are
        none of fusion's.
        """
        return np.flatnonzero(self.present.any(1).numpy() & ~self.clips.text_only)

    @classmethod
    def read(
        cls,
        clips: StudyClips,
        modalities: Sequence[str],
        study_folder: str | Path,
        device: torch.device,
        measures: Mapping[str, int] | None = None,
    ) -> "FusionClips":
        """Read the outputs of stage 2.

        Parameters
        ----------
        clips : StudyClips
        modalities : sequence of str
            In the order of the modality axes.
        study_folder : path
            Holds ``crosstask/<modality>``.
        device : torch.device
        measures : dict of str to int, optional

        Returns
        -------
        FusionClips

        Raises
        ------
        CheckpointError
            If a file is missing, damaged or of an earlier version, or the files of a
            modality are outputs of different models.
        """
        sizes, parts, trained_on = {}, [], {}
        for modality in modalities:
            folder = f"crosstask/{modality}"
            trained_on[folder] = model_of_outputs(Path(study_folder, folder), clips)
            rows, outputs = study_outputs(Path(study_folder, folder), clips)
            width = sum(outputs[f"{task}_embedding"].shape[1] for task in TASKS)
            sizes[modality] = width, outputs["features"].shape[1]
            parts.append((modality, rows, outputs))
        joined = join_modalities(len(clips.table), sizes, parts)
        return cls(clips, joined, device, trained_on, measures)

    def asking(self, model: FusionModel) -> "FusionClips":
        """The same clips with what the factor model of `model` says of them."""
        count, found = len(self.clips.table), dict[str, Tensor]()
        for part in chunks(self.predictable(), ASKED):
            said = model.factored(self.batch(part).inputs)
            for task, logits in said.items():
                every = found.setdefault(task, logits.new_zeros(count, logits.shape[1]))
                every[torch.from_numpy(part)] = logits
        other = copy.copy(self)
        other._inputs = self._inputs._replace(factored=found)
        return other

    def rows(self, corpus: str, split: str | None = None) -> np.ndarray:
        """Positions of a corpus's clips among those that are `predictable`.

        Parameters
        ----------
        corpus : str
        split : {"train", "dev", "test"}, optional
            All splits if not given.

        Returns
        -------
        (clip,) int array
        """
        return np.intersect1d(self.clips.rows(corpus, split), self.predictable())

    def batch(self, rows: np.ndarray) -> FusionBatch:
        """The clips of `rows`."""
        where = torch.from_numpy(rows).to(self.device)
        labels = {task: values[where] for task, values in self._labels.items()}
        return FusionBatch(self._inputs.at(where), labels)
