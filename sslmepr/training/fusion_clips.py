"""Input of stage 3: embeddings and unimodal predictions of every modality."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sslmepr.labels import TARGETS, TASKS
from sslmepr.models.fusion import FusionInput
from sslmepr.training.clips import StudyClips
from sslmepr.training.outputs import model_of_outputs, study_outputs


@dataclass(frozen=True)
class FusionBatch:
    """A batch of inputs of the fusion model, with labels (NaN where not annotated)."""

    inputs: FusionInput
    labels: dict[str, Tensor]


class FusionClips:
    """Outputs of stage 2 for every clip of a study, in memory.

    Parameters
    ----------
    clips : StudyClips
    embeddings : dict of str to (clip, width) Tensor
        Per modality [emotion | personality]; its order is that of all modality axes.
    emotion_logits : (clip, modality, emotion) Tensor
    trait_scores : (clip, modality, trait) Tensor
    present : (clip, modality) bool Tensor
        Where False, values of the other arguments are arbitrary and never used.
    features : dict of str to (clip, feature) Tensor
        Mean-pooled features per modality.
    device : torch.device
    trained_on : dict of str to str, optional
        Folder of each model of stage 2, relative to the study's, to its digest.

    Attributes
    ----------
    present : (clip, modality) bool Tensor
    features : dict of str to (clip, feature) Tensor
    widths, feature_counts : dict
        Modality to the width of its concatenated embeddings and of its features.
    trained_on : dict of str to str
    """

    def __init__(
        self,
        clips: StudyClips,
        embeddings: dict[str, Tensor],
        emotion_logits: Tensor,
        trait_scores: Tensor,
        present: Tensor,
        features: dict[str, Tensor],
        device: torch.device,
        trained_on: dict[str, str] | None = None,
    ):
        self.clips, self.device = clips, device
        self.trained_on = trained_on or {}
        self.present, self.features = present, features
        self.widths = {name: each.shape[1] for name, each in embeddings.items()}
        self.feature_counts = {name: each.shape[1] for name, each in features.items()}
        self._inputs = FusionInput(
            {name: each.to(device) for name, each in embeddings.items()},
            emotion_logits.to(device),
            trait_scores.to(device),
            present.to(device),
            {name: each.to(device) for name, each in features.items()},
        )
        self._labels = {
            task: torch.from_numpy(values).to(device)
            for task, values in clips.labels.items()
        }

    @classmethod
    def read(
        cls,
        clips: StudyClips,
        modalities: Sequence[str],
        study_folder: str | Path,
        device: torch.device,
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

        Returns
        -------
        FusionClips

        Raises
        ------
        CheckpointError
            If a file is missing, damaged or of an earlier version, or the files of a
            modality are outputs of different models.
        """
        count = len(clips.table)
        logits, scores = (
            torch.zeros(count, len(modalities), len(TARGETS[task])) for task in TASKS
        )
        present = torch.zeros(count, len(modalities), dtype=torch.bool)
        embeddings, features, trained_on = {}, {}, {}
        for place, modality in enumerate(modalities):
            folder = f"crosstask/{modality}"
            trained_on[folder] = model_of_outputs(Path(study_folder, folder), clips)
            rows, outputs = study_outputs(Path(study_folder, folder), clips)
            both = [outputs["emotion_embedding"], outputs["personality_embedding"]]
            joined = torch.cat(both, 1)
            embeddings[modality] = torch.zeros(count, joined.shape[1])
            embeddings[modality][rows] = joined
            features[modality] = torch.zeros(count, outputs["features"].shape[1])
            features[modality][rows] = outputs["features"]
            logits[rows, place] = outputs["emotion_logits"]
            scores[rows, place] = outputs["trait_scores"]
            present[rows, place] = True
        return cls(
            clips, embeddings, logits, scores, present, features, device, trained_on
        )

    def rows(self, corpus: str, split: str | None = None) -> np.ndarray:
        """Positions of a corpus's clips that have at least one modality.

        Parameters
        ----------
        corpus : str
        split : {"train", "dev", "test"}, optional
            All splits if not given.

        Returns
        -------
        (clip,) int array
        """
        rows = self.clips.rows(corpus, split)
        return rows[self.present.any(1).numpy()[rows]]

    def batch(self, rows: np.ndarray) -> FusionBatch:
        """The clips of `rows`."""
        where = torch.from_numpy(rows).to(self.device)
        labels = {task: values[where] for task, values in self._labels.items()}
        return FusionBatch(self._inputs.at(where), labels)
