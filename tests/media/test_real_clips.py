"""The three clips of real people, where they are at hand."""

import os
from pathlib import Path

import numpy as np
import pytest

from sslmepr.media.audio import is_silent, read_waveform
from sslmepr.media.faces import FaceDetector
from sslmepr.media.regions import find_regions
from sslmepr.media.transcript import Transcriber
from sslmepr.media.video import sample_frames

ROOT = Path(__file__).resolve().parents[2]
CORPORA = Path(os.environ.get("SSLMEPR_DATA", ROOT.parent / "shared" / "corpora"))
MEDIA = CORPORA.parent / "media"
RAVDESS = CORPORA / "ravdess"
needs_clips = pytest.mark.skipif(not MEDIA.is_dir(), reason="shared/media is absent")
needs_speech = pytest.mark.skipif(
    not RAVDESS.is_dir(), reason="shared/corpora/ravdess is absent"
)


@needs_clips
@pytest.mark.parametrize(
    ("name", "size", "seconds", "with_face"),
    [
        ("single_face.mp4", (360, 640), 2.4, [True] * 8),
        ("no_face.mp4", (540, 960), 3.945, [False] * 8),
        ("face_noface.mov", (540, 960), 6.402, [True] * 3 + [False] * 5),
    ],
)
def test_faces_are_found_where_there_are_faces(name, size, seconds, with_face):
    frames = sample_frames(MEDIA / name, 8)
    assert frames.images.shape == (8, *size, 3)
    assert frames.duration_seconds == pytest.approx(seconds, abs=0.001)
    faces = FaceDetector().detect(frames.images)
    regions = find_regions(frames.images, faces)
    found = regions[regions["modality"] == "face"]["provenance"] == "detected"
    assert found.tolist() == with_face


@needs_clips
def test_batches_find_what_single_frames_find():
    detector = FaceDetector()
    images = sample_frames(MEDIA / "single_face.mp4", 5).images
    together = detector.detect(images)
    for image, expected in zip(images, together, strict=True):
        alone = detector.detect(image[None])[0]
        np.testing.assert_allclose(alone, expected, rtol=1e-3)


@needs_clips
def test_nobody_speaks_in_the_clips():
    """They hold the noise of a room; a transcript of it would be invented."""
    transcriber = Transcriber()
    for name in ("single_face.mp4", "no_face.mp4"):
        waveform = read_waveform(MEDIA / name)
        assert not is_silent(waveform)
        assert transcriber.transcribe(waveform).text == ""


@needs_speech
def test_an_actor_is_understood():
    path = sorted(RAVDESS.rglob("03-01-01-01-01-01-01.*"))[0]
    transcript = Transcriber().transcribe(read_waveform(path)).text.lower()
    assert transcript.rstrip(".") == "kids are talking by the door"
