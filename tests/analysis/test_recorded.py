import hashlib

import pandas as pd
import pytest

from sslmepr.analysis.recorded import extraction_record, file_hashes


def test_hashes_of_the_files_in_a_folder(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"a,b\n")
    (tmp_path / "folder").mkdir()
    expected = hashlib.sha256(b"a,b\n").hexdigest()[:16]
    assert file_hashes(tmp_path) == {"x.csv": expected}


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
    (tmp_path / "missing.csv").write_text("clip_id,modality,reason\nb,audio,silent\n")
    record = extraction_record(pd.DataFrame({"clip_id": ["a", "b"]}), tmp_path)
    first, second = record.to_dict("records")
    assert first["frames"] == 2
    assert first["face"] == "detected 1, full_frame 1"
    assert first["scene"] == "full_frame 2"
    assert (first["transcript"], first["missing"]) == ("Hello.", "")
    assert (second["frames"], second["missing"]) == (0, "audio: silent")
