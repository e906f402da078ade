"""A network on all features."""

import numpy as np
import pytest
import torch
from drawn_fusion import drawn_data, short_training

from sslmepr.models.fusion import FusionInput
from sslmepr.trials import feature_network

PARAMS = short_training(2)


@pytest.fixture(scope="module")
def data():
    return drawn_data(PARAMS, 80)


def test_outputs_depend_on_all_features_and_on_what_is_there():
    torch.manual_seed(0)
    model = feature_network.FeatureNetwork(5, 2, 16, 0.0)
    features = {"face": torch.randn(3, 3), "text": torch.randn(3, 2)}
    given = FusionInput({}, None, None, torch.ones(3, 2, dtype=torch.bool), features)
    found = model(given)
    assert found["emotion"].shape == (3, 7) and found["personality"].shape == (3, 5)
    assert ((found["personality"] > 0) & (found["personality"] < 1)).all()
    others = [
        given._replace(features=features | {name: features[name] + 1})
        for name in features
    ]
    others.append(given._replace(present=~given.present))
    for other in others:
        assert not torch.equal(model(other)["emotion"], found["emotion"])


def test_the_best_learning_rate_on_dev_predicts(data, monkeypatch):
    monkeypatch.setattr(
        feature_network, "_train", lambda *args: (-abs(args[3] - 0.3), args[3])
    )
    rates = (0.1, 0.4, 0.9)
    assert feature_network.train_feature_network(PARAMS, data, 0, rates) == 0.4


def test_every_clip_is_predicted_and_the_same_seed_gives_the_same(data):
    first, again = (
        feature_network.train_feature_network(PARAMS, data, 0, (0.001,))
        for _ in range(2)
    )
    assert first["emotion"].shape == (240, 7)
    assert ((first["emotion"] > 0) & (first["emotion"] < 1)).all()
    for task, values in first.items():
        np.testing.assert_array_equal(values, again[task])
