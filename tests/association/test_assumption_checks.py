"""Checks of the assumptions, on drawn scores that keep them and that break them."""

import numpy as np
import pytest

from sslmepr import params as parameters
from sslmepr.association import assumption_checks as assumption_checks_module
from sslmepr.association.assumption_checks import (
    CHECKS,
    MISLEADING,
    SMALLEST,
    UNSTABLE,
    assumption_checks,
)
from sslmepr.association.cross_source import cross_source
from sslmepr.association.overidentification import overidentification
from sslmepr.association.scores import SENSORS, Scores

SETTINGS = parameters.load().association.model_copy(update={"resamples": 400})
EMOTIONS, TRAITS = 3, 2
MODALITIES = ("face", "body", "audio", "text")
CUT = 0.5


def drawn(rng, clips=500, shared=0.0, second=0.0):
    """Scores of three corpora; `shared`: noise that face and body have in common,
    `second`: association of all emotions with traits in the second corpus alone."""
    size = EMOTIONS + TRAITS
    loadings = [
        np.tile(np.eye(size)[rows], (len(MODALITIES), 1, 1))
        for rows in (slice(EMOTIONS), slice(EMOTIONS, None))
    ]
    corpora = []
    for place in range(3):
        joint = np.eye(size)
        if place == 1:
            joint[:EMOTIONS, EMOTIONS:] = second
            joint[EMOTIONS:, :EMOTIONS] = second
        latents = rng.multivariate_normal(np.zeros(size), joint, clips)
        common = shared * rng.standard_normal((clips, 1, 1))
        scores = []
        for each in loadings:
            values = np.einsum("nl,msl->nms", latents, each)
            values = values + 0.7 * rng.standard_normal(values.shape)
            values[:, :2] += common
            scores.append(values)
        labels = [latents[:, :EMOTIONS] > CUT, latents[:, EMOTIONS:], None][place]
        speakers = np.array([f"{place}-{n}" for n in range(clips)])
        present = np.ones((clips, len(MODALITIES)), bool)
        sensors = [SENSORS[name] for name in MODALITIES]
        corpora.append(Scores(*scores, present, speakers, labels, sensors))
    return corpora


def checked(corpora):
    table = assumption_checks(corpora, SETTINGS, 0)
    assert tuple(table["assumption"]) == CHECKS
    return table.set_index("assumption")


def test_both_hold_where_nothing_is_broken():
    verdicts = [
        checked(drawn(np.random.default_rng(seed)))["verdict"] for seed in range(5)
    ]
    # Level 5 %: three or more false alarms among fifteen have a chance of 4 %.
    assert sum((each == "fails").sum() for each in verdicts) <= 2
    assert sum((each == MISLEADING).sum() for each in verdicts) <= 1


def test_errors_that_one_camera_shares_are_seen():
    table = checked(drawn(np.random.default_rng(1), shared=1.5))
    assert table.loc["sensors", "verdict"] == MISLEADING
    assert table.loc["sensors", "estimate"] > 2 * table.loc["sensors", "expected"]


def test_another_law_in_one_corpus_is_seen():
    table = checked(drawn(np.random.default_rng(2), second=0.4))
    assert table.loc["corpora", "verdict"] == "fails"
    assert table.loc["corpora", "p"] < 0.01
    assert table.loc["covariances", "p"] == pytest.approx(1 / 401)


def test_what_the_fit_leaves_and_what_determines_it_are_rows():
    corpora = drawn(np.random.default_rng(6))
    table = checked(corpora)
    found = overidentification(*corpora[:2], corpora[2:])
    row = table.loc["conditions"]
    assert row["p"] == found.p
    assert row["estimate"] == pytest.approx(np.sqrt((found.residual**2).mean()))
    assert row["expected"] == pytest.approx(np.sqrt((found.error**2).mean()))
    for name, key in SMALLEST.items():
        assert table.loc[name, "estimate"] == found.smallest[key]
        assert table.loc[name, "verdict"] == "holds" and table.loc[name, "reason"] == ""


def test_labels_that_nearly_determine_each_other_are_told(monkeypatch):
    monkeypatch.setattr(assumption_checks_module, "NEAR_ZERO", 10.0)
    table = checked(drawn(np.random.default_rng(7), clips=200))
    for name, key in SMALLEST.items():
        assert table.loc[name, "verdict"] == "fails"
        assert table.loc[name, "reason"] == UNSTABLE[key]


def test_numbers_are_those_of_the_two_estimates():
    corpora = drawn(np.random.default_rng(3), clips=200)
    table = checked(corpora)
    other = cross_source(*corpora[:2], corpora[2:])
    corpora = [each._replace(sensors=None) for each in corpora]
    every = cross_source(*corpora[:2], corpora[2:])
    change = every.associations - other.associations
    assert table.loc["sensors", "estimate"] == pytest.approx(
        np.sqrt((change**2).mean())
    )


def test_sensors_of_their_own_leave_nothing_to_compare():
    corpora = drawn(np.random.default_rng(5), clips=200)
    words = [each._replace(sensors=[*"abcd"]) for each in corpora]
    table = checked(words)
    assert "sensor of its own" in table.loc["sensors", "reason"]
    assert table.loc["corpora", "reason"] == ""


def test_what_cannot_be_checked_says_why():
    corpora = drawn(np.random.default_rng(4), clips=200)
    seen = np.array([True, True, False, False])
    corpora = [each._replace(present=each.present & seen) for each in corpora]
    table = checked(corpora)
    assert "no two modalities" in table.loc["sensors", "reason"]
    assert table.loc["sensors", ["estimate", "p"]].isna().all()
    assert "no two modalities" in table.loc["corpora", "reason"]
    assert "no two modalities" in table.loc["conditions", "reason"]
    assert "no two modalities" in table.loc["covariances", "reason"]
