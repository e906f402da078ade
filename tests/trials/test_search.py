import numpy as np
import optuna
import pandas as pd
import pytest
import yaml

from sslmepr.params import ParamsError
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.fusion_training import train_variant
from sslmepr.training.loop import TrainingError
from sslmepr.training.stacking import fit_predict_projector
from sslmepr.trials.params import Search, Trials, parse_trials
from sslmepr.trials.search import (
    best_settings,
    search,
    search_fusion,
    suggest,
    write_settings,
)

SPACE = {
    "learning_rate": {"low": 0.0001, "high": 0.1, "log": True},
    "heads": {"low": 2, "high": 6},
    "hidden": {"choices": [8, 16, 32]},
    "semi_supervised": {"weight": {"low": 0.0, "high": 1.0}},
}
KEYS = [
    "fusion.heads",
    "fusion.hidden",
    "fusion.learning_rate",
    "fusion.semi_supervised.weight",
]


def searching(params, trials=12, space=SPACE):
    none = dict.fromkeys(Trials.model_fields, {})
    tree = none | {"search": {"toy": {"trials": trials, "space": space}}}
    return parse_trials(tree, params, "test").search["toy"]


def train(params, seed, on_score):
    """Best at a rate of 0.01 and a weight of 0.5; seed 1 does 0.1 better."""
    section = params.fusion
    lost = abs(np.log10(section.learning_rate) + 2)
    lost += abs(section.semi_supervised.weight - 0.5)
    for epoch in range(4):
        on_score(epoch / 4 - lost + 0.1 * seed)
    return 1 - lost + 0.1 * seed


def test_suggestions_lie_in_the_space_and_keep_their_types(small_params):
    section = searching(small_params)
    assert list(section.dimensions()) == KEYS
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    drawn = pd.DataFrame([suggest(study.ask(), section) for _ in range(200)])
    assert set(drawn["fusion.heads"]) == {2, 3, 4, 5, 6}
    assert set(drawn["fusion.hidden"]) == {8, 16, 32}
    rate, weight = drawn["fusion.learning_rate"], drawn["fusion.semi_supervised.weight"]
    assert rate.between(0.0001, 0.1).all() and weight.between(0, 1).all()
    # Uniform in its logarithm: half lies below the geometric mean of the ends.
    assert np.mean(rate < 0.1**2.5) == pytest.approx(0.5, abs=0.1)
    assert [float(f"{each:.4g}") for each in rate] == rate.tolist()


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "space: Dictionary should have at least 1 item"),
        ({"speed": {"low": 1, "high": 2}}, "there is no parameter 'fusion.speed'"),
        ({"dropout": {"low": 0.5, "high": 0.5}}, "low 0.5 must be below high 0.5"),
        ({"dropout": {"low": 0.0, "high": 0.9, "log": True}}, "must be above 0"),
        ({"hidden": {"choices": []}}, "choices: List should have at least 1 item"),
        ({"hidden": {"choices": [8, 32]}}, "fusion.hidden is now 16, not to be tried"),
        ({"epochs": {"low": 4, "high": 9}}, "fusion.epochs is now 3, not to be tried"),
        ({"dropout": {"low": 0.1}}, "high: Field required"),
        ({"dropout": {"low": "a", "high": "b"}}, "should be a valid number"),
        ({"gradnorm": {"speed": {"low": 1, "high": 2}}}, "'fusion.gradnorm.speed'"),
    ],
)
def test_bad_spaces_are_named(small_params, space, message):
    with pytest.raises(ParamsError, match=message):
        searching(small_params, space=space)


def test_a_value_that_the_parameters_forbid_ends_the_search(small_params):
    wrong = searching(small_params, 20, {"dropout": {"low": 0.0, "high": 5.0}})
    with pytest.raises(ParamsError, match="fusion.dropout"):
        search(small_params, wrong, train, progress=False)


def test_the_first_trial_is_the_default_and_the_best_is_near_the_optimum(small_params):
    space = searching(small_params, 40)
    trials = search(small_params, space, train, progress=False)
    assert trials["trial"].tolist() == list(range(40))
    section = small_params.fusion
    assert trials.loc[0, KEYS].tolist() == [
        section.heads,
        section.hidden,
        section.learning_rate,
        section.semi_supervised.weight,
    ]
    lost = abs(np.log10(section.learning_rate) + 2)
    lost += abs(section.semi_supervised.weight - 0.5)
    assert trials["dev_score"][0] == pytest.approx(1 - lost + 0.05)
    assert trials["epochs"][0] == 8
    best = best_settings(trials)
    assert abs(np.log10(best["fusion.learning_rate"]) + 2) < 0.3
    assert abs(best["fusion.semi_supervised.weight"] - 0.5) < 0.3


