import pytest
import torch

from sslmepr.encoders.image import EfficientNetLite0
from sslmepr.encoders.precision import fast_cpu_dtype, inference_precision


def test_the_cpu_computes_in_full_precision():
    with inference_precision(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_the_cpu_computes_as_an_encoder_wishes():
    with inference_precision(torch.device("cpu"), torch.bfloat16):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.parametrize(
    ("able", "library", "expected"),
    [
        ({"architecture": "x86_64", "avx512_bf16": True}, True, torch.bfloat16),
        ({"avx512_bf16": False, "amx_bf16": True}, True, torch.bfloat16),
        ({"architecture": "aarch64", "bf16": True}, True, torch.bfloat16),
        ({"avx512_bf16": True}, False, torch.float32),  # no routines that use it
        ({"avx512_f": True, "avx512_bf16": False}, True, torch.float32),
        ({}, True, torch.float32),
    ],
)
def test_bfloat16_needs_a_cpu_that_multiplies_it(monkeypatch, able, library, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: library)
    assert fast_cpu_dtype() == expected


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_cuda_computes_in_half_precision_and_loses_little():
    cuda = torch.device("cuda")
    with inference_precision(cuda):
        product = torch.ones(2, 2, device=cuda) @ torch.ones(2, 2, device=cuda)
    assert product.dtype == torch.float16
    pixels = torch.rand(2, 3, 160, 160, generator=torch.manual_seed(0)).numpy()
    half = EfficientNetLite0(cuda).reference(pixels)
    full = EfficientNetLite0(torch.device("cpu")).reference(pixels)
    assert abs(half - full).max() < 0.02 * abs(full).max()
