"""One recording read and explained; runs in the worker's process alone."""

import base64
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sslmepr import params as parameters
from sslmepr.app import certainty
from sslmepr.app.compare import comparable, comparison
from sslmepr.app.elements import Section
from sslmepr.app.explain import Explainer, training_average
from sslmepr.app.explained import (
    detail_sections,
    explanation_sections,
    provenance_section,
)
from sslmepr.app.intake import (
    RECORDING,
    AppError,
    check_file,
    check_recording,
    check_segment,
    tables_needed,
)
from sslmepr.app.scores import score_sections, score_table
from sslmepr.app.seen import Seen, seen_sections
from sslmepr.app.several import joined, packed
from sslmepr.app.timeline import FAILED, MEASURED, Timeline, read_windows, unread
from sslmepr.extraction.chunks import tools
from sslmepr.extraction.corpus import ExtractionError
from sslmepr.labels import SCORED_EMOTIONS
from sslmepr.predict import WRITERS, PredictError, Predictor
from sslmepr.report.words import pretty
from sslmepr.training.checkpoints import CheckpointError
from sslmepr.training.new_clips import StudyModels
from sslmepr.weights import WeightsError

MOST_WORDS = 300
"""Given as what is said: each is left out once, to see what it counts."""

MOST_VARIANTS = 2
"""Whose models stay loaded, which takes memory."""

STEPS = (
    "checking the recording",
    "reading faces, sound and words",
    "explaining the scores by modality",
    "reading it window by window",
    "explaining them by words, regions and moments",
)
WINDOWS = STEPS[3]
"""Only if it is asked for."""

WINDOWS_SHARE = 2 / 3
"""Of the time that an analysis may take: no window is begun later, so that what comes
after them has time, too."""


class Loaded(NamedTuple):
    """What is kept of the models of a variant.

    There is no predictor where every recording comes with tables of its own.
    """

    predictor: Predictor | None
    explainer: Explainer
    nearness: certainty.Nearness
    errors: pd.DataFrame | None
    models: StudyModels


class Checked(NamedTuple):
    """A recording that can be read: its segment may be open, its length is not."""

    path: Path
    work: Path
    start: float | None
    end: float | None
    seconds: float
    tables: Mapping[str, str]


