"""Padded batches from ragged feature stores.

Batches consist of clips of similar length, and a batch is one indexed read per corpus;
nothing here loops over single clips.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sslmepr.features import FeatureStore
from sslmepr.labels import TARGETS
from sslmepr.models.sequence import rise
from sslmepr.training.clips import StudyClips

BUCKET_BATCHES = 16
"""Number of batches whose clips are sorted by length together. A larger bucket saves
padding, a smaller one keeps the order more random. By convention, not tuned."""

MOST_STEPS = 8_192
"""Largest number of padded steps held at a time without gradients; bounds memory."""


LOG_LENGTH = "log length"
"""Name of the feature that `append_log_length` appends."""


def append_log_length(values: np.ndarray, lengths) -> np.ndarray:
    """Append the logarithm of the clip's number of steps as a feature of every step.

    A mean over steps loses the length of the clip, and how much somebody says predicts
    impressions of personality.

    Parameters
    ----------
    values : (step, feature) array
    lengths : (step,) array or int
        Number of steps of the clip that each step belongs to.

    Returns
    -------
    (step, feature + 1) float32 array
    """
    # Filled in place, because stacking would need a second copy in memory.
    longer = np.empty((len(values), values.shape[1] + 1), np.float32)
    longer[:, :-1], longer[:, -1] = values, np.log(lengths)
    return longer


@dataclass(frozen=True)
class Standardisation:
    """Mean and standard deviation of each feature over the steps of one corpus.

    Corpora differ in camera, microphone and topic, and a model trained on one corpus
    would confound this domain shift with emotions or traits. Standardising each corpus
    separately removes its constant part and needs no labels. In a corpus with many
    clips per speaker, the same can be done by speaker.

    Attributes
    ----------
    mean, deviation : (feature,) float32 array
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fit(cls, pieces: Iterable[np.ndarray]) -> "Standardisation":
        """Estimate mean and standard deviation; a constant feature keeps its scale.

        Parameters
        ----------
        pieces : iterable of (step, feature) arrays
            Held in memory one at a time; moments are merged pairwise (Chan, Golub and
            LeVeque 1983, Algorithms for computing the sample variance).

        Raises
        ------
        ValueError
            If there are no values.
        """
        count, mean, squares = 0, np.zeros(()), np.zeros(())
        for piece in pieces:
            piece = np.asarray(piece, np.float64)
            if len(piece) == 0:
                continue
            own = piece.mean(axis=0)
            total = count + len(piece)
            squares = squares + ((piece - own) ** 2).sum(axis=0)
            squares += (own - mean) ** 2 * count * len(piece) / total
            mean = mean + (own - mean) * len(piece) / total
            count = total
        if count == 0:
            raise ValueError("no values to take a mean of")
        deviation = np.sqrt(squares / count)
        deviation[deviation < 1e-6] = 1.0
        return cls(mean.astype(np.float32), deviation.astype(np.float32))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Standardise (step, feature) values."""
        return (values - self.mean) / self.deviation

    @classmethod
    def pooled(cls, parts: Sequence["Standardisation"]) -> "Standardisation":
        """Mean of several, for a clip that belongs to none of the corpora."""
        return cls(
            np.stack([part.mean for part in parts]).mean(axis=0),
            np.stack([part.deviation for part in parts]).mean(axis=0),
        )


@dataclass(frozen=True)
class Batch:
    """Clips padded to the length of the longest.

    Attributes
    ----------
    values : (clip, step, feature) Tensor
        Standardised features, of which the last is the log length; zero in padding.
    mask : (clip, step) bool Tensor
        True at real steps.
    labels : dict
        Task to a (clip, target) Tensor, NaN where there is no label.
    offset_logits : dict
        Task to a (clip, target) Tensor of base logits that the network corrects: those
        of a linear probe, out of fold for training clips. Empty until they are set.
    corpus : (clip,) int64 Tensor
        Position in the study's list of corpora.
    rows : (clip,) int64 array
        Positions in the study's clips.
    """

    values: Tensor
    mask: Tensor
    labels: dict[str, Tensor]
    offset_logits: dict[str, Tensor]
    corpus: Tensor
    rows: np.ndarray


class ModalityClips:
    """The sequences of one modality for all clips of a study.

    Parameters
    ----------
    clips : StudyClips
    modality : str
    data_folder : path
        Holds ``<corpus>/features``.
    device : torch.device, optional
        Device of the batches; the CPU if not given.

    Attributes
    ----------
    lengths : (clip,) int array
        Steps of each clip; 0 where it lacks the modality.
    feature_count : int
        Features of the store plus one for the length (`append_log_length`).
    made_by : (str, str)
        Encoder and revision of the features.
    columns : tuple of str or None
        Names of the features, where another tool has measured them.
    statistics : dict
        Corpus, or speaker of a corpus that is standardised by speaker, to its
        `Standardisation`. It is fitted to the training split, or to all clips if there
        are none in training (transductive, but without labels). A corpus without the
        modality is left out.

    Raises
    ------
    ValueError
        If no corpus has features of the modality, or different encoders made them.
    """

    def __init__(self, clips: StudyClips, modality: str, data_folder, device=None):
        self.clips, self.modality = clips, modality
        self.device = device or torch.device("cpu")
        self._labels = {
            task: torch.from_numpy(values) for task, values in clips.labels.items()
        }
        self._offset_logits: dict[str, Tensor] = {}
        self._corpus = clips.corpus_index()
        self._group = clips.table["group"].to_numpy()
        self._start = np.zeros(len(clips.table), np.int64)
        self.lengths = np.zeros(len(clips.table), np.int64)
        self._stores: dict[int, FeatureStore] = {}
        self.statistics: dict[str, Standardisation] = {}
        for index, corpus in enumerate(clips.corpora):
            folder = Path(data_folder, corpus, "features")
            if (folder / f"{modality}.safetensors").exists():
                self._add(index, corpus, FeatureStore.open(folder, modality))
        made_by = {
            clips.corpora[index]: (store.encoder, store.revision, store.feature_count)
            for index, store in self._stores.items()
        }
        if len(set(made_by.values())) != 1:
            raise ValueError(
                f"{modality}: one encoder must have made the features of all corpora; "
                f"found {made_by or 'no features'}"
            )
        encoder, revision, width = next(iter(made_by.values()))
        self.made_by, self.feature_count = (encoder, revision), width + 1
        names = next(iter(self._stores.values())).columns
        self.columns = None if names is None else (*names, LOG_LENGTH)

    def _add(self, index: int, corpus: str, store: FeatureStore) -> None:
        rows = self.clips.rows(corpus)
        order = {name: place for place, name in enumerate(store.clip_ids)}
        places = self.clips.table["clip_id"].iloc[rows].map(order).to_numpy(float)
        rows, places = rows[~np.isnan(places)], places[~np.isnan(places)].astype(int)
        if len(rows) == 0:
            return
        offsets = np.asarray(store.offsets)
        self._start[rows] = offsets[places]
        self.lengths[rows] = offsets[places + 1] - offsets[places]
        self._stores[index] = store
        in_training = (self.clips.table["split"] == "train").to_numpy()
        for group in dict.fromkeys(self._group[rows]):
            mine = rows[self._group[rows] == group]
            training = mine[in_training[mine]]
            chosen = training if len(training) else mine
            pieces = (self._read(index, part) for part in self.pieces(chosen))
            self.statistics[group] = Standardisation.fit(pieces)

    def _read(self, index: int, rows: np.ndarray) -> np.ndarray:
        """Steps of some clips of one corpus, end to end: (step, feature)."""
        values = self._stores[index].values[self._steps(rows)]
        lengths = np.repeat(self.lengths[rows], self.lengths[rows])
        return append_log_length(values, lengths)

    def _steps(self, rows: np.ndarray) -> np.ndarray:
        """Positions in the store of all steps of some clips of one corpus."""
        lengths = self.lengths[rows]
        before = np.repeat(np.cumsum(lengths) - lengths, lengths)
        return np.repeat(self._start[rows], lengths) + np.arange(len(before)) - before

    def present(self, rows: np.ndarray) -> np.ndarray:
        """Subset of `rows` whose clips have the modality."""
        return rows[self.lengths[rows] > 0]

    def labelled_rows(self, corpus: str, task: str, split: str) -> np.ndarray:
        """Clips that have the modality and labels of a task.

        Parameters
        ----------
        corpus : str
        task : {"emotion", "personality"}
        split : {"train", "dev", "test"}

        Returns
        -------
        (clip,) int array
            Positions in the study's clips.
        """
        rows = self.present(self.clips.rows(corpus, split))
        return rows[self.clips.labelled(task)[rows]]

    def batch(self, rows: np.ndarray) -> Batch:
        """The clips of `rows`, each of which must have the modality."""
        values, mask = self.padded(rows)
        where = torch.from_numpy(rows)
        return Batch(
            values=torch.from_numpy(values).to(self.device),
            mask=torch.from_numpy(mask).to(self.device),
            labels={
                task: labels[where].to(self.device)
                for task, labels in self._labels.items()
            },
            offset_logits={
                task: logits[where].to(self.device)
                for task, logits in self._offset_logits.items()
            },
            corpus=torch.from_numpy(self._corpus[rows]),
            rows=rows,
        )

    def set_offset_logits(self, task: str, rows: np.ndarray, logits) -> None:
        """Set the base logits that batches carry for the networks to correct.

        Parameters
        ----------
        task : {"emotion", "personality"}
        rows : (clip,) int array
            Positions in the study's clips; all others get NaN.
        logits : (clip, target) array or Tensor
        """
        every = torch.full((len(self.clips.table), len(TARGETS[task])), torch.nan)
        every[torch.from_numpy(rows)] = torch.as_tensor(logits, dtype=torch.float32)
        self._offset_logits[task] = every

    def offset_logits(self, task: str, rows: np.ndarray) -> torch.Tensor:
        """Base logits that were set by `set_offset_logits`.

        Parameters
        ----------
        task : {"emotion", "personality"}
        rows : (clip,) int array
            Positions in the study's clips.

        Returns
        -------
        (clip, target) Tensor
        """
        return self._offset_logits[task][torch.from_numpy(rows)]

    def padded(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Standardised values (clip, step, feature) and mask (clip, step)."""
        lengths = self.lengths[rows]
        mask = np.arange(lengths.max()) < lengths[:, None]
        values = np.zeros((*mask.shape, self.feature_count), np.float32)
        for group in dict.fromkeys(self._group[rows]):
            mine = self._group[rows] == group
            read = self._read(self._corpus[rows[mine][0]], rows[mine])
            values[mask & mine[:, None]] = self.statistics[group].apply(read)
        return values, mask

    def pieces(self, rows: np.ndarray, size: int = 512) -> list[np.ndarray]:
        """Cut `rows`, in their order, as the function `pieces` does."""
        return pieces(rows, self.lengths, size, MOST_STEPS)

    def pooled(self, rows: np.ndarray) -> np.ndarray:
        """Mean over the steps of each clip: (clip, feature)."""
        parts = []
        for part in self.pieces(rows):
            values, mask = self.padded(part)
            parts.append(values.sum(1) / mask.sum(1, keepdims=True))
        return np.concatenate(parts)

    def summary(self, rows: np.ndarray, peaks: bool) -> np.ndarray:
        """What a probe of stage 1 reads: (clip, feature).

        Parameters
        ----------
        rows : (clip,) int array
        peaks : bool
            Whether the largest value over the steps follows the mean.
        """
        mean = self.pooled(rows)
        if not peaks:
            return mean
        parts = []
        for part in self.pieces(rows):
            values, mask = self.padded(part)
            parts.append(np.where(mask[..., None], values, -np.inf).max(1))
        return np.hstack([mean, np.concatenate(parts)])

    def slopes(self, rows: np.ndarray) -> np.ndarray:
        """Slope over the steps of each clip (`rise`): (clip, feature)."""
        parts = []
        for part in self.pieces(rows):
            values, mask = self.padded(part)
            weights = rise(torch.from_numpy(mask)).numpy()
            weights = weights / mask.sum(1, keepdims=True)
            parts.append(np.einsum("cs,csf->cf", weights, values))
        return np.concatenate(parts)

    def deviations(self, rows: np.ndarray) -> np.ndarray:
        """Standard deviation over the steps within each clip: (clip, feature)."""
        parts = []
        for part in self.pieces(rows):
            values, mask = self.padded(part)
            count = mask.sum(1, keepdims=True)
            spread = values - (values.sum(1) / count)[:, None]
            parts.append(np.sqrt((spread**2 * mask[..., None]).sum(1) / count))
        return np.concatenate(parts)


