import numpy as np
import pandas as pd
import pytest

from sslmepr.features import FeatureStore, write_store
from sslmepr.report.extraction import (
    extraction_findings,
    reasons,
    recording_quality,
)


def store(folder, modality, sequences, encoder):
    write_store(folder, modality, sequences, encoder, "r", feature_count=5)
    return FeatureStore.open(folder, modality)


def test_percentiles_are_those_of_the_means_of_clips(tmp_path):
    rng = np.random.default_rng(0)
    sequences = [(f"c{i}", rng.normal(size=(1 + i % 3, 5))) for i in range(30)]
    found = recording_quality(
        {"audio": store(tmp_path, "audio", sequences, "whisper_tiny_en")}
    ).set_index("measure")
    means = np.array([values.mean(0) for _, values in sequences])
    for place, name in enumerate(["noise_floor", "range", "flatness"], start=2):
        expected = np.quantile(means[:, place], [0.1, 0.5, 0.9])
        row = found.loc[name, ["low", "median", "high"]].astype(float)
        assert row.to_list() == pytest.approx(expected, abs=2e-3)  # halves of floats
    assert (found["n"] == 30).all()


def test_tables_of_other_tools_have_their_certainty(tmp_path):
    sequences = [("a", np.full((2, 5), 0.5)), ("b", np.full((1, 5), 1.0))]
    (row,) = recording_quality(
        {"face": store(tmp_path, "face", sequences, "openface")}
    ).to_dict("records")
    expected = {"low": 0.55, "median": 0.75, "high": 0.95, "n": 2}
    assert row == {"modality": "face", "measure": "certainty"} | {
        key: pytest.approx(value) for key, value in expected.items()
    }


def test_unknown_encoders_and_empty_stores_have_no_rows(tmp_path):
    sequences = [("c", np.ones((2, 5)))]
    other = store(tmp_path / "a", "face", sequences, "another")
    empty = store(tmp_path / "b", "text", [], "minilm_l6")
    found = recording_quality({"face": other, "text": empty})
    assert found.empty and "measure" in found


@pytest.mark.parametrize("count, said", [(0, ","), (1, ", 1 of them without media,")])
def test_the_rarest_modality_is_named(count, said):
    present = {"face": 7, "audio": 9, "text": 3}
    counts = {
        name: {"present": number, "missing": 0}
        | {"without_media": 0 if name == "text" else count}
        for name, number in present.items()
    }
    told = {"clips": 10, "modalities": counts, "unexpected_errors": 0}
    *_, last = extraction_findings({"emotion": told}).sentences
    assert last == (
        f"**Rated for emotions**: of 10 clips{said} 3 (text) to 9 have a modality; 0 "
        "errors were unexpected."
    )


def test_what_was_read_is_counted_over_corpora_and_modalities():
    def told(face, text, errors):
        counts = {"face": face, "text": text}
        named = {n: {"present": p, "missing": m} for n, (p, m) in counts.items()}
        parts = {n: each | {"without_media": 0} for n, each in named.items()}
        return {"clips": 10, "modalities": parts, "unexpected_errors": errors}

    corpora = {"a": told((7, 3), (9, 1), 1), "b": told((4, 2), (10, 0), 2)}
    answer, sure, unsaid, *each = extraction_findings(corpora).sentences
    assert answer == (
        "**83.3 % of what clips show, sound or say was turned into features**: 30 of "
        "36 modalities of clips; most often lost is face (5)."
    )
    assert sure.startswith("**How sure.** 3 errors were unexpected.")
    assert unsaid.startswith("**What it does not say.**") and len(each) == 2
    (answer, *_) = extraction_findings({"a": told((7, 0), (9, 0), 0)}).sentences
    assert answer.endswith("16 of 16 modalities of clips.")


def test_reasons_that_differ_in_place_alone_are_one():
    said = [
        "openface found nothing in a.csv, line 3",
        "openface found nothing in b, c.csv, lines 2 to 7",
        "no clip has this id; it is in t.parquet, row 9",
        "no clip has this id; it is in t.parquet, rows 3 and 4",
        "no rows in faces.csv",
        "no transcript, and there is no media",
    ]
    missing = pd.DataFrame({"corpus": "x", "modality": "face", "reason": said})
    assert reasons(missing)[["reason", "clips"]].to_numpy().tolist() == [
        ["openface found nothing", 2],
        ["no clip has this id", 2],
        ["no rows", 1],
        ["no transcript, and there is no media", 1],
    ]
