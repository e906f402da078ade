import hashlib

import pandas as pd
import pytest

from sslmepr.params.corpora import PublishedCorpus
from sslmepr.report import provenance as module
from sslmepr.report.provenance import (
    extraction_record,
    file_hashes,
    machine,
    provenance,
)


def test_hashes_of_the_files_in_a_folder(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"a,b\n")
    (tmp_path / "media" / "b").mkdir(parents=True)
    (tmp_path / "media" / "a.mp4").write_bytes(b"123")
    (tmp_path / "media" / "b" / "c.mp4").write_bytes(b"")
    found = file_hashes(tmp_path)
    expected = hashlib.sha256(b"a,b\n").hexdigest()[:16]
    listed = hashlib.sha256(b"a.mp4 3\nb/c.mp4 0\n").hexdigest()[:16]
    assert found == {"x.csv": expected, "media/": listed}


def test_a_union_is_described_by_the_files_of_its_parts(tmp_path, settings):
    settings = settings.for_study("real")
    for folder in ("meld", "ravdess/Actor_01", "fiv2", "people"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "meld" / "train_sent_emo.csv").write_bytes(b"x")
    people = PublishedCorpus(source="folder", path="people")
    settings = settings.model_copy(
        update={
            "data_root": str(tmp_path),
            "corpus": settings.corpus | {"people": people},
        }
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SSLMEPR_DATA", raising=False)
        data = provenance(settings, tmp_path)["data (sha256)"]
    digest = hashlib.sha256(b"x").hexdigest()[:16]
    empty = hashlib.sha256(b"").hexdigest()[:16]
    assert data == {
        "meld": {"train_sent_emo.csv": digest},
        "ravdess": {"Actor_01/": empty},
        "fiv2": {},
        "people": {},
    }


def test_an_optional_corpus_that_is_not_there_is_none(tmp_path, settings, monkeypatch):
    monkeypatch.setenv("SSLMEPR_DATA", str(tmp_path))
    people = PublishedCorpus(source="folder", path="people", optional=True)
    roles = dict.fromkeys(("emotion", "personality", "held_out"), "people")
    settings = settings.model_copy(
        update={
            "roles": settings.roles.model_copy(update=roles),
            "corpus": {"people": people},
        }
    )
    assert provenance(settings, tmp_path)["data (sha256)"] == {"people": None}


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        file_hashes(tmp_path / "absent")


def test_record_counts_how_regions_were_found_and_what_is_missing(tmp_path):
    pd.DataFrame(
        {
            "clip_id": ["a"] * 4,
            "frame": [0, 1, 0, 1],
            "modality": ["face", "face", "scene", "scene"],
            "provenance": ["detected", "full_frame", "full_frame", "full_frame"],
            "faces": [2, 0, 2, 0],
        }
    ).to_parquet(tmp_path / "regions.parquet")
    pd.DataFrame({"clip_id": ["a"], "transcript": ["Hello."]}).to_parquet(
        tmp_path / "transcripts.parquet"
    )
    (tmp_path / "missing.csv").write_text(
        "clip_id,modality,reason\nb,face,no\nb,audio,silent\nb,body,no\n"
    )
    record = extraction_record(pd.DataFrame({"clip_id": ["a", "b"]}), tmp_path)
    first, second = record.to_dict("records")
    assert (first["frames"], first["people"]) == (2, 2)
    assert first["face"] == "detected 1, full_frame 1"
    assert first["scene"] == "full_frame 2"
    assert (first["transcript"], first["missing"]) == ("Hello.", "")
    assert (second["frames"], second["missing"]) == (0, "face, body: no; audio: silent")


def test_the_machine_is_that_of_numpy_whatever_else_was_imported(monkeypatch):
    def library(path, **more):
        return {"user_api": "blas", "internal_api": "openblas", "filepath": path} | more

    own = library("site-packages/numpy.libs/blas.so", architecture="Zen")
    other = library("site-packages/scipy.libs/blas.so", architecture="Haswell")
    threads = {"user_api": "openmp", "internal_api": "openmp", "filepath": "numpy"}
    for loaded, expected in (
        ([own, other, threads], "openblas Zen"),
        ([own], "openblas Zen"),
        ([library("lib/libmkl_rt.so", internal_api="mkl")], "mkl"),
        ([threads], "unknown"),
    ):
        monkeypatch.setattr(module, "threadpool_info", lambda found=loaded: found)
        found = machine()
        assert found["blas"] == expected and found["processor"] and found["torch"]
    assert list(found) == ["processor", "blas", "torch"]


def test_reasons_of_clips_that_are_called_by_numbers_are_found(tmp_path):
    regions = ["clip_id", "frame", "modality", "provenance"]
    pd.DataFrame(columns=regions).to_parquet(tmp_path / "regions.parquet")
    transcripts = pd.DataFrame({"clip_id": ["1"], "transcript": ["Hi there"]})
    transcripts.to_parquet(tmp_path / "transcripts.parquet")
    (tmp_path / "missing.csv").write_text(
        "clip_id,modality,reason\n2,audio,gone\nNA,text,None\n002,face,no\n"
    )
    record = extraction_record(
        pd.DataFrame({"clip_id": ["1", "2", "NA", "002"]}), tmp_path
    )
    assert record["missing"].tolist() == ["", "audio: gone", "text: None", "face: no"]


def test_the_record_of_no_clip_has_its_header(tmp_path):
    columns = ["clip_id", "frame", "modality", "provenance"]
    pd.DataFrame(columns=columns).to_parquet(tmp_path / "regions.parquet")
    pd.DataFrame(columns=["clip_id", "transcript"]).to_parquet(
        tmp_path / "transcripts.parquet"
    )
    (tmp_path / "missing.csv").write_text("clip_id,modality,reason\n")
    record = extraction_record(pd.DataFrame({"clip_id": []}), tmp_path)
    record.to_csv(tmp_path / "record.csv", index=False)
    assert list(pd.read_csv(tmp_path / "record.csv")) == [
        *("clip_id", "frames", "transcript", "missing")
    ]
