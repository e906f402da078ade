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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout
from safetensors import SafetensorError

from sslmepr.corpora.feature_tables.paths import SUFFIXES
from sslmepr.corpora.folder import media_files
from sslmepr.corpora.schema import COLUMNS, CorpusError, read_clips, write_clips
from sslmepr.evaluation.person_intervals import emotion_bounds, half_widths
from sslmepr.extraction import extract_corpus
from sslmepr.extraction.record import extraction_record
from sslmepr.features import FeatureError, FeatureStore
from sslmepr.files import MARK, atomic, own_folder
from sslmepr.labels import (
    EMOTION_COLUMNS,
    EMOTIONS,
    SCORED_EMOTIONS,
    SENTENCES,
    TABLE_TOOLS,
    TRAIT_COLUMNS,
    VISUAL_MODALITIES,
)
from sslmepr.params import Params
from sslmepr.params.corpora import Features, Heard, PublishedCorpus
from sslmepr.report.person_intervals import people_of, promises
from sslmepr.statistics.conformal import presence_sets
from sslmepr.training.calibration import Calibration, read_calibration
from sslmepr.training.checkpoints import CheckpointError
from sslmepr.training.new_clips import StudyModels

NAME = "clips"

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
    confidence: float | None = None,
    tables: Mapping[str, str | Path] | None = None,
) -> pd.DataFrame:
    """Predict emotions and apparent traits of recordings, and write the table.

    Parameters
    ----------
    params : Params
        Of the study; its section ``extract`` must be that of the training.
    clips : list of str
        Files, folders (with the folders in them) and patterns like ``"*.mp4"``. Each
        file is one clip. Where models read tables, a ``.csv`` or ``.parquet`` file
        stands for the recording of its name, and recordings need not be there.
    out : path
        ``.csv``, ``.json`` or ``.parquet``; must not exist.
    study_folder : path
        Holds ``crosstask`` and ``fusion/<variant>`` with their checkpoints.
    variant : str
        The fusion model, all of whose seeds are used.
    confidence : float, optional
        Nominal coverage of intervals and sets; ``evaluate.confidence`` if not given.
    tables : dict of str to path, optional
        Modality to a table, or a folder of tables, of the tool that measured it for the
        training; each such modality must have one.

    Returns
    -------
    DataFrame
        What was written: clip; ``emotions``, those that are present, by the study's
        thresholds; for every emotion the probability (mean over seeds) and ``_set``,
        which of presence and absence it may be (`sslmepr.statistics.conformal`); for
        every trait the score in 0..1 and the ends of its prediction interval
        (``_low``, ``_high``; NaN where the calibration has too few people);
        ``confidence`` and ``calibrated_on``, whom sets and intervals are for; people,
        how many are seen at once, empty where no picture was looked at (features are
        those of the one who is seen largest and longest); face, body, scene, audio and
        text, how each was obtained (empty where the models do not use it; from tables,
        the tool and how many of its rows were taken); the transcript; ``missing``, what
        could not be read and why; ``failed``, why there is no prediction, or empty. Its
        ``attrs`` hold ``promises``, sentences
        on what sets and intervals promise.

    Raises
    ------
    PredictError
        If there is no clip, no checkpoint, one that is damaged, of another training
        than the others or of features of another encoder; if the models have no
        calibration of their own or `confidence` is not between 0 and 1; if a table of
        features is missing or cannot be read; if the table exists, is being written by
        another run or cannot be written as its suffix asks; or if something else is in
        the way of the folder for finished clips.
    """
    out = Path(out)
    if out.suffix.lower() not in WRITERS:
        raise PredictError(f"{out}: must end in one of {', '.join(WRITERS)}")
    _require_new(out)
    predictor = Predictor(params, study_folder, variant, confidence, tables)
    try:
        paths = find_clips(clips, predictor.table_suffixes)
        with _work_folder(out) as work:
            result = predictor.read(paths, work)
            _require_new(out)
            with atomic(out, work) as part:
                WRITERS[out.suffix.lower()](result, part)
            shutil.rmtree(work)
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
    params, study_folder, variant, confidence, tables
        As of :func:`predict`.
    keep : bool
        Whether encoders stay loaded, too, from one :meth:`read` to the next.

    Attributes
    ----------
    models : StudyModels
    calibration : Calibration
    confidence : float
    table_suffixes : tuple of str
        Of files that may stand for the recordings that they were made of; none if the
        models read no tables.

    Raises
    ------
    PredictError
        If the models are not there or do not belong together, or an argument is wrong.
    """

    def __init__(
        self,
        params: Params,
        study_folder: str | Path,
        variant: str = "multitask",
        confidence: float | None = None,
        tables: Mapping[str, str | Path] | None = None,
        keep: bool = False,
    ):
        level = params.evaluate.confidence if confidence is None else confidence
        if not 0 < level < 1:
            raise PredictError(f"confidence: {level} is not between 0 and 1")
        self.params, self.confidence, self._keep = params, level, keep
        folder = Path(study_folder, "fusion", variant)
        if variant not in params.variants and not folder.is_dir():
            raise PredictError(
                f"{variant}: no model of study {params.study}, which has "
                f"{', '.join(params.variants)}"
            )
        try:
            self.models = StudyModels(study_folder, folder, params.compute.device)
            self.calibration = read_calibration(folder, self.models.digests)
        except CheckpointError as error:
            raise PredictError(str(error)) from error
        self._measured = _measured(
            self.models, params, Path(study_folder), tables or {}
        )
        read = any(not isinstance(each, Heard) for each in self._measured.values())
        self.table_suffixes = SUFFIXES if read else ()

    def read(
        self,
        clips: Sequence[Path],
        work: Path,
        given: Mapping[str, object] | None = None,
    ) -> pd.DataFrame:
        """Predict recordings.

        Parameters
        ----------
        clips : sequence of Path
        work : Path
            The clip table and the features stay in it.
        given : mapping of str to object, optional
            Columns of the clip table to their values: ``start_seconds``,
            ``end_seconds``, ``transcript``.

        Returns
        -------
        DataFrame
            As :func:`predict` would write it.

        Raises
        ------
        PredictError
            If the features are not those that the models were trained on.
        """
        try:
            return self._table(clips, work, given or {})
        except (CheckpointError, CorpusError, FeatureError) as error:
            raise PredictError(str(error)) from error

    def _table(self, clips, work: Path, given: Mapping[str, object]) -> pd.DataFrame:
        table, unreadable = _clip_table(clips, self.table_suffixes)
        root = table.attrs["media_root"]
        for column, value in given.items():
            table[column] = value
        write_clips(table, work)
        features, models = work / "features", self.models
        # modalities that the models do not use are not extracted
        seen = PublishedCorpus(
            source="folder",
            path=NAME,
            modalities=list(models.unimodal),
            features=self._measured,
        )
        chosen = self.params.model_copy(update={"corpus": {NAME: seen}})
        extract_corpus(NAME, chosen, work, root, features, keep=self._keep)
        predicted = models.predict(table["clip_id"].tolist(), features)
        columns = _columns(
            predicted, models.thresholds, self.calibration, self.confidence
        )
        record = extraction_record(read_clips(work), features)
        result = _result(columns, record, features, self._measured)
        lost = [np.isnan(each).any(axis=(0, 2)) for each in predicted.values()]
        reason = ("nothing could be read: " + result["missing"]).where(
            result["missing"] != "", "the models gave no number"
        )
        result["failed"] = reason.where(np.any(lost, 0), "")
        for row, clip_id in enumerate(result["clip"]):
            if clip_id in unreadable:
                result.loc[row, "failed"] = unreadable[clip_id]
        result.attrs["promises"] = promises(self.calibration, self.confidence)
        return result


def _measured(
    models: StudyModels,
    params: Params,
    study_folder: Path,
    tables: Mapping[str, str | Path],
) -> dict[str, Features]:
    """What stands in the place of encoders, as in the training."""
    of_tables = {}
    for modality, checkpoint in models.unimodal.items():
        chosen = params.extract.encoder_of(modality)
        made_by, *_, revision = checkpoint.made_by or (chosen, "")
        if revision.endswith(SENTENCES):
            of_tables[modality] = "described"
        elif made_by in TABLE_TOOLS:
            of_tables[modality] = made_by
        elif made_by != chosen:
            raise PredictError(
                f"{study_folder / 'crosstask' / modality}: was trained on features of "
                f"{made_by}, but params.yaml chooses {chosen}"
            )
    for modality in tables.keys() - of_tables.keys():
        raise PredictError(
            f"{modality}: the models read no tables of it; those of other tools are "
            f"read of: {', '.join(of_tables) or 'no modality'}"
        )
    found = {}
    for modality, tool in of_tables.items():
        known = [each for each in params.features_of(modality) if each.tool == tool]
        heard = [each for each in known if isinstance(each, Heard)]
        if modality not in tables and heard:
            found[modality] = heard[0]
            continue
        if modality not in tables:
            raise PredictError(
                f"{modality}: the models read it from tables of {tool}; add --tables "
                f"{modality}=PATH with those of these clips"
            )
        read = [each for each in known if not isinstance(each, Heard)]
        if not read:
            raise PredictError(
                f"{modality}: params.yaml has no tables of {tool} in the study "
                f"{params.study}; write back those that it was trained on"
            )
        path = os.path.abspath(tables[modality])
        found[modality] = read[0].model_copy(update={"path": path, "sha256": None})
    return found


def find_clips(
    arguments: list[str], table_suffixes: tuple[str, ...] = ()
) -> list[Path]:
    """The files that files, folders and patterns stand for, each once, in order.

    A named file that does not exist is kept: it becomes a failed row, unless all that
    the models read of it is in tables. Of a folder without recordings the files that
    end in one of `table_suffixes` are taken.

    Raises
    ------
    PredictError
        If a folder holds no recording or a pattern matches nothing.
    """
    found: dict[str, Path] = {}
    for argument in arguments:
        path = Path(argument)
        if os.path.isdir(path):
            paths = [path / name for name in _recordings(path, table_suffixes)]
        elif os.path.lexists(path) or not glob.has_magic(argument):
            paths = [path]
        else:
            paths = [Path(name) for name in sorted(glob.glob(argument, recursive=True))]
        if not paths:
            raise PredictError(f"{argument}: no file has such a name")
        found |= {os.path.abspath(each): each for each in paths}
    return list(found.values())


def _recordings(folder: Path, table_suffixes: tuple[str, ...]) -> list[str]:
    try:
        return media_files(folder)
    except CorpusError as error:
        paths = folder.rglob("*")
        tables = [path for path in paths if path.suffix.lower() in table_suffixes]
        if not tables:
            raise PredictError(str(error)) from None
        return sorted(each.relative_to(folder).as_posix() for each in tables)


def _clip_table(
    paths: Sequence[Path], table_suffixes: tuple[str, ...] = ()
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Files as a corpus without labels, below the deepest folder that holds all.

    Beside it, why some of them cannot be opened, by clip id. They have no media then.
    Tables are called as the recordings that they were made of.
    """
    paths = [
        path.with_suffix("") if path.suffix.lower() in table_suffixes else path
        for path in paths
    ]
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


