"""Several corpora as one, on files in their published formats."""

import numpy as np
import pandas as pd
import pytest

from sslmepr.corpora.build import READERS
from sslmepr.corpora.meld import read_meld
from sslmepr.corpora.ravdess import read_ravdess
from sslmepr.corpora.schema import LABEL_COLUMNS, CorpusError, part_of
from sslmepr.corpora.union import read_union, wanted_modalities
from sslmepr.labels import MODALITIES
from sslmepr.params.corpora import PublishedCorpus, UnionCorpus

SPEECH = PublishedCorpus(source="ravdess", path="speech", modalities=["audio"])
LINES = PublishedCorpus(source="meld", path="lines/meld", modalities=["text"])


@pytest.fixture
def root(tmp_path):
    """Two corpora of a few files; that sound is not sound is no matter here."""
    for actor, emotion in ((1, 3), (13, 5)):
        folder = tmp_path / "speech" / f"Actor_{actor:02d}"
        folder.mkdir(parents=True)
        (folder / f"03-01-{emotion:02d}-01-01-01-{actor:02d}.wav").touch()
    (tmp_path / "lines" / "meld").mkdir(parents=True)
    for split in ("train", "dev"):
        (tmp_path / "lines" / "meld" / f"{split}_sent_emo.csv").write_text(
            "Utterance,Emotion,Dialogue_ID,Utterance_ID\nOh no!,fear,7,0\n"
        )
    return tmp_path


def test_clips_of_all_parts_under_names_that_tell_them_apart(root):
    table = read_union(root, {"speech": SPEECH, "lines": LINES}, READERS)
    assert table["clip_id"].tolist() == [
        "speech:01-03-01-01-01-01",
        "speech:01-05-01-01-01-13",
        "lines:train-dia7-utt0",
        "lines:dev-dia7-utt0",
    ]
    assert table["speaker_id"].str.startswith(("speech:", "lines:")).all()
    assert part_of(table["clip_id"]) == ["speech", "speech", "lines", "lines"]
    assert table["media"][0] == "speech/Actor_01/03-01-03-01-01-01-01.wav"
    assert (root / table["media"][1]).is_file()
    assert table["media"][2:].isna().all()
    apart = pd.concat([read_ravdess(root / "speech"), read_meld(root / "lines/meld")])
    columns = ["split", "transcript", *LABEL_COLUMNS]
    assert table[columns].equals(apart[columns].reset_index(drop=True))
    assert table.attrs["shared_speakers"] is False


def test_parts_whose_dev_split_is_held_out_are_known(root):
    lines = LINES.model_copy(update={"dev_from_train": 15})
    table = read_union(root, {"speech": SPEECH, "lines": lines}, READERS)
    assert table.attrs["dev_as_test"] == ["lines"]
    assert table["split"].tolist()[-1] == "test"


def test_a_part_that_cannot_be_read_is_told_by_its_reader(root):
    elsewhere = PublishedCorpus(source="ravdess", path="nowhere")
    with pytest.raises(CorpusError, match="RAVDESS: expected Actor_01"):
        read_union(root, {"lines": LINES, "speech": elsewhere}, READERS)


def test_a_part_that_is_optional_and_not_there_is_left_out(root):
    elsewhere = PublishedCorpus(source="ravdess", path="nowhere", optional=True)
    table = read_union(root, {"lines": LINES, "speech": elsewhere}, READERS)
    assert table["clip_id"].tolist() == ["lines:train-dia7-utt0", "lines:dev-dia7-utt0"]
    assert table.attrs["left_out"] == {
        "speech:speech": f"not given: speech, put it in {root / 'nowhere'}"
    }


def test_a_part_says_what_it_left_out(root):
    left_out = read_union(root, {"speech": SPEECH}, READERS).attrs["left_out"]
    assert len(left_out) == 2 * 59
    assert left_out["speech:01-01-01-02-02-13"].startswith(
        "this recording of its actor"
    )


def test_a_part_with_a_colon_in_its_name_is_refused(root):
    with pytest.raises(CorpusError, match="no ':': 'a:b'"):
        read_union(root, {"a:b": SPEECH}, READERS)


def test_each_part_gives_the_modalities_that_it_lists():
    union = UnionCorpus(source="union", parts={"speech": SPEECH, "lines": LINES})
    ids = ["lines:1", "speech:a:b", "lines:2"]
    assert wanted_modalities(union, ids) == [["text"], ["audio"], ["text"]]
    assert wanted_modalities(SPEECH, ["x", "y"]) == [["audio"], ["audio"]]
    everything = SPEECH.model_copy(update={"modalities": None})
    assert wanted_modalities(everything, ["x"]) == [list(MODALITIES)]
    assert wanted_modalities(None, np.array(["x"])) == [list(MODALITIES)]
