"""Recordings in, a table out: one row per clip, by the models that a study has left.

What a clip lacks takes no part in its prediction and is told beside it; a clip that
gives nothing at all keeps its row, with the reason. Finished clips wait in
``<table>.partial`` until the table is written, so an interrupted run goes on where it
was.
"""

import glob
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy import stats

from sslmepr.analysis.recorded import extraction_record
from sslmepr.corpora.folder import read_folder
from sslmepr.corpora.schema import COLUMNS, CorpusError, read_clips, write_clips
from sslmepr.device import choose_device
from sslmepr.extraction import extract_corpus
from sslmepr.extraction.corpus import encoder_name
from sslmepr.features import FeatureError, FeatureStore
from sslmepr.labels import (
    EMOTION_COLUMNS,
    EMOTIONS,
    SCORED_EMOTIONS,
    TARGET_COLUMNS,
    TARGETS,
    TASKS,
    VISUAL_MODALITIES,
)
from sslmepr.learning.batches import Standardisation, in_order, with_length
from sslmepr.learning.checkpoints import CheckpointError, load_checkpoint
from sslmepr.models.fusion import FusionInput
from sslmepr.params import Params, PublishedCorpus

NAME = "clips"
BATCH = 256
DIGITS = 4
"""Of what people read; a Parquet file, which programs read, has them all."""

WRITERS = {
    ".csv": lambda table, path: table.to_csv(
        path, index=False, encoding="utf-8", float_format=f"%.{DIGITS}f"
    ),
    ".json": lambda table, path: table.to_json(
        path, orient="records", indent=2, force_ascii=False, double_precision=DIGITS
    ),
    ".parquet": lambda table, path: table.to_parquet(path, index=False),
}
"""Suffix of the table to how it is written."""


class PredictError(RuntimeError):
    """Nothing can be predicted as asked."""


def predict(
    params: Params,
    clips: list[str],
    out: str | Path,
    study_folder: str | Path,
    variant: str = "multitask",
) -> pd.DataFrame:
    """Predict emotions and apparent traits of recordings, and write the table.

    Parameters
    ----------
    params : Params
        Of the study; its section ``extract`` must be that of the training.
    clips : list of str
        Files, folders (with the folders in them) and patterns like ``"*.mp4"``. Each
        file is one clip.
    out : path
        ``.csv``, ``.json`` or ``.parquet``; must not exist.
    study_folder : path
        Holds ``crosstask`` and ``fusion/<variant>`` with their checkpoints.
    variant : str
        The fusion model, all of whose seeds are used.

    Returns
    -------
    DataFrame
        What was written: clip; ``emotions``, those that are present, by the study's
        thresholds; for every emotion (probability) and trait (score in 0..1) the mean
        over seeds and the ends of its interval (``_low``, ``_high``; Student's t, NaN
        for one seed); people, how many are seen at once (of them the one is looked at
        who is seen largest and longest); face, body, scene, audio and text, how each
        was obtained (empty where the models do not use it); the transcript;
        ``missing``, what could not be read and why; ``failed``, why there is no
        prediction, or empty.

    Raises
    ------
    PredictError
        If there is no clip, no checkpoint, one that was trained on features of another
        encoder, or the table exists or cannot be written as its suffix asks.
    """
    out = Path(out)
    if out.suffix not in WRITERS:
        raise PredictError(f"{out}: must end in one of {', '.join(WRITERS)}")
    if out.exists():
        raise PredictError(f"{out}: exists already; choose another name")
    try:
        models = _Models(Path(study_folder), variant, params)
    except CheckpointError as error:
        raise PredictError(str(error)) from error
    work = out.with_name(out.name + ".partial")
    table = _clip_table(find_clips(clips))
    root = table.attrs["media_root"]
    write_clips(table, work)
    features = work / "features"
    # what the models do not look at need not be found
    seen = PublishedCorpus(
        source="folder", path=str(root), modalities=list(models.widths)
    )
    chosen = params.model_copy(update={"corpus": {NAME: seen}})
    extract_corpus(NAME, chosen, work, root, features)
    try:
        predicted = models.predict(table["clip_id"].tolist(), features)
    except FeatureError as error:
        raise PredictError(str(error)) from error
    result = _result(predicted, models.thresholds, features, work, params)
    WRITERS[out.suffix](result, out)
    shutil.rmtree(work)
    return result


