"""What the scores of one recording rest on, by the functions of the book's chapters.

All seeds are explained together: their mean output is one function, whose attributions
add up to it as those of a single model do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from sslmepr.corpora.schema import CorpusError, read_clips
from sslmepr.encoders.load import Encoders
from sslmepr.explanation.attention import PARTS, contributions, weight_table
from sslmepr.explanation.attribution import attribute, average_clip
from sslmepr.explanation.chain import Chain, attribute_steps
from sslmepr.explanation.crops import hide_regions, read_crops
from sslmepr.explanation.words import leave_one_out, read_without
from sslmepr.features import FeatureError, FeatureStore
from sslmepr.labels import EMOTIONS, SENTENCES, TARGETS, TRAITS
from sslmepr.models.fusion import FusionInput, FusionModel, FusionOutput
from sslmepr.params import Params
from sslmepr.predict import NAME
from sslmepr.training.batches import LOG_LENGTH, Standardisation, append_log_length
from sslmepr.training.checkpoints import CheckpointError
from sslmepr.training.clips import StudyClips, read_study_clips
from sslmepr.training.fusion_clips import FusionClips


class MeanOverSeeds(nn.Module):
    """Models of several seeds as one: the mean of their logits and scores.

    Parameters
    ----------
    models : sequence of FusionModel
        Of one configuration.
    """

    def __init__(self, models):
        super().__init__()
        self.models = nn.ModuleList(models)
        self.config = models[0].config
        self.co_trained = models[0].co_trained

    def forward(self, given: FusionInput) -> FusionOutput:
        """Predict with every seed, and average every field of what they say."""
        every = zip(*(model(given) for model in self.models), strict=True)
        fields = [None if f[0] is None else torch.stack(f).mean(0) for f in every]
        return FusionOutput(*fields)

    predicted = FusionModel.predicted
    emotion_probabilities = staticmethod(FusionModel.emotion_probabilities)


class _OneClip:
    """The sequences of a modality of one clip, as `Chain` reads them."""

    def __init__(self, clips: StudyClips, values, statistics: Standardisation, columns):
        self.clips, self.statistics = clips, {NAME: statistics}
        self.columns = None if columns is None else (*columns, LOG_LENGTH)
        self._values = values
        self.lengths = np.array([0 if values is None else len(values)])

    def padded(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Standardised values (clip, step, feature) and mask (clip, step)."""
        longer = append_log_length(self._values, len(self._values))
        values = np.repeat(self.statistics[NAME].apply(longer)[None], len(rows), 0)
        return values.astype(np.float32), np.ones(values.shape[:2], bool)


@dataclass(frozen=True)
class Explanation:
    """Why one recording has the scores that it has.

    Attributes
    ----------
    outputs : DataFrame
        target, output, baseline, attributed, gap: logits of emotions and scores of
        traits, means over seeds; score, usual: as the table of predictions has them,
        of the recording and of the baseline.
    values : DataFrame
        Of `sslmepr.explanation.attribution.Attribution`.
    contributions : DataFrame
        Of `sslmepr.explanation.attention.contributions`.
    without : DataFrame
        modality, target, predicted: scores if a modality were absent; none if there is
        only one.
    alone : DataFrame
        modality, target, predicted: what each modality says by itself (stage 2).
    weights : DataFrame
        Of `sslmepr.explanation.attention.weight_table`.
    graph : DataFrame
        modality that attends, and a column for each that it attends to; empty where
        the variant has no graph attention.
    told : list of str
        The outputs that words, regions and moments are shown of.
    """

    outputs: pd.DataFrame
    values: pd.DataFrame
    contributions: pd.DataFrame
    without: pd.DataFrame
    alone: pd.DataFrame
    weights: pd.DataFrame
    graph: pd.DataFrame
    told: list[str]


@dataclass(frozen=True)
class Details:
    """Words, regions and moments behind the outputs that are told in full.

    Attributes
    ----------
    words, regions, steps, columns : DataFrame
        Of `sslmepr.explanation.words`, `crops` and `chain`; some may be empty.
    crops : dict of str to (height, width, channel) uint8 ndarray
        Modality to the crop of the middle frame.
    """

    words: pd.DataFrame
    regions: pd.DataFrame
    steps: pd.DataFrame
    columns: pd.DataFrame
    crops: dict[str, np.ndarray]


