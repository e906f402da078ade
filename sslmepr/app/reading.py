"""One recording read and explained; runs in the worker's process alone."""

import base64
from pathlib import Path

import pandas as pd
import torch

from sslmepr import params as parameters
from sslmepr.app import page
from sslmepr.app.explain import Explainer, training_average
from sslmepr.app.intake import AppError, check_file, check_recording, check_segment
from sslmepr.encoders.load import load_encoders
from sslmepr.predict import WRITERS, PredictError, Predictor

RECORDING = "recording"
"""Stands for the file, whose name nobody needs to see."""

MOST_WORDS = 300
"""Given as what is said: each is left out once, to see what it counts."""

STEPS = (
    "checking the recording",
    "reading faces, sound and words",
    "explaining the scores",
    "drawing the explanation",
)


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
        self.encoders = load_encoders(settings.extract, torch.device("cpu"))
        self.metrics = page.measured(
            self.project / "results" / settings.study, settings.roles.held_out
        )
        self._of: dict[str, tuple[Predictor, Explainer]] = {}
        self._models(variant)

    def _models(self, variant: str) -> tuple[Predictor, Explainer]:
        if variant not in self._of:
            try:
                predictor = Predictor(self.params, self.study_folder, variant)
            except PredictError as error:
                raise AppError(self._without_paths(str(error))) from None
            average = training_average(
                self.params, predictor.models, self.study_folder, self.project / "data"
            )
            explainer = Explainer(self.params, predictor.models, average, self.encoders)
            self._of[variant] = predictor, explainer
        return self._of[variant]

    def _without_paths(self, text: str) -> str:
        return text.replace(f"{self.project}/", "").replace(str(self.project), ".")

    def __call__(self, question: dict, tell) -> dict:
        """Answer one question.

        Parameters
        ----------
        question : dict
            path and folder (empty, to work in) of the recording; start and end in
            seconds or null; words, what is said, or empty; variant; wanted, outputs to
            explain in full; true, target to value where it is known.
        tell : callable
            Takes the number of a step, its name, and sections of the page or None.

        Returns
        -------
        dict
            sections : list of [id, HTML, whether it shows people]; files : dict of
            suffix to base64; transcript; incomplete, whether something is missing.

        Raises
        ------
        AppError
        """
        tell(1, STEPS[0], None)
        path, work, start, end = self._checked(question)
        tell(2, STEPS[1], None)
        predictor, explainer = self._models(question["variant"])
        table = self._predict(predictor, path, work, (start, end), question["words"])
        row = table.iloc[0]
        if row["failed"]:
            raise AppError(
                "Nothing in this recording could be read: "
                f"{self._without_paths(row['missing'])}."
            )
        scores = page.score_table(
            row, predictor.models, explainer.average, question.get("true") or {}
        )
        certain = table.attrs["promises"]
        sections = page.first_sections(
            row, scores, self.metrics, question["variant"], certain
        )
        tell(3, STEPS[2], list(sections))
        seen = page.Seen.read(path, work, self.params.extract.frames, start, end)
        explanation = explainer.explain(path, work, question["wanted"])
        tell(4, STEPS[3], None)
        known = explainer.average is not None
        sections += page.seen_sections(row, seen)
        sections += page.explanation_sections(explanation, known)
        sections += page.provenance_sections(
            self.params, question["variant"], predictor.models
        )
        return {
            "sections": sections,
            "files": _files(table, explanation, work),
            "transcript": row["transcript"] if pd.notna(row["transcript"]) else "",
            "incomplete": bool(row["missing"]),
        }

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
        path, work, *segment = self._checked(question)
        predictor, _ = self._models(question["variant"])
        return self._predict(predictor, path, work, segment, question["words"])

    def _checked(self, question: dict) -> tuple[Path, Path, float | None, float | None]:
        """Recording, folder and segment of a question, refused if they cannot be."""
        path = Path(question["path"])
        check_file(path)
        start, end = check_segment(question["start"], question["end"])
        check_recording(path, start, end)
        if len(question["words"].split()) > MOST_WORDS:
            raise AppError(f"At most {MOST_WORDS} words can be given: shorten them.")
        return path, Path(question["folder"]), start, end

    def _predict(self, predictor: Predictor, path: Path, work: Path, segment, words):
        given = dict(zip(("start_seconds", "end_seconds"), segment, strict=True))
        given["transcript"] = words.strip() or None
        given = {name: value for name, value in given.items() if value is not None}
        try:
            table = predictor.read([path], work, given)
        except PredictError as error:
            raise AppError(self._without_paths(str(error))) from None
        for column in ("missing", "failed"):  # reasons may quote the path
            for place in (str(path), path.name):
                table[column] = table[column].str.replace(place, RECORDING)
        return table.assign(clip=RECORDING)


def _files(table: pd.DataFrame, explanation, work: Path) -> dict[str, str]:
    """Downloads: the row in every format of `sslmepr predict`, and attributions."""
    files = {}
    for suffix, write in WRITERS.items():
        target = work / f"scores{suffix}"
        write(table, target)
        files[target.name] = base64.b64encode(target.read_bytes()).decode()
    target = work / "attributions.csv"
    WRITERS[".csv"](explanation.contributions.drop(columns="clip_id"), target)
    files[target.name] = base64.b64encode(target.read_bytes()).decode()
    return files
