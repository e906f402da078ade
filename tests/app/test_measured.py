"""Models that read the face from tables of OpenFace, in the app."""

import base64
import io
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from app_models import AUS, ENCODERS, OPENFACE, draw_models

gr = pytest.importorskip("gradio", reason="the app needs Gradio (extra `app`)")

from sslmepr.app import reading  # noqa: E402
from sslmepr.app.desk import Desk  # noqa: E402
from sslmepr.app.intake import AppError, tables_needed  # noqa: E402
from sslmepr.app.interface import ONE_BY_ONE, SEVERAL, VIDEO, _Page  # noqa: E402
from sslmepr.app.reading import Reader  # noqa: E402
from sslmepr.app.worker import Event  # noqa: E402
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS  # noqa: E402
from sslmepr.predict import predict  # noqa: E402


@pytest.fixture(scope="module")
def measured(settings):
    """Parameters of a study whose faces OpenFace has measured."""
    tree = settings.model_dump()
    face = {"tool": "openface", "path": "of", "version": "2.2.0"}
    corpus = {"source": "table", "path": ".", "table": "x.csv"}
    tree["corpus"]["mine"] = corpus | {"features": {"face": face}}
    tree["roles"] = dict.fromkeys(tree["roles"], "mine")
    tree |= {"corpora": ["mine"], "modalities": [*ENCODERS], "variants": ["multitask"]}
    tree |= {"replicates": {}, "study": "real"}
    tree["compute"] |= {"workers": 1, "device": "cpu"}
    tree["extract"]["frames"], tree["attention"]["steps"] = 2, 4
    return type(settings).model_validate(tree)


@pytest.fixture(scope="module")
def reader(measured, tmp_path_factory):
    folder = tmp_path_factory.mktemp("measured")
    draw_models(folder / "runs" / "real", ENCODERS | {"face": OPENFACE})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading.parameters, "load", lambda _: measured)
        yield Reader(folder, "multitask")


@pytest.fixture
def table(tmp_path):
    """As OpenFace writes it, called as the recording is."""
    frame = pd.DataFrame(np.linspace(0, 1, 18).reshape(6, 3), columns=list(AUS))
    frame.insert(0, "frame", range(1, 7))
    frame.insert(1, "timestamp", np.arange(6) / 10)
    frame.insert(2, "confidence", 0.95)
    frame.insert(3, "success", 1)
    path = tmp_path / "é 1.csv"
    frame.to_csv(path, index=False)
    return path


def question(path, folder, **changes):
    given = {"path": str(path), "folder": str(folder), "start": "", "end": ""}
    given |= {"words": "I said so", "variant": "multitask", "wanted": []}
    return given | {"timeline": True, "kept": None} | changes


def test_the_studies_whose_tables_are_needed(settings, measured):
    assert tables_needed(settings) == {}
    assert tables_needed(measured) == {"face": "openface"}


class Here:
    """A worker in this process."""

    most_seconds = 600.0

    def __init__(self, answer):
        self.answer = answer

    def ask(self, question):
        yield Event("done", self.answer(question, lambda *_: None), 1.0)


def _opened(reader, params, folder):
    """The page of an app whose models these are."""
    for name in ("uploads", "tmp"):
        (folder / name).mkdir(parents=True)
    desk = Desk(reader.project, params, ["multitask"], folder)
    desk.worker = Here(reader)
    with gr.Blocks():
        return _Page(desk)


def test_the_page_says_why_several_recordings_are_not_offered(
    reader, measured, tmp_path
):
    page = _opened(reader, measured, tmp_path)
    assert SEVERAL not in [value for _, value in page.source.choices]
    assert page.source.info == ONE_BY_ONE


def test_a_recording_is_read_with_its_table(
    reader, measured, clips, table, tmp_path, undrawn
):
    recording = clips / "é 1.mp4"
    page = _opened(reader, measured, tmp_path / "app")
    uploads = [page.desk.uploads / each.name / each.name for each in (recording, table)]
    for source, place in zip((recording, table), uploads, strict=True):
        place.parent.mkdir()
        place.write_bytes(source.read_bytes())
    given = {"source": VIDEO, "example": None, "video": str(uploads[0]), "sound": None}
    given |= {"several": None, "start": "", "end": "", "words": "", "consent": True}
    given |= {"variant": "multitask", "wanted": [], "timeline": True}
    request = SimpleNamespace(session_hash="page")
    *_, last = page._ask(*given.values(), request, str(uploads[1]))
    assert last[0].startswith("<p>Done in ")
    answer = page.desk.session("page").result
    content = base64.b64decode(answer["files"]["scores.parquet"])
    found = pd.read_parquet(io.BytesIO(content)).drop(columns="clip")
    command = [measured, [str(recording)], tmp_path / "x.parquet"]
    folder = reader.project / "runs" / "real"
    expected = predict(*command, folder, tables={"face": table}).drop(columns="clip")
    pd.testing.assert_frame_equal(found, expected)  # to the last digit
    assert found["face"].tolist() == ["openface 6 of 6 rows"]
    assert found[[*EMOTION_COLUMNS, *TRAIT_COLUMNS]].notna().all(axis=None)
    shown = "".join(part for _, part, _ in answer["sections"])
    assert "AU12" in shown and "Features that count most" in shown
    assert "There are no windows where a modality comes from a table" in shown
    assert "Regions of the picture" not in shown  # the models see none
    assert str(tmp_path) not in shown


def test_what_is_wrong_with_a_table_is_told_without_a_path(
    reader, clips, table, tmp_path
):
    other = tmp_path / "other.csv"
    table.rename(other)
    asked = question(clips / "é 1.mp4", tmp_path / "work", tables={"face": str(other)})
    with pytest.raises(AppError, match="none of its 1 ids is that of a clip") as caught:
        reader(asked, lambda *_: None)
    assert str(tmp_path) not in re.sub(r"\s", "", str(caught.value))
    with pytest.raises(AppError, match="face: the models read it from tables"):
        reader(question(clips / "é 1.mp4", tmp_path / "none"), lambda *_: None)
