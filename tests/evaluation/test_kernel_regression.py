"""Kernel regressions on all clips, held against another implementation."""

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge

from sslmepr.evaluation.kernel_regression import PENALTIES, REACHES, KernelRegression
from sslmepr.training.predictions import dev_score
from sslmepr.training.probes import FOLDS, speaker_folds

COUNT, VIDEOS = 90, 30


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(5)
    voice, words = rng.standard_normal((COUNT, 3)), 7 * rng.standard_normal((COUNT, 8))
    shown = np.sin(2 * voice[:, :1]) + 0.05 * words[:, :5]
    true = np.clip(0.5 + 0.1 * shown + 0.03 * rng.standard_normal((COUNT, 5)), 0, 1)
    videos = np.array([f"v{place % VIDEOS}" for place in range(COUNT)])
    return [voice, words], true, videos


def by_hand(modalities, known, reach):
    """Features whose squared distance, times `reach`, is the exponent."""
    parts = []
    for values in modalities:
        scaled = (values - values[known].mean(0)) / (values[known].std(0) + 1e-6)
        parts.append(scaled / np.sqrt(values.shape[1] * len(modalities)))
    return np.hstack(parts)


@pytest.mark.parametrize("chosen", [[0], [1], [0, 1]])
def test_settings_and_predictions_are_those_of_another_implementation(drawn, chosen):
    modalities, true, videos = drawn
    modalities = [modalities[place] for place in chosen]
    known, new = np.arange(75), np.arange(75, COUNT)
    groups = videos[known]
    model = KernelRegression([each[known] for each in modalities], true[known], groups)
    mean, best = true[known].mean(0), (-np.inf, 0.0, 0.0, None)
    for reach in REACHES:
        values = by_hand(modalities, known, reach)
        scores = []
        for penalty in PENALTIES:
            left_out = np.zeros_like(true[known])
            for fold in speaker_folds(groups, FOLDS):
                rest = np.delete(known, fold)
                ridge = KernelRidge(alpha=penalty, kernel="rbf", gamma=reach)
                ridge.fit(values[rest], true[rest] - mean)
                left_out[fold] = mean + ridge.predict(values[known[fold]])
            scores.append(
                dev_score("personality", true[known], np.clip(left_out, 0, 1))
            )
            if scores[-1] > best[0]:
                best = (scores[-1], reach, penalty, left_out)
            if len(scores) > 1 and scores[-1] < scores[-2]:
                break
    assert (model.reach, model.penalty) == best[1:3]
    np.testing.assert_allclose(model.out_of_fold, best[3], atol=1e-4)
    values = by_hand(modalities, known, model.reach)
    ridge = KernelRidge(alpha=model.penalty, kernel="rbf", gamma=model.reach)
    expected = mean + ridge.fit(values[known], true[known] - mean).predict(values[new])
    found = model.predict([each[new] for each in modalities])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_clip_out_of_fold_knows_neither_its_label_nor_those_of_its_video(drawn):
    modalities, true, videos = drawn
    model = KernelRegression(modalities, true, videos)
    fold = speaker_folds(videos, FOLDS)[0]
    moved = true.copy()
    moved[fold] = np.clip(moved[fold] + 1e-4, 0, 1)  # too little to choose otherwise
    again = KernelRegression(modalities, moved, videos)
    assert (again.reach, again.penalty) == (model.reach, model.penalty)
    np.testing.assert_allclose(
        again.out_of_fold[fold], model.out_of_fold[fold], atol=2e-4
    )
