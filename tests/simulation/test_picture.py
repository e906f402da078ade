import numpy as np
import pytest

from sslmepr.media.faces import FaceDetector
from sslmepr.simulation import picture
from sslmepr.simulation.picture import (
    BODY_CONTROLS,
    FACE_CONTROLS,
    SCENE_CONTROLS,
    Controls,
    DomainLook,
    draw_look,
    render_frames,
)

DOMAINS = (DomainLook(1.0, 0.3), DomainLook(1.15, 0.7))


def _controls(rng) -> Controls:
    sizes = (len(names) for names in (FACE_CONTROLS, BODY_CONTROLS, SCENE_CONTROLS))
    return Controls(*(rng.standard_normal(size) for size in sizes))


def _render(seed=0, frames=2, width=320, height=256, **options) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return render_frames(
        draw_look(rng),
        _controls(rng),
        frames,
        12,
        width,
        height,
        DOMAINS[seed % 2],
        seed,
        **options,
    )


def test_frames_have_the_size_asked_for():
    frames = _render(frames=3, width=160, height=96)
    assert frames.shape == (3, 96, 160, 3) and frames.dtype == np.uint8


def test_same_seed_same_frames():
    np.testing.assert_array_equal(_render(seed=5), _render(seed=5))


def test_person_moves_but_room_stands():
    frames = _render(frames=6).astype(int)
    moving = np.ptp(frames, axis=0).max(axis=2)
    assert (moving > 20).sum() > 200
    assert moving[:, :6].max() == 0


def test_speech_moves_the_picture():
    speaking = _render(speech_envelope=np.array([0.0, 1.0]))
    silent = _render()
    np.testing.assert_array_equal(speaking[0], silent[0])
    assert (speaking[1] != silent[1]).any()


def test_bad_sizes_are_named():
    with pytest.raises(ValueError, match="must be positive"):
        _render(frames=0)
    with pytest.raises(ValueError, match="speech_envelope has shape"):
        _render(frames=3, speech_envelope=np.zeros(2))


def test_axes_cover_every_visual_channel():
    assert picture.EMOTION_AXES.keys() == {"face", "body", "scene"}
    assert picture.EMOTION_AXES["scene"].shape == (len(SCENE_CONTROLS), 6)
    assert picture.TRAIT_AXES["body"].shape == (len(BODY_CONTROLS), 5)


def test_detector_finds_the_face():
    detector = FaceDetector(0.5)
    frames = np.concatenate([_render(seed=seed) for seed in range(16)])
    found = detector.detect(frames)
    assert np.mean([len(faces) > 0 for faces in found]) >= 0.95
    heights = [faces[0][3] - faces[0][1] for faces in found if len(faces)]
    assert 60 < np.median(heights) < 110
