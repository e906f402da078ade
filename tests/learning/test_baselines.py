import numpy as np
import pytest

from sslmepr.learning.baselines import Linear
from sslmepr.learning.predictions import dev_score


@pytest.mark.parametrize(("task", "targets"), [("emotion", 7), ("personality", 5)])
def test_it_finds_a_linear_relation_and_prefers_dev(task, targets):
    rng = np.random.default_rng(0)
    features = rng.standard_normal((300, 20)).astype(np.float32)
    signal = features @ rng.standard_normal((20, targets)) / 20**0.5
    true = (signal > 0.5) * 0.5 if task == "emotion" else 0.5 + 0.1 * signal
    model = Linear(task, features[:200], true[:200], features[200:], true[200:])
    predicted = model.predict(features[200:])
    assert predicted.min() >= 0 and predicted.max() <= 1
    assert dev_score(task, true[200:], predicted) > 0.85


def test_an_emotion_that_never_occurs_gets_a_low_probability():
    rng = np.random.default_rng(1)
    features = rng.standard_normal((50, 4))
    true = (rng.random((50, 7)) < 0.5).astype(float)
    true[:, 3] = 0
    model = Linear("emotion", features, true, features, true)
    predicted = model.predict(features)
    assert np.all(predicted[:, 3] < 0.02) and np.isfinite(predicted).all()


def test_no_dev_clips():
    rng = np.random.default_rng(2)
    features, true = rng.standard_normal((40, 3)), rng.random((40, 5))
    model = Linear("personality", features, true, features[:0], true[:0])
    assert model.predict(features).shape == (40, 5)
