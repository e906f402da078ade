"""The world in pictures: what strips show is what the laws of the world say."""

import numpy as np
import pytest

from sslmepr.labels import MODALITIES, SCORED_EMOTIONS, TRAITS
from sslmepr.params.simulation import Knobs
from sslmepr.report import drawn_world
from sslmepr.simulation import picture, words
from sslmepr.simulation.channels import make_channels
from sslmepr.simulation.knobs import HIDING, envelopes, expressiveness

CORPUS = "tiny_joint"
UNSEEN = {"missing_when_sad"}
"""Knobs whose effect is between clips alone."""


@pytest.fixture(scope="module")
def cast(settings):
    return drawn_world.Cast(CORPUS, settings)


@pytest.fixture(scope="module")
def strips(cast):
    """Knob to its strips, in the order of doses."""
    found = {}
    for knob, strip in drawn_world.dose_strips(cast):
        found.setdefault(knob, []).append(strip)
    return found


@pytest.fixture(scope="module")
def anger(cast):
    """Controls of the emotion that is felt, in its two forms, by channel."""
    found = {}
    for name, channel in make_channels(cast.simulation).items():
        spread = channel.spread(cast.world)
        place = SCORED_EMOTIONS.index("anger")
        axes = channel.emotion_axes, channel.second_axes
        found[name] = [drawn_world.FELT * each[:, place] / spread for each in axes]
    return found


def test_every_knob_that_shows_in_a_clip_has_strips(strips):
    assert set(strips) == set(Knobs.model_fields) - UNSEEN
    for knob, three in strips.items():
        titles = [strip.title for strip in three]
        assert len(set(titles)) == 3, knob
        for strip in three:
            assert len(strip.plans) in (1, len(strip.captions)) or not strip.seen
            assert strip.seen or strip.heard is not None


def test_at_dose_0_nothing_is_special(strips, anger):
    for knob in ("occlusion", "burst", "order", "variants", "missing", "incongruence"):
        for plan in strips[knob][0].plans:
            assert plan.signs.thing is None and not plan.signs.absent
            assert not any(plan.signs.loss.values()) and plan.signs.marker == 0
            for name, values in plan.controls.items():
                np.testing.assert_allclose(
                    values, np.broadcast_to(anger[name][0], values.shape), atol=1e-12
                )


def test_strengths_go_from_absent_to_strong(cast):
    found = {strip.title: strip for _, strip in drawn_world.strength_strips(cast)}
    assert list(found) == [*SCORED_EMOTIONS, *TRAITS]
    channel = make_channels(cast.simulation)["face"]
    spread = channel.spread(cast.world)
    for place, name in enumerate(SCORED_EMOTIONS):
        shown = [plan.controls["face"][0] for plan in found[name].plans]
        assert found[name].captions == ("absent", "+1 sd", "+2 sd", "+3 sd")
        np.testing.assert_allclose(
            shown,
            np.outer([0, 1, 2, 3], channel.emotion_axes[:, place] / spread),
            atol=1e-12,
        )
    low, *_, high = (plan.controls["face"] for plan in found["openness"].plans)
    np.testing.assert_allclose(low, -high, atol=1e-12)
    assert found["openness"].captions == ("−2 sd", "−1 sd", "+1 sd", "+2 sd")


def test_clips_are_as_clear_as_their_class_and_dose(strips):
    for strip, worst in zip(strips["reliability"], (0.0, 0.5, 1.0), strict=True):
        for plan, part in zip(strip.plans, (0, 0, 0.5, 1), strict=True):
            assert set(plan.signs.loss.values()) <= {part * worst}
    half, full = strips["reliability"][1:]
    assert full.captions == ("clear", "clear", "poor", "nearly gone")
    # The noise of the two clear clips shrinks as that of the others grows.
    away = [
        np.linalg.norm(
            strip.plans[-1].controls["face"]
            - strips["burst"][0].plans[0].controls["face"]
        )
        for strip in (half, full)
    ]
    assert away[0] < away[1]


