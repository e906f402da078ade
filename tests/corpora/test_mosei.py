import h5py
import numpy as np
import pandas as pd
import pytest

from sslmepr.corpora.mosei import CSD, FOLDS, read_folds, read_mosei
from sslmepr.corpora.schema import CorpusError
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS

FOLD_TEXT = """
standard_train_fold = ['-aaa', 'b_b']
standard_valid_fold = ['ccc']
standard_test_fold = ['ddd']
"""
# Video to intervals and sentiment, happy, sad, anger, surprise, disgust, fear.
LABELS = {
    "-aaa": (
        [[0.5, 2.0], [2.0, 7.25]],
        [[1, 0, 0, 0, 0, 0, 0], [-2, 0.3333, 1, 0, 0, 3.3333, 0]],
    ),
    "b_b": ([[0.0, 4.0]], [[0, 3, 0, 0, 0, 0, 0.5]]),
    "ccc": ([[1.0, 2.0]], [[0, 0, 0, 2, 1, 0, 0]]),
    "unused": ([[1.0, 2.0]], [[0, 0, 0, 2, 1, 0, 0]]),
}


def write_csd(path, labels=LABELS):
    with h5py.File(path, "w") as file:
        for video, (intervals, features) in labels.items():
            group = file.create_group(f"All Labels/data/{video}")
            group["intervals"] = np.array(intervals, np.float32)
            group["features"] = np.array(features, np.float32)


@pytest.fixture
def folder(tmp_path):
    """The SDK's files, and the raw archive unpacked beside them."""
    write_csd(tmp_path / CSD)
    (tmp_path / FOLDS).write_text(FOLD_TEXT)
    raw = tmp_path / "Raw"
    for place in ("Videos/Full/Combined", "Audio/Full/WAV_16000"):
        (raw / place).mkdir(parents=True)
    (raw / "Videos/Full/Combined/-aaa.mp4").touch()
    for name in ("-aaa", "b_b"):
        (raw / f"Audio/Full/WAV_16000/{name}.wav").touch()
    said = raw / "Transcript/Segmented/Combined"
    said.mkdir(parents=True)
    (said / "-aaa.txt").write_text(
        "-aaa___4___2.0___7.252___ and___ then\nit broke off\n"
        "-aaa___3___0.5___2.0___Hi é\n",
        encoding="utf-8",
    )
    return tmp_path


def test_segments_of_whole_videos(folder):
    table = read_mosei(folder).set_index("clip_id")
    assert list(table.index) == ["-aaa_3", "-aaa_4", "b_b_0", "ccc_0"]
    assert list(table["split"]) == ["train", "train", "train", "dev"]
    assert list(table["speaker_id"]) == ["-aaa", "-aaa", "b_b", "ccc"]
    assert table["media"].fillna("").tolist() == [
        "Raw/Videos/Full/Combined/-aaa.mp4",
        "Raw/Videos/Full/Combined/-aaa.mp4",
        "Raw/Audio/Full/WAV_16000/b_b.wav",
        "Raw/Videos/Full/Combined/ccc.mp4",  # not there: for extraction to record
    ]
    assert table.attrs["left_out"] == {
        "unused": "in none of the folds of cmu_mosei_std_folds.py"
    }
    assert table.loc["-aaa_4", ["start_seconds", "end_seconds"]].tolist() == [2.0, 7.25]
    assert table["transcript"].fillna("").tolist() == ["Hi é", "and___ then", "", ""]
    assert table[list(TRAIT_COLUMNS)].isna().all(axis=None)


def test_ratings_become_intensities_and_neutral_is_what_remains(folder):
    table = read_mosei(folder).set_index("clip_id")[list(EMOTION_COLUMNS)]
    # neutral, anger, disgust, fear, happiness, sadness, surprise
    expected = [
        [1, 0, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 1 / 9, 1 / 3, 0],
        [0, 0, 0, 1 / 6, 1, 0, 0],
        [0, 2 / 3, 0, 0, 0, 0, 1 / 3],
    ]
    np.testing.assert_allclose(table, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"-aaa": ([[0, 1]], [[0, 1, 0, 0, 0, 0]])}, r"labels of shape \(1, 6\)"),
        ({"-aaa": ([[0, 1]], [[0] * 7, [0] * 7])}, "has 2 labels and intervals"),
        ({"-aaa": ([[0, 1]], [[0, -1, 0, 0, 0, 0, 0]])}, "-aaa has an emotion below 0"),
        ({"-aaa": ([[0, 1]], [[0, np.nan, 0, 0, 0, 0, 0]])}, "-aaa_0: .* not rated"),
        ({"-aaa": ([[0, 1]], [[0, 50, 0, 0, 0, 0, 0]])}, "above 6; .* rated 0 to 3"),
        ({"zzz": ([[0, 1]], [[0] * 7])}, "be used; zzz: in none of the folds"),
    ],
)
def test_labels_that_are_not_moseis(folder, labels, message):
    write_csd(folder / CSD, labels)
    with pytest.raises(CorpusError, match=message):
        read_mosei(folder)


