"""Linear probes against scikit-learn, and out of fold."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from sslmepr.training.predictions import dev_score
from sslmepr.training.probes import LOGISTIC_CS, Constant, Linear, best_penalty

TASKS = pytest.mark.parametrize("task", ["emotion", "personality"])


def drawn(task, count=60, seed=3):
    """Features of unequal size away from 0, labels, and speakers of 8 to 16 clips."""
    rng = np.random.default_rng(seed)
    features = 7 + rng.standard_normal((count, 4)) * [0.1, 1, 10, 100]
    noise = rng.standard_normal((count, 7 if task == "emotion" else 5))
    maps = rng.standard_normal((4, noise.shape[1]))
    true = 0.5 + 0.03 * ((features - 7) / [0.1, 1, 10, 100] @ maps + noise)
    speakers = np.repeat(list("abcde"), [8, 16, 10, 14, 12])[:count]
    return features, (true > 0.5) * 0.7 if task == "emotion" else true, speakers


def reference(task, penalty, features, true, asked, scaler=None):
    """Logits that scikit-learn gives for the clips `asked`."""
    scaler = StandardScaler().fit(features if scaler is None else scaler)
    features, asked = scaler.transform(features), scaler.transform(asked)
    if task == "personality":
        return 4 * (Ridge(alpha=penalty).fit(features, true).predict(asked) - 0.5)
    models = [
        LogisticRegression(C=penalty, tol=1e-8).fit(features, column > 0)
        for column in true.T
    ]
    return np.column_stack([model.decision_function(asked) for model in models])


@TASKS
def test_predictions_and_probe_are_those_of_scikit_learn(task):
    features, true, _ = drawn(task)
    other, dev_true, _ = drawn(task, 40, seed=4)
    model = Linear(task, features, true, other, dev_true)
    logits = reference(task, model.penalty, features, true, other)
    weights, bias = model.probe()
    assert other @ weights.T + bias == pytest.approx(logits, abs=1e-4)
    expected = 1 / (1 + np.exp(-logits)) if task == "emotion" else 0.5 + logits / 4
    assert np.ptp(expected, axis=0).min() > 0.01
    assert model.predict(other) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("seed, best", [(3, 0.1), (21, 0.01)])
def test_the_penalty_is_the_best_on_dev(seed, best):
    features, true, _ = drawn("emotion", seed=seed)
    train, dev = (features[:25], true[:25]), (features[25:], true[25:])
    scores = {}
    for C in LOGISTIC_CS:
        logits = reference("emotion", C, *train, dev[0])
        scores[C] = roc_auc_score(dev[1][:, 1:] > 0, logits[:, 1:])
    assert (
        Linear("emotion", *train, *dev).penalty == best == max(scores, key=scores.get)
    )


def test_the_first_of_the_best_defined_scores_is_chosen():
    undefined = float("nan")
    grid = (0.1, 1.0, 10.0, 100.0)
    assert best_penalty(grid, [0.2, 0.5, 0.5, 0.1]) == 1
    assert best_penalty(grid, [undefined, -2.0, undefined, -1.0]) == 3
    assert best_penalty(grid, [undefined] * 4) == 0
    assert best_penalty(grid, None) == 2
    several = [[0.2, undefined], [0.1, 0.3], [0.4, 0.3], [0.4, undefined]]
    assert best_penalty(grid, several).tolist() == [2, 1]


@TASKS
def test_out_of_fold_is_refitting_without_a_speaker(task):
    features, true, speakers = drawn(task)
    model = Linear(task, features, true, features, true)
    found = model.out_of_fold(speakers)
    assert found.dtype == np.float32 and found.shape == true.shape
    # Five speakers and five folds: each fold leaves one out. Scales need no labels.
    for name in "abcde":
        mine = speakers == name
        expected = reference(
            task,
            model.penalty,
            features[~mine],
            true[~mine],
            features[mine],
            features,
        )
        assert found[mine] == pytest.approx(expected, abs=1e-4)
    weights, bias = model.probe()
    assert np.abs(found - (features @ weights.T + bias)).max() > 0.01


@TASKS
def test_out_of_fold_does_not_see_labels_of_the_own_speaker(task):
    features, true, _ = drawn(task)
    order = np.random.default_rng(6).permutation(60)
    speakers = np.array([f"p{place // 5}" for place in range(60)], object)[order]
    model = Linear(task, features, true, features, true)
    before = model.out_of_fold(speakers)
    for name in ("p0", "p7", "p11"):
        mine = speakers == name
        changed = np.where(mine[:, None], 0.9 * (true < 0.4), true)
        other = Linear(task, features, changed, features, true)
        other.penalty = model.penalty
        after = other.out_of_fold(speakers)
        assert np.array_equal(after[mine], before[mine])
        assert np.abs(after - before).max() > 1e-3


def test_out_of_fold_logits_of_an_emotion_of_one_speaker():
    features, true, speakers = drawn("emotion")
    true[:, 2] = speakers == "c"
    model = Linear("emotion", features, true, features, true)
    found = model.out_of_fold(speakers)
    # None of 50 training clips has it: the base rate is half a clip.
    assert found[speakers == "c", 2] == pytest.approx(np.log(0.01 / 0.99))


def test_out_of_fold_of_a_single_speaker_is_the_probe():
    features, true, _ = drawn("personality")
    model = Linear("personality", features, true, features, true)
    weights, bias = model.probe()
    found = model.out_of_fold(np.full(60, "a"))
    assert found == pytest.approx(features @ weights.T + bias, abs=1e-5)


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


@TASKS
def test_refits_are_cluster_bootstrap_fits(task):
    features, true, speakers = drawn(task)
    model = Linear(task, features, true, features, true)
    probes = list(model.refitted(speakers, 3, seed=5))
    rng = np.random.default_rng(5)
    for weights, bias in probes:
        names = np.array(list("abcde"))[rng.integers(5, size=5)]
        rows = np.concatenate([np.flatnonzero(speakers == name) for name in names])
        expected = reference(
            task, model.penalty, features[rows], true[rows], features, features
        )
        assert features @ weights.T + bias == pytest.approx(expected, abs=1e-3)
    assert len(list(model.refitted(speakers, 0, seed=5))) == 0


@TASKS
def test_more_features_than_clips_change_nothing(task):
    rng = np.random.default_rng(8)
    features, true, _ = drawn(task, 40)
    features = np.column_stack([features, rng.standard_normal((40, 80))])
    model = Linear(task, features[:25], true[:25], features[25:], true[25:])
    logits = reference(task, model.penalty, features[:25], true[:25], features[25:])
    weights, bias = model.probe()
    assert weights.shape == (true.shape[1], 84)
    assert features[25:] @ weights.T + bias == pytest.approx(logits, abs=1e-3)


def test_a_constant_predicts_the_base_rate_or_the_mean_score():
    shown = np.zeros((4, 7))
    shown[0, 1] = 0.3
    found = Constant("emotion", shown, 3)
    assert found.predict(np.zeros((2, 3)))[1, :2].tolist() == [0.125, 0.25]
    weights, bias = found.probe()
    assert weights.shape == (7, 3) and not weights.any()
    assert 1 / (1 + np.exp(-bias[:2])) == pytest.approx([0.125, 0.25])
    scores = np.array([[0.2] * 5, [0.6] * 5])
    assert Constant("personality", scores, 1).predict([0])[0].tolist() == [0.4] * 5
    _, bias = Constant("personality", scores, 1).probe()
    assert bias.tolist() == pytest.approx([-0.4] * 5)


def test_a_constant_without_labels_is_an_error():
    with pytest.raises(ValueError, match="personality: no training clip has labels"):
        Constant("personality", np.zeros((0, 5)), 1)