def _columns(
    predicted: dict[str, np.ndarray],
    thresholds: np.ndarray,
    calibration: Calibration,
    confidence: float,
) -> dict[str, np.ndarray | str | float]:
    """What the models say: column to its values."""
    columns: dict[str, np.ndarray | str | float] = {}
    means = {task: values.mean(axis=0) for task, values in predicted.items()}
    if "emotion" in means:
        columns["emotions"] = _present(means["emotion"], thresholds)
        columns |= dict(zip(EMOTION_COLUMNS, means["emotion"].T, strict=True))
        bounds = emotion_bounds(calibration, confidence)
        for name, each in zip(EMOTION_COLUMNS[1:], bounds, strict=True):
            columns[f"{name}_set"] = presence_sets(columns[name], each)
    if "personality" in means:
        widths = half_widths(calibration, confidence)
        widths[np.isinf(widths)] = np.nan
        for place, name in enumerate(TRAIT_COLUMNS):
            mean, width = means["personality"][:, place], widths[place]
            # Scores lie in 0..1, so nothing is lost outside.
            columns[name] = mean
            columns[f"{name}_low"] = np.clip(mean - width, 0, 1)
            columns[f"{name}_high"] = np.clip(mean + width, 0, 1)
    columns["confidence"] = confidence
    columns["calibrated_on"] = people_of(calibration)
    return columns


