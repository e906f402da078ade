"""Models that read the face from tables of OpenFace, in the app."""

import base64
import io
import re

import numpy as np
import pandas as pd
import pytest
from app_models import AUS, ENCODERS, OPENFACE, draw_models

from sslmepr.app import reading
from sslmepr.app.intake import AppError, tables_needed
from sslmepr.app.reading import Reader
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS
from sslmepr.predict import predict


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


def test_a_recording_is_read_with_its_table(reader, measured, clips, table, tmp_path):
    asked = question(clips / "é 1.mp4", tmp_path / "work", tables={"face": str(table)})
    answer = reader(asked, lambda *_: None)
    content = base64.b64decode(answer["files"]["scores.parquet"])
    found = pd.read_parquet(io.BytesIO(content)).drop(columns="clip")
    command = [measured, [str(clips / "é 1.mp4")], tmp_path / "x.parquet"]
    folder = reader.project / "runs" / "real"
    expected = predict(*command, folder, tables={"face": table}).drop(columns="clip")
    # The words are given here and heard there, which text alone depends on.
    same = ["face", "audio", "people", "failed"]
    pd.testing.assert_frame_equal(found[same], expected[same])
    assert found["face"].tolist() == ["openface 6 of 6 rows"]
    assert found[[*EMOTION_COLUMNS, *TRAIT_COLUMNS]].notna().all(axis=None)
    page = "".join(part for _, part, _ in answer["sections"])
    assert "AU12" in page and "Features that count most" in page
    assert "There are no windows where a modality comes from a table" in page
    assert "Regions of the picture" not in page  # the models see none
    assert str(tmp_path) not in page


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
