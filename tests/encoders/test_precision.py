import pytest
import torch

from sslmepr.encoders.image import EfficientNetLite0
from sslmepr.encoders.precision import inference_precision


def test_the_cpu_computes_in_full_precision():
    with inference_precision(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


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
