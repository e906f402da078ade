import pickle
from pathlib import Path

import numpy as np
import pytest

from sslmepr.corpora.fiv2 import (
    PUBLISHED_COUNTS,
    clean_transcript,
    read_fiv2,
    read_fiv2_by_video,
)
from sslmepr.corpora.schema import CorpusError
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS

REAL = Path(__file__).parents[3] / "shared" / "corpora" / "fiv2"
TEXTS = {
    "training": {"-v.1_x.000.mp4": "Hi [inaudible 00:00:16] there", "b.001.mp4": ""},
    "validation": {"-v.1_x.002.mp4": "Café"},
}
SCORES = {  # published names, in an order that is not ours
    "extraversion": 0.1,
    "neuroticism": 0.2,
    "agreeableness": 0.3,
    "conscientiousness": 0.4,
    "interview": 0.5,
    "openness": 0.6,
}


def annotate(clips):
    return {name: dict.fromkeys(clips, value) for name, value in SCORES.items()}


def write(path, content):
    path.write_bytes(pickle.dumps(content, protocol=4))


@pytest.fixture
def folder(tmp_path):
    for split, texts in TEXTS.items():
        annotation = annotate(texts)
        annotation["interview"] = dict.fromkeys(texts, np.float64(0.5))
        write(tmp_path / f"annotation_{split}.pkl", annotation)
        write(tmp_path / f"transcription_{split}.pkl", texts)
    return tmp_path


def test_published_pickles_become_clips(folder):
    table = read_fiv2(folder)
    assert list(table["clip_id"]) == ["-v.1_x.000.mp4", "b.001.mp4", "-v.1_x.002.mp4"]
    assert list(table["speaker_id"]) == ["-v.1_x", "b", "-v.1_x"]
    assert list(table["split"]) == ["train", "train", "dev"]
    assert list(table["transcript"].fillna("-")) == ["Hi there", "-", "Café"]
    assert table[list(EMOTION_COLUMNS)].isna().all(axis=None)
    assert table["media"].isna().all()


def test_traits_are_in_our_order_and_neuroticism_is_stability(folder):
    scores = read_fiv2(folder)[list(TRAIT_COLUMNS)].to_numpy()
    np.testing.assert_array_equal(scores, [[0.6, 0.4, 0.1, 0.3, 0.2]] * 3)


def test_a_split_is_test_when_its_files_are_there(folder):
    write(folder / "annotation_test.pkl", annotate(["c.000.mp4"]))
    with pytest.raises(CorpusError, match=r"expected transcription_test\.pkl"):
        read_fiv2(folder)
    write(folder / "transcription_test.pkl", {"c.000.mp4": "Bye"})
    table = read_fiv2(folder)
    assert list(table.loc[table["split"] == "test", "clip_id"]) == ["c.000.mp4"]


def test_by_video_no_video_is_in_two_splits(folder):
    """The first eight bytes of SHA-256 of the names, modulo 100, are the numbers."""
    expected = {
        "x23": "train",  # 69
        "x30": "dev",  # 70
        "x29": "dev",  # 84
        "x18": "test",  # 85
    }
    for number, split in enumerate(("training", "validation", "test")):
        texts = {f"{video}.{number:03d}.mp4": video for video in expected}
        write(folder / f"annotation_{split}.pkl", annotate(texts))
        write(folder / f"transcription_{split}.pkl", texts)
    table, official = read_fiv2_by_video(folder), read_fiv2(folder)
    assert official["split"].eq("test").sum() == 4  # left out, being of the same videos
    official = official[official["split"] != "test"].reset_index(drop=True)
    assert table["clip_id"].equals(official["clip_id"])
    assert table["transcript"].equals(official["transcript"])
    assert official["split"].tolist() == ["train"] * 4 + ["dev"] * 4
    assert dict(zip(table["speaker_id"], table["split"], strict=True)) == expected
    assert table.groupby("speaker_id")["split"].nunique().eq(1).all()
    assert table.attrs["shared_speakers"] is False


def test_videos_are_found_wherever_they_were_unzipped_and_others_expected(folder):
    assert read_fiv2(folder)["media"].isna().all()
    (folder / "train-1" / "training80_01").mkdir(parents=True)
    (folder / "train-1" / "training80_01" / "b.001.mp4").touch()
    media = read_fiv2(folder).set_index("clip_id")["media"].to_dict()
    assert media.pop("b.001.mp4") == "train-1/training80_01/b.001.mp4"
    assert len(media) == 2 and all(path == clip for clip, path in media.items())