def test_as_many_clips_are_special_as_the_dose_says(strips):
    def count(knob, special):
        return [sum(map(special, strip.plans)) for strip in strips[knob]]

    assert count("occlusion", lambda plan: plan.signs.thing is not None) == [0, 2, 4]
    for name in MODALITIES:
        of_name = count("missing", lambda plan, name=name: name in plan.signs.absent)
        assert of_name == [0, 1, 2]
    for strip in strips["missing"]:
        for plan, caption in zip(strip.plans, strip.captions, strict=True):
            assert all((n in caption) == (n in plan.signs.absent) for n in MODALITIES)
    things = [plan.signs.thing for plan in strips["occlusion"][-1].plans]
    assert set(things) == set(HIDING)
    assert strips["occlusion"][-1].captions == tuple(things)


def test_hidden_controls_are_average(strips):
    plan = strips["occlusion"][-1].plans[0]
    hidden = np.isin(picture.FACE_CONTROLS, HIDING["sunglasses"][1])
    assert not plan.controls["face"][0, hidden].any()
    assert plan.controls["face"][0, ~hidden].any()


def test_contrary_words_are_the_opposite_and_the_voice_drawls(strips):
    sincere, *contrary = (strip.plans[0] for strip in strips["incongruence"])
    place = words.TEXT_CONTROLS.index("anger")
    for plan in contrary:
        assert plan.controls["text"][0, place] == -sincere.controls["text"][0, place]
        np.testing.assert_array_equal(plan.controls["audio"], sincere.controls["audio"])
        assert plan.signs.marker > 0
    titles = [strip.title for strip in strips["incongruence"]]
    assert titles == ["dose 0", "dose ½: 15% of clips", "dose 1: 30% of clips"]


@pytest.mark.parametrize("knob", ["burst", "order"])
def test_expressions_have_the_envelope_of_the_dose(strips, anger, cast, knob):
    frames = cast.simulation.cue_frames
    for strip, dose in zip(strips[knob][1:], (0.5, 1.0), strict=True):
        shapes = envelopes(Knobs(**{knob: dose}), frames)
        onset = drawn_world.MOMENTS[1] % len(shapes)
        (plan,) = strip.plans
        expected = np.outer(shapes[onset], anger["face"][0])
        np.testing.assert_allclose(plan.controls["face"], expected, atol=1e-12)
        assert plan.controls["scene"].shape[0] == 1


def test_extraverts_show_more(strips, anger):
    for strip, dose in zip(strips["moderation"], (0.0, 0.5, 1.0), strict=True):
        factors = expressiveness(dose, np.array(drawn_world.EXTRAVERTED))
        plain = [plan.controls["text"][0] for plan in strip.plans]
        place = words.TEXT_CONTROLS.index("anger")
        found = [values[place] for values in plain]
        np.testing.assert_allclose(found, factors * anger["text"][0][place])


def test_variants_show_the_second_form(strips, anger):
    for strip, second in zip(strips["variants"], (0, 1, 2), strict=True):
        for number, plan in enumerate(strip.plans):
            form = anger["face"][int(number < second)]
            np.testing.assert_allclose(plan.controls["face"][0], form, atol=1e-12)


def test_domains_and_looks_differ_by_dose_alone(strips):
    def spread(strip, channel="face"):
        values = np.array([plan.controls[channel][0] for plan in strip.plans])
        return values

    first, *others = map(spread, strips["offset"])
    np.testing.assert_allclose(first[:2], first[2:], atol=1e-12)
    assert all(not np.allclose(each[:2], each[2:]) for each in others)
    none, half, full = map(spread, strips["shared_looks"])
    assert not none.any()
    np.testing.assert_allclose(2 * half, full, atol=1e-12)
    straight, *turned = map(spread, strips["cue_overlap"])
    assert all(not np.allclose(straight, each) for each in turned)
