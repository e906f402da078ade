import numpy as np
import pytest
import torch
from torchvision.ops import nms

from sslmepr.media.faces import (
    GRID_PX,
    FaceDetector,
    _prepare,
    suppress,
    symbolic_model,
)


@pytest.fixture(scope="module")
def detector():
    return FaceDetector(threshold=0.5)


def test_model_takes_any_batch_and_size():
    model = symbolic_model()
    assert [value.name for value in model.graph.input] == ["input.1"]
    names = [d.dim_param for d in model.graph.input[0].type.tensor_type.shape.dim]
    assert names == ["batch", "", "height", "width"]


def test_noise_has_no_face(detector):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (2, 90, 110, 3), dtype=np.uint8)
    assert [found.shape for found in detector.detect(images)] == [(0, 5), (0, 5)]


def test_peaks_become_boxes(detector):
    """One peak of the maps at row 5, column 7, decoded by hand."""
    heat = np.zeros((16, 16), np.float32)
    size, offset = np.zeros((2, 16, 16)), np.zeros((2, 16, 16))
    heat[5, 7], heat[5, 8] = 0.9, 0.6  # the second is suppressed by the first
    size[:, 5, 7:9] = np.log([[10.0], [8.0]])  # height 40, width 32 px
    offset[:, 5, 7] = 0.25, -0.25
    faces = detector._decode(heat, size, offset)
    # centre y = (5 + 0.25 + 0.5) * 4 = 23, x = (7 - 0.25 + 0.5) * 4 = 29
    np.testing.assert_allclose(faces, [[13, 3, 45, 43, 0.9]], rtol=1e-5)


def test_input_is_padded_not_stretched():
    pixels, scale = _prepare(np.full((50, 70, 3), 9, np.uint8))
    assert pixels.shape == (1, 3, 2 * GRID_PX, 3 * GRID_PX) and scale == 1.0
    assert pixels[..., :50, :70].min() == 9
    assert pixels[..., 50:, :].max() == 0
    pixels, scale = _prepare(np.zeros((720, 1280, 3), np.uint8))
    assert pixels.shape == (1, 3, 384, 640) and scale == 0.5


def test_suppression_equals_torchvisions():
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 40, (60, 2))
    size = rng.uniform(5, 40, (60, 2))
    faces = np.hstack([corner, corner + size, rng.uniform(0.5, 1, (60, 1))])
    faces = faces.astype(np.float32)
    kept = nms(torch.from_numpy(faces[:, :4]), torch.from_numpy(faces[:, 4]), 0.3)
    np.testing.assert_array_equal(suppress(faces, 0.3), faces[kept.numpy()])
    assert suppress(faces[:0], 0.3).shape == (0, 5)