def find_clips(arguments: list[str]) -> list[Path]:
    """The files that files, folders and patterns stand for, each once, in order.

    A named file that does not exist is kept: it becomes a failed row.

    Raises
    ------
    PredictError
        If a folder holds no recording or a pattern matches nothing.
    """
    found: dict[str, Path] = {}
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            paths = [path / name for name in _recordings(path)]
        elif path.exists() or not glob.has_magic(argument):
            paths = [path]
        else:
            paths = [Path(name) for name in sorted(glob.glob(argument, recursive=True))]
        if not paths:
            raise PredictError(f"{argument}: no file has such a name")
        found |= {os.path.abspath(each): each for each in paths}
    return list(found.values())


def _recordings(folder: Path) -> list[str]:
    try:
        return read_folder(folder)["media"].tolist()
    except CorpusError as error:
        raise PredictError(str(error)) from None


def _clip_table(paths: list[Path]) -> pd.DataFrame:
    """Files as a corpus without labels, below the deepest folder that holds all."""
    absolute = [os.path.abspath(path) for path in paths]
    root = os.path.commonpath([os.path.dirname(path) for path in absolute])
    table = pd.DataFrame({"clip_id": [path.as_posix() for path in paths]})
    table["speaker_id"] = table["clip_id"]
    table["media"] = [Path(os.path.relpath(path, root)).as_posix() for path in absolute]
    table["split"] = "test"
    table = table.reindex(columns=list(COLUMNS))
    table.attrs["media_root"] = Path(root)
    return table


class _Models:
    """Stage 2 of every modality and stage 3 with every seed, from their checkpoints."""

    def __init__(self, folder: Path, variant: str, params: Params):
        device = self.device = choose_device(params.compute.device)
        stems = sorted((folder / "fusion" / variant).glob("seed-*.safetensors"))
        if not stems:
            raise PredictError(
                f"{folder / 'fusion' / variant}: no trained model; `dvc repro` makes it"
            )
        fused = [load_checkpoint(stem.with_suffix("")) for stem in stems]
        self.fused = [each.model.to(device) for each in fused]
        thresholds = fused[0].metrics.get("thresholds", {})
        self.thresholds = np.array([thresholds.get(e, 0.5) for e in SCORED_EMOTIONS])
        self.widths = self.fused[0].config.widths
        self.tasks = self.fused[0].config.tasks
        self.unimodal = {
            modality: load_checkpoint(folder / "crosstask" / modality / "model")
            for modality in self.widths
        }
        for modality, checkpoint in self.unimodal.items():
            chosen = encoder_name(modality, params.extract)
            if checkpoint.made_by and checkpoint.made_by[0] != chosen:
                raise PredictError(
                    f"{folder / 'crosstask' / modality}: was trained on features of "
                    f"{checkpoint.made_by[0]}, but params.yaml chooses {chosen}"
                )

    @torch.inference_mode()
    def predict(self, clip_ids: list[str], features: Path) -> dict[str, np.ndarray]:
        """Task to (seed, clip, target); NaN for a clip without any modality."""
        given = self._unimodal(clip_ids, features)
        present = given.present.any(1)
        predicted = {}
        for task in self.tasks:
            shape = len(self.fused), len(clip_ids), len(TARGETS[task])
            predicted[task] = np.full(shape, np.nan)
        rows = np.flatnonzero(present.cpu().numpy())
        for seed, model in enumerate(self.fused):
            for part in in_order(rows, BATCH):
                where = torch.from_numpy(part).to(self.device)
                answers = model.predicted(model(given.at(where)))
                for task in self.tasks:
                    predicted[task][seed, part] = answers[task].float().cpu().numpy()
        return predicted

    def _unimodal(self, clip_ids: list[str], features: Path) -> FusionInput:
        """What stage 2 says of every clip."""
        count, places = len(clip_ids), len(self.widths)
        logits, scores = (
            torch.zeros(count, places, len(TARGETS[task]), device=self.device)
            for task in TASKS
        )
        present = torch.zeros(count, places, dtype=torch.bool, device=self.device)
        embeddings, means = {}, {}
        for place, (modality, width) in enumerate(self.widths.items()):
            embeddings[modality] = torch.zeros(count, width, device=self.device)
            checkpoint = self.unimodal[modality]
            store = FeatureStore.open(features, modality, checkpoint.made_by)
            read_width = store.feature_count + 1  # the length is one
            means[modality] = torch.zeros(count, read_width, device=self.device)
            steps = pd.Series(clip_ids).map(store.table.set_index("clip_id")["steps"])
            rows = steps.dropna().sort_values(kind="stable").index.to_numpy(copy=True)
            model = checkpoint.model.to(self.device)
            # These clips are of none of the corpora, and may be too few for their own.
            usual = Standardisation.pooled([*checkpoint.statistics.values()])
            for part in in_order(rows, BATCH):
                read = [store[clip_ids[row]] for row in part]
                sequences = [usual.apply(with_length(s, len(s))) for s in read]
                output = model(*_padded(sequences, self.device))
                where = torch.from_numpy(part).to(self.device)
                both = output.emotion_embedding, output.personality_embedding
                embeddings[modality][where] = torch.cat(both, 1)
                logits[where, place] = output.emotion_logits
                scores[where, place] = output.trait_scores
                means[modality][where] = output.features
                present[where, place] = True
        return FusionInput(embeddings, logits, scores, present, means)


