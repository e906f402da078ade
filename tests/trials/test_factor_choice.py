"""Which factor model dev chooses, and what takes part in it."""

import numpy as np
import pytest
from drawn_fusion import drawn_data, short_training

from sslmepr.trials import curve_arms, factor_choice
from sslmepr.trials.factor_choice import CANDIDATES, NOTHING, learn_factors

PARAMS = short_training(1, missing=0.4, reliability=0.5)


@pytest.fixture(scope="module")
def data():
    return drawn_data(PARAMS, 200)


def with_labels(data, change):
    """The same clips with other labels on dev, from a function of the task's own."""
    again = drawn_data(PARAMS, 200)
    for task, values in again.clips.labels.items():
        rows = again.rows(task, "dev")
        values[rows] = change(values[rows])
    return again


def test_labels_of_dev_choose_and_do_not_teach(data):
    other = with_labels(data, lambda values: values[::-1])
    one, two = (learn_factors(each, [NOTHING]) for each in (data, other))
    # Normal scores of other clips stay: reversed labels have the same ranks and shares.
    for task, values in one.targets.items():
        np.testing.assert_allclose(two.targets[task], values, atol=1e-9)


def test_dev_chooses_for_each_task(data, monkeypatch):
    losses = iter([{"emotion": 2, "personality": 1}, {"emotion": 1, "personality": 2}])
    monkeypatch.setattr(factor_choice, "_losses", lambda *_: next(losses))
    found = learn_factors(data, CANDIDATES[:2])
    assert found.models["emotion"].parts == CANDIDATES[1]
    assert found.models["personality"].parts == CANDIDATES[0]
    alone = [learn_factors(data, [each]).targets for each in CANDIDATES[:2]]
    for task, own in (("emotion", alone[1]), ("personality", alone[0])):
        np.testing.assert_array_equal(found.targets[task], own[task])


def test_losses_are_cross_entropy_and_squared_error(data):
    found = learn_factors(data, [NOTHING])
    labels = {task: values.astype(float) for task, values in data.clips.labels.items()}
    labels["emotion"] = labels["emotion"][:, 1:]
    given, thresholds = factor_choice._evidence(data, labels, NOTHING)
    rows = factor_choice._rows(data, "dev")
    losses = factor_choice._losses(found.models["emotion"], given.at(rows))
    own = data.rows("emotion", "dev")
    chance, there = found.targets["emotion"][own, 1:], labels["emotion"][own] > 0
    surprise = -np.log(np.where(there, chance, 1 - chance)).mean()
    assert losses["emotion"] == pytest.approx(surprise)
    own = data.rows("personality", "dev")
    off = found.targets["personality"][own] - given.known[own, 6:]
    assert losses["personality"] == pytest.approx((off**2).mean())


def test_clips_without_labels_take_part_or_not(data, monkeypatch):
    seen = []

    def fit(given, *rest):
        seen.append(given)
        return fitted(given, *rest)

    fitted = factor_choice.fit_factors
    monkeypatch.setattr(factor_choice, "fit_factors", fit)
    for unlabelled in (True, False):
        learn_factors(data, [NOTHING], unlabelled=unlabelled)
    every, known = seen
    train = sum(len(data.rows(task, "train")) for task in ("emotion", "personality"))
    dev = sum(len(data.rows(task, "dev")) for task in ("emotion", "personality"))
    assert len(every.known) == train + dev and len(known.known) == train
    assert (known.precision > 0).any(1).all()


def test_probabilities_and_scores_are_those_of_all_clips(data):
    found = dict(curve_arms.factor_model(PARAMS, data, 0))["factor model"]
    emotions, traits = found.targets["emotion"], found.targets["personality"]
    assert emotions.shape == (600, 7) and traits.shape == (600, 5)
    assert (emotions[:, 0] == 0).all() and ((emotions >= 0) & (emotions <= 1)).all()
    rows = data.rows("personality", "dev")
    true = data.clips.labels["personality"][rows]
    np.testing.assert_allclose(traits[rows].std(0), true.std(0), rtol=1e-5)


def test_a_task_alone_knows_no_labels_of_the_other(data):
    name = "factor model, single-task"
    found = dict(curve_arms.factor_single_task(PARAMS, data, 0))[name]
    again = drawn_data(PARAMS, 200)
    rows = again.rows("personality", "train")
    labels = again.clips.labels["personality"]
    labels[rows] = labels[rows[::-1]]
    other = dict(curve_arms.factor_single_task(PARAMS, again, 0))[name]
    np.testing.assert_array_equal(found.targets["emotion"], other.targets["emotion"])
    assert np.abs(found.targets["personality"] - other.targets["personality"]).max() > 0
