"""Strips as HTML: pictures, sound and words of the clips that they show."""

import base64
import io
import re
from dataclasses import replace

import av
import numpy as np
import pytest
from PIL import Image

from sslmepr.report import drawn_world, strips

CORPUS = "tiny_joint"
EMBEDDED = re.compile(r'src="data:([a-z0-9/]+);base64,([^"]+)"')


@pytest.fixture(scope="module")
def cast(settings):
    return drawn_world.Cast(CORPUS, settings)


@pytest.fixture(scope="module")
def drawn(cast):
    """Knob to its strips."""
    found = {}
    for knob, strip in drawn_world.dose_strips(cast):
        found.setdefault(knob, []).append(strip)
    return found


@pytest.fixture(scope="module")
def panels(settings):
    return strips.dose_panels(CORPUS, settings)


def embedded(page, kind):
    found = EMBEDDED.findall(page)
    return [base64.b64decode(content) for each, content in found if each == kind]


def test_every_picture_has_its_caption_and_description(panels, drawn):
    for knob, page in panels.items():
        captions = [c for strip in drawn[knob] if strip.seen for c in strip.captions]
        assert re.findall("<small>(.*?)</small>", page) == captions
        pictures = embedded(page, "image/webp")
        assert len(pictures) == len(captions) == page.count('loading="lazy"')
        for content in pictures:
            assert Image.open(io.BytesIO(content)).size == strips.PICTURE
        assert all(re.findall('<img [^>]*alt="([^"]+)"', page))


def test_what_is_heard_is_the_voice_of_the_clip(panels, drawn):
    for knob, page in panels.items():
        heard = [strip for strip in drawn[knob] if strip.heard is not None]
        sounds = embedded(page, "audio/mp4")
        assert len(sounds) == len(heard)
        for content in sounds:
            with av.open(io.BytesIO(content)) as clip:
                assert [stream.type for stream in clip.streams] == ["audio"]
                count = sum(frame.samples for frame in clip.decode(audio=0))
            assert 2 * 16_000 < count < 5 * 16_000


def test_words_are_told_once(panels, drawn):
    for knob, page in panels.items():
        heard = [s.plans[s.heard] for s in drawn[knob] if s.heard is not None]
        for words in {plan.transcript for plan in heard}:
            assert page.count(f"“{words}”") == 1


def test_strength_is_shown_channel_by_channel(settings, monkeypatch):
    monkeypatch.setattr(strips, "sound", lambda plan, simulation: b"sound")
    found = strips.strength_tabs(CORPUS, settings).panels
    assert list(found) == ["Face", "Body", "Scene", "Audio", "Text"]
    for name in ("Face", "Body", "Scene"):
        assert len(embedded(found[name], "image/webp")) == 11 * drawn_world.CLIPS
        assert "<audio" not in found[name]
    assert len(embedded(found["Audio"], "audio/mp4")) == 11
    assert found["Text"].count("“") == 11 * drawn_world.CLIPS
    assert "<img" not in found["Text"] and "<img" not in found["Audio"]
    for page in found.values():
        assert "Emotional stability" in page and "Happiness" in page


def test_a_channel_fills_the_picture(cast, settings):
    plans = cast.plans(drawn_world.felt([3.0]), persons=[0])
    strip = drawn_world.Strip("anger", ("strong",), plans)
    whole, face, scene = (
        strips.pictures(strip, settings.simulation, away)[0].astype(int)
        for away in (strips.WHOLE, strips.VIEWS["face"], strips.VIEWS["scene"])
    )
    calm = drawn_world.Strip(
        "anger", ("absent",), cast.plans(drawn_world.felt([0.0]), persons=[0])
    )
    other = strips.pictures(calm, settings.simulation, strips.VIEWS["face"])[0]
    assert np.abs(face - other).max() > 30  # it is seen in the face alone
    assert np.abs(whole - scene).max() > 30 and np.abs(whole - face).max() > 30


def test_pictures_of_one_clip_are_its_moments(cast, settings, monkeypatch):
    seen = []

    def render_frames(look, controls, count, *given, **signs):
        seen.append((count, given[0]))
        return np.arange(count, dtype=np.uint8)[:, None, None, None] + np.zeros(
            (1, 64, 80, 3), np.uint8
        )

    monkeypatch.setattr(strips.picture, "render_frames", render_frames)
    strip = drawn_world.KNOB_STRIPS["burst"](cast, 1.0)
    found = strips.pictures(strip, settings.simulation)
    assert [image.mean() for image in found] == list(drawn_world.MOMENTS)
    assert all(image.shape[:2] == strips.PICTURE[::-1] for image in found)
    assert seen == [(8, strips.STILL)]


def test_titles_cannot_be_markup(cast, settings):
    strip = drawn_world.KNOB_STRIPS["occlusion"](cast, 0.0)
    page = strips._strip(
        replace(strip, title="<b>", captions=("<i>",) * 4), settings.simulation
    )
    assert "<b>" not in page and "<i>" not in page and "&lt;b&gt;" in page


def test_equal_clips_give_equal_bytes(cast, settings):
    plan = drawn_world.KNOB_STRIPS["burst"](cast, 1.0).plans[0]
    first, again = (strips.sound(plan, settings.simulation) for _ in range(2))
    assert first == again
    image = np.arange(64 * 48 * 3, dtype=np.uint8).reshape(64, 48, 3)
    assert strips.webp(image) == strips.webp(image)
