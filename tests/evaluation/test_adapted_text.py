"""An adapted encoder: where it starts, and what it may depend on."""

import numpy as np
import pytest
import torch

from sslmepr.evaluation import adapted_text
from sslmepr.evaluation.adapted_text import AdaptedText

CPU = torch.device("cpu")
GLAD = ["I am so happy", "what a wonderful day", "this is great news", "lovely, yes"]
SAD = ["I am so sad", "what a terrible loss", "this is awful", "he died, and I cry"]
TEXTS, LABEL = GLAD + SAD, np.repeat([0, 2], 4)


def test_it_starts_from_how_common_classes_are(monkeypatch):
    monkeypatch.setattr(adapted_text, "EPOCHS", 0)
    label = np.array([0, 0, 0, 0, 0, 2, 2, 2])
    model = AdaptedText(TEXTS, label, 3, CPU, seed=0, progress=False)
    share = np.array([5.5, 0.5, 3.5])
    expected = np.tile(share / share.sum(), (3, 1))
    np.testing.assert_allclose(model.probabilities(TEXTS[:3]), expected, atol=1e-6)


def adapt():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapted_text, "EPOCHS", 5)
        return AdaptedText(TEXTS, LABEL, 3, CPU, seed=1, progress=False)


@pytest.fixture(scope="module")
def adapted():
    return adapt()


def test_a_seed_gives_the_same_model_whatever_was_drawn_before(adapted):
    torch.manual_seed(77)
    again = adapt().probabilities(TEXTS)
    np.testing.assert_allclose(again, adapted.probabilities(TEXTS), atol=1e-3)


def test_training_moves_towards_the_labels(adapted):
    found = adapted.probabilities(TEXTS)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
    assert found[:4, 0].mean() > found[4:, 0].mean()
    assert found[4:, 2].mean() > found[:4, 2].mean()


def test_what_stands_beside_a_text_does_not_matter(adapted):
    alone = np.vstack([adapted.probabilities([text]) for text in TEXTS])
    longer = [*TEXTS[::-1], "and this one is longer than all of the others " * 40]
    found = adapted.probabilities(longer)[:-1][::-1]
    # padding costs a few digits where products are of half precision
    np.testing.assert_allclose(found, alone, atol=0.02)


def test_batches_have_every_text_once():
    lengths = np.random.default_rng(0).integers(1, 50, 1000)
    batches = adapted_text._batches(lengths, np.random.default_rng(1))
    assert sorted(np.concatenate(batches)) == list(range(1000))
    assert max(map(len, batches)) == adapted_text.BATCH
    spread = np.mean([np.ptp(lengths[batch]) for batch in batches])
    assert spread < np.ptp(lengths) / 4