def test_same_seed_same_trials(small_params):
    space = searching(small_params)
    first, again = (
        search(small_params, space, train, progress=False) for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, again)
    turned = searching(small_params, space=dict(reversed(SPACE.items())))
    again = search(small_params, turned, train, progress=False)
    pd.testing.assert_frame_equal(first, again)
    changed = small_params.changed({"seed": 1}, "test")
    other = search(changed, space, train, progress=False)
    assert not other[KEYS].equals(first[KEYS])


def test_a_trial_below_the_median_is_pruned(small_params):
    finished = []

    def worse_and_worse(params, seed, on_score):
        level = -len(finished)
        for epoch in range(6):
            on_score(level + epoch / 10)
        finished.append(level)
        return level + 0.5

    params = small_params.changed({"fusion.seeds": [0]}, "test")
    trials = search(params, searching(params, 8), worse_and_worse, progress=False)
    # The first five are never pruned; later ones only after three epochs (0, 1 and 2).
    assert trials["state"].tolist() == ["complete"] * 5 + ["pruned"] * 3
    assert trials["epochs"].tolist() == [6] * 5 + [3] * 3
    assert trials["dev_score"][5] == pytest.approx(-5 + 0.2)
    assert best_settings(trials) == trials.loc[0, KEYS].to_dict()


def test_a_loss_that_is_not_finite_ends_a_trial_and_not_the_search(small_params):
    def fragile(params, seed, on_score):
        if params.fusion.learning_rate > 0.005:
            raise TrainingError("the loss of epoch 1 is nan")
        return train(params, seed, on_score)

    trials = search(small_params, searching(small_params, 20), fragile, progress=False)
    failed = trials["fusion.learning_rate"] > 0.005
    assert 0 < failed.sum() < 20
    assert (trials["state"] == "fail").equals(failed)
    assert trials["dev_score"].isna().equals(failed)
    assert best_settings(trials)["fusion.learning_rate"] <= 0.005


def test_the_best_of_equals_is_the_first_and_pruned_trials_do_not_count():
    trials = pd.DataFrame(
        {
            "trial": [0, 1, 2, 3],
            "state": ["complete", "pruned", "complete", "complete"],
            "dev_score": [0.1, 0.9, 0.5, 0.5],
            "epochs": [3, 1, 3, 3],
            "fusion.hidden": [8, 16, 32, 64],
            "fusion.dropout": [0.1, 0.2, 0.3, 0.4],
        }
    )
    found = best_settings(trials)
    assert found == {"fusion.hidden": 32, "fusion.dropout": 0.3}
    assert [type(each) for each in found.values()] == [int, float]


def test_the_file_of_settings_is_an_entry_of_the_studies(small_params, tmp_path):
    best = {
        "fusion.learning_rate": 0.00001234,
        "fusion.hidden": 32,
        "fusion.semi_supervised.weight": 0.5,
    }
    write_settings(best, tmp_path / "best.yaml")
    entry = yaml.safe_load((tmp_path / "best.yaml").read_text())
    assert entry == best
    studies = {**small_params.studies, "best": entry}
    chosen = small_params.model_copy(update={"studies": studies}).for_study("best")
    assert chosen.fusion.learning_rate == 0.00001234
    assert chosen.fusion.hidden == 32
    assert chosen.fusion.semi_supervised.weight == 0.5


def test_on_score_does_not_change_training(trained, small_params):
    data_folder, study_folder, *_ = trained
    from sslmepr.device import choose_device
    from sslmepr.training.clips import read_study_clips

    clips = read_study_clips(small_params, data_folder)
    modalities = small_params.modalities
    data = FusionClips.read(clips, modalities, study_folder, choose_device("cpu"))
    rows = np.flatnonzero(data.present.any(1).numpy())
    settings = small_params.variant["multitask"]
    projectors = {
        task: fit_predict_projector(small_params, settings, data, task, rows)[0]
        for task in settings.tasks
    }
    heard = []
    runs = [
        train_variant(small_params, settings, data, projectors, 0, "", False, listener)
        for listener in (None, heard.append)
    ]
    pd.testing.assert_frame_equal(runs[0][1], runs[1][1])
    assert heard == runs[0][1]["dev_score"].tolist()


def test_a_search_of_the_fusion_model(trained, small_params, tmp_path):
    data_folder, study_folder, results, _ = trained
    space = {"learning_rate": {"low": 0.001, "high": 0.01, "log": True}}
    section = searching(small_params, 2, space)
    trials = search_fusion(
        small_params, section, study_folder, tmp_path, data_folder, False
    )
    seeds = results["fusion"]["multitask"]["seeds"]
    reached = [np.mean(list(seed["dev_score"].values())) for seed in seeds]
    assert trials["dev_score"][0] == pytest.approx(np.mean(reached))
    assert trials["epochs"][0] == sum(seed["epochs"] + 1 for seed in seeds)
    assert (tmp_path / "journal.log").stat().st_size > 0


def test_trials_are_at_least_one(small_params):
    with pytest.raises(ValueError, match="greater than 0"):
        Search.model_validate({"trials": 0, "space": SPACE})
