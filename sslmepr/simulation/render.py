"""Frames and a waveform become an MP4 file: H.264 video and AAC speech.

One encoding thread, no wall-clock time in the header: the same input gives the same
bytes on the same machine.
"""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

# Without mbtree=0 (macroblock tree) x264 gives now these bytes, now those. Arithmetic
# coding (cabac) saves the room that the fastest preset wastes.
VIDEO_OPTIONS = {
    "crf": "21",
    "preset": "ultrafast",
    "threads": "1",
    "x264-params": "mbtree=0:cabac=1",
}
AUDIO_OPTIONS = {"aac_coder": "fast"}  # a third of the default's time
AUDIO_BITS_PER_SECOND = 64_000
_BITEXACT = av.container.Flags.bitexact.value
_CODEC_BITEXACT = av.codec.context.Flags.bitexact.value


def write_clip(
    path: str | Path,
    frames: np.ndarray,
    frames_per_second: int,
    waveform: np.ndarray | None,
    sample_rate_hz: int,
) -> None:
    """Write one clip; the file appears only when it is complete.

    Parameters
    ----------
    path : path
        Of the MP4 file; its folder must exist.
    frames : (frame, height, width, channel) uint8 array
        RGB; height and width must be even.
    frames_per_second : int
    waveform : (sample,) float array, optional
        Mono, within -1..1; without it the file has no sound track.
    sample_rate_hz : int

    Raises
    ------
    ValueError
        If there is nothing to write, or frames are of an impossible type or size.
    """
    path = Path(path)
    _check(path, frames, waveform)
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.mp4")
    try:
        with av.open(
            unfinished, "w", options={"fflags": "+bitexact", "movflags": "+faststart"}
        ) as container:
            container.flags |= _BITEXACT
            _write_streams(
                container, frames, frames_per_second, waveform, sample_rate_hz
            )
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _check(path: Path, frames: np.ndarray, waveform: np.ndarray | None) -> None:
    if frames.ndim != 4 or frames.dtype != np.uint8 or frames.shape[3] != 3:
        raise ValueError(
            f"{path.name}: frames must be uint8 (frame, height, width, 3), "
            f"got {frames.dtype} {frames.shape}"
        )
    samples = None if waveform is None else len(waveform)
    if len(frames) == 0 or samples == 0:
        raise ValueError(
            f"{path.name}: no clip can be made of {len(frames)} frames "
            f"and {samples} samples"
        )
    if frames.shape[1] % 2 or frames.shape[2] % 2:
        raise ValueError(
            f"{path.name}: H.264 needs an even height and width, got {frames.shape}"
        )


def _write_streams(
    container: av.container.OutputContainer,
    frames: np.ndarray,
    frames_per_second: int,
    waveform: np.ndarray | None,
    sample_rate_hz: int,
) -> None:
    video = container.add_stream(
        "libx264", rate=frames_per_second, options=VIDEO_OPTIONS
    )
    video.height, video.width = frames.shape[1:3]
    video.pix_fmt = "yuv420p"
    video.thread_count = 1
    if waveform is not None:
        audio = container.add_stream(
            "aac", rate=sample_rate_hz, layout="mono", options=AUDIO_OPTIONS
        )
        audio.bit_rate = AUDIO_BITS_PER_SECOND
    for stream in container.streams:
        stream.codec_context.flags |= _CODEC_BITEXACT
    for index, image in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts = index
        frame.time_base = Fraction(1, frames_per_second)
        container.mux(video.encode(frame))
    container.mux(video.encode())
    if waveform is None:
        return
    samples = np.asarray(waveform, dtype=np.float32)[None]
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate = sample_rate_hz
    frame.pts = 0
    frame.time_base = Fraction(1, sample_rate_hz)
    container.mux(audio.encode(frame))
    container.mux(audio.encode())
