"""How the modalities of each clip were obtained."""

import pandas as pd

from sslmepr.extraction.record import extraction_record


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
