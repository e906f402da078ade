import base64
import io

import numpy as np
import pandas as pd

from sslmepr.app.several import joined, packed, unpacked
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS


def row(value, **changes):
    """As of `predict`, as far as it matters here."""
    table = pd.DataFrame({"clip": ["recording"], "emotions": ["anger, fear"]})
    for column in EMOTION_COLUMNS:
        table[column] = value
    for column in TRAIT_COLUMNS:
        for end, moved in (("", 0.0), ("_low", -0.1), ("_high", 0.1)):
            table[column + end] = value + moved
    known = {"audio": None, "transcript": "so", "missing": "", "failed": ""}
    return packed(table.assign(**(known | changes)))


def test_a_packed_table_loses_nothing():
    table = pd.DataFrame({"a": [1 / 3, np.nan], "b": ["é", None], "c": [None, None]})
    pd.testing.assert_frame_equal(unpacked(packed(table)), table)


def test_rows_become_the_table_of_predict(tmp_path):
    rows = [
        {"name": "<b>one</b>.mp4", "row": row(1 / 3)},
        {"name": "=two.mp4", "failed": "This is not a recording."},
        {"name": "three.mp4", "row": row(0.5, missing="audio: no audio stream")},
    ]
    answer = joined(rows, tmp_path)
    assert set(answer["files"]) == {"scores.csv", "scores.json", "scores.parquet"}
    content = base64.b64decode(answer["files"]["scores.parquet"])
    table = pd.read_parquet(io.BytesIO(content))
    assert table["clip"].tolist() == ["<b>one</b>.mp4", "=two.mp4", "three.mp4"]
    assert table.columns.tolist() == unpacked(row(0)).columns.tolist()
    assert table["emotion_anger"].tolist()[0] == 1 / 3
    assert table[[*EMOTION_COLUMNS, *TRAIT_COLUMNS]].iloc[1].isna().all()
    assert table["failed"].tolist() == ["", "This is not a recording.", ""]
    text = base64.b64decode(answer["files"]["scores.csv"]).decode()
    assert "\r\n'=two.mp4" in text  # no formula
    ((_, page, people),) = answer["sections"]
    assert "3 recordings, 1 of them without a prediction" in page and not people
    assert "&lt;b&gt;one" in page and "<b>one" not in page
    assert "no: This is not a recording." in page
    assert "without audio: no audio stream" in page
    assert '0.33 <span class="interval">[0.23, 0.43]' in page
    assert answer["incomplete"] and answer["comparable"] is None


def test_nothing_may_be_readable(tmp_path):
    answer = joined([{"name": "a", "failed": "No."}], tmp_path)
    assert "1 recordings, 1 of them" in answer["sections"][0][1]
    assert base64.b64decode(answer["files"]["scores.csv"]).decode().count("\r\n") == 2
