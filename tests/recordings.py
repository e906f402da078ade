"""Recordings of noise, for tests that need real files."""

import av
import numpy as np

PICTURES_PER_SECOND = 10
RATE = 16000
PART = 1024


def write_video(path, with_sound=True, frames=6):
    """Noise as pictures, ten a second, and as sound if asked."""
    samples = frames * RATE // PICTURES_PER_SECOND // PART * PART
    rng = np.random.default_rng(len(path.name))
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=PICTURES_PER_SECOND)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = out.add_stream("aac", rate=RATE, layout="mono") if with_sound else None
        for _ in range(frames):
            image = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            out.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(video.encode())
        if audio:
            sound = rng.normal(0, 0.05, (1, samples)).astype(np.float32)
            for begin in range(0, samples, PART):
                part = np.ascontiguousarray(sound[:, begin : begin + PART])
                frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = RATE, begin
                out.mux(audio.encode(frame))
            out.mux(audio.encode())
