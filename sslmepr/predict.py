"""Prediction for new recordings: one row per clip, by the trained models of a study.

Modalities that a clip lacks take no part in its prediction and are listed in its row; a
clip of which nothing can be read keeps its row, with the reason. Finished clips are
kept in ``<table>.partial`` until the table is written, so that an interrupted run
resumes.

File names and transcripts are untrusted text. In CSV, those that a spreadsheet would
evaluate as a formula are prefixed with an apostrophe; Parquet and JSON hold them
unchanged.
"""

import glob
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError

from sslmepr.corpora.folder import media_files
from sslmepr.corpora.schema import COLUMNS, CorpusError, read_clips, write_clips
from sslmepr.device import choose_device
from sslmepr.extraction import extract_corpus
from sslmepr.extraction.record import extraction_record
from sslmepr.features import FeatureError, FeatureStore
from sslmepr.files import MARK, atomic, own_folder
from sslmepr.labels import (
    EMOTION_COLUMNS,
    EMOTIONS,
    SCORED_EMOTIONS,
    TARGET_COLUMNS,
    TARGETS,
    VISUAL_MODALITIES,
)
from sslmepr.models.fusion import FusionInput
from sslmepr.params import Params
from sslmepr.params.corpora import PublishedCorpus
from sslmepr.statistics.cluster_bootstrap import t_interval
from sslmepr.training.batches import Standardisation, append_log_length, chunks, pieces
from sslmepr.training.checkpoints import (
    CheckpointError,
    load_checkpoint,
    load_seeds,
    require_trained_on,
)
from sslmepr.training.fusion_clips import join_modalities

NAME = "clips"
BATCH = 256
BATCH_STEPS = 50_000
"""Most steps per batch, padding included; a longer clip is a batch of its own."""

DIGITS = 4
"""Decimal places in CSV and JSON; Parquet holds full precision."""

FORMULA = r"^(?=[=+\-@\t\r\n＝＋－＠])"
"""Beginning of text that a spreadsheet evaluates as a formula (OWASP, CSV
injection)."""


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write CSV for spreadsheets: with a UTF-8 byte order mark, and no formulas."""
    text = table.select_dtypes(["object", "str"])
    safe = text.apply(lambda column: column.str.replace(FORMULA, "'", regex=True))
    table.assign(**safe).to_csv(
        path,
        index=False,
        encoding="utf-8-sig",
        float_format=f"%.{DIGITS}f",
        lineterminator="\r\n",  # RFC 4180; either character is then quoted in a text
    )


WRITERS = {
    ".csv": _write_csv,
    ".json": lambda table, path: table.to_json(
        path, orient="records", indent=2, force_ascii=False, double_precision=DIGITS
    ),
    ".parquet": lambda table, path: table.to_parquet(path, index=False),
}
"""Suffix of the table to how it is written."""


class PredictError(RuntimeError):
    """The requested predictions cannot be made."""


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
        for one seed); people, how many are seen at once (features are those of the one
        who is seen largest and longest); face, body, scene, audio and text, how each
        was obtained (empty where the models do not use it); the transcript;
        ``missing``, what could not be read and why; ``failed``, why there is no
        prediction, or empty.

    Raises
    ------
    PredictError
        If there is no clip, no checkpoint, one that is damaged, of another training
        than the others or of features of another encoder; if the table exists, is being
        written by another run or cannot be written as its suffix asks; or if something
        else is in the way of the folder for finished clips.
    """
    out = Path(out)
    if out.suffix not in WRITERS:
        raise PredictError(f"{out}: must end in one of {', '.join(WRITERS)}")
    _require_new(out)
    try:
        models = _Models(Path(study_folder), variant, params)
        paths = find_clips(clips)
        with _work_folder(out) as work:
            result = _predict(params, paths, models, work)
            _require_new(out)
            with atomic(out, work) as part:
                WRITERS[out.suffix](result, part)
            shutil.rmtree(work)
    except (CheckpointError, CorpusError, FeatureError) as error:
        raise PredictError(str(error)) from error
    except (OSError, SafetensorError) as error:
        raise PredictError(
            f"{out}: not written: {error}. Once that is mended, the same command goes "
            f"on with the clips that are finished"
        ) from error
    return result


