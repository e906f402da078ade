import csv
from pathlib import Path

import pytest

from sslmepr.corpora.meld import PUBLISHED_COUNTS, read_meld, repair_text
from sslmepr.corpora.schema import CorpusError
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS

REAL = Path(__file__).parents[3] / "shared" / "corpora" / "meld"
HEADER = [
    *("Sr No.", "Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID"),
    *("Utterance_ID", "Season", "Episode", "StartTime", "EndTime"),
]


def write_split(path, rows):
    """A MELD file of (utterance, emotion, dialogue, utterance number) rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number, (text, emotion, dialogue, utterance) in enumerate(rows, 1):
            times = ("00:20:57,256", "00:21:00,049")
            row = [number, text, "Joey", emotion, "neutral", dialogue, utterance]
            writer.writerow([*row, 4, 7, *times])


@pytest.fixture
def folder(tmp_path):
    write_split(
        tmp_path / "train_sent_emo.csv",
        [("Hi, you.", "joy", 0, 0), ("NA", "neutral", 0, 1), (" ", "fear", 3, 0)],
    )
    write_split(tmp_path / "dev_sent_emo.csv", [("It\x92s late", "anger", 0, 0)])
    return tmp_path


def test_published_rows_become_clips(folder):
    table = read_meld(folder).set_index("clip_id")
    assert list(table.index) == [
        "train-dia0-utt0",
        "train-dia0-utt1",
        "train-dia3-utt0",
        "dev-dia0-utt0",
    ]
    speakers = ["train-dia0", "train-dia0", "train-dia3", "dev-dia0"]
    assert list(table["speaker_id"]) == speakers
    assert list(table["split"]) == ["train", "train", "train", "dev"]
    assert list(table["transcript"].fillna("-")) == ["Hi, you.", "NA", "-", "It’s late"]
    assert table[["media", "start_seconds", "end_seconds"]].isna().all(axis=None)
    assert table[list(TRAIT_COLUMNS)].isna().all(axis=None)


def test_one_emotion_is_present_in_each_clip(folder):
    table = read_meld(folder)
    emotions = table[list(EMOTION_COLUMNS)]
    assert list(emotions.idxmax(axis=1)) == [
        "emotion_happiness",
        "emotion_neutral",
        "emotion_fear",
        "emotion_anger",
    ]
    assert set(emotions.to_numpy().ravel()) == {0.0, 1.0}
    assert list(emotions.sum(axis=1)) == [1.0] * 4


def test_a_test_file_becomes_the_test_split(folder):
    write_split(folder / "test" / "test_sent_emo.csv", [("Bye", "sadness", 0, 0)])
    assert list(read_meld(folder)["split"]) == ["train"] * 3 + ["dev", "test"]


def test_media_are_found_by_split_and_absent_ones_expected(folder):
    for place in ("train_splits", "dev/dev_splits_complete"):
        (folder / place).mkdir(parents=True)
        (folder / place / "dia0_utt0.mp4").touch()
    write_split(folder / "test_sent_emo.csv", [("Bye", "sadness", 0, 0)])
    write_split(folder / "dev_sent_emo.csv", [("Hi", "joy", 0, n) for n in (0, 1)])
    media = read_meld(folder).set_index("clip_id")["media"]
    assert media.to_dict() == {
        "train-dia0-utt0": "train_splits/dia0_utt0.mp4",
        "train-dia0-utt1": "train_splits/dia0_utt1.mp4",
        "train-dia3-utt0": "train_splits/dia3_utt0.mp4",
        "dev-dia0-utt0": "dev/dev_splits_complete/dia0_utt0.mp4",
        "dev-dia0-utt1": "dev/dev_splits_complete/dia0_utt1.mp4",
        "test-dia0-utt0": "output_repeated_splits_test/dia0_utt0.mp4",
    }


@pytest.mark.parametrize(
    "broken, sound",
    [
        ("It\x92s \x93fine\x94\x85", "It’s “fine”…"),
        ("Itâ€™s", "It’s"),
        ("cafÃ©", "café"),
        ("café", "café"),
        ("Â la carte", "Â la carte"),
        ("naïve â€ but honest", "naïve â€ but honest"),
        ("plain", "plain"),
        ("\x81", ""),
    ],
)
def test_mistaken_encodings_are_undone(broken, sound):
    assert repair_text(broken) == sound


def test_a_file_in_windows_code_page_is_read(folder):
    path = folder / "dev_sent_emo.csv"
    write_split(path, [("It’s late", "anger", 0, 0)])
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1252"))
    assert read_meld(folder)["transcript"].iloc[-1] == "It’s late"


def test_a_wrong_folder_is_told_what_was_expected(tmp_path):
    with pytest.raises(CorpusError, match="expected train_sent_emo.csv and dev_sent"):
        read_meld(tmp_path)


@pytest.mark.parametrize(
    "row, complaint",
    [
        (("x", "bored", 1, 0), r"dev_sent_emo\.csv: Emotion 'bored' in data row 1"),
        (("x", "joy", "one", 0), r"dev_sent_emo\.csv: Dialogue_ID 'one'"),
    ],
)
def test_a_wrong_value_is_named_with_file_and_row(folder, row, complaint):
    write_split(folder / "dev_sent_emo.csv", [row])
    with pytest.raises(CorpusError, match=complaint):
        read_meld(folder)


def test_a_repeated_utterance_is_named(folder):
    write_split(folder / "dev_sent_emo.csv", [("x", "joy", 1, 0), ("y", "joy", 1, 0)])
    with pytest.raises(CorpusError, match="clip_id must be unique: .*dev-dia1-utt0"):
        read_meld(folder)


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", 'Utterance\n"open\n1,2,3\n'])
def test_another_file_is_named(folder, content):
    (folder / "dev_sent_emo.csv").write_text(content)
    with pytest.raises(CorpusError, match=r"dev_sent_emo\.csv: "):
        read_meld(folder)


@pytest.mark.skipif(not REAL.is_dir(), reason="MELD is not in shared/corpora/meld")
def test_the_published_files_are_read_in_full():
    table = read_meld(REAL)
    counts = table["split"].value_counts().to_dict()
    expected = PUBLISHED_COUNTS["clips"]
    assert counts == {name: expected[name] for name in counts}
    train = table[table["split"] == "train"]
    present = train[list(EMOTION_COLUMNS)].sum().astype(int)
    assert list(present) == [4710, 1109, 271, 268, 1743, 683, 1205]
    assert not table["transcript"].str.contains("[\x80-\x9f]|â€").any()
