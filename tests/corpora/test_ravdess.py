from pathlib import Path

import pytest

from sslmepr.corpora.ravdess import (
    PUBLISHED_COUNTS,
    PUBLISHED_EMOTIONS,
    SPLITS,
    published_emotions,
    read_ravdess,
)
from sslmepr.corpora.schema import CorpusError
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS

REAL = Path(__file__).parents[3] / "shared" / "corpora" / "ravdess"


def touch(folder, *names):
    for name in names:
        path = folder / f"Actor_{name.split('.')[0][-2:]}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_names_say_everything(tmp_path):
    touch(
        tmp_path,
        "03-01-05-02-01-02-03.wav",
        "03-01-02-01-02-01-14.flac",
        "03-01-08-01-02-01-24.wav",
    )
    table = read_ravdess(tmp_path).set_index("clip_id")
    angry = table.loc["01-05-02-01-02-03"]
    assert angry["speaker_id"] == "actor-03" and angry["split"] == "train"
    assert angry["media"] == "Actor_03/03-01-05-02-01-02-03.wav"
    assert angry["transcript"] == "Kids are talking by the door."
    assert angry["emotion_anger"] == 1 and angry[list(EMOTION_COLUMNS)].sum() == 1
    calm = table.loc["01-02-01-02-01-14"]
    assert calm["split"] == "dev" and calm["emotion_neutral"] == 1
    surprised = table.loc["01-08-01-02-01-24"]
    assert surprised["split"] == "test" and surprised["emotion_surprise"] == 0.5
    assert table[list(TRAIT_COLUMNS)].isna().all(axis=None)


def test_what_an_actor_lacks_is_named(tmp_path):
    """Of 60 recordings: 4 neutral, and 7 other emotions times 8."""
    names = [
        f"01-{emotion:02d}-{intensity:02d}-{statement:02d}-{repetition:02d}-07"
        for emotion in range(1, 9)
        for intensity in (1, 2)
        for statement in (1, 2)
        for repetition in (1, 2)
        if (emotion, intensity) != (1, 2)
    ]
    assert len(names) == 60
    touch(tmp_path, *(f"03-{name}.wav" for name in names))
    assert "left_out" not in read_ravdess(tmp_path).attrs
    for name in names[3], names[40]:
        (tmp_path / "Actor_07" / f"03-{name}.wav").unlink()
    reason = "this recording of its actor is not there"
    assert read_ravdess(tmp_path).attrs["left_out"] == {
        names[3]: reason,
        names[40]: reason,
    }


def test_published_emotions_keep_what_ours_join():
    ids = [f"01-{number:02d}-01-01-01-09" for number in range(1, 9)]
    assert published_emotions(ids) == list(PUBLISHED_EMOTIONS)
    assert published_emotions(["ravdess:01-02-01-02-01-14"]) == ["calm"]


def test_actors_never_cross_splits():
    actors = [actor for each in SPLITS.values() for actor in each]
    assert sorted(actors) == [*range(1, 25)]
    clips = {name: 60 * len(each) for name, each in SPLITS.items()}
    assert clips == PUBLISHED_COUNTS["clips"]


def test_picture_with_sound_is_preferred_and_songs_are_left_out(tmp_path):
    touch(
        tmp_path,
        "01-01-03-01-01-01-01.mp4",
        "02-01-03-01-01-01-01.mp4",
        "03-01-03-01-01-01-01.wav",
        "03-02-03-01-01-01-01.wav",
        "02-01-04-01-01-01-01.mp4",
    )
    table = read_ravdess(tmp_path)
    assert table["media"].tolist() == ["Actor_01/01-01-03-01-01-01-01.mp4"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("angry-01.wav", "not named as RAVDESS publishes it"),
        ("03-01-09-01-01-01-01.wav", "emotion 09"),
        ("03-01-03-03-01-01-01.wav", "intensity 03"),
        ("03-01-03-01-03-01-01.wav", "statement 03"),
        ("03-01-03-01-01-01-25.wav", "actor 25"),
        ("03-02-03-01-01-01-01.wav", "no speech with sound"),
    ],
)
def test_other_files_are_refused(tmp_path, name, message):
    touch(tmp_path, name)
    with pytest.raises(CorpusError, match=message):
        read_ravdess(tmp_path)


def test_a_recording_that_is_there_twice_is_named(tmp_path):
    touch(tmp_path, "03-01-03-01-01-01-01.wav", "03-01-03-01-01-01-01.flac")
    with pytest.raises(
        CorpusError, match="01.wav and .*01.flac are the same recording"
    ):
        read_ravdess(tmp_path)


def test_a_wrong_folder_is_told_what_was_expected(tmp_path):
    with pytest.raises(CorpusError, match="expected Actor_01 and so on"):
        read_ravdess(tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason="no RAVDESS in shared/corpora/ravdess")
def test_real_recordings():
    table = read_ravdess(REAL)
    assert table.groupby("split").size().to_dict() == {"train": 720, "dev": 240}
    present = table.set_index("clip_id")[list(EMOTION_COLUMNS)] > 0
    # Per actor 8 of each emotion, and 4 that are neutral beside 8 that are calm.
    assert present.sum().tolist() == [192, 128, 128, 128, 128, 128, 128]
