"""The models of a study applied to clips that belong to none of its corpora.

`sslmepr.predict` uses them for recordings of others. Calibration and its evaluation
treat labelled clips in the same way, as if they were new: standardised with the pooled
statistics of the training corpora, because a few clips have none of their own.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from sslmepr.device import choose_device
from sslmepr.features import FeatureStore
from sslmepr.labels import SCORED_EMOTIONS, TARGETS
from sslmepr.models.fusion import FusionInput, FusionModel
from sslmepr.training.batches import Standardisation, append_log_length, chunks, pieces
from sslmepr.training.checkpoints import (
    CheckpointError,
    load_checkpoint,
    load_seeds,
    remedy,
    require_trained_on,
)
from sslmepr.training.fusion_clips import join_modalities

BATCH = 256
BATCH_STEPS = 50_000
"""Most steps per batch, padding included; a longer clip is a batch of its own."""


class StudyModels:
    """Stage 2 of every modality and stage 3 with every seed, from their checkpoints.

    Parameters
    ----------
    study_folder : path
        Holds ``crosstask/<modality>``.
    variant_folder : path
        Run folder of a fusion variant, all of whose seeds are used.
    device : str
        As in section ``compute`` of the parameters.

    Attributes
    ----------
    unimodal : dict of str to Checkpoint
        By modality.
    fused : list of FusionModel
        Of each seed.
    widths : dict of str to int
        Modality to the width of its outputs of stage 2.
    tasks : tuple of str
        What the variant predicts.
    metrics : dict
        Of the first seed's checkpoint.
    digests : dict of str to str
        Seed to the digest of its checkpoint.

    Raises
    ------
    CheckpointError
        If a checkpoint is missing, damaged or of another training than the others.
    """

    def __init__(
        self, study_folder: str | Path, variant_folder: str | Path, device: str = "auto"
    ):
        self.device = choose_device(device)
        fused = load_seeds(variant_folder)
        first = next(iter(fused.values()))
        self.fused: list[FusionModel] = []
        for each in fused.values():
            if not isinstance(each.model, FusionModel):
                raise CheckpointError(
                    f"{variant_folder}: holds another model than one of stage 3; "
                    f"{remedy(variant_folder)}"
                )
            self.fused.append(each.model.to(self.device))
        config = self.fused[0].config
        self.metrics, self.tasks = first.metrics, config.tasks
        self.widths = config.widths
        self.digests = {str(seed): each.digest for seed, each in fused.items()}
        stage_2 = Path(study_folder, "crosstask")
        self.unimodal = {
            modality: load_checkpoint(stage_2 / modality / "model")
            for modality in self.widths
        }
        digests = {
            f"crosstask/{modality}": checkpoint.digest
            for modality, checkpoint in self.unimodal.items()
        }
        require_trained_on(first, variant_folder, digests)
        # New clips may be too few for statistics of their own, so those of the
        # training corpora are pooled; sorted, because a checkpoint is read in any order
        # and the last digits of a mean depend on it.
        self._pooled = {
            modality: Standardisation.pooled(
                [each for _, each in sorted(checkpoint.statistics.items())]
            )
            for modality, checkpoint in self.unimodal.items()
        }

    @property
    def thresholds(self) -> np.ndarray:
        """Probabilities from which emotions count as present: (scored emotion,)."""
        known = self.metrics.get("thresholds", {})
        return np.array([known.get(name, 0.5) for name in SCORED_EMOTIONS])

    def inputs(self, clip_ids: list[str], features: Path) -> FusionInput:
        """What stage 3 reads of the clips; parameters and errors as of `predict`."""
        stores = {
            modality: FeatureStore.open(features, modality, checkpoint.made_by)
            for modality, checkpoint in self.unimodal.items()
            if (features / f"{modality}.safetensors").exists()
        }
        sizes = {  # the length is one of the features
            modality: (width, len(self._pooled[modality].mean))
            for modality, width in self.widths.items()
        }
        parts = chain.from_iterable(
            self._unimodal(clip_ids, *each) for each in stores.items()
        )
        return join_modalities(len(clip_ids), sizes, parts, self.device)

    @torch.inference_mode()
    def predict(self, clip_ids: list[str], features: Path) -> dict[str, np.ndarray]:
        """Predict with every seed.

        Parameters
        ----------
        clip_ids : list of str
        features : Path
            Folder of the feature stores. A modality without a store is absent.

        Returns
        -------
        dict of str to (seed, clip, target) ndarray
            By task: probabilities of emotions, scores of traits; NaN for a clip without
            any modality.

        Raises
        ------
        FeatureError
            If a store is damaged, or of another encoder than the models were trained
            with.
        """
        given = self.inputs(clip_ids, features)
        present = given.present.any(1)
        predicted = {}
        for task in self.tasks:
            shape = len(self.fused), len(clip_ids), len(TARGETS[task])
            predicted[task] = np.full(shape, np.nan)
        rows = np.flatnonzero(present.cpu().numpy())
        for seed, model in enumerate(self.fused):
            for part in chunks(rows, BATCH):
                where = torch.from_numpy(part).to(self.device)
                answers = model.predicted(model(given.at(where)))
                for task in self.tasks:
                    predicted[task][seed, part] = answers[task].float().cpu().numpy()
        return predicted

    def _unimodal(
        self, clip_ids: list[str], modality: str, store: FeatureStore
    ) -> Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]:
        """Outputs of stage 2 for the clips that have a modality, batch by batch."""
        steps = pd.Series(clip_ids).map(store.table.set_index("clip_id")["steps"])
        rows = steps.dropna().sort_values(kind="stable").index.to_numpy(copy=True)
        model: torch.nn.Module = self.unimodal[modality].model.to(self.device)
        pooled = self._pooled[modality]
        for part in pieces(rows, steps.to_numpy(), BATCH, BATCH_STEPS):
            read = [store[clip_ids[row]] for row in part]
            sequences = [pooled.apply(append_log_length(s, len(s))) for s in read]
            output = model(*_padded(sequences, self.device))
            yield modality, torch.from_numpy(part).to(self.device), output._asdict()


def _padded(sequences: list[np.ndarray], device) -> tuple[torch.Tensor, torch.Tensor]:
    """Values (clip, step, feature), zero in padding, and mask (clip, step)."""
    lengths = torch.tensor([len(each) for each in sequences])
    values = torch.nn.utils.rnn.pad_sequence(
        [torch.from_numpy(each) for each in sequences], batch_first=True
    )
    mask = torch.arange(values.shape[1]) < lengths[:, None]
    return values.to(device), mask.to(device)
