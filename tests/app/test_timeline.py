import numpy as np
import pandas as pd
import pytest

from sslmepr.app import timeline
from sslmepr.app.timeline import Timeline, read_windows, window_starts
from sslmepr.labels import EMOTION_COLUMNS, SCORED_EMOTIONS


@pytest.mark.parametrize(
    "seconds, starts",
    [
        (2.5, []),
        (5.99, []),
        (6.0, [0, 2]),
        (5.99999999 + 2, [0, 2, 4]),  # a length that was rounded
        (9.9, [0, 2, 4]),
        (10.0, [0, 2, 4, 6]),
        (60.0, range(0, 58, 2)),
    ],
)
def test_windows_of_four_seconds_every_two(seconds, starts):
    found = window_starts(seconds)
    assert found.tolist() == list(starts) and len(found) <= 30


class Pretended:
    """A predictor that notes what it is given; its seeds say 0.1, 0.3 and 0.2."""

    def __init__(self, seeds=3):
        self.clips, self.starts, self.ends, self.models = [], [], [], self
        self.said = np.array([0.1, 0.3, 0.2])[:seeds]

    def read(self, clips, work, given):
        assert "transcript" not in given
        self.clips += clips
        self.starts += given["start_seconds"].tolist()
        self.ends += given["end_seconds"].tolist()
        return pd.DataFrame({"clip": [str(each) for each in clips]})

    def predict(self, ids, features):
        assert ids == [str(each) for each in self.clips[-len(ids) :]]
        return {"emotion": np.tile(self.said[:, None, None], (1, len(ids), 7))}


def test_windows_are_clips_of_their_own(tmp_path):
    recording = tmp_path / "recording.mp4"
    recording.write_bytes(b"x")
    (tmp_path / "work").mkdir()
    predictor = Pretended()
    table = read_windows(predictor, recording, tmp_path / "work", 1.5, 8.0)
    assert table["start"].tolist() == [1.5, 3.5, 5.5]
    assert table["end"].tolist() == [5.5, 7.5, 9.5]
    assert predictor.starts == [1.5, 3.5, 5.5] and predictor.ends == [5.5, 7.5, 9.5]
    for end, value in (("least", 0.1), ("most", 0.3)):
        columns = [f"{name}_{end}" for name in EMOTION_COLUMNS]
        assert (table[columns] == value).all(axis=None)
    assert len({str(each) for each in predictor.clips}) == 3
    assert all(each.read_bytes() == b"x" for each in predictor.clips)
    assert {each.suffix for each in predictor.clips} == {".mp4"}


def test_a_single_seed_has_no_band(tmp_path):
    table = read_windows(Pretended(1), tmp_path / "a.mp4", tmp_path, 0.0, 8.0)
    assert table.columns.tolist() == ["start", "end", "clip"]


@pytest.mark.parametrize(("until", "read"), [(2.5, 12), (0.5, 0), (9.0, 29)])
def test_no_window_is_begun_when_time_is_up(tmp_path, monkeypatch, until, read):
    clock = iter(range(1, 9))
    monkeypatch.setattr(timeline.time, "monotonic", lambda: next(clock))
    table = read_windows(Pretended(), tmp_path / "a.mp4", tmp_path, 0.0, 60.0, until)
    assert len(table) == read
    if read:
        assert table["start"].tolist() == [2.0 * place for place in range(read)]


@pytest.mark.parametrize("read", [0, 3])
def test_windows_that_time_did_not_suffice_for_are_told(read):
    windows = course().windows[:read]
    _, content, _ = course(60.0, windows=windows).section()
    assert f"{read} of 29 windows were read before the time" in content
    assert ("<svg" in content) is bool(read)


def test_a_short_recording_is_not_read_again(tmp_path):
    table = read_windows(Pretended(), tmp_path / "recording.mp4", tmp_path, 0.0, 5.0)
    assert table.empty and list(tmp_path.iterdir()) == []


def course(seconds=10.0, **changes):
    """Three windows; the second has no words, though the recording has some."""
    windows = pd.DataFrame({"start": [0.0, 2, 4], "end": [4.0, 6, 8]})
    for place, name in enumerate(EMOTION_COLUMNS):
        windows[name] = 0.1 * place + np.array([0.01, 0.02, 0.03])
        windows[f"{name}_least"] = windows[name] - 0.01
        windows[f"{name}_most"] = windows[name] + 0.02
    windows["audio"], windows["text"] = "recorded", ["heard", None, "heard"]
    windows["face"] = None
    whole = pd.Series({"audio": "recorded", "text": "heard", "face": None})
    whole = pd.concat([whole, pd.Series({EMOTION_COLUMNS[0]: 0.5})])
    given = {"windows": windows, "whole": whole, "waveform": None}
    given |= {"modalities": ["face", "audio", "text"]}
    given |= {"thresholds": dict.fromkeys(SCORED_EMOTIONS, 0.3)}
    return Timeline(seconds, **(given | changes))


def test_there_is_a_gap_where_a_window_lacks_what_the_recording_has():
    assert course().lacking() == [[], ["text"], []]
    shown = course()._shown()
    ends = ("", "_least", "_most")
    columns = [name + end for name in SCORED_EMOTIONS for end in ends]
    assert list(shown.columns) == ["start", "end", *columns]
    np.testing.assert_allclose(shown["anger_most"], [0.13, np.nan, 0.15])
    np.testing.assert_allclose(shown["anger"], [0.11, np.nan, 0.13])
    name, content, people = course().section()
    assert name == "timeline" and not people
    assert "2 to 6" in content and "0.13" in content and "0.12<" not in content
    assert "anger 0.11 to 0.13" in content  # in words, for who does not see it
    assert '0.11 <span class="interval">[0.10, 0.13]' in content
    assert "no interval for the truth" in content


def test_a_short_recording_has_none_and_is_told_why():
    _, content, _ = course(3.25, windows=pd.DataFrame()).section()
    assert "3.2 seconds long" in content and "Below 6 seconds" in content
    assert "<svg" not in content


def test_all_windows_may_lack_something():
    windows = course().windows.assign(text=None)
    _, content, _ = course(windows=windows).section()
    assert "none could be read whole" in content
