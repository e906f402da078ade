import hashlib

import pandas as pd
import pytest

from sslmepr.analysis.recorded import extraction_record, file_hashes, provenance
from sslmepr.params import PublishedCorpus


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
    assert first["frames"] == 2
    assert first["face"] == "detected 1, full_frame 1"
    assert first["scene"] == "full_frame 2"
    assert (first["transcript"], first["missing"]) == ("Hello.", "")
    assert (second["frames"], second["missing"]) == (0, "face, body: no; audio: silent")


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
