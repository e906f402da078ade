"""The specification curve against single estimates, and its joint tests by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t

from sslmepr import params as parameters
from sslmepr.association.cross_source import cross_source
from sslmepr.association.influence_tests import intervals
from sslmepr.association.probe_scores import study_scores
from sslmepr.association.scores import Scores
from sslmepr.association.specifications import (
    CHOICES,
    EVERY,
    HELD_OUT,
    NETWORKS,
    PROBES,
    TRAINING,
    Curve,
    Specification,
    by_choice,
    curve,
    joint_inference,
    specifications,
    study_curve,
)
from sslmepr.association.study_associations import read_evaluated
from sslmepr.labels import MODALITIES, SCORED_EMOTIONS, TRAITS

SETTINGS = parameters.load().association
CLAIMS = {"sadness": -1, "happiness": 1}
HAPPINESS = SCORED_EMOTIONS.index("happiness")


def drawn(rng, modalities=3, clips=150, strength=0.35, noise=0.7):
    """Scores of three corpora; happiness goes with all traits, nothing else does."""
    size = len(SCORED_EMOTIONS) + len(TRAITS)
    joint = np.eye(size)
    joint[HAPPINESS, 6:] = joint[6:, HAPPINESS] = strength
    corpora = []
    for place in range(3):
        latents = rng.multivariate_normal(np.zeros(size), joint, clips)
        scores = latents[:, None] + noise * rng.standard_normal(
            (clips, modalities, size)
        )
        labels = [latents[:, :6] > 0.5, latents[:, 6:], None][place]
        speakers = np.array([f"{place}-{n // 2}" for n in range(clips)])
        present = np.ones((clips, modalities), bool)
        corpora.append(
            Scores(scores[..., :6], scores[..., 6:], present, speakers, labels)
        )
    return corpora


def test_all_combinations_are_tried_and_the_first_is_that_of_the_chapter():
    found = specifications(MODALITIES)
    assert found[0] == (EVERY, EVERY, "probes")
    assert len(found) == len(set(found)) == 6 * 3 * 4
    assert Specification("without text", HELD_OUT, "penalty a tenth") in found


@pytest.mark.parametrize(
    ("modalities", "held_out", "count"),
    [
        (("face", "body", "audio"), True, 3 * 3 * 4),
        (("face", "audio", "text"), True, 4 * 3 * 4),
        (("face", "body", "scene"), False, 4),
        (("audio", "text"), True, 3 * 4),
        (("text",), False, 4),
    ],
)
def test_no_specification_is_left_with_a_single_sensor(modalities, held_out, count):
    assert len(specifications(modalities, held_out)) == count


def test_each_row_is_the_estimate_of_its_choices():
    rng = np.random.default_rng(0)
    names = ("face", "body", "audio")
    scores = {name: drawn(rng) for name in (*PROBES, NETWORKS)}
    found = curve(scores, names, CLAIMS, SETTINGS)
    table = found.table.set_index(["emotion", *CHOICES])
    assert (table["reason"] == "").all() and len(table) == 2 * 36

    sensors = ("camera", "camera", "microphone")
    scores = {
        name: [each._replace(sensors=sensors) for each in parts]
        for name, parts in scores.items()
    }
    kept = [0, 2]
    parts = [
        each._replace(
            emotions=each.emotions[:, kept],
            traits=each.traits[:, kept],
            present=each.present[:, kept],
            sensors=("camera", "microphone"),
        )
        for each in scores["penalty a tenth"]
    ]
    for name, expected in {
        (EVERY, EVERY, "probes"): cross_source(
            *scores["probes"][:2], scores["probes"][2:]
        ),
        ("without body", TRAINING, "penalty a tenth"): cross_source(
            *parts[:2], parts[2:], counted=(True, True, False)
        ),
        (EVERY, HELD_OUT, NETWORKS): cross_source(
            *scores[NETWORKS][:2],
            scores[NETWORKS][2:],
            counted=(False, False, True),
        ),
    }.items():
        row = table.loc[("happiness", *name)]
        estimate = expected.associations[HAPPINESS].mean()
        assert row["estimate"] == pytest.approx(estimate)
        error = np.sqrt(
            sum((each[:, HAPPINESS].mean(1) ** 2).sum() for each in expected.influence)
        )
        ends = intervals(estimate, error, SETTINGS.confidence, 225)
        ends = tuple(map(float, ends))
        assert tuple(row[["low", "high", "p"]]) == pytest.approx(ends)
        assert row["significant"] == (row["p"] < SETTINGS.alpha and estimate > 0)
    for emotion, influence in found.influence.items():
        mine = found.table[found.table["emotion"] == emotion]
        half = t.ppf(0.5 + SETTINGS.confidence / 2, 224)
        half = half * np.sqrt((influence**2).sum(1))
        small = mine["estimate"].abs() < 0.6  # beyond, by Fisher's z
        np.testing.assert_allclose(
            (mine["high"] - mine["estimate"])[small], half[small.to_numpy()]
        )


def test_what_is_planted_holds_in_all_specifications_and_nothing_else_does():
    rng = np.random.default_rng(1)
    scores = dict.fromkeys(PROBES, drawn(rng, clips=400))
    found = curve(scores, ("face", "body", "audio"), CLAIMS, SETTINGS)
    told = joint_inference(found, CLAIMS, SETTINGS, 0).set_index("emotion")
    happy, sad = told.loc["happiness"], told.loc["sadness"]
    assert happy["of_sign"] == happy["significant"] == 1.0
    assert happy["p_median"] == pytest.approx(1 / (SETTINGS.resamples + 1))
    assert happy["low"] < 0.35 < happy["high"]
    assert happy["smallest"] <= happy["median"] <= happy["largest"]
    assert sad["p_median"] > 0.01 and sad["low"] < 0 < sad["high"]
    assert list(told["specifications"]) == [27, 27] and not told["refused"].any()


def of_one(rng, specifications=4, speakers=300, shift=0.0, correlated=True):
    """A curve whose specifications use the same influence, or independent ones."""
    influence = rng.standard_normal((specifications, speakers))
    if correlated:
        influence[:] = influence[0]
    influence /= np.sqrt((influence**2).sum(1, keepdims=True))
    table = pd.DataFrame({"emotion": "happiness", "estimate": np.full(4, shift)})
    table["significant"] = shift > norm.isf(SETTINGS.alpha / 2)
    return Curve(table, {"happiness": influence}, speakers)


@pytest.mark.parametrize("shift", [0.8, 2.5])
def test_specifications_that_are_the_same_count_as_one_test(shift):
    """Then the median has the p-value of one estimate, in standard errors."""
    found = of_one(np.random.default_rng(2), shift=shift)
    settings = SETTINGS.model_copy(update={"resamples": 20_000})
    told = joint_inference(found, {"happiness": 1}, settings, 3).iloc[0]
    assert told["p_median"] == pytest.approx(2 * norm.sf(shift), abs=0.012)
    half = norm.isf((1 - SETTINGS.confidence) / 2)
    ends = (shift - half, shift + half)
    assert (told["low"], told["high"]) == pytest.approx(ends, abs=0.06)
    if shift > 2:  # all of them or none is significant, in the claimed direction
        assert told["significant"] == 1.0
        assert told["p_significant"] == pytest.approx(SETTINGS.alpha / 2, abs=0.006)
    else:
        assert told["significant"] == 0.0 and told["p_significant"] == 1.0


def test_independent_specifications_say_more_than_one():
    found = of_one(np.random.default_rng(4), shift=1.5, correlated=False)
    told = joint_inference(found, {"happiness": 1}, SETTINGS, 3).iloc[0]
    assert told["p_median"] < 0.05 < 2 * norm.sf(1.5)


def test_levels_of_a_choice_are_averaged_over_the_others():
    rng = np.random.default_rng(5)
    scores = {name: drawn(rng) for name in PROBES}
    table = curve(scores, ("face", "body", "audio"), CLAIMS, SETTINGS).table
    found = by_choice(table).set_index(["emotion", "choice", "level"])
    mine = table[
        (table["emotion"] == "sadness") & (table["modalities"] == "without body")
    ]
    row = found.loc[("sadness", "modalities", "without body")]
    assert row["mean"] == pytest.approx(mine["estimate"].mean())
    assert row["significant"] == mine["significant"].mean()
    assert row["specifications"] == len(mine) == 9
    counts = found["specifications"].groupby(["emotion", "choice"]).sum()
    assert (counts == 27).all()


def test_what_is_not_identified_is_refused_by_row():
    """Camera and microphone, which no clip of the training corpora has together."""
    rng = np.random.default_rng(6)
    half = np.arange(150)[:, None] % 2 == [0, 0, 1]
    corpora = [
        each._replace(present=half | (place == 2))
        for place, each in enumerate(drawn(rng))
    ]
    scores = dict.fromkeys(PROBES, corpora)
    found = curve(scores, ("face", "body", "audio"), CLAIMS, SETTINGS)
    refused = found.table[found.table["estimate"].isna()]
    assert (refused["corpora"] == TRAINING).all() and len(refused) == 2 * 9
    assert (refused["reason"] != "").all()
    assert not refused["significant"].any()
    told = joint_inference(found, CLAIMS, SETTINGS, 0)
    assert (told["refused"] == len(refused) / 2).all()
    assert (told["specifications"] + told["refused"] == 27).all()


def test_an_estimate_without_a_standard_error_is_none():
    """Two emotions that are always seen together have no tetrachoric correlation."""
    rng = np.random.default_rng(8)
    emotion, *rest = drawn(rng)
    labels = emotion.labels.copy()
    labels[:, 1] = labels[:, 0]
    scores = dict.fromkeys(PROBES, [emotion._replace(labels=labels), *rest])
    with np.errstate(all="ignore"):
        found = curve(scores, ("face", "audio", "text"), CLAIMS, SETTINGS)
    assert found.table["estimate"].isna().all() and (found.table["reason"] != "").all()
    assert (joint_inference(found, CLAIMS, SETTINGS, 0)["specifications"] == 0).all()


def test_a_study_with_one_modality_has_no_estimate():
    rng = np.random.default_rng(7)
    scores = dict.fromkeys(PROBES, drawn(rng, modalities=1)[:2])
    found = curve(scores, ("text",), CLAIMS, SETTINGS)
    assert found.table["estimate"].isna().all()
    assert found.table["reason"].str.contains("no two modalities").all()
    told = joint_inference(found, CLAIMS, SETTINGS, 0)
    assert (told["specifications"] == 0).all() and told["median"].isna().all()
    assert by_choice(found.table).empty


def test_the_first_specification_of_a_study_is_the_chapters_estimate(
    trained, small_params
):
    folder, study_folder, *_ = trained
    predictions = read_evaluated(study_folder / "evaluate").predictions
    emotion, personality, *others = study_scores(small_params, folder)
    expected = cross_source(emotion, personality, others)
    found = study_curve(small_params, CLAIMS, predictions, folder)
    first = found.table.groupby("emotion", sort=False).first()
    for name in CLAIMS:
        mean = expected.associations[SCORED_EMOTIONS.index(name)].mean()
        assert first.loc[name, "estimate"] == pytest.approx(mean)
    assert set(found.table["scores"]) == {*PROBES, NETWORKS}