def test_segments_as_published(tmp_path):
    """One begins before its video, in another order, some without transcript."""
    (tmp_path / FOLDS).write_text(FOLD_TEXT)
    times = [[3.37, 9.02], [44.1, 54.7], [-0.4776, 3.1]]
    labels = {"-aaa": (times, np.zeros((3, 7))), "ccc": ([[0, 2]], np.zeros((1, 7)))}
    write_csd(tmp_path / CSD, labels)
    said = tmp_path / "Raw/Transcript/Segmented/Combined"
    said.mkdir(parents=True)
    (said / "-aaa.txt").write_text(
        "-aaa___0___-0.4776___3.1___zero\n-aaa___1___3.37___9.02___one\n"
    )
    table = read_mosei(tmp_path)
    assert table["clip_id"].tolist() == ["-aaa_1", "-aaa_2", "-aaa_0", "ccc_0"]
    assert table["transcript"].fillna("").tolist() == ["one", "", "zero", ""]
    starts = table["start_seconds"].tolist()
    assert starts == pytest.approx([3.37, 44.1, 0, 0]) and starts[2] == 0
    assert table["end_seconds"].tolist() == pytest.approx([9.02, 54.7, 3.1, 2])
    assert "left_out" not in table.attrs


def test_what_is_impossible_is_left_out_and_named_and_the_others_stay(tmp_path):
    (tmp_path / FOLDS).write_text(FOLD_TEXT)
    times = [[2, 2], [3, 1], [-2, -1], [np.nan, 2], [0, np.inf], [4, 5], [5, 6]]
    ratings = np.zeros((7, 7))
    ratings[6, 3] = np.nan
    write_csd(tmp_path / CSD, {"-aaa": (times, ratings)})
    table = read_mosei(tmp_path)
    assert table["clip_id"].tolist() == ["-aaa_5"]
    assert table.attrs["left_out"] == {
        "-aaa_0": "no segment lies from 2 to 2 seconds",
        "-aaa_1": "no segment lies from 3 to 1 seconds",
        "-aaa_2": "no segment lies from 0 to -1 seconds",
        "-aaa_3": "no segment lies from nan to 2 seconds",
        "-aaa_4": "no segment lies from 0 to inf seconds",
        "-aaa_6": "an emotion is not rated",
    }


def test_no_two_segments_have_one_id(tmp_path):
    """Labels twice, a transcript that numbers two segments alike."""
    (tmp_path / FOLDS).write_text(FOLD_TEXT)
    times = [[8, 9], [0, 1], [0, 1], [2, 3], [4, 5]]
    write_csd(tmp_path / CSD, {"-aaa": (times, np.zeros((5, 7)))})
    said = tmp_path / "Transcript/Segmented/Combined"
    said.mkdir(parents=True)
    (said / "-aaa.txt").write_text(
        "-aaa___0___0___1___first\n-aaa___3___2___3___second\n-aaa___3___4___5___third\n"
    )
    table = read_mosei(tmp_path)
    ids = ["-aaa_1", "-aaa_0", "-aaa_2", "-aaa_3", "-aaa_4"]
    assert table["clip_id"].tolist() == ids
    said = ["", "first", "", "second", "third"]
    assert table["transcript"].fillna("").tolist() == said