def training_average(
    params: Params, models, study_folder: Path, data_folder: Path
) -> FusionInput | None:
    """The average training clip of a study, on the device of its models.

    None where its corpora are not at hand.

    Parameters
    ----------
    params : Params
    models : models of `sslmepr.predict.Predictor`
    study_folder, data_folder : Path
    """
    try:
        clips = read_study_clips(params, data_folder)
        data = FusionClips.read(clips, list(models.widths), study_folder, models.device)
    except (CheckpointError, CorpusError, FeatureError, OSError):
        return None
    rows = [
        data.rows(corpus, "train")
        for corpus in (params.roles.emotion, params.roles.personality)
    ]
    return average_clip(data.batch(np.unique(np.concatenate(rows))).inputs)


def neutral(given: FusionInput) -> FusionInput:
    """An input without content, where the average training clip is not known."""
    zero = given._each(lambda values: torch.zeros_like(values[:1]))
    return zero._replace(
        trait_scores=zero.trait_scores + 0.5, present=given.present[:1]
    )


class Explainer:
    """Explains recordings that a `Predictor` has read.

    Parameters
    ----------
    params : Params
        ``attention.steps`` has the steps of the path integral.
    models : models of `sslmepr.predict.Predictor`
    average : FusionInput or None
        Of :func:`training_average`.
    encoders : Encoders
        Those that made the features.
    """

    def __init__(self, params: Params, models, average, encoders: Encoders):
        self.params, self.models = params, models
        self.average, self.encoders = average, encoders
        self.fusion = MeanOverSeeds(models.fused).eval()
        self.targets = [n for task in models.tasks for n in TARGETS[task]]

    def explain(self, work: Path, wanted: list[str]) -> Explanation:
        """Explain by modalities the recording whose table and features lie in `work`.

        Parameters
        ----------
        work : Path
            That `sslmepr.predict.Predictor.read` was given.
        wanted : list of str
            Outputs to show words, regions and moments of; if empty, the emotion and the
            trait that are farthest from those of the average clip.
        """
        clip_id, given = self._given(work)
        average = neutral(given) if self.average is None else self.average
        steps = self.params.attention.steps
        found = attribute(self.fusion, given, [clip_id], average, None, steps)
        outputs = found.outputs
        for column, each in (("score", given), ("usual", average)):
            outputs[column] = outputs["target"].map(self._predicted(each))
        told = [name for name in wanted if name in self.targets]
        return Explanation(
            outputs,
            found.values,
            contributions(found.values),
            self._without(given),
            self._alone(given),
            *self._weights(given, clip_id),
            told or farthest(outputs),
        )

    def detail(self, recording: Path, work: Path, told: list[str]) -> Details:
        """Find the words, regions and moments that outputs rest on.

        Parameters
        ----------
        recording, work : Path
            As of :meth:`explain`.
        told : list of str
            Emotions and traits.
        """
        clip_id, given = self._given(work)
        features, clip = work / "features", read_clips(work).iloc[0]
        chain = self._chain(clip_id, features, given)
        regions, crops = self._regions(chain, clip, recording.parent, features)
        steps, rows = self.params.attention.steps, np.zeros(len(told), int)
        in_time = attribute_steps(chain, rows, told, steps)
        words = self._words(chain, features, clip_id)
        return Details(words, regions, in_time.values, in_time.columns, crops)

    @torch.no_grad()
    def _given(self, work: Path) -> tuple[str, FusionInput]:
        clip_id = read_clips(work)["clip_id"].iloc[0]
        return clip_id, self.models.inputs([clip_id], work / "features")

    def _chain(self, clip_id: str, features: Path, given: FusionInput) -> Chain:
        table = pd.DataFrame({"clip_id": [clip_id], "corpus": NAME, "group": NAME})
        clips = StudyClips(table, {}, [NAME])
        stage2, sequences = {}, {}
        for modality, checkpoint in self.models.unimodal.items():
            store = FeatureStore.open(features, modality)
            values = store[clip_id] if clip_id in store else None
            pooled = Standardisation.pooled([*checkpoint.statistics.values()])
            stage2[modality] = checkpoint.model
            sequences[modality] = _OneClip(clips, values, pooled, store.columns)
        data = FusionClips(clips, given, self.models.device)
        return Chain(self.fusion, stage2, sequences, data)

    @torch.no_grad()
    def _predicted(self, given: FusionInput) -> dict[str, float]:
        """Scores as in the table of predictions: means over seeds of what is said."""
        said = [model.predicted(model(given)) for model in self.models.fused]
        return {
            name: float(np.mean([float(each[task][0, place]) for each in said]))
            for task in self.models.tasks
            for place, name in enumerate(TARGETS[task])
        }

    def _without(self, given: FusionInput) -> pd.DataFrame:
        tables = []
        for place, modality in enumerate(self.models.widths):
            left = given.present.clone()
            left[:, place] = False
            if given.present[0, place] and left.any():
                said = self._predicted(given._replace(present=left))
                tables.append(_long(modality, said))
        return _joined(tables, ["modality", "target", "predicted"])

    def _alone(self, given: FusionInput) -> pd.DataFrame:
        tables = []
        for place, modality in enumerate(self.models.widths):
            if not given.present[0, place]:
                continue
            emotions = given.emotion_logits[0, place].sigmoid().tolist()
            traits = given.trait_scores[0, place].tolist()
            said = dict(zip(EMOTIONS, emotions, strict=True))
            said |= dict(zip(TRAITS, traits, strict=True))
            tables.append(_long(modality, {n: said[n] for n in self.targets}))
        return _joined(tables, ["modality", "target", "predicted"])

    @torch.no_grad()
    def _weights(
        self, given: FusionInput, clip_id: str
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What each modality weighs, and which attends to which."""
        config = self.fusion.config
        parts = [name for name in PARTS if name not in config.without]
        names, output = list(config.widths), self.fusion(given)
        weights = weight_table(output, [clip_id], names, list(config.tasks), parts)
        graph = pd.DataFrame()
        if PARTS[0] in parts:
            there = given.present[0].cpu().numpy()
            graph = pd.DataFrame(output.graph_attention[0].cpu().numpy(), columns=names)
            graph = graph.loc[there, there]
            graph.insert(0, "modality", graph.columns)
        return weights, graph

    def _encoded(self, modality: str, encoder) -> bool:
        """Whether the models read a modality as this encoder makes it."""
        checkpoint = self.models.unimodal.get(modality)
        name, *_, revision = (checkpoint and checkpoint.made_by) or ("", "")
        return name == encoder.name and not revision.endswith(SENTENCES)

    def _words(self, chain: Chain, features: Path, clip_id: str) -> pd.DataFrame:
        texts = pd.read_parquet(features / "transcripts.parquet").set_index("clip_id")
        read_here = self._encoded("text", self.encoders.text)
        if not read_here or not chain.sequences["text"].lengths[0]:
            return _joined([], ["clip_id", "place", "piece", "target", "attribution"])
        pieces = texts.at[clip_id, "transcript"].split()
        read = read_without([0], [pieces], " ", self.encoders.text)
        return leave_one_out(chain, read)

    def _regions(self, chain: Chain, clip: pd.Series, folder, features: Path):
        """What hiding regions takes, and the crops of the middle frame."""
        nothing = _joined([], ["modality", "row", "column", "target", "attribution"])
        table = pd.read_parquet(features / "regions.parquet")
        if table.empty:
            return nothing, {}
        image, frames = self.encoders.image, self.params.extract.frames
        crops = read_crops(clip, folder, table, image, frames)
        crops = {n: each for n, each in crops.items() if self._encoded(n, image)}
        average = {name: _plain(each) for name, each in crops.items()}
        middle = {name: each[len(each) // 2] for name, each in crops.items()}
        return hide_regions(chain, 0, crops, average, image), middle


def farthest(outputs: pd.DataFrame) -> list[str]:
    """The emotion and the trait whose output is farthest from that of the baseline.

    Parameters
    ----------
    outputs : DataFrame
        target, output, baseline, of one clip.
    """
    moved = (outputs["output"] - outputs["baseline"]).abs()
    moved.index = outputs["target"]
    sides = ([n for n in names if n in moved] for names in (EMOTIONS[1:], TRAITS))
    return [moved[names].idxmax() for names in sides if names]


def _plain(crops: np.ndarray) -> np.ndarray:
    """A crop of the mean colour of crops, which shows nothing."""
    colour = crops.mean(axis=(0, 1, 2)).astype(np.uint8)
    return np.broadcast_to(colour, crops.shape[1:]).copy()


def _long(modality: str, said: Mapping[str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"modality": modality, "target": list(said), "predicted": list(said.values())}
    )


def _joined(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    if not tables:
        return pd.DataFrame(columns=columns)
    return pd.concat(tables, ignore_index=True)
