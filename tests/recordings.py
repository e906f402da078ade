"""Recordings of noise, for tests that need real files."""

import wave

import av
import cv2
import numpy as np

PICTURES_PER_SECOND = 10
RATE = 16000
PART = 1024


def write_video(path, with_sound=True, frames=6, with_face=True):
    """Noise, ten pictures a second, with a drawn face before it, and noise as sound."""
    samples = frames * RATE // PICTURES_PER_SECOND // PART * PART
    rng = np.random.default_rng(len(path.name))
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=PICTURES_PER_SECOND)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio = out.add_stream("aac", rate=RATE, layout="mono") if with_sound else None
        for _ in range(frames):
            image = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
            if with_face:
                _draw_face(image)
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


def _draw_face(image):
    """At the right edge, so that the person leaves some of the picture to be seen."""
    cv2.ellipse(image, (50, 22), (14, 19), 0, 0, 360, (95, 65, 45), -1)  # hair
    cv2.ellipse(image, (50, 25), (10, 14), 0, 0, 360, (225, 180, 150), -1)
    for x in (46, 54):
        cv2.ellipse(image, (x, 22), (2, 1), 0, 0, 360, (30, 20, 20), -1)
        cv2.line(image, (x - 2, 19), (x + 2, 19), (80, 50, 40), 1)
    cv2.line(image, (50, 23), (49, 28), (190, 140, 115), 1)
    cv2.ellipse(image, (50, 32), (4, 1), 0, 0, 360, (170, 70, 75), -1)


def write_sound(path, seconds):
    """Noise as a WAV file, without pictures."""
    rng = np.random.default_rng(len(path.name))
    noise = (rng.normal(0, 0.05, seconds * RATE) * 2**15).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes(noise.tobytes())