def test_damaged_files_are_named(folder):
    (folder / CSD).write_bytes(b"no HDF5")
    with pytest.raises(CorpusError, match=f"{CSD}: not the SDK's label file"):
        read_mosei(folder)
    (folder / FOLDS).unlink()
    with pytest.raises(CorpusError, match=f"expected {FOLDS}"):
        read_mosei(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("standard_train_fold = [", "not the SDK's list of folds"),
        ("standard_train_fold = print('run')", "has no list standard_train_fold"),
        ("standard_train_fold = []", "has no list standard_valid_fold"),
        (FOLD_TEXT.replace("'ccc'", "'-aaa'"), "video -aaa is in two folds"),
    ],
)
def test_folds_are_read_and_never_run(tmp_path, text, message, capsys):
    (tmp_path / FOLDS).write_text(text)
    with pytest.raises(CorpusError, match=message):
        read_folds(tmp_path / FOLDS)
    assert capsys.readouterr().out == ""


def test_a_transcript_that_is_none(folder):
    path = folder / "Raw/Transcript/Segmented/Combined/-aaa.txt"
    path.write_text("-aaa___0___here___there___words")
    with pytest.raises(CorpusError, match="-aaa.txt: line 1 is not video___number"):
        read_mosei(folder)


COLUMNS = ["video_name", "Neutral", "Anger", "Disgust", "Fear", "Happiness"]
COLUMNS += ["Sadness", "Surprise", "text"]


def write_csv(path, *rows, columns=COLUMNS):
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)


def test_csv_files_of_seven_emotions(tmp_path):
    write_csv(
        tmp_path / "train_full.csv",
        ["-a_a_12.mp4", 0, 0, 0, 0, 1.5, 0, 4, "NA"],
        ["-a_a_3", 1, 0, 0, 0, 0, 0, 0, " "],
    )
    write_csv(tmp_path / "val.csv", ["x_1", 0, 3, 0, 0, 0, 0, 0, "no"])
    segments = tmp_path / "Videos" / "Segmented" / "Combined"
    segments.mkdir(parents=True)
    (segments / "-a_a_3.mp4").touch()
    table = read_mosei(tmp_path).set_index("clip_id").loc[["-a_a_12", "-a_a_3", "x_1"]]
    assert table["split"].tolist() == ["train", "train", "dev"]
    assert table["speaker_id"].tolist() == ["-a_a", "-a_a", "x"]
    assert table["transcript"].fillna("").tolist() == ["NA", "", "no"]
    place = "Videos/Segmented/Combined"
    media = [f"{place}/{name}.mp4" for name in ("-a_a_12", "-a_a_3", "x_1")]
    assert table["media"].tolist() == media
    assert table["emotion_happiness"].tolist() == [0.5, 0, 0]
    assert table["emotion_surprise"].tolist() == [1, 0, 0]
    assert table["emotion_neutral"].tolist() == [0, 1, 0]


def test_labels_that_keep_only_the_strongest_are_refused(tmp_path):
    columns = ["file", "index", "start", "end", "label2a", "label6", "split"]
    write_csv(tmp_path / "x.csv", ["a", 0, 0, 1, 1, 0, 0], columns=columns)
    with pytest.raises(CorpusError, match="became happy"):
        read_mosei(tmp_path)


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        ("train.csv", ["x", 0, 1, 0, 0, 0, 0, 0, "a"], "'x' in data row 1"),
        ("train.csv", ["x_1", 0, -1, 0, 0, 0, 0, 0, "a"], "data row 1 is below 0"),
        ("train.csv", ["x_1", 0, "?", 0, 0, 0, 0, 0, "a"], "or no number"),
        ("train.csv", ["x_1", 0, 50, 0, 0, 0, 0, 0, "a"], "data row 1 is .*above 6"),
        ("train.csv", ["y_1", 0, 1, 0, 0, 0, 0, 0, "a"], "clip_id must be unique"),
        ("other.csv", ["x_1", 0, 1, 0, 0, 0, 0, 0, "a"], "does not say train, dev"),
        ("test.csv", ["x_1", 0, 1, 0, 0, 0, 0, 0, "a"], "expected CMU_MOSEI_Labels"),
    ],
)
def test_bad_csv_files_are_named(tmp_path, name, row, message):
    write_csv(tmp_path / "dev.csv", ["y_1", 0, 1, 0, 0, 0, 0, 0, "a"])
    write_csv(tmp_path / name, row)
    with pytest.raises(CorpusError, match=message):
        read_mosei(tmp_path)


def test_a_wrong_folder_is_told_what_was_expected(tmp_path):
    with pytest.raises(CorpusError, match=f"expected {CSD} with {FOLDS}"):
        read_mosei(tmp_path)
