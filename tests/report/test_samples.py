import base64
import io
import re

import numpy as np
import pandas as pd
from PIL import Image
from recordings import write_video

from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS
from sslmepr.report import samples
from sslmepr.report.samples import (
    caption,
    captions,
    pictured_clips,
    read_pictures,
    sample_clips,
    sample_sheet,
    video_players,
)


def clips():
    """Ten neutral clips and one of each other emotion."""
    emotions = np.vstack([np.eye(7)[[0] * 9], np.eye(7)])
    table = pd.DataFrame(emotions, columns=list(EMOTION_COLUMNS))
    table[list(TRAIT_COLUMNS)] = 0.5
    return table


def test_samples_cover_the_emotions_before_repeating_one():
    chosen = sample_clips(clips(), 7, seed=0)
    strongest = chosen[list(EMOTION_COLUMNS)].to_numpy().argmax(axis=1)
    assert sorted(strongest) == list(range(7))


def test_samples_are_the_same_for_the_same_seed():
    first, second = (sample_clips(clips(), 5, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_caption_names_emotions_and_the_two_traits_furthest_from_average():
    clip = clips().iloc[-1].copy()
    clip["trait_openness"], clip["trait_extraversion"] = 0.1, 0.7
    assert caption(clip) == "surprise 1.00\nopenness 0.10; extraversion 0.70"


def test_caption_of_a_clip_that_nobody_rated_is_its_name():
    table = clips().assign(clip_id="talk")
    table[[*EMOTION_COLUMNS, *TRAIT_COLUMNS]] = np.nan
    clip = table.iloc[0]
    assert caption(clip) == "talk"


def test_clips_without_a_picture_are_passed_over(tmp_path, monkeypatch):
    for name in ("a.mp4", "c.mp4"):
        write_video(tmp_path / name)
    (tmp_path / "b.mp4").write_bytes(b"no film")
    table = clips().head(5).assign(start_seconds=0.2, end_seconds=0.5)
    table["media"] = ["a.mp4", "b.mp4", None, "gone.mp4", "c.mp4"]
    table["clip_id"] = table["media"]
    found = pictured_clips(table, tmp_path, 3, seed=0)
    assert set(found["media"]) == {"a.mp4", "c.mp4"}
    assert len(pictured_clips(table, tmp_path, 1, seed=0)) == 1
    seconds = read_pictures(found.iloc[0], tmp_path, 3).seconds
    assert seconds.min() >= 0.2 and seconds.max() < 0.5  # of the segment alone
    shown = []
    monkeypatch.setattr(samples, "contact_sheet", lambda *what, alt: shown.append(what))
    sample_sheet(found, tmp_path, alt="Two clips")
    ((images, labels),) = shown
    assert [image.ndim for image in images] == [3, 3] and len(labels) == 2
    assert pictured_clips(table.head(0), tmp_path, 3, seed=0).empty


def test_players_say_what_is_said_if_it_is_known(tmp_path):
    write_video(tmp_path / "a.mp4")
    table = clips().head(2).assign(clip_id=["a", "b"], media="a.mp4")
    table = table.assign(start_seconds=np.nan, end_seconds=np.nan)
    table["transcript"] = pd.Series(["<so>", None], dtype="str")
    page = video_players(table, tmp_path)._repr_html_()
    assert "“&lt;so&gt;”" in page and "“no words”" in page and "nan" not in page
    assert re.findall('aria-label="([^"]*)"', page) == [
        "Sample clip 1: &lt;so&gt;",
        "Sample clip 2: no words",
    ]
    named = video_players(table.assign(name="<b>"), tmp_path, "name")._repr_html_()
    assert named.count('aria-label="&lt;b&gt;: ') == 2
    (track,) = re.findall('<track [^>]*src="data:text/vtt;base64,([^"]*)"', page)
    assert base64.b64decode(track).decode().endswith("\n&lt;so&gt;\n")


def test_a_player_begins_with_a_frame_of_its_clip(tmp_path):
    write_video(tmp_path / "a.mp4")
    table = clips().head(1).assign(clip_id="a", media="a.mp4", transcript="so")
    table = table.assign(start_seconds=0.2, end_seconds=0.5)
    page = video_players(table, tmp_path)._repr_html_()
    (poster,) = re.findall('poster="data:image/jpeg;base64,([^"]*)"', page)
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(poster))), dtype=float)
    frame = read_pictures(table.iloc[0], tmp_path, 1).images[0]
    assert (
        shown.shape == frame.shape and np.abs(shown - frame).mean() < 20
    )  # frames are noise


def test_captions_last_as_long_as_the_clip():
    clip = pd.Series({"start_seconds": 61.5, "end_seconds": 3664.0})
    assert captions(clip, "a & b " + "c" * 38) == (
        "WEBVTT\n\n00:01:01.500 --> 01:01:04.000\na &amp; b\n" + "c" * 38 + "\n"
    )
    clip = pd.Series({"start_seconds": np.nan, "end_seconds": np.nan})
    assert "00:00:00.000 --> 01:00:00.000" in captions(clip, "a")
