import random

import numpy as np
import pytest
import torch

from sslmepr.device import choose_device, seed_everything


def draw():
    return random.random(), np.random.random(), torch.rand(3).tolist()


def test_cpu_is_always_there():
    assert choose_device("cpu") == torch.device("cpu")


def test_auto_takes_cuda_where_there_is_any():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert choose_device("auto").type == expected


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_that_is_absent_is_an_error_that_names_the_parameter():
    with pytest.raises(RuntimeError, match=r"compute\.device is cuda"):
        choose_device("cuda")


def test_the_same_seed_draws_the_same_numbers():
    seed_everything(7)
    first = draw()
    seed_everything(7)
    assert draw() == first
    seed_everything(8)
    assert draw() != first


def test_a_seed_beyond_numpys_range_is_taken():
    seed_everything(2**32 + 7)
    first = np.random.random()
    seed_everything(7)
    assert np.random.random() == first
