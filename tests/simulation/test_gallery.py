"""The examples of what knobs do: one person, and only what a knob changes differs."""

import av
import numpy as np
import pytest

from sslmepr.labels import MODALITIES, SCORED_EMOTIONS
from sslmepr.params.simulation import Knobs
from sslmepr.simulation import gallery, picture, voice, words
from sslmepr.simulation.channels import make_channels
from sslmepr.simulation.knobs import FRAMED, HIDING
from sslmepr.simulation.plan import INAUDIBLE, render_clip
from sslmepr.simulation.signs import Signs
from sslmepr.simulation.world import make_world

NOT_IN_ONE_CLIP = {"offset", "missing_when_sad", "shared_looks", "cue_overlap"}
"""Knobs whose effect is between clips, so that no example shows it."""

ANGER = SCORED_EMOTIONS.index("anger")
FIRST = picture.EMOTION_AXES | {"audio": voice.EMOTION_AXES, "text": words.EMOTION_AXES}
SECOND = picture.SECOND_EMOTION_AXES | {"audio": voice.SECOND_EMOTION_AXES}


@pytest.fixture(scope="module")
def shown(settings, tmp_path_factory):
    """The table of the examples, and their plans by knob and example."""
    plans = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gallery, "render_clip", lambda *given: plans.append(given))
        folder = tmp_path_factory.mktemp("gallery")
        table = gallery.render_examples("tiny_joint", settings, folder)
    assert [path for _, _, path in plans] == [folder / name for name in table["media"]]
    names = zip(table["knob"], table["example"], strict=True)
    return table, dict(zip(names, [plan for plan, *_ in plans], strict=True))


@pytest.fixture(scope="module")
def plans(shown):
    return shown[1]


@pytest.fixture(scope="module")
def strengths(settings):
    """Length of the effect of strong anger in each channel, and units of controls."""
    alone = settings.simulation.model_copy(update={"knobs": Knobs()})
    world = make_world("planted", alone.worlds)
    return {
        name: (2.5 * alone.channels[name].emotion, channel.spread(world))
        for name, channel in make_channels(alone).items()
    }


def expected(strengths, name, axes):
    """Controls of strong anger along the axis of `axes`, in units of their spread."""
    length, spread = strengths[name]
    axis = axes[name][:, ANGER]
    return length * axis / np.linalg.norm(axis) / spread


def assert_shows(plan, strengths, axes=FIRST, factor=1.0):
    for name in MODALITIES:
        wanted = factor * expected(strengths, name, axes)
        np.testing.assert_allclose(plan.controls[name], wanted[None], atol=1e-12)


def test_every_knob_whose_effect_a_clip_shows_has_examples(shown):
    table, plans = shown
    assert set(table["knob"]) == set(Knobs.model_fields) - NOT_IN_ONE_CLIP
    assert len(plans) == len(table)  # no two of a knob have the same name
    assert table.groupby("knob").size().min() > 1
    assert table["media"].is_unique
    assert table[["start_seconds", "end_seconds"]].isna().all(axis=None)
    written = [plan.transcript for plan in plans.values()]
    assert table["transcript"].tolist() == written


def test_all_examples_show_the_same_person(plans):
    first, *others = plans.values()
    for plan in others:
        assert (plan.look, plan.voice) == (first.look, first.voice)
        assert (plan.domain, plan.seeds) == (first.domain, first.seeds)


def test_an_example_without_anything_special_shows_the_emotion_alone(plans, strengths):
    plain = [
        plans["reliability", "clear"],
        plans["incongruence", "words as meant"],
        plans["burst", "all the time"],
        plans["order", "all the time"],
        plans["variants", "hot anger"],
    ]
    for plan in plain:
        assert_shows(plan, strengths)
        assert plan.phrases == plain[0].phrases
        assert plan.signs in (Signs(), Signs(dict.fromkeys(MODALITIES, 0.0)))
    loudness = voice.AUDIO_CONTROLS.index("loudness")
    heard = plain[0].controls["audio"][0] * strengths["audio"][1]
    # 2.5 standard deviations of an emotion with strength 1.8; the axis of anger is 0.4
    # thrice, 0.9, 0.6 and 0.7, with loudness 0.9
    assert heard[loudness] == pytest.approx(2.5 * 1.8 * 0.9 / np.sqrt(2.14))