class Reader:
    """Reads recordings with the models of a study, which stay loaded.

    Parameters
    ----------
    project : Path
        The repository's folder, with ``params.yaml``, ``runs`` and perhaps ``data``.
    variant : str
        Whose models are loaded at once.

    Raises
    ------
    AppError
        If its models are not there or do not belong together.
    """

    def __init__(self, project: Path, variant: str):
        self.project = Path(project)
        settings = parameters.load(self.project / "params.yaml")
        compute = settings.compute.model_copy(update={"workers": 1, "engine": "local"})
        self.params = settings.model_copy(update={"compute": compute})
        self.study_folder = self.project / "runs" / settings.study
        # those that extraction keeps, so that nothing is loaded twice
        self.encoders = tools(settings.extract, compute.device).encoders
        self.results_folder = self.project / "results" / settings.study
        self.metrics = certainty.measured(self.results_folder, settings.roles.held_out)
        self._of: dict[str, Loaded] = {}
        self._models(variant)

    def _models(self, variant: str) -> Loaded:
        if variant in self._of:
            self._of[variant] = self._of.pop(variant)  # the last one used
        else:
            while len(self._of) >= MOST_VARIANTS:
                del self._of[next(iter(self._of))]
            settings, data = self.params, self.project / "data"
            predictor = None
            if tables_needed(settings):
                folder = self.study_folder / "fusion" / variant
                try:
                    device = settings.compute.device
                    models = StudyModels(self.study_folder, folder, device)
                except CheckpointError as error:
                    raise AppError(self._without_paths(str(error))) from None
            else:
                predictor = self._predictor(variant, {})
                models = predictor.models
            average = training_average(settings, models, self.study_folder, data)
            self._of[variant] = Loaded(
                predictor,
                Explainer(settings, models, average, self.encoders),
                certainty.Nearness.read(settings, models, data),
                certainty.usual_errors(
                    self.study_folder, variant, settings.roles.held_out
                ),
                models,
            )
        return self._of[variant]

    def _predictor_for(self, variant: str, checked: Checked) -> Predictor:
        kept = self._models(variant).predictor
        return kept or self._predictor(variant, checked.tables)

    def _predictor(self, variant: str, tables: Mapping[str, str]) -> Predictor:
        settings, folder = self.params, self.study_folder
        try:
            return Predictor(settings, folder, variant, tables=tables, keep=True)
        except PredictError as error:
            raise AppError(self._without_paths(str(error))) from None

    def _without_paths(self, text: str) -> str:
        return text.replace(f"{self.project}/", "").replace(str(self.project), ".")

    def __call__(self, question: dict, tell) -> dict:
        """Answer one question.

        Parameters
        ----------
        question : dict
            path and folder (empty, to work in) of the recording; start and end in
            seconds or null; words, what is said, or empty; variant; wanted, outputs to
            explain in full; true, target to value where it is known; timeline, whether
            it is read window by window, too; kept, what
            `sslmepr.app.compare.comparable` said of another recording, or null;
            tables, modality to the table of it that another tool made. With ``task``,
            something else: ``row``, one of several recordings; ``joined``, the rows of
            several. most_seconds, that the answer may take; none if it is not given.
        tell : callable
            Takes the number of a step, the names of all, and the answer so far, which
            is whole as far as it goes, or None.

        Returns
        -------
        dict
            sections : list of [id, HTML, whether it shows people]; files : dict of
            name to base64; transcript; incomplete, whether something is missing;
            comparable. Of a ``row``: row, a packed table.

        Raises
        ------
        AppError
        """
        task = question.get("task")
        try:
            if task == "row":
                return {"row": packed(self.table(question))}
            if task == "joined":
                return joined(question["rows"], Path(question["folder"]))
            return self._analysis(question, tell)
        except WeightsError:
            raise AppError(
                "The weights of an encoder are not on this machine: run `sslmepr "
                "predict` on any recording, which fetches them or says how."
            ) from None

    def _analysis(self, question: dict, tell) -> dict:
        loaded = self._models(question["variant"])
        in_time = question["timeline"] and "emotion" in loaded.models.tasks
        windows = in_time and not tables_needed(self.params)
        names = [name for name in STEPS if windows or name != WINDOWS]
        until = time.monotonic()
        until += WINDOWS_SHARE * question.get("most_seconds", math.inf)
        begin = _Steps(tell, names)
        begin()
        checked = self._checked(question)
        begin()
        predictor = self._predictor_for(question["variant"], checked)
        table = self._predict(predictor, checked, question["words"])
        row = table.iloc[0]
        self._require_read(row)
        now, sections = self._first(question, loaded, table, checked.work)
        files = _scores(table, checked.work)

        def so_far() -> dict:
            last = provenance_section(
                self.params, question["variant"], loaded.models, begin.seconds()
            )
            return {
                "sections": [*sections, last],
                "files": dict(files),
                "transcript": row["transcript"] if pd.notna(row["transcript"]) else "",
                "incomplete": bool(row["missing"]),
                "comparable": now,
            }

        begin(so_far)
        frames = self.params.extract.frames
        seen = Seen.read(checked.path, checked.work, frames, checked.start, checked.end)
        explanation = loaded.explainer.explain(checked.work, question["wanted"])
        known = loaded.explainer.average is not None
        sections += seen_sections(row, seen)
        sections += explanation_sections(explanation, known)
        attributions = explanation.contributions.drop(columns="clip_id")
        _write(attributions, checked.work / "attributions.csv", files)
        if windows:
            begin(so_far)
            sections.append(self._in_time(predictor, checked, row, seen, files, until))
        elif in_time:
            sections.append(unread(MEASURED))
        begin(so_far)
        details = loaded.explainer.detail(checked.path, checked.work, explanation.told)
        sections += detail_sections(explanation, details, known)
        return so_far()

    def _first(
        self, question: dict, loaded: Loaded, table: pd.DataFrame, work: Path
    ) -> tuple[dict, list[Section]]:
        """What is kept for a comparison; scores and how sure they are."""
        row, models = table.iloc[0], loaded.models
        scores = score_table(
            row,
            models,
            loaded.explainer.average,
            loaded.errors,
            question.get("true") or {},
        )
        now = comparable(row, scores, question["variant"])
        metrics = self.metrics
        if metrics is not None:
            metrics = metrics[metrics["variant"] == question["variant"]]
        sure = certainty.Certainty(
            table.attrs["promises"],
            metrics,
            loaded.errors,
            loaded.nearness.table(work / "features"),
            certainty.ceilings(self.results_folder),
        )
        sections = score_sections(row, scores)
        if question.get("kept"):
            compared = comparison(question["kept"], now, scores, loaded.errors)
            sections.append(compared)
        return now, [*sections, sure.section()]

    def _in_time(self, predictor, checked: Checked, row, seen, files, until) -> Section:
        """The section of the windows, whose table is put into the downloads."""
        try:
            course = self._timeline(predictor, checked, row, seen, until)
        except ExtractionError:  # the result of the whole stands
            return unread(FAILED)
        if len(course.windows):
            _write(course.windows, checked.work / "windows.csv", files)
        return course.section()

    def _timeline(
        self, predictor: Predictor, checked: Checked, row: pd.Series, seen: Seen, until
    ) -> Timeline:
        work = checked.work / "windows"
        work.mkdir()
        models = predictor.models
        windows = read_windows(
            predictor, checked.path, work, checked.start or 0.0, checked.seconds, until
        )
        if len(windows):
            windows = _nameless(windows, checked.path)
        return Timeline(
            checked.seconds,
            windows,
            row,
            list(models.widths),
            dict(zip(SCORED_EMOTIONS, models.thresholds.tolist(), strict=True)),
            seen.waveform,
        )

    def table(self, question: dict) -> pd.DataFrame:
        """The row of `sslmepr.predict.predict`, without an explanation.

        Parameters
        ----------
        question : dict
            As of a call.

        Raises
        ------
        AppError
        """
        checked = self._checked(question)
        predictor = self._predictor_for(question["variant"], checked)
        return self._predict(predictor, checked, question["words"])

    def _checked(self, question: dict) -> Checked:
        """The recording of a question, refused if it cannot be read."""
        path = Path(question["path"])
        check_file(path)
        start, end = check_segment(question["start"], question["end"])
        seconds = check_recording(path, start, end)
        if len(question["words"].split()) > MOST_WORDS:
            raise AppError(f"At most {MOST_WORDS} words can be given: shorten them.")
        tables = question.get("tables") or {}
        return Checked(path, Path(question["folder"]), start, end, seconds, tables)

    def _predict(
        self, predictor: Predictor, checked: Checked, words: str
    ) -> pd.DataFrame:
        given = {"start_seconds": checked.start, "end_seconds": checked.end}
        given["transcript"] = words.strip() or None
        given = {name: value for name, value in given.items() if value is not None}
        try:
            table = predictor.read([checked.path], checked.work, given)
        except PredictError as error:
            said = self._without_paths(str(error))
            for modality, place in checked.tables.items():  # not as it was uploaded
                said = said.replace(place, f"The table of {pretty(modality).lower()}")
            said = said.replace(f"{checked.path.parent}/", "")
            raise AppError(f"{said}.") from None
        return _nameless(table, checked.path)

    def _require_read(self, row: pd.Series) -> None:
        if row["failed"]:
            raise AppError(
                "Nothing in this recording could be read: "
                f"{self._without_paths(row['missing'])}. Choose a recording in which "
                "somebody is seen or heard."
            )


