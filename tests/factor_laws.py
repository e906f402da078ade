"""Factor models that are drawn at random."""

import numpy as np
import torch

from sslmepr.labels import MODALITIES
from sslmepr.models.factor_model import ChannelLaw, FactorModel

FEATURES = 4


def tensor(values):
    return torch.from_numpy(np.asarray(values, float))


def model(parts, seed=0):
    rng, width = np.random.default_rng(seed), len(parts.factors)
    channels = {}
    for name in MODALITIES:
        forms = 2 if parts.forms and name in ("face", "body", "audio") else 1
        spread = rng.standard_normal((parts.classes, FEATURES, FEATURES))
        law = (
            rng.standard_normal((forms, FEATURES, width)),
            rng.standard_normal((parts.classes, FEATURES)),
            spread @ spread.swapaxes(1, 2) + np.eye(FEATURES),
            np.full(parts.classes, 1 / parts.classes),
        )
        channels[name] = ChannelLaw(*map(tensor, law))
    prior = tensor(np.corrcoef(rng.standard_normal((width, 40))))
    gate, thresholds = rng.standard_normal(FEATURES + 1), np.full(parts.emotions, 0.8)
    return FactorModel(parts, channels, prior, tensor(thresholds), 0.3, tensor(gate))
