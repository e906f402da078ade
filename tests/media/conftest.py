"""Small media files, written with PyAV where a test needs them."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition

TICKS_PER_SECOND = 1000
PCM_GUID = bytes.fromhex("0100000000001000800000aa00389b71")


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


@pytest.fixture
def write_tracks(tmp_path):
    """A function that writes sound tracks at 16 kHz to one MP4 and returns its path.

    Each is a (sample,) waveform; `default` is the number of the one marked so.
    """

    def write(waveforms, default=0, name="tracks.mp4"):
        path = tmp_path / name
        with av.open(str(path), "w") as out:
            tracks = [
                out.add_stream("aac", rate=16000, layout="mono") for _ in waveforms
            ]
            for number, track in enumerate(tracks):
                is_default = number == default
                track.disposition = (
                    Disposition.default if is_default else Disposition(0)
                )
            for track, waveform in zip(tracks, waveforms, strict=True):
                _write_audio(out, track, waveform, 16000)
        return path

    return write


@pytest.fixture
def write_channels(tmp_path):
    """A function that writes a WAV at 16 kHz of (channel, sample) and returns its path.

    `places` are the loudspeakers of its channels as a bit mask; 0 names none.
    """

    def write(channels, places=0, name="channels.wav"):
        channels = np.asarray(channels)
        count = len(channels)
        data = (channels.T * 32767).round().astype("<i2").tobytes()
        kind = struct.pack(
            "<HHIIHH", 0xFFFE, count, 16000, 32000 * count, 2 * count, 16
        )
        kind += struct.pack("<HHI", 22, 16, places) + PCM_GUID
        body = b"WAVEfmt " + struct.pack("<I", len(kind)) + kind
        body += b"data" + struct.pack("<I", len(data)) + data
        path = tmp_path / name
        path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
        return path

    return write