def pieces(
    rows: np.ndarray, lengths: np.ndarray, size: int, most_steps: int
) -> list[np.ndarray]:
    """Cut `rows`, in their order, into batches that fit into memory.

    Parameters
    ----------
    rows : (clip,) int array
    lengths : (clip,) array
        Number of steps of every clip, indexed by `rows`.
    size : int
        Largest number of clips in a batch.
    most_steps : int
        Largest number of padded steps in a batch of several clips.

    Returns
    -------
    list of (clip,) int array
    """
    cut, begin, longest = [], 0, 0
    for place, length in enumerate(lengths[rows].tolist()):
        longest = max(longest, length)
        clips = place - begin + 1
        if clips > size or (clips > 1 and clips * longest > most_steps):
            cut.append(rows[begin:place])
            begin, longest = place, length
    return [*cut, rows[begin:]] if len(rows) else []


def chunks(rows: np.ndarray, size: int) -> list[np.ndarray]:
    """Cut `rows` into consecutive pieces of at most `size`.

    Parameters
    ----------
    rows : (clip,) int array
    size : int

    Returns
    -------
    list of (clip,) int array
    """
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def bucketed(rows, lengths, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Batches of clips of similar length, in random order.

    Parameters
    ----------
    rows : (clip,) int array
    lengths : (clip,) int array
        Number of steps of every clip of the study, indexed by `rows`.
    size : int
        Clips per batch; only one batch may be smaller.
    rng : numpy Generator

    Returns
    -------
    list of (clip,) int array
    """
    cut = _sorted_pieces(rng.permutation(rows), lengths, size)
    return [cut[place] for place in rng.permutation(len(cut))]


def balanced(groups, lengths, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Batches with the same number of clips from each group.

    An epoch is one pass over the largest group; the smaller groups are oversampled to
    its size.

    Parameters
    ----------
    groups : sequence of (clip,) int arrays
        One per corpus or task; empty groups are left out.
    lengths, size, rng
        As for `bucketed`.

    Returns
    -------
    list of (clip,) int array
    """
    groups = [group for group in groups if len(group)]
    longest = max(map(len, groups))
    share = max(1, size // len(groups))
    pieces = []
    for group in groups:
        repeats = -(-longest // len(group))
        order = np.concatenate([rng.permutation(group) for _ in range(repeats)])
        pieces.append(_sorted_pieces(order[:longest], lengths, share))
    # Pieces at the same place in each group have similar lengths.
    mixed = [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
    return [mixed[place] for place in rng.permutation(len(mixed))]


def _sorted_pieces(order, lengths, size: int) -> list[np.ndarray]:
    pieces = []
    for bucket in chunks(order, size * BUCKET_BATCHES):
        by_length = bucket[np.argsort(np.asarray(lengths)[bucket], kind="stable")]
        pieces.extend(chunks(by_length, size))
    return pieces