@pytest.mark.parametrize(
    "text, clean",
    [
        ("a [inaudible 00:00:16] b", "a b"),
        ("a [crosstalk 00:42], b", "a , b"),
        ("[Foreign Language 00:00:00:30]", ""),
        ("[foreign lanuage inaudible 00:00:00] a", "a"),
        ("see [Hanna 00:00:05] now", "see Hanna now"),
        ("[phonetic sorsha 00:00:03]", "sorsha"),
        ("Mac's 00:00:24 Russian Red", "Mac's Russian Red"),
        ("up at 10:30, Psalm 139:14", "up at 10:30, Psalm 139:14"),
        ("open [ bracket", "open [ bracket"),
        ("  ", ""),
    ],
)
def test_typists_marks_are_removed(text, clean):
    assert clean_transcript(text) == clean


def test_a_wrong_folder_is_told_what_was_expected(tmp_path):
    with pytest.raises(CorpusError, match=r"expected annotation_training\.pkl, trans"):
        read_fiv2(tmp_path)


@pytest.mark.parametrize(
    "content, complaint",
    [
        ([1, 2], "not a dictionary of trait to clips"),
        ({"openness": 0.5}, "not a dictionary of trait to clips"),
        (annotate(["z.000.mp4"]), "differ in 2 clips, -v.1_x.002.mp4 first"),
        (annotate([]), "differ in 1 clips, -v.1_x.002.mp4 first"),
        (
            {k: v for k, v in annotate(["a"]).items() if k != "neuroticism"},
            "no scores of neuroticism",
        ),
        (annotate(["-v.1_x.002.mp4"]) | {"openness": {}}, "differ in 1 clips"),
    ],
)
def test_an_annotation_not_as_published_is_named(folder, content, complaint):
    write(folder / "annotation_validation.pkl", content)
    with pytest.raises(CorpusError, match=complaint) as caught:
        read_fiv2(folder)
    assert "annotation_validation.pkl" in str(caught.value)


def test_a_clip_without_a_video_name_is_named(folder):
    write(folder / "annotation_validation.pkl", annotate(["clip.mp4"]))
    write(folder / "transcription_validation.pkl", {"clip.mp4": ""})
    with pytest.raises(CorpusError, match="clip 'clip.mp4' is not named <video>"):
        read_fiv2(folder)


def test_a_score_out_of_range_is_named(folder):
    annotation = annotate(["-v.1_x.002.mp4"])
    annotation["neuroticism"]["-v.1_x.002.mp4"] = 1.5
    write(folder / "annotation_validation.pkl", annotation)
    with pytest.raises(CorpusError, match="trait_emotional_stability must lie within"):
        read_fiv2(folder)


def test_a_clip_in_two_splits_is_named(folder):
    write(folder / "annotation_validation.pkl", annotate(["b.001.mp4"]))
    write(folder / "transcription_validation.pkl", {"b.001.mp4": "Again"})
    with pytest.raises(CorpusError, match="clip_id must be unique: .*b.001.mp4"):
        read_fiv2(folder)


def test_a_pickle_that_would_run_something_is_refused(folder):
    class Payload:
        def __reduce__(self):
            return (Path(folder / "ran").touch, ())

    write(folder / "transcription_training.pkl", {"b.001.mp4": Payload()})
    with pytest.raises(CorpusError, match="transcription_training.pkl: refused"):
        read_fiv2(folder)
    assert not (folder / "ran").exists()


@pytest.mark.skipif(not REAL.is_dir(), reason="FIv2 is not in shared/corpora/fiv2")
def test_the_published_files_are_read_in_full():
    table = read_fiv2(REAL)
    splits = table["split"].value_counts()
    assert splits["train"] == 6000 and splits["dev"] == 2000
    traits = table[list(TRAIT_COLUMNS)]
    correlation = traits["trait_emotional_stability"].corr(traits["trait_extraversion"])
    assert correlation == pytest.approx(0.79, abs=0.01)
    train, dev = (table[table["split"] == name] for name in ("train", "dev"))
    shared = dev["speaker_id"].isin(set(train["speaker_id"])).mean()
    assert shared == pytest.approx(0.837, abs=0.001)
    assert not table["transcript"].str.contains("inaudible").any()


@pytest.mark.skipif(not REAL.is_dir(), reason="FIv2 is not there")
def test_by_video_the_published_clips_fall_apart_in_about_the_shares():
    table = read_fiv2_by_video(REAL)
    assert len(table) == sum(
        PUBLISHED_COUNTS["clips"][name] for name in ("train", "dev")
    )
    shares = table["split"].value_counts(normalize=True)
    assert shares[["train", "dev", "test"]].tolist() == pytest.approx(
        [0.70, 0.15, 0.15], abs=0.02
    )