class _Steps:
    """Tells of every step, and of what is to be shown meanwhile; and times them."""

    def __init__(self, tell, names: Sequence[str]):
        self._tell, self._names = tell, names
        self._begun: list[float] = []

    def __call__(self, found: Callable[[], dict] | None = None) -> None:
        answer = found and found()
        self._begun.append(time.perf_counter())
        self._tell(len(self._begun), self._names, answer)

    def seconds(self) -> dict[str, float]:
        """Step to how long it took, up to now."""
        ends = [*self._begun[1:], time.perf_counter()]
        return {
            name: end - begin
            for name, begin, end in zip(self._names, self._begun, ends, strict=False)
        }


def _nameless(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """A table of predictions whose reasons do not quote the path."""
    table, attrs = table.copy(), table.attrs
    for column in ("missing", "failed"):
        for place in (*table["clip"].unique(), str(path), path.name):
            table[column] = table[column].str.replace(place, RECORDING)
    table = table.assign(clip=RECORDING)
    table.attrs = attrs
    return table


def _scores(table: pd.DataFrame, work: Path) -> dict[str, str]:
    """Downloads: the row in every format of `sslmepr predict`."""
    files: dict[str, str] = {}
    for suffix in WRITERS:
        _write(table, work / f"scores{suffix}", files)
    return files


def _write(table: pd.DataFrame, target: Path, files: dict[str, str]) -> None:
    """Put a table into the downloads, as `sslmepr predict` would write it."""
    WRITERS[target.suffix](table, target)
    files[target.name] = base64.b64encode(target.read_bytes()).decode()