def _padded(sequences: list[np.ndarray], device) -> tuple[torch.Tensor, torch.Tensor]:
    """Values (clip, step, feature), zero in padding, and mask (clip, step)."""
    lengths = torch.tensor([len(each) for each in sequences])
    values = torch.nn.utils.rnn.pad_sequence(
        [torch.from_numpy(each) for each in sequences], batch_first=True
    )
    mask = torch.arange(values.shape[1]) < lengths[:, None]
    return values.to(device), mask.to(device)


def _result(predicted, thresholds, features: Path, work: Path, params: Params):
    """The table of `predict`."""
    record = extraction_record(read_clips(work), features)
    result = record[["clip_id"]].rename(columns={"clip_id": "clip"})
    columns = {}
    for task, values in predicted.items():
        mean, low, high = _over_seeds(values, params.evaluate.level)
        for place, name in enumerate(TARGET_COLUMNS[task]):
            columns[name] = mean[:, place]
            columns[f"{name}_low"] = low[:, place]
            columns[f"{name}_high"] = high[:, place]
    result = result.assign(**columns)
    if "emotion" in predicted:
        scored = result[list(EMOTION_COLUMNS[1:])].to_numpy()
        names = np.array(SCORED_EMOTIONS)
        decided = [
            ", ".join(names[each >= thresholds]) or EMOTIONS[0] for each in scored
        ]
        predicted_at_all = ~np.isnan(scored).any(axis=1)
        result.insert(1, "emotions", np.where(predicted_at_all, decided, ""))
    for column in ("people", *VISUAL_MODALITIES):
        result[column] = record.get(column)
    heard = set(FeatureStore.open(features, "audio").clip_ids)
    result["audio"] = ["recorded" if clip in heard else None for clip in result["clip"]]
    read = pd.read_parquet(features / "transcripts.parquet").set_index("clip_id")
    encoded = read.index.isin(FeatureStore.open(features, "text").clip_ids)
    result["text"] = result["clip"].map(read.loc[encoded, "source"])
    result["transcript"] = record["transcript"]
    result["missing"] = record["missing"]
    values = next(iter(predicted.values()))
    lost = np.isnan(values).any(axis=(0, 2))
    result["failed"] = np.where(lost, "nothing could be read: " + result["missing"], "")
    return result


def _over_seeds(values: np.ndarray, level: float) -> tuple[np.ndarray, ...]:
    """Mean, and the ends of its interval: (clip, target) each, from (seed, ...)."""
    seeds = len(values)
    mean = values.mean(axis=0)
    if seeds < 2:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    error = values.std(axis=0, ddof=1) / np.sqrt(seeds)
    reach = stats.t.ppf((1 + level) / 2, seeds - 1) * error
    return mean, np.clip(mean - reach, 0, 1), np.clip(mean + reach, 0, 1)
