"""Linear fusion against scikit-learn, and what it must not know."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from sslmepr.labels import TASKS
from sslmepr.training.linear_fusion import predict_by_linear_fusion
from sslmepr.training.predictions import dev_score
from sslmepr.training.probes import RIDGE_ALPHAS, speaker_folds
from sslmepr.training.stacking_regression import StackingRegression
from tests.training.test_co_training import ROLES, correlation, study


@pytest.fixture
def params(small_params):
    return small_params.model_copy(update={"roles": ROLES})


@pytest.mark.parametrize("task", TASKS)
def test_it_joins_what_modalities_see_each_through_its_own_noise(params, task):
    data, latent = study()
    rows = np.arange(800)
    joined = correlation(
        predict_by_linear_fusion(params, data, task, rows), latent[task]
    )
    alone, _ = study(only=("face",))
    single = predict_by_linear_fusion(params, alone, task, np.arange(800))
    assert correlation(single, latent[task]) + 0.05 < joined


@pytest.mark.parametrize("task", TASKS)
def test_outputs_of_networks_do_not_matter(params, task):
    rows = np.arange(240)
    data, _ = study(count=120)
    known = predict_by_linear_fusion(params, data, task, rows)
    for each in (data._inputs.emotion_logits, data._inputs.trait_scores):
        each.copy_(torch.rand_like(each))
    assert (predict_by_linear_fusion(params, data, task, rows) == known).all()


def test_traits_are_those_of_ridge_regressions_out_of_fold(params):
    data, _ = study(count=120)
    rows = data.clips.rows("b", "train")
    dev = data.clips.rows("b", "dev")
    true = data.clips.labels["personality"].astype(float)
    speakers = data.clips.table["speaker_id"].to_numpy()
    views = np.zeros((240, 3, 5))
    for place, name in enumerate(data.widths):
        features = data.features[name].numpy().astype(float)
        scaled = StandardScaler().fit(features[rows]).transform(features)
        alpha = _best_alpha(scaled, true, rows, dev)
        fitted = Ridge(alpha).fit(scaled[rows], true[rows])
        found = fitted.predict(scaled)
        for fold in speaker_folds(speakers[rows], 5):
            seen = np.delete(rows, fold)
            part = Ridge(alpha).fit(scaled[seen], true[seen])
            found[rows[fold]] = part.predict(scaled[rows[fold]])
        views[:, place] = 4 * (found - found[rows].mean(0))
    views = views.reshape(240, -1)
    model = StackingRegression(
        "personality", views[rows], true[rows], views[dev], true[dev]
    )
    model.choose_by_cross_fitting(speakers[rows])
    given = predict_by_linear_fusion(params, data, "personality", np.arange(240))
    assert given == pytest.approx(model.predict(views), abs=1e-4)


def _best_alpha(scaled, true, rows, dev):
    """By the score of the house on dev, whose definition has its own tests."""

    def score(alpha):
        found = Ridge(alpha).fit(scaled[rows], true[rows]).predict(scaled[dev])
        return dev_score("personality", true[dev], np.clip(found, 0, 1))

    return max(RIDGE_ALPHAS, key=score)