def _present(probabilities: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Names of the emotions that are present: (clip,)."""
    names, scored = np.array(SCORED_EMOTIONS), probabilities[:, 1:]
    decided = [", ".join(names[each >= thresholds]) or EMOTIONS[0] for each in scored]
    return np.where(np.isnan(scored).any(axis=1), "", decided)


def _result(
    columns: dict,
    record: pd.DataFrame,
    features: Path,
    measured: Mapping[str, Features],
) -> pd.DataFrame:
    """What the models say, beside what they were given."""
    result = record[["clip_id"]].rename(columns={"clip_id": "clip"}).assign(**columns)
    seen = pd.read_parquet(features / "regions.parquet", columns=["clip_id"])["clip_id"]
    people = record["people"].astype("Int64")
    result["people"] = people.where(record["clip_id"].isin(seen))
    for column in VISUAL_MODALITIES:
        result[column] = record.get(column)
    heard = set(FeatureStore.open(features, "audio").clip_ids)
    result["audio"] = ["recorded" if clip in heard else None for clip in result["clip"]]
    read = pd.read_parquet(features / "transcripts.parquet").set_index("clip_id")
    encoded = read.index.isin(FeatureStore.open(features, "text").clip_ids)
    result["text"] = result["clip"].map(read.loc[encoded, "source"])
    for modality, given in measured.items():
        if not isinstance(given, Heard):
            result[modality] = record.get(modality)
    result["transcript"] = record["transcript"]
    result["missing"] = record["missing"]
    return result
