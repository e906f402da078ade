"""Speaker-independent cross-validation on a corpus, or methods on its own split.

Every fold holds out some speakers. Models are fitted to the others, and hyperparameters
are selected on inner folds of these. Classes of an acted corpus are its own, for
comparison with published results: RAVDESS has eight emotions, of which the pipeline
merges two. Traits are in `sslmepr.evaluation.trait_folds`, and emotions of lines on the
own split in `sslmepr.evaluation.line_classes`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.special import log_softmax
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sslmepr.corpora import ravdess
from sslmepr.corpora.schema import read_clips
from sslmepr.device import choose_device, seed_everything
from sslmepr.evaluation.line_classes import classify_lines
from sslmepr.evaluation.metrics import tabulate
from sslmepr.evaluation.trait_folds import cross_validate_traits
from sslmepr.evaluation.true_labels import read_true_clips
from sslmepr.labels import EMOTIONS
from sslmepr.models.unimodal import UnimodalModel, set_linear
from sslmepr.params import Params
from sslmepr.params.base import require_known
from sslmepr.params.study import Roles
from sslmepr.statistics.cluster_bootstrap import Clusters
from sslmepr.training.batches import ModalityClips, bucketed
from sslmepr.training.clips import StudyClips
from sslmepr.training.discriminant import Discriminant
from sslmepr.training.loop import Schedule, fit
from sslmepr.training.losses import emotion_loss
from sslmepr.training.outputs import predict_outputs
from sslmepr.training.probes import Linear, speaker_folds
from sslmepr.training.unimodal import unimodal_config

INNER_FOLDS = 4
"""Inner folds of the training speakers: selection on each, logits averaged over all."""

SIMPLE, COMPARED = ("svm", "linear"), ("network", "discriminant", "joined")
"""Methods of one modality: simple ones, and those whose gains over them are told."""

_OURS = dict(
    zip(ravdess.PUBLISHED_EMOTIONS, ravdess.EMOTION_NAMES.values(), strict=True)
)
"""Emotion of RAVDESS (the name that its authors use) to ours."""


def cross_validate(
    params: Params, name: str, data_folder: str | Path = "data", progress: bool = True
) -> pd.DataFrame:
    """Cross-validate models over the speakers of a corpus.

    Of a corpus with trait scores, those
    (`sslmepr.evaluation.trait_folds.cross_validate_traits`), otherwise emotions:
    speakers of the test split, if there are any, are in no fold, and models fitted to
    all other speakers are evaluated on them. Without a number of folds, emotions are
    those of lines (`sslmepr.evaluation.line_classes.classify_lines`), which gives
    another table.

    Parameters
    ----------
    params : Params
    name : str
        A key of ``params.folds``.
    data_folder : path
        Folder of the corpora and their features.
    progress : bool
        Show progress bars.

    Returns
    -------
    DataFrame
        Of emotions: split (``folds`` or ``test``), method, metric (``UAR``, ``recall``
        or ``UAR above``), target, estimate, low, high, interval, n, n_speakers. Methods
        of a modality: ``svm``, on mean and standard deviation over steps; ``linear``
        and ``network``, the linear probe and the network of stage 1; ``discriminant``,
        the discriminant analysis (`sslmepr.training.discriminant`) of the mean over
        steps; ``joined``, the sum of log probabilities of these two and of a
        discriminant analysis of mean, standard deviation and slope over steps. The last
        three are compared with the first two (target: which). Of several modalities,
        also the discriminant analysis of all their means, with its UAR above that of
        each alone (target: the modality). Each on features standardised by corpus or by
        speaker, on the clips that have all modalities.
    """
    section = params.folds[name]
    clips = read_true_clips(_alone(params, section.part), data_folder)
    device = choose_device(params.compute.device)
    if clips.labelled("personality").any():
        rows, data = np.flatnonzero(clips.labelled("personality")), []
        for modality in section.modalities:
            data.append(ModalityClips(clips, modality, data_folder, device))
            rows = data[-1].present(rows)
        return cross_validate_traits(params, data, rows, section.folds)
    if section.folds is None:
        (modality,) = section.modalities
        lines = ModalityClips(clips, modality, data_folder, device)
        rows = lines.present(np.arange(len(clips.table)))
        said = read_clips(Path(data_folder, section.part, "corpus"))["transcript"]
        texts = said.iloc[rows].fillna("").tolist()
        return classify_lines(params, lines, rows, texts, progress)
    tables = []
    for scale in ("corpus", "speaker"):
        seed_everything(params.seed)
        table = clips.table
        own = table["corpus"] + "/" + table["speaker_id"]
        group = own if scale == "speaker" else table["corpus"]
        scaled = replace(clips, table=table.assign(group=group))
        rows = np.arange(len(table))
        each = [
            ModalityClips(scaled, modality, data_folder, device)
            for modality in section.modalities
        ]
        for data in each:
            rows = data.present(rows)
        works = [_Work(params, data, rows, progress) for data in each]
        for work in works:
            scores = {
                name: work.scores(getattr(work, name), section.folds)
                for name in (*SIMPLE, "network", "discriminant", "moments")
            }
            parts = scores["network"], scores["discriminant"], scores.pop("moments")
            scores["joined"] = sum(log_softmax(each, axis=1) for each in parts)
            for name, mine in scores.items():
                others = {each: scores[each] for each in SIMPLE if name in COMPARED}
                title = f"{name}, {work.data.modality}, by {scale}"
                tables += _titled(title, work.measure(mine, others))
        if len(works) > 1:
            title = f"discriminant, fused, by {scale}"
            tables += _titled(title, _fused(works, section.folds))
    columns = ["split", "method", "metric", "target", "estimate", "low", "high"]
    columns += ["interval", "n", "n_speakers"]
    return pd.concat(tables, ignore_index=True)[columns]


def _alone(params: Params, corpus: str) -> Params:
    """With `corpus` in all roles, so that its features are those of no other."""
    require_known([corpus], params.corpus, "corpus", "folds")
    roles = Roles(emotion=corpus, personality=corpus, held_out=corpus)
    return params.model_copy(update={"roles": roles})


def _titled(title: str, found: dict[str, pd.DataFrame]) -> list[pd.DataFrame]:
    return [part.assign(split=split, method=title) for split, part in found.items()]


def _fused(works: list["_Work"], folds: int) -> dict[str, pd.DataFrame]:
    """Metrics of the discriminant analysis of all modalities, and its gains."""
    first = works[0]
    pooled = np.hstack([work.pooled for work in works])

    def together(known, others):
        return first.fitted(pooled, known).scores(pooled[others])

    alone = {
        work.data.modality: work.scores(work.discriminant, folds) for work in works
    }
    return first.measure(first.scores(together, folds), alone)


class _Work:
    """One modality of a corpus under one standardisation of its features.

    Methods take positions in `rows` of the training clips and of the held-out clips,
    and return scores of the held-out clips: (clip, class).
    """

    def __init__(self, params: Params, data: ModalityClips, rows, progress: bool):
        self.params, self.data, self.rows = params, data, rows
        self.progress = progress
        table = data.clips.table.iloc[rows]
        self.speakers = table["speaker_id"].to_numpy()
        self.held_out = (table["split"] == "test").to_numpy()
        self.label, self.classes = _published_classes(data.clips, rows)
        self.true = np.eye(len(self.classes), dtype=np.float32)[self.label]
        self.pooled = data.pooled(rows)
        peaks = data.modality in params.unimodal.peaks
        self.summary = data.summary(rows, peaks)  # what probes read

    def measure(
        self, scores: np.ndarray, others: Mapping[str, np.ndarray]
    ) -> dict[str, pd.DataFrame]:
        """Metrics out of fold, and on test speakers if there are any, and gains.

        Parameters
        ----------
        scores : (clip, class) array
        others : mapping of str to (clip, class) array
            What they are compared with.
        """
        found = {}
        for split, places in self.splits().items():
            speakers, draws = self.draws(places, scores[places])
            for name, theirs in others.items():
                _, other = self.draws(places, theirs[places])
                draws["UAR above", name] = draws["UAR", "mean"] - other["UAR", "mean"]
            found[split] = tabulate(draws, speakers, self.params.evaluate.confidence)
        return found

    def splits(self) -> dict[str, np.ndarray]:
        """Positions of clips that are held out in turn, and of the test's if any."""
        parts = {"folds": ~self.held_out, "test": self.held_out}
        return {name: np.flatnonzero(each) for name, each in parts.items() if any(each)}

    def scores(self, method: Callable, folds: int) -> np.ndarray:
        """Scores of all clips by models that were fitted to other speakers."""
        known, test = np.flatnonzero(~self.held_out), np.flatnonzero(self.held_out)
        scores = np.zeros(self.true.shape)
        for fold in speaker_folds(self.speakers[known], folds):
            others = np.delete(known, fold)
            scores[known[fold]] = method(others, known[fold])
        if len(test):
            scores[test] = method(known, test)
        return scores

    def draws(self, places, scores) -> tuple[Clusters, dict]:
        """Bootstrap draws of the metrics of the clips at `places`."""
        evaluate = self.params.evaluate
        speakers = Clusters(self.speakers[places], evaluate.resamples, self.params.seed)
        true, decided = self.true[places], scores.argmax(1)
        right = true * (decided == self.label[places])[:, None]
        with np.errstate(invalid="ignore"):
            recalls = speakers.total(right) / speakers.total(true)
        draws = {("UAR", "mean"): np.nanmean(recalls, axis=1)}
        for place, name in enumerate(self.classes):
            draws["recall", name] = recalls[:, place]
        return speakers, draws

    def discriminant(self, known, others) -> np.ndarray:
        return self.fitted(self.pooled, known).scores(self.pooled[others])

    def moments(self, known, others) -> np.ndarray:
        """Discriminant analysis that also reads how features vary within a clip."""
        parts = [self.pooled, self.data.deviations(self.rows)]
        values = np.hstack([*parts, self.data.slopes(self.rows)])
        return self.fitted(values, known).scores(values[others])

    def fitted(self, pooled, known) -> Discriminant:
        """Discriminant analysis of (clip, feature) values at `known`."""
        return Discriminant(pooled[known], self.label[known], self.speakers[known])

    def svm(self, known, others) -> np.ndarray:
        values = np.hstack([self.pooled, self.data.deviations(self.rows)])
        model = make_pipeline(StandardScaler(), SVC(decision_function_shape="ovr"))
        model.fit(values[known], self.label[known])
        return model.decision_function(values[others])

    def linear(self, known, others) -> np.ndarray:
        return self._averaged(known, others, self._linear)

    def network(self, known, others) -> np.ndarray:
        return self._averaged(known, others, self._network)

    def _averaged(self, known, others, method) -> np.ndarray:
        logits = 0.0
        for fold in speaker_folds(self.speakers[known], INNER_FOLDS):
            logits = logits + method(np.delete(known, fold), known[fold], others)
        return logits / INNER_FOLDS

    def _fitted(self, train, dev) -> Linear:
        return Linear(
            "emotion",
            self.summary[train],
            self.true[train],
            self.summary[dev],
            self.true[dev],
        )

    def _linear(self, train, dev, others) -> np.ndarray:
        weights, bias = self._fitted(train, dev).probe()
        return self.summary[others] @ weights.T + bias

    def _network(self, train, dev, others) -> np.ndarray:
        section, data = self.params.unimodal, self.data
        config = unimodal_config(
            self.params,
            data.modality,
            "emotion",
            data.feature_count,
            len(self.classes),
        )
        config = replace(config, landmarks=0)  # a fold has few clips
        model = UnimodalModel(config).to(data.device)
        linear = self._fitted(train, dev)
        weights, bias = linear.probe()
        set_linear(model.probe, torch.from_numpy(weights), torch.from_numpy(bias))
        offset_logits = (self.summary @ weights.T + bias).astype(np.float32)
        offset_logits[train] = linear.out_of_fold(self.speakers[train])
        place = np.zeros(len(data.clips.table), int)
        place[self.rows] = np.arange(len(self.rows))

        def rows(epoch):
            rng = np.random.default_rng([self.params.seed, epoch])
            return bucketed(self.rows[train], data.lengths, section.batch, rng)

        def loss(model, _, batch):
            mine = place[batch.rows]
            start = torch.from_numpy(offset_logits[mine]).to(data.device)
            output = model(batch.values, batch.mask, start)
            true = torch.from_numpy(self.true[mine]).to(data.device)
            return emotion_loss(output.logits, true)

        def score(model):
            decided = self._logits(model, dev).argmax(1)
            right = self.true[dev] * (decided == self.label[dev])[:, None]
            return float((right.sum(0) / self.true[dev].sum(0)).mean())

        fit(
            model,
            lambda epoch: map(data.batch, rows(epoch)),
            len(rows(0)),
            loss,
            score,
            Schedule.from_section(section),
            "fold",
            self.progress,
        )
        return self._logits(model, others)

    def _logits(self, model, places) -> np.ndarray:
        rows = self.rows[places]
        return predict_outputs(model, self.data, rows, ["logits"])["logits"]


def _published_classes(
    clips: StudyClips, rows: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """RAVDESS's own class of each clip, finer than our seven emotions.

    The clip table merges calm and neutral. The original class is part of the clip id
    and must agree with the label.

    Parameters
    ----------
    clips : StudyClips
        With the labels of test splits.
    rows : (clip,) int array

    Returns
    -------
    label : (clip,) int array
        Position in `classes`.
    classes : list of str
        Those of `sslmepr.corpora.ravdess.PUBLISHED_EMOTIONS` that occur.

    Raises
    ------
    ValueError
        If the emotion in a clip id differs from the label.
    """
    ids = clips.table["clip_id"].iloc[rows]
    names = ravdess.published_emotions(ids)
    shown = clips.labels["emotion"][rows].argmax(1)
    for clip_id, name, place in zip(ids, names, shown, strict=True):
        if _OURS[name] != EMOTIONS[place]:
            raise ValueError(
                f"clip {clip_id}: is named as {name}, but labelled {EMOTIONS[place]}"
            )
    classes = [name for name in ravdess.PUBLISHED_EMOTIONS if name in names]
    return np.array([classes.index(name) for name in names]), classes