def _require_new(out: Path) -> None:
    if os.path.lexists(out):
        raise PredictError(f"{out}: exists already; choose another name")


@contextmanager
def _work_folder(out: Path) -> Iterator[Path]:
    """The folder where finished clips wait for their table, for one run at a time."""
    work = out.with_name(out.name + ".partial")
    own_folder(work)
    try:
        with FileLock(work / MARK, timeout=0):
            _require_new(out)
            yield work
    except Timeout:
        raise PredictError(
            f"{out}: another run writes this table; wait for its end or choose another "
            "name"
        ) from None


class Predictor:
    """The models of a study, loaded once for recording after recording.

    Parameters
    ----------
    params, study_folder, variant
        As of :func:`predict`.

    Attributes
    ----------
    models : models of stages 2 and 3

    Raises
    ------
    PredictError
        If the models are not there or do not belong together.
    """

    def __init__(
        self, params: Params, study_folder: str | Path, variant: str = "multitask"
    ):
        self.params = params
        try:
            self.models = _Models(Path(study_folder), variant, params)
        except CheckpointError as error:
            raise PredictError(str(error)) from error

    def read(
        self, clip: Path, work: Path, given: Mapping[str, object] | None = None
    ) -> pd.DataFrame:
        """Predict one recording.

        Parameters
        ----------
        clip : Path
        work : Path
            An empty folder; the clip table and the features stay in it.
        given : mapping of str to object, optional
            Columns of the clip table to their values: ``start_seconds``,
            ``end_seconds``, ``transcript``.

        Returns
        -------
        DataFrame
            The one row that :func:`predict` would write.

        Raises
        ------
        PredictError
            If the features are not those that the models were trained on.
        """
        try:
            return _predict(self.params, [clip], self.models, work, given)
        except (CorpusError, FeatureError) as error:
            raise PredictError(str(error)) from error


def _predict(
    params: Params,
    clips: list[Path],
    models: "_Models",
    work: Path,
    given: Mapping[str, object] | None = None,
):
    """The table of `predict`, not yet written."""
    table, unreadable = _clip_table(clips)
    root = table.attrs["media_root"]
    for column, value in (given or {}).items():
        table[column] = value
    write_clips(table, work)
    features = work / "features"
    # modalities that the models do not use are not extracted
    seen = PublishedCorpus(source="folder", path=NAME, modalities=list(models.widths))
    chosen = params.model_copy(update={"corpus": {NAME: seen}})
    extract_corpus(NAME, chosen, work, root, features)
    predicted = models.predict(table["clip_id"].tolist(), features)
    result = _result(predicted, models.thresholds, features, work, params)
    for row, clip_id in enumerate(result["clip"]):
        if clip_id in unreadable:
            result.loc[row, "failed"] = unreadable[clip_id]
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
        if os.path.isdir(path):
            paths = [path / name for name in _recordings(path)]
        elif os.path.lexists(path) or not glob.has_magic(argument):
            paths = [path]
        else:
            paths = [Path(name) for name in sorted(glob.glob(argument, recursive=True))]
        if not paths:
            raise PredictError(f"{argument}: no file has such a name")
        found |= {os.path.abspath(each): each for each in paths}
    return list(found.values())


def _recordings(folder: Path) -> list[str]:
    try:
        return media_files(folder)
    except CorpusError as error:
        raise PredictError(str(error)) from None