def test_the_second_form_has_axes_of_its_own_in_picture_and_voice(plans, strengths):
    cold = plans["variants", "cold anger"]
    assert_shows(cold, strengths, FIRST | SECOND)
    hot = plans["variants", "hot anger"]
    for name in FRAMED:
        assert np.abs(cold.controls[name] - hot.controls[name]).max() > 0.5


def test_contrary_words_have_a_drawl_and_the_opposite_sign(plans, strengths):
    meant = plans["incongruence", "words as meant"]
    contrary = plans["incongruence", "contrary words"]
    said = expected(strengths, "text", FIRST)
    np.testing.assert_allclose(contrary.controls["text"], -said[None], atol=1e-12)
    for name in MODALITIES[:-1]:
        np.testing.assert_array_equal(contrary.controls[name], meant.controls[name])
    assert contrary.signs == Signs(marker=2.5)
    assert contrary.transcript != meant.transcript


def test_extraverts_show_more(plans, strengths):
    assert_shows(plans["moderation", "introvert"], strengths, factor=np.exp(-2.5))
    assert_shows(plans["moderation", "extravert"], strengths, factor=np.exp(0.5))


def test_expressions_burst_or_rise(plans, strengths):
    burst, rising = plans["burst", "in one moment"], plans["order", "rising"]
    peak = np.sqrt(8) * (np.arange(8) == 4)
    rise = np.array([-7, -5, -3, -1, 1, 3, 5, 7]) / np.sqrt(21)
    for plan, shape in ((burst, peak), (rising, rise)):
        for name in MODALITIES:
            axis = expected(strengths, name, FIRST)
            course = shape if name in FRAMED else np.ones(1)
            wanted = course[:, None] * axis
            np.testing.assert_allclose(plan.controls[name], wanted, atol=1e-12)


def test_signs_are_as_named(plans, strengths):
    for word, loss in {"clear": 0.0, "poor": 0.5, "nearly gone": 1.0}.items():
        signs = plans["reliability", word].signs
        assert signs == Signs(dict.fromkeys(MODALITIES, loss))
    for thing in HIDING:
        assert plans["occlusion", thing].signs == Signs(thing=thing)
    for name in MODALITIES:
        plan = plans["missing", f"no {name}"]
        assert plan.signs == Signs(absent=frozenset([name]))
        assert (plan.transcript == INAUDIBLE) == (name == "text")
        assert_shows(plan, strengths)


def test_examples_do_not_depend_on_the_doses_of_the_world(plans, settings, monkeypatch):
    knobs = Knobs(**dict.fromkeys(("reliability", "moderation", "missing"), 1))
    simulation = settings.simulation.model_copy(
        update={"knobs": knobs.model_copy(update={"cue_overlap": 90, "offset": 1})}
    )
    other = settings.model_copy(update={"simulation": simulation})
    again = []
    monkeypatch.setattr(gallery, "render_clip", lambda plan, *_: again.append(plan))
    gallery.render_examples("tiny_joint", other, "")
    for one, same in zip(plans.values(), again, strict=True):
        assert one.transcript == same.transcript and one.look == same.look
        for name in MODALITIES:
            np.testing.assert_array_equal(one.controls[name], same.controls[name])


def test_examples_are_files_to_see_and_hear(settings, tmp_path, monkeypatch):
    """Two of them are rendered here: with sound, and without."""
    frame = type(settings.simulation.frame)(width=160, height=128, frames_per_second=3)
    simulation = settings.simulation.model_copy(update={"frame": frame})
    small = settings.model_copy(update={"simulation": simulation})

    def two_only(plan, given, path):
        if plan.signs in (Signs(absent=frozenset(["audio"])), Signs(thing="scarf")):
            render_clip(plan, given, path)

    monkeypatch.setattr(gallery, "render_clip", two_only)
    table = gallery.render_examples("tiny_joint", small, tmp_path)
    media = table.set_index("example")["media"]
    assert {path.name for path in tmp_path.iterdir()} == set(
        media[["scarf", "no audio"]]
    )
    for example, sounds in {"scarf": 1, "no audio": 0}.items():
        with av.open(tmp_path / media[example]) as container:
            assert len(container.streams.audio) == sounds
            assert container.streams.video[0].width == 160
