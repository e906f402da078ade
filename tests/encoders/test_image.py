import checkpoints
import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image

from sslmepr.encoders import image as module
from sslmepr.encoders.image import ClipVitB32, EfficientNetLite0
from sslmepr.encoders.onnx_graph import efficientnet_graph
from sslmepr.weights import WeightsError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def encoder():
    return EfficientNetLite0(CPU)


def crops(*sizes):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (*size, 3), dtype=np.uint8) for size in sizes]


def test_embedded_encoder_equals_its_torch_model(encoder):
    images = crops(*3 * [(encoder.side_px, encoder.side_px)])
    pixels = np.stack(images).astype(np.float32).transpose(0, 3, 1, 2)
    expected = encoder.reference((np.ascontiguousarray(pixels) - 127) / 128)
    features = encoder.encode(images)
    assert features.shape == (3, encoder.feature_count) == (3, 1328)
    np.testing.assert_allclose(features, expected, atol=1e-4)
    assert features.std() > 0.1


def test_equal_crops_are_encoded_once(encoder, monkeypatch):
    first, second = crops((50, 40), (50, 40))
    expected = encoder.encode([first, second])
    passed, forward = [], encoder._forward

    def counted(pixels):
        passed.append(len(pixels))
        return forward(pixels)

    monkeypatch.setattr(encoder, "_forward", counted)
    features = encoder.encode([first, second, first.copy(), second, first], 4)
    assert passed == [2]
    np.testing.assert_array_equal(features, expected[[0, 1, 0, 1, 0]])


def test_graph_is_valid(encoder):
    import onnx

    model = efficientnet_graph(encoder.torch_model)
    onnx.checker.check_model(model)
    names = [side[0].name for side in (model.graph.input, model.graph.output)]
    assert names == ["image", "feature"]


def test_batches_change_nothing(encoder):
    images = crops((40, 60), (300, 100), (160, 160), (8, 8), (1, 1))
    together, apart = encoder.encode(images), encoder.encode(images, batch=1)
    np.testing.assert_allclose(together, apart, atol=1e-5)
    assert encoder.encode([]).shape == (0, 1328)


@pytest.fixture(scope="module")
def pictures(encoder):
    crop = encoder.prepare(load_sample_image("china.jpg"))
    return torch.from_numpy((crop.transpose(2, 0, 1)[None] - 127.0) / 128.0).float()


def test_the_weights_recognise_a_picture(encoder, pictures):
    with torch.no_grad():
        scores = encoder.torch_model(pictures).softmax(1)[0]
    bell_cote, monastery = 442, 663  # of the thousand ImageNet classes: a temple
    assert scores.argmax() == bell_cote and scores[bell_cote] > 0.5
    assert monastery in scores.topk(5).indices


def test_features_are_means_of_the_maps_of_two_blocks(encoder, pictures):
    maps = {}
    hooks = [
        encoder.torch_model._blocks[block].register_forward_hook(
            lambda _, __, output, block=block: maps.update({block: output[0].numpy()})
        )
        for block in (10, 15)
    ]
    with torch.no_grad():
        encoder.torch_model.extract_features(pictures)
    for hook in hooks:
        hook.remove()
    assert maps[10].shape == (112, 10, 10) and maps[15].shape == (320, 5, 5)
    regions = [
        [channel[top : top + 4, left : left + 4].mean() for channel in maps[10]]
        for top in (0, 3, 6)
        for left in (0, 3, 6)
    ]
    features = encoder.encode([load_sample_image("china.jpg")])[0]
    expected = np.array(regions).T.reshape(-1)  # (channel, region)
    np.testing.assert_allclose(features[:1008], expected, atol=1e-4)
    np.testing.assert_allclose(features[1008:], maps[15].mean((1, 2)), atol=1e-4)


def test_features_say_where(encoder):
    """A thing in another corner is nearer to itself there than an average can tell."""
    left = np.full((160, 160, 3), 127, np.uint8)
    left[40:80, 20:60] = [250, 30, 30]
    right = left[:, ::-1].copy()
    features = encoder.encode([left, right])[:, :1008].reshape(2, 112, 3, 3)
    moved = abs(features[0] - features[1]).mean()
    mirrored = abs(features[0] - features[1][..., ::-1]).mean()
    assert moved > 2 * mirrored


@pytest.fixture
def tiny_clip(tmp_path):
    return tmp_path, checkpoints.write_clip(tmp_path)


def test_clip_loads_the_published_format(tiny_clip, monkeypatch):
    monkeypatch.setattr(module, "fast_cpu_dtype", lambda: torch.float32)
    folder, model = tiny_clip
    encoder = ClipVitB32(CPU, folder)
    image = crops((32, 32))[0]
    pixels = (image / 255 - [0.5, 0.4, 0.3]) / [0.2, 0.25, 0.3]
    with torch.no_grad():
        batch = torch.from_numpy(pixels.transpose(2, 0, 1)[None]).float()
        expected = model.encode_image(batch).numpy()
    np.testing.assert_allclose(encoder.encode([image]), expected, atol=1e-4)
    assert encoder.feature_count == 12 and len(encoder.revision) == 12
    assert encoder.encode(crops((50, 70), (20, 10))).shape == (2, 12)


def test_clip_in_bfloat16_is_close_to_float32(tiny_clip, monkeypatch):
    folder, _ = tiny_clip
    images = crops(*32 * [(32, 32)])
    features = {}
    for dtype in (torch.float32, torch.bfloat16):
        monkeypatch.setattr(module, "fast_cpu_dtype", lambda dtype=dtype: dtype)
        encoder = ClipVitB32(CPU, folder)
        features[dtype] = encoder.encode(images).astype(np.float64)
        products = encoder._model.visual.transformer.resblocks[0].mlp.c_fc.weight
        assert products.dtype == dtype
    full, half = features.values()
    lengths = np.linalg.norm(full, axis=1) * np.linalg.norm(half, axis=1)
    assert ((full * half).sum(1) / lengths).min() >= 0.999
    assert abs(full - half).max() > 1e-4 * abs(full).max()  # they do differ


def test_clip_without_its_weights(tmp_path, tiny_clip):
    with pytest.raises(WeightsError, match="hf download timm/vit_base_patch32"):
        ClipVitB32(CPU, tmp_path / "nowhere")
    (tmp_path / "clip_vit_b32" / "open_clip_model.safetensors").unlink()
    with pytest.raises(WeightsError, match="extract.image_encoder.*hf download"):
        ClipVitB32(CPU, tmp_path)
