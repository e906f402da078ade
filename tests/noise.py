"""Another machine, imitated: what training starts from, with a little noise.

Processors add in different orders, so a rerun elsewhere starts from features and
weights that differ in the last digits, and training carries that as far as another best
epoch. ``pytest --noise SEED`` does the same here: the features of drawn studies and the
initial weights of every training run are multiplied by 1 + 1e-6 times a standard
normal. The noise depends on the seed and the values alone, so that what must be equal
twice on one machine still is. A test that fails with it depends on what a training run
happens to reach.
"""

import dataclasses
import multiprocessing
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import drawn as drawn_stores
import numpy as np
import pytest
import torch

from sslmepr import processes
from sslmepr.evaluation import speaker_folds
from sslmepr.training import crosstask, fusion_training, unimodal
from sslmepr.training.loop import fit
from sslmepr.trials import drawn, order

SCALE = 1e-6
"""Relative; float32 keeps about 1e-7."""

TRAINERS = (unimodal, crosstask, fusion_training, speaker_folds, order)


def noisy(values: np.ndarray, seed: int) -> np.ndarray:
    """`values` of another machine: same shape and type."""
    rng = np.random.default_rng([seed, zlib.crc32(np.ascontiguousarray(values))])
    factor = 1 + SCALE * rng.standard_normal(values.shape)
    return np.asarray(values * factor, values.dtype)


@contextmanager
def other_machine(seed: int) -> Iterator[None]:
    """Noise on features and initial weights wherever something is trained."""

    def fit_elsewhere(model, *args, **kwargs):
        with torch.no_grad():
            for weights in model.parameters():
                if weights.requires_grad:
                    other = noisy(weights.cpu().numpy(), seed)
                    weights.copy_(torch.from_numpy(other))
        return fit(model, *args, **kwargs)

    write, corpus = drawn_stores.write_store, drawn._corpus

    def write_elsewhere(folder, modality, sequences, *args, **kwargs):
        other = ((clip, noisy(values, seed)) for clip, values in sequences)
        return write(folder, modality, other, *args, **kwargs)

    def draw_elsewhere(*args, **kwargs):
        found = corpus(*args, **kwargs)
        features = {name: noisy(each, seed) for name, each in found.features.items()}
        # Features stay the means of sequences.
        sequences = {
            name: each + (features[name] - found.features[name])[:, None]
            for name, each in found.sequences.items()
        }
        return dataclasses.replace(found, features=features, sequences=sequences)

    with pytest.MonkeyPatch.context() as patch:
        # Workers that are forked know of the noise; fresh interpreters would not.
        patch.setattr(
            processes, "_context", lambda _: multiprocessing.get_context("fork")
        )
        for trainer in TRAINERS:
            patch.setattr(trainer, "fit", fit_elsewhere)
        patch.setattr(drawn_stores, "write_store", write_elsewhere)
        patch.setattr(drawn, "_corpus", draw_elsewhere)
        yield
