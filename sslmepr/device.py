"""The one place where a device is chosen and random numbers are seeded."""

import os
import random

import numpy as np
import torch

# For every shape of a batch oneDNN keeps a kernel and its workspace. Batches of clips
# have hundreds of shapes, which grows to gigabytes and saves no time.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "0")


def choose_device(name: str) -> torch.device:
    """The device that ``compute.device`` asks for.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda"}
        ``auto`` takes CUDA where there is any.

    Raises
    ------
    RuntimeError
        If ``cuda`` is asked for and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise RuntimeError("compute.device is cuda, but no CUDA device is available")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def seed_everything(seed: int) -> None:
    """Seed the generators that initialise weights and draw dropout masks."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
