"""The observers of drawn studies against a closed form, and their calibration."""

import numpy as np
import pytest
from scipy.stats import norm

from sslmepr import params as parameters
from sslmepr.simulation.channels import make_channels
from sslmepr.simulation.world import EMOTION_PART, TRAIT_PART, make_world
from sslmepr.trials.drawn import draw_study, with_doses
from sslmepr.trials.drawn_observer import (
    UNKNOWN,
    Belief,
    observe_controls,
    observe_features,
)

SIMULATION = parameters.load().simulation
WORLD = make_world("planted", SIMULATION.worlds)
MILD = {
    "reliability": 0.5,
    "incongruence": 0.5,
    "moderation": 0.4,
    "variants": 0.5,
    "missing": 0.1,
    "burst": 0.7,
    "cue_overlap": 15,
}


def drawn(clips, features=40, **doses):
    simulation = with_doses(SIMULATION, **doses)
    study = draw_study(simulation, WORLD, clips, 1, features, 0.0, 3, moving=False)
    return simulation, study


def test_in_a_plain_world_both_are_the_conditional_normal_distribution():
    simulation, study = drawn(30)
    seen, loadings, noises = {"features": [], "controls": []}, [], []
    blocks, maps = [], []
    for name, channel in make_channels(simulation).items():
        axes, feature_map = channel.loadings(), study.maps[name]
        known = len(channel.controls)
        blocks.append(axes)
        maps.append(feature_map[:known].T @ axes)
        rest = feature_map[known:]
        noise = feature_map[:known].T @ feature_map[:known] + 4 * rest.T @ rest
        noises.append(noise + np.eye(len(noise)))
        loadings.append(np.eye(known))
        seen["features"].append(study.held_out.features[name])
        seen["controls"].append(study.held_out.controls[name].mean(1))
    found = {
        "features": observe_features(simulation, WORLD, study, "held_out"),
        "controls": observe_controls(simulation, WORLD, study.held_out, "held_out"),
    }
    expected = {"features": (maps, noises), "controls": (blocks, loadings)}
    for name, (parts, errors) in expected.items():
        whole = np.vstack(parts)
        covariance = whole @ WORLD.covariance @ whole.T
        start = 0
        for error in errors:
            rows = slice(start, start + len(error))
            covariance[rows, rows] += error
            start += len(error)
        gain = np.linalg.solve(covariance, whole @ WORLD.covariance).T
        mean = np.hstack(seen[name]) @ gain.T
        variance = np.diag(WORLD.covariance - gain @ whole @ WORLD.covariance)
        np.testing.assert_allclose(found[name].mean, mean, atol=1e-8)
        np.testing.assert_allclose(
            found[name].variance, np.tile(variance, (30, 1)), atol=1e-8
        )
        above = norm.sf(simulation.emotion_threshold, mean, np.sqrt(variance))
        np.testing.assert_allclose(
            found[name].present, above[:, EMOTION_PART], atol=1e-8
        )


@pytest.mark.parametrize("doses", [MILD, {"reliability": 1.0, "missing": 0.5}])
def test_errors_are_as_large_as_observers_believe(doses):
    simulation, study = drawn(700, **doses)
    truth = study.held_out.latents
    full = observe_controls(simulation, WORLD, study.held_out, "held_out")
    kept = observe_features(simulation, WORLD, study, "held_out")
    for belief in (full, kept):
        ratio = np.square(truth - belief.mean).mean(0) / belief.variance.mean(0)
        assert ratio.mean() == pytest.approx(1, abs=0.05)
        there = truth[:, EMOTION_PART] > simulation.emotion_threshold
        assert belief.present.mean(0) == pytest.approx(there.mean(0), abs=0.04)
    assert (kept.variance.mean(0) > full.variance.mean(0)).all()


def test_many_features_tell_what_the_controls_tell():
    simulation, study = drawn(60, features=4000, reliability=0.5, variants=0.5)
    full = observe_controls(simulation, WORLD, study.held_out, "held_out")
    kept = observe_features(simulation, WORLD, study, "held_out")
    assert np.abs(full.mean - kept.mean).mean() < 0.03


def test_predictions_have_the_variance_of_the_truth_and_decide_at_base_rates():
    simulation, study = drawn(4000)
    belief = observe_features(simulation, WORLD, study, "held_out")
    predicted, thresholds = belief.predictions(simulation)
    spread = predicted["personality"].std(0) / simulation.trait_scale
    assert spread == pytest.approx(np.ones(5), abs=0.05)
    assert (predicted["emotion"][:, 1:] == belief.present).all()
    assert thresholds == pytest.approx(norm.sf(simulation.emotion_threshold))
    certain = Belief(belief.present, study.held_out.latents, 0 * belief.variance)
    scores = certain.predictions(simulation)[0]["personality"]
    np.testing.assert_allclose(scores, study.held_out.traits)
    assert scores.shape[1] == TRAIT_PART.stop - TRAIT_PART.start


@pytest.mark.parametrize("knob", UNKNOWN)
def test_knobs_without_a_law_are_named(knob):
    simulation, study = drawn(5, **{knob: 0.5 if knob != "missing_when_sad" else True})
    with pytest.raises(ValueError, match=knob):
        observe_features(simulation, WORLD, study, "held_out")
    with pytest.raises(ValueError, match=knob):
        observe_controls(simulation, WORLD, study.held_out, "held_out")
