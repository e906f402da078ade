"""Small media files, written with PyAV where a test needs them."""

from fractions import Fraction

import av
import numpy as np
import pytest

TICKS_PER_SECOND = 1000


def _flat(level: int, height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def _write_video(out, stream, images, seconds):
    for image, moment in zip(images, seconds, strict=True):
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts = round(moment * TICKS_PER_SECOND)
        frame.time_base = Fraction(1, TICKS_PER_SECOND)
        out.mux(stream.encode(frame))
    out.mux(stream.encode())


def _write_audio(out, stream, waveform, rate):
    samples = waveform.reshape(-1, 1).astype(np.float32).T
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples), format="flt", layout="mono"
    )
    frame.sample_rate, frame.pts = rate, 0
    resampler = av.AudioResampler("fltp", "mono", rate, frame_size=1024)
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        out.mux(stream.encode(part))
    out.mux(stream.encode())


@pytest.fixture
def write_clip(tmp_path):
    """A function that writes a clip of flat grey images and returns its path.

    `levels` are the greys, `seconds` when each is shown (default: ten per second).
    """

    def write(
        name="clip.mp4",
        levels=(),
        seconds=None,
        images=None,
        waveform=None,
        audio_first=False,
        rotation=None,
        keyframe_every=None,
        options=None,
        rate=16000,
    ):
        path = tmp_path / name
        if images is None:
            images = [_flat(level, 32, 64) for level in levels]
        if seconds is None:
            seconds = np.arange(len(images)) / 10
        with av.open(str(path), "w", options=options or {}) as out:
            streams = {}
            for kind in ("audio", "video") if audio_first else ("video", "audio"):
                if kind == "video" and len(images):
                    video = out.add_stream("libx264", rate=10, options={"qp": "4"})
                    video.height, video.width = images[0].shape[:2]
                    video.pix_fmt = "yuv420p"
                    video.codec_context.time_base = Fraction(1, TICKS_PER_SECOND)
                    if keyframe_every:
                        video.codec_context.gop_size = keyframe_every
                    if rotation is not None:
                        video.set_display_rotation(rotation)
                    streams["video"] = video
                if kind == "audio" and waveform is not None:
                    codec = "pcm_s16le" if path.suffix == ".wav" else "aac"
                    streams["audio"] = out.add_stream(codec, rate=rate, layout="mono")
            if "video" in streams:
                _write_video(out, streams["video"], images, seconds)
            if "audio" in streams:
                _write_audio(out, streams["audio"], waveform, rate)
        return path

    return write


@pytest.fixture
def tone():
    """One second of a 440 Hz tone at 16 kHz, (sample,)."""
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
