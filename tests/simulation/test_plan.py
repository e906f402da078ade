import dataclasses

import av
import numpy as np
import pytest

from sslmepr.corpora.schema import CorpusError
from sslmepr.simulation.draw import draw_corpus
from sslmepr.simulation.plan import plan_clips, render_clip


def plans_of(name, settings):
    return plan_clips(
        name, draw_corpus(name, settings.corpus[name], settings), settings
    )


def test_a_person_keeps_look_and_voice_but_not_the_words(settings):
    plans = plans_of("emotion", settings)
    again = settings.corpus["emotion"].persons
    assert plans[0].clip_id == "emotion-0000"
    assert plans[0].look == plans[again].look != plans[1].look
    assert plans[0].voice == plans[again].voice
    assert plans[0].phrases != plans[again].phrases


def test_controls_are_standardised(settings):
    draw = draw_corpus("emotion", settings.corpus["emotion"], settings)
    plans = plan_clips("emotion", draw, settings)
    for name, channel in draw.channels.items():
        values = np.array([plan.controls[name][0] for plan in plans])
        offset = channel.offset("monologue") / channel.spread(draw.world)
        # four standard errors of the mean of that many persons
        bound = 4 / np.sqrt(settings.corpus["emotion"].persons)
        np.testing.assert_allclose(values.mean(axis=0), offset, atol=bound)
        assert values.std(axis=0).mean() == pytest.approx(1, abs=0.1)


def test_a_rendered_clip_lasts_as_long_as_its_params_say(settings, tmp_path):
    plan = plans_of("tiny_joint", settings)[0]
    render_clip(plan, settings.simulation, tmp_path / "clip.mp4")
    shortest, longest = settings.simulation.seconds
    with av.open(tmp_path / "clip.mp4") as container:
        video = container.streams.video[0]
        frame = settings.simulation.frame
        assert (video.width, video.height) == (frame.width, frame.height)
        assert shortest - 0.1 <= float(video.duration * video.time_base) <= longest


def test_a_clip_that_cannot_be_made_is_named(settings, tmp_path):
    plan = plans_of("tiny_joint", settings)[0]
    controls = plan.controls | {"audio": np.full((1, 11), np.nan)}
    broken = dataclasses.replace(plan, controls=controls)
    with pytest.raises(CorpusError, match="clip tiny_joint-0000 cannot be made"):
        render_clip(broken, settings.simulation, tmp_path / "clip.mp4")
