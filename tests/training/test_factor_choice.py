"""Which factor model dev chooses, and what takes part in it."""

import numpy as np
import pytest
import torch
from drawn_fusion import drawn_data, short_training

from sslmepr.labels import TASKS
from sslmepr.models.factor_model import FactorModel, Parts
from sslmepr.training import factor_choice
from sslmepr.training.factor_choice import CANDIDATES, NOTHING, fit_factor_expert
from sslmepr.training.losses import LOSSES
from sslmepr.trials import curve_arms

PARAMS = short_training(1, missing=0.4, reliability=0.5)


@pytest.fixture(scope="module")
def data():
    return drawn_data(PARAMS, 200)


@pytest.fixture
def fitted(monkeypatch):
    """Evidence, and other arguments, of all factor models that are fitted."""
    calls, fit = [], factor_choice.fit_factors

    def note(*given):
        calls.append(given)
        return fit(*given)

    monkeypatch.setattr(factor_choice, "fit_factors", note)
    return calls


def said(expert, data):
    rows = np.arange(len(data.clips.table))
    return expert(data.batch(rows).inputs)


def with_labels(change, split):
    """The clips of `data` with other labels in a split, by a function of the task's."""
    again = drawn_data(PARAMS, 200)
    for task, values in again.clips.labels.items():
        rows = again.rows(task, split)
        values[rows] = change(values[rows])
    return again


def test_labels_of_dev_choose_and_do_not_teach(data):
    other = with_labels(lambda values: 1 - values, "dev")
    one, two = (
        said(fit_factor_expert(PARAMS, each, candidates=[NOTHING]), data)
        for each in (data, other)
    )
    for task in TASKS:
        assert torch.equal(one[task], two[task])


def test_dev_chooses_for_each_task(data):
    found = fit_factor_expert(PARAMS, data)
    laws = {
        parts: fit_factor_expert(PARAMS, data, candidates=[parts])
        for parts in CANDIDATES
    }
    for task in TASKS:
        rows = data.rows(task, "dev")
        batch, losses = data.batch(rows), {}
        for parts, expert in laws.items():
            output = expert(batch.inputs)[task]
            output = output.sigmoid() if task == "personality" else output
            losses[parts] = float(LOSSES[task](output, batch.labels[task]))
        best = min(losses, key=losses.__getitem__)
        assert found.laws[task].law().parts == best
        assert torch.equal(said(found, data)[task], said(laws[best], data)[task])


def test_clips_without_labels_take_part_or_not(data, fitted):
    for unlabelled in (True, False):
        fit_factor_expert(PARAMS, data, ["emotion"], [NOTHING], unlabelled)
    counts = [len(given.known) for given, *_ in fitted]
    train, dev = (
        sum(len(data.rows(task, split)) for task in TASKS) for split in ("train", "dev")
    )
    assert counts == [train + dev, len(data.rows("emotion", "train"))]
    assert (fitted[1][0].precision > 0).all()


def test_a_task_alone_knows_no_labels_of_the_other(data):
    other = with_labels(lambda values: values[::-1], "train")
    other.clips.labels["emotion"][:] = data.clips.labels["emotion"]
    for task, same in (("emotion", True), ("personality", False)):
        one, two = (
            said(fit_factor_expert(PARAMS, each, [task], [NOTHING]), data)[task]
            for each in (data, other)
        )
        assert torch.equal(one, two) is same


def test_parts_without_their_tasks_or_modalities_are_not_tried(data, fitted):
    fit_factor_expert(PARAMS, data, ["personality"])
    assert [parts for _, _, parts, *_ in fitted] == [
        Parts(("personality",), classes, False, False, False) for classes in (1, 2)
    ]
    assert factor_choice._allowed(Parts(), ["face", "text"]) == Parts(contrary=False)
    assert factor_choice._allowed(Parts(), ["scene", "text"]).forms is False


def test_too_few_clips_or_modalities_leave_it_silent(monkeypatch):
    data = drawn_data(PARAMS, 200)
    train = data.rows("emotion", "train")
    data.clips.labels["emotion"][train[99:]] = np.nan
    assert not fit_factor_expert(PARAMS, data, candidates=[NOTHING]).awake
    # Traits alone have enough labels; but of modalities only one has.
    assert fit_factor_expert(PARAMS, data, ["personality"], [NOTHING]).awake
    data.present[:, 1:] = False
    assert not fit_factor_expert(PARAMS, data, ["personality"], [NOTHING]).awake


def test_a_modality_that_few_clips_have_says_nothing():
    data = drawn_data(PARAMS, 200)
    data.present[:, 1] = False
    law = fit_factor_expert(PARAMS, data, candidates=[NOTHING]).laws["emotion"].law()
    assert isinstance(law, FactorModel)
    assert list(law.channels) == [name for name in data.features if name != "body"]


def test_wide_features_leave_their_place_to_what_is_said_of_them(monkeypatch, fitted):
    monkeypatch.setattr("sslmepr.models.factor_expert.WIDEST", 11)
    data = drawn_data(PARAMS, 200)
    fit_factor_expert(PARAMS, data, candidates=[NOTHING])
    given, *_, names = fitted[0]
    assert set(names) == set(data.features)
    rows = np.concatenate([data.rows(task, "train") for task in TASKS])
    inputs = data.batch(np.unique(rows)).inputs
    place = list(data.features).index("text")
    seen = inputs.present[:, place]
    logits = torch.cat(
        [
            inputs.emotion_logits[:, place, 1:],
            torch.logit(inputs.trait_scores[:, place]),
        ],
        1,
    )[seen]
    scaled = (logits - logits.mean(0)) / logits.std(0, correction=0)
    shown = given.features["text"][: len(rows)][seen]
    np.testing.assert_allclose(shown, scaled, atol=1e-4)


def test_the_trial_of_the_factor_model_tells_what_the_expert_says(data):
    found = dict(curve_arms.factor_model(PARAMS, data, 0))["factor model"]
    expected = said(fit_factor_expert(PARAMS, data), data)["emotion"].sigmoid()
    np.testing.assert_allclose(found.targets["emotion"], expected)
    rows = data.rows("personality", "dev")
    true = data.clips.labels["personality"][rows]
    traits = found.targets["personality"][rows]
    np.testing.assert_allclose(traits.std(0), true.std(0), rtol=1e-4)