def _clip_table(paths: list[Path]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Files as a corpus without labels, below the deepest folder that holds all.

    Beside it, why some of them cannot be opened, by clip id. They have no media then.
    """
    absolute = [os.path.abspath(path) for path in paths]
    root = os.path.commonpath([os.path.dirname(path) for path in absolute])
    rows, unreadable = [], {}
    for path, place in zip(paths, absolute, strict=True):
        media = Path(os.path.relpath(place, root)).as_posix()
        # No table holds a name that is not UTF-8, and a pipe may never end.
        clip_id = os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
        if not _is_utf_8(media):
            unreadable[clip_id] = "its name is not UTF-8: rename the file"
        elif os.path.exists(place) and not os.path.isfile(place):
            unreadable[clip_id] = "it is not a file"
        rows.append((clip_id, None if clip_id in unreadable else media))
    table = pd.DataFrame(rows, columns=["clip_id", "media"])
    table["speaker_id"] = table["clip_id"]
    table["split"] = "test"
    table = table.reindex(columns=list(COLUMNS))
    table.attrs["media_root"] = Path(root)
    return table, unreadable


def _is_utf_8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Models:
    """Stage 2 of every modality and stage 3 with every seed, from their checkpoints."""

    def __init__(self, folder: Path, variant: str, params: Params):
        device = self.device = choose_device(params.compute.device)
        variant_folder = folder / "fusion" / variant
        if variant not in params.variants and not variant_folder.is_dir():
            raise PredictError(
                f"{variant}: no model of study {params.study}, which has "
                f"{', '.join(params.variants)}"
            )
        fused = list(load_seeds(variant_folder).values())
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
            chosen = params.extract.encoder_of(modality)
            if checkpoint.made_by and checkpoint.made_by[0] != chosen:
                raise PredictError(
                    f"{folder / 'crosstask' / modality}: was trained on features of "
                    f"{checkpoint.made_by[0]}, but params.yaml chooses {chosen}"
                )
        digests = {
            f"crosstask/{modality}": checkpoint.digest
            for modality, checkpoint in self.unimodal.items()
        }
        require_trained_on(fused[0], variant_folder, digests)

    def inputs(self, clip_ids: list[str], features: Path) -> FusionInput:
        """What stage 3 reads of the clips; `features` as of `predict`."""
        stores = {
            modality: FeatureStore.open(features, modality, checkpoint.made_by)
            for modality, checkpoint in self.unimodal.items()
        }
        sizes = {  # the length is one of the features
            modality: (self.widths[modality], store.feature_count + 1)
            for modality, store in stores.items()
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
            Folder of the feature stores.

        Returns
        -------
        dict of str to (seed, clip, target) ndarray
            By task: probabilities of emotions, scores of traits; NaN for a clip without
            any modality.
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
        checkpoint = self.unimodal[modality]
        steps = pd.Series(clip_ids).map(store.table.set_index("clip_id")["steps"])
        rows = steps.dropna().sort_values(kind="stable").index.to_numpy(copy=True)
        model = checkpoint.model.to(self.device)
        # New clips may be too few for statistics of their own, so those of the
        # training corpora are pooled.
        pooled = Standardisation.pooled([*checkpoint.statistics.values()])
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


def _result(predicted, thresholds, features: Path, work: Path, params: Params):
    """The table of `predict`."""
    record = extraction_record(read_clips(work), features)
    result = record[["clip_id"]].rename(columns={"clip_id": "clip"})
    columns = {}
    for task, values in predicted.items():
        mean, low, high = _over_seeds(values, params.evaluate.confidence)
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
    lost = np.any([np.isnan(each).any(axis=(0, 2)) for each in predicted.values()], 0)
    reason = ("nothing could be read: " + result["missing"]).where(
        result["missing"] != "", "the models gave no number"
    )
    result["failed"] = reason.where(lost, "")
    return result


def _over_seeds(values: np.ndarray, confidence: float) -> tuple[np.ndarray, ...]:
    """Mean, and the ends of its interval: (clip, target) each, from (seed, ...)."""
    seeds = len(values)
    mean = values.mean(axis=0)
    # Without a degree of freedom there is no interval.
    error = values.std(axis=0, ddof=min(1, seeds - 1)) / np.sqrt(seeds)
    low, high = t_interval(mean, error, seeds, confidence)
    return mean, np.clip(low, 0, 1), np.clip(high, 0, 1)
