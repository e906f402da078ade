import dataclasses

import av
import numpy as np
import pytest
from plain import plain

from sslmepr.corpora.schema import CorpusError
from sslmepr.extraction.chunks import _ChunkWork
from sslmepr.extraction.jobs import Job
from sslmepr.media.audio import read_waveform
from sslmepr.simulation.draw import draw_corpus
from sslmepr.simulation.plan import plan_clips, render_clip
from sslmepr.simulation.signs import Signs


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
    settings = plain(settings)
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


def test_signs_are_heard_and_read(settings, tmp_path):
    """Noise and a drawl in the sound, garbled words in the transcript."""
    plan = plans_of("tiny_joint", settings)[0]

    def heard(name, **signs):
        signed = dataclasses.replace(plan, signs=Signs(**signs))
        render_clip(signed, settings.simulation, tmp_path / f"{name}.mp4")
        return read_waveform(tmp_path / f"{name}.mp4"), signed.transcript

    (plain, words), (noisy, garbled) = (
        heard(name, loss={"audio": loss, "text": loss})
        for name, loss in (("plain", 0.0), ("noisy", 1.0))
    )
    drawled, _ = heard("drawled", marker=2.5)
    assert words != garbled
    assert np.square(noisy).mean() > 2 * np.square(plain).mean()
    length = min(len(drawled), len(plain))
    assert np.abs(drawled[:length] - plain[:length]).max() > 0.05


def test_absent_sound_and_words_are_recorded_as_missing(settings, tmp_path):
    """Speech recognition must not fill in the words that a clip lacks."""
    plan = plans_of("tiny_joint", settings)[0]
    clips = []
    for name in ("audio", "text"):
        lacking = dataclasses.replace(plan, signs=Signs(absent=frozenset({name})))
        render_clip(lacking, settings.simulation, tmp_path / f"{name}.mp4")
        clips.append(
            {
                "clip_id": name,
                "media": f"{name}.mp4",
                "start_seconds": None,
                "end_seconds": None,
                "transcript": lacking.transcript,
                "modalities": ["audio", "text"],
            }
        )
    job = Job(tuple(clips), tmp_path, settings.extract, "cpu", tmp_path / "shard")
    work = _ChunkWork(job)
    for clip in clips:
        work.hear(clip)
    missing = {(clip, modality): why for clip, modality, why in work.chunk.missing}
    assert set(missing) == {("audio", "audio"), ("text", "text")}
    assert "audio" in missing["audio", "audio"]
    assert missing["text", "text"] == "the transcript has no words: [inaudible]"
    assert [clip for clip, _ in work.waveforms] == ["text"]
    assert [clip for clip, _ in work.texts] == ["audio"]
