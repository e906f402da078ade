import numpy as np
import pandas as pd
import pytest

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
    """A predictor that notes what it is given."""

    def read(self, clips, work, given):
        self.clips, self.given = clips, given
        return pd.DataFrame({"clip": [str(each) for each in clips]})


def test_windows_are_clips_of_their_own(tmp_path):
    recording = tmp_path / "recording.mp4"
    recording.write_bytes(b"x")
    (tmp_path / "work").mkdir()
    predictor = Pretended()
    table = read_windows(predictor, recording, tmp_path / "work", 1.5, 8.0)
    assert table["start"].tolist() == [1.5, 3.5, 5.5]
    assert table["end"].tolist() == [5.5, 7.5, 9.5]
    assert predictor.given["start_seconds"].tolist() == [1.5, 3.5, 5.5]
    assert predictor.given["end_seconds"].tolist() == [5.5, 7.5, 9.5]
    assert "transcript" not in predictor.given
    assert len({str(each) for each in predictor.clips}) == 3
    assert all(each.read_bytes() == b"x" for each in predictor.clips)
    assert {each.suffix for each in predictor.clips} == {".mp4"}


def test_a_short_recording_is_not_read_again(tmp_path):
    table = read_windows(Pretended(), tmp_path / "recording.mp4", tmp_path, 0.0, 5.0)
    assert table.empty and list(tmp_path.iterdir()) == []


def course(seconds=10.0, **changes):
    """Three windows; the second has no words, though the recording has some."""
    windows = pd.DataFrame({"start": [0.0, 2, 4], "end": [4.0, 6, 8]})
    for place, name in enumerate(EMOTION_COLUMNS):
        windows[name] = 0.1 * place + np.array([0.01, 0.02, 0.03])
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
    assert list(shown.columns) == ["start", "end", *SCORED_EMOTIONS]
    np.testing.assert_allclose(shown["anger"], [0.11, np.nan, 0.13])
    name, content, people = course().section()
    assert name == "timeline" and not people
    assert "2 to 6" in content and "0.13" in content and "0.12<" not in content
    assert "anger 0.11 to 0.13" in content  # in words, for who does not see it


def test_a_short_recording_has_none_and_is_told_why():
    _, content, _ = course(3.25, windows=pd.DataFrame()).section()
    assert "3.2 seconds long" in content and "Below 6 seconds" in content
    assert "<svg" not in content


def test_all_windows_may_lack_something():
    windows = course().windows.assign(text=None)
    _, content, _ = course(windows=windows).section()
    assert "none could be read whole" in content
