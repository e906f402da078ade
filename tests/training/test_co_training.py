"""Co-training against scikit-learn and against the truth."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import Ridge

from sslmepr.labels import TARGETS, TASKS
from sslmepr.models.fusion import FusionInput
from sslmepr.params.study import Roles
from sslmepr.params.training import Variant
from sslmepr.training import stacking
from sslmepr.training.clips import StudyClips
from sslmepr.training.co_training import _fit_probe, _scaled, co_train
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.fusion_training import predict_fused, train_variant

MODALITIES = ("face", "audio", "text")
ROLES = Roles(emotion="a", personality="b", held_out="c")


def study(count=400, width=20, noise=1.0, seed=0, only=None):
    """Two corpora of clips in which every modality sees the targets through noise.

    Of ``only``, the modalities that each clip has, if given.
    """
    rng = np.random.default_rng(seed)
    total = 2 * count
    latent = {task: rng.standard_normal((total, len(TARGETS[task]))) for task in TASKS}
    features, logits = {}, {task: [] for task in TASKS}
    for modality in MODALITIES:
        seen = {
            task: each + noise * rng.standard_normal(each.shape)
            for task, each in latent.items()
        }
        mixed = np.hstack(list(seen.values()))
        spread = np.linalg.qr(rng.standard_normal((width, mixed.shape[1])))[0].T
        features[modality] = mixed @ spread
        for task in TASKS:
            # Stage-2 logits: signal and a lot of error.
            wrong = rng.standard_normal(seen[task].shape)
            logits[task].append(0.3 * seen[task] + 0.3 * wrong)
    emotions = np.where(latent["emotion"] > 0.8, 1.0, 0.0)
    traits = 0.5 + 0.1 * latent["personality"]
    corpus = np.repeat(["a", "b"], count)
    table = pd.DataFrame(
        {
            "corpus": corpus,
            "clip_id": np.arange(total).astype(str),
            "speaker_id": np.arange(total).astype(str),
            "split": np.tile(np.repeat(["train", "dev"], [count - 50, 50]), 2),
        }
    )
    labels = {
        "emotion": np.where((corpus == "a")[:, None], emotions, np.nan),
        "personality": np.where((corpus == "b")[:, None], traits, np.nan),
    }
    present = np.ones((total, 3), bool)
    if only is not None:
        present = np.tile([name in only for name in MODALITIES], (total, 1))
    clips = StudyClips(
        table, {k: v.astype(np.float32) for k, v in labels.items()}, ["a", "b"]
    )
    stacked = {
        task: torch.tensor(np.stack(each, 1), dtype=torch.float32)
        for task, each in logits.items()
    }
    read = {
        name: torch.tensor(each, dtype=torch.float32) for name, each in features.items()
    }
    outputs = FusionInput(
        read,
        stacked["emotion"],
        stacked["personality"].sigmoid(),
        torch.from_numpy(present),
        read,
    )
    return FusionClips(clips, outputs, torch.device("cpu")), latent


@pytest.fixture
def params(small_params):
    return small_params.model_copy(update={"roles": ROLES})


def correlation(a, b):
    return np.mean([np.corrcoef(x, y)[0, 1] for x, y in zip(a.T, b.T, strict=True)])


@pytest.mark.parametrize("task", TASKS)
def test_a_probe_learns_the_pseudo_labels_of_the_other_modalities(params, task):
    """It comes to know targets of which it was never given one label."""
    data, latent = study()
    probes = co_train(params, data, task)
    assert list(probes) == list(MODALITIES)
    logits = data.batch(np.arange(800)).inputs
    known = logits.emotion_logits if task == "emotion" else logits.trait_scores.logit()
    for place, (modality, probe) in enumerate(probes.items()):
        said = probe(data.features[modality].numpy())
        before = correlation(known[:, place].numpy(), latent[task])
        # Of what can be seen through the noise, r = 1 / sqrt(2).
        assert before < correlation(said, latent[task]) < 0.72


@pytest.mark.parametrize("task", TASKS)
def test_its_scale_is_a_share_of_that_of_stage_2(params, task):
    data, _ = study(count=120)
    probes = co_train(params, data, task)
    rows = np.flatnonzero(
        data.clips.labelled(task) & (data.clips.table["split"] == "train")
    )
    given = data.batch(rows).inputs
    said = given.emotion_logits if task == "emotion" else given.trait_scores.logit()
    share = getattr(params.fusion.co_training, task)
    for place, (modality, probe) in enumerate(probes.items()):
        found = probe(data.features[modality].numpy()[rows])
        expected = share * said[:, place].numpy().std(0)
        assert found.std(0) == pytest.approx(expected, rel=1e-4)
        assert found.mean(0) == pytest.approx(0, abs=1e-4)


def test_labels_of_a_clip_reach_its_own_logits_only_through_pseudo_labels(
    params,
):
    """Probes are fitted to unlabelled clips alone: nothing of them without these."""
    data, _ = study(count=120)
    everything = np.nan_to_num(data.clips.labels["emotion"])
    data.clips.labels["emotion"][:] = everything
    assert co_train(params, data, "emotion") == {}


@pytest.mark.parametrize("task", TASKS)
def test_probes_count_as_much_as_predicts_left_out_folds_best(
    params, monkeypatch, task
):
    data, _ = study(count=120)
    rows = np.arange(240)
    train = data.rows(getattr(ROLES, task), "train")
    speakers = data.clips.table["speaker_id"].to_numpy()[train]
    probes = co_train(params, data, task)
    strengths, scores, answers = stacking.STRENGTHS, [], []
    for strength in strengths:
        monkeypatch.setattr(stacking, "STRENGTHS", (strength,))
        projector, linear, predicted = stacking.fit_predict_projector(
            params, Variant(), data, task, rows
        )
        for modality, probe in probes.items():
            weight = projector.probes[modality].weight.numpy()
            np.testing.assert_allclose(weight, strength * probe.weights, rtol=1e-5)
        scores.append(linear.cross_fitted_score(speakers))
        answers.append(predicted)
    monkeypatch.setattr(stacking, "STRENGTHS", strengths)
    projector, _, predicted = stacking.fit_predict_projector(
        params, Variant(), data, task, rows
    )
    best = int(np.argmax(scores))
    np.testing.assert_allclose(predicted, answers[best], rtol=1e-5)
    weight = projector.probes["face"].weight.numpy()
    expected = strengths[best] * probes["face"].weights
    np.testing.assert_allclose(weight, expected, rtol=1e-5)


def test_at_strength_0_it_is_the_model_without_co_training(params, monkeypatch):
    """To the last bit, random numbers of the network included."""
    data, _ = study(count=60)
    rows, answers = np.arange(120), []
    monkeypatch.setattr(stacking, "STRENGTHS", (0.0,))
    for settings in (Variant(), Variant(without=["co_training"])):
        fitted = {
            task: stacking.fit_predict_projector(params, settings, data, task, rows)
            for task in TASKS
        }
        projectors = {task: each[0] for task, each in fitted.items()}
        model, _ = train_variant(params, settings, data, projectors, 0, progress=False)
        assert model.co_trained == ("co_training" not in settings.without)
        fused = predict_fused(model, data, rows)
        answers.append([*fused.values(), *(each[2] for each in fitted.values())])
    for with_probes, without in zip(*answers, strict=True):
        np.testing.assert_array_equal(with_probes, without)


def test_pseudo_labels_that_mislead_are_dropped(params):
    """Other modalities say the opposite of the truth where there are no labels."""
    data, _ = study(count=200)
    assert _strength(params, data) > 0
    data, _ = study(count=200)
    unlabelled = ~data.clips.labelled("emotion")
    given = data.batch(np.arange(400)).inputs
    given.emotion_logits[unlabelled] *= -1
    misled = FusionClips(data.clips, given, torch.device("cpu"))
    assert _strength(params, misled) == 0


def _strength(params, data):
    """Chosen size of the probe of a face, relative to the smallest that is tried."""
    rows = np.arange(len(data.clips.table))
    probe = co_train(params, data, "emotion")["face"]
    projector, _, _ = stacking.fit_predict_projector(
        params, Variant(), data, "emotion", rows
    )
    found = projector.probes["face"].weight.numpy()
    return float(np.median(found / probe.weights))


@pytest.mark.parametrize("only", [["face"], ["text"]])
def test_a_single_modality_has_no_pseudo_labels(params, only):
    assert co_train(params, study(count=60, only=only)[0], "personality") == {}


def test_a_modality_that_no_clip_has_is_left_out(params):
    data, _ = study(count=60, only=["face", "text"])
    assert list(co_train(params, data, "emotion")) == ["face", "text"]


def test_values_of_an_absent_modality_have_no_influence(params):
    found = []
    for fill in (0.0, np.nan):
        data, _ = study(count=120)
        data.present[::3, 1] = False
        for values in (data.features["audio"], data._inputs.emotion_logits[:, 1]):
            values[::3] = fill
        found.append(co_train(params, data, "emotion"))
    for modality in MODALITIES:
        np.testing.assert_array_equal(
            found[0][modality].weights, found[1][modality].weights
        )


def test_a_probe_is_the_ridge_regression_that_is_best_on_dev():
    rng = np.random.default_rng(2)
    features = rng.standard_normal((60, 90)) * rng.uniform(0.5, 2, 90)
    target = features[:, :4] @ rng.standard_normal((4, 3)) + rng.standard_normal(
        (60, 3)
    )
    train, dev = np.arange(40), np.arange(40, 60)
    mean, scale = features[train].mean(0), features[train].std(0) + 1e-6
    scaled, unit = (features - mean) / scale, target[train].std(0)
    errors = {}
    for alpha in np.logspace(1, 5, 9):
        model = Ridge(alpha=alpha).fit(scaled[train], target[train] / unit)
        said = model.predict(scaled)
        errors[np.square(said[dev] - target[dev] / unit).mean()] = said
    said = _fit_probe(features, target, train, dev)(features)
    assert said == pytest.approx(errors[min(errors)], abs=1e-6)


def test_a_constant_probe_is_zero():
    probe = _fit_probe(np.ones((6, 2)), np.ones((6, 3)), np.arange(6), np.arange(0))
    said = _scaled(probe, np.ones((6, 2)), np.ones(3))(np.ones((6, 2)))
    assert np.array_equal(said, np.zeros((6, 3)))
