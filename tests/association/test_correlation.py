import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from sslmepr.association.correlation import (
    LEVELS,
    association,
    resampled_association,
    wide_table,
)
from sslmepr.labels import SCORED_EMOTIONS, TRAITS

SETTINGS = {
    "source": "predicted_x_true",
    "resamples": 60,
    "confidence": 0.95,
    "correction": "fdr_bh",
    "alpha": 0.05,
    "seed": 0,
}


def world(rng, speakers=30, clips=4, trait_within=1.0, effect=0.0):
    """Clips in which speakers differ in everything; anger follows openness."""
    index = np.repeat(np.arange(speakers), clips)
    n = len(index)
    traits = rng.standard_normal((speakers, 5))[index]
    traits = traits + trait_within * rng.standard_normal((n, 5))
    emotions = rng.standard_normal((speakers, 6))[index] + rng.standard_normal((n, 6))
    emotions[:, 0] += effect * traits[:, 0]
    columns = [f"emotion_{e}" for e in SCORED_EMOTIONS] + [f"trait_{t}" for t in TRAITS]
    table = pd.DataFrame(np.hstack([emotions, traits]), columns=columns)
    return table.assign(speaker_id=[f"speaker-{i:03}" for i in index])


def cell(table, level, emotion="anger", trait="openness"):
    chosen = (table["emotion"] == emotion) & (table["trait"] == trait)
    return table[chosen & (table["level"] == level)].iloc[0]


def test_r_equals_scipy_at_every_level():
    table = world(np.random.default_rng(1), effect=0.5)
    result = association(table, **SETTINGS)
    assert len(result) == 90 and list(dict.fromkeys(result["level"])) == list(LEVELS)
    values = table.drop(columns="speaker_id")
    means = values.groupby(table["speaker_id"]).mean()
    deviations = values - means.loc[table["speaker_id"]].to_numpy()
    for name, frame in zip(LEVELS, (values, means, deviations), strict=True):
        for emotion, trait in (("anger", "openness"), ("sadness", "agreeableness")):
            expected = stats.pearsonr(
                frame[f"emotion_{emotion}"], frame[f"trait_{trait}"]
            )
            assert cell(result, name, emotion, trait)["r"] == pytest.approx(expected[0])
    assert (result["n"] == [120] * 30 + [30] * 30 + [120] * 30).all()
    assert (result["n_speakers"] == 30).all()


def test_interval_equals_plain_resampling_of_speakers():
    table = world(np.random.default_rng(4), speakers=25, effect=0.6)
    result = association(table, **SETTINGS | {"resamples": 2000}, levels=("clip",))
    groups = [group for _, group in table.groupby("speaker_id")]
    rng = np.random.default_rng(5)
    draws = []
    for _ in range(1000):
        drawn = pd.concat([groups[i] for i in rng.integers(25, size=25)])
        draws.append(np.corrcoef(drawn["emotion_anger"], drawn["trait_openness"])[0, 1])
    tail = stats.norm.sf(stats.t.ppf(0.975, 24) * np.sqrt(25 / 24))
    expected = np.quantile(draws, [tail, 1 - tail])
    anger = cell(result, "clip")
    np.testing.assert_allclose([anger["low"], anger["high"]], expected, atol=0.03)
    assert anger["low"] < anger["r"] < anger["high"]


def test_p_equals_a_t_test_of_speakers_and_is_near_cluster_robust_regression():
    table = world(np.random.default_rng(6), speakers=60, effect=0.25)
    p = cell(association(table, **SETTINGS, levels=("clip",)), "clip")["p"]
    x, y = table["emotion_anger"], table["trait_openness"]
    votes = ((x - x.mean()) * (y - y.mean())).groupby(table["speaker_id"]).sum()
    expected = stats.ttest_1samp(votes, 0)
    assert p == pytest.approx(expected.pvalue, rel=1e-9)
    groups = {"groups": pd.factorize(table["speaker_id"])[0]}
    model = sm.OLS(stats.zscore(y), sm.add_constant(stats.zscore(x)))
    robust = model.fit(cov_type="cluster", cov_kwds=groups, use_t=True)
    assert expected.statistic == pytest.approx(robust.tvalues[1], rel=0.2)


def refits_of(table, rng, size, count=20):
    """What other training samples would say: the same with errors of their own."""
    for _ in range(count):
        other = table.copy()
        for column in [name for name in table if name.startswith(("emo", "tra"))]:
            other[column] += size * rng.standard_normal() * table["trait_openness"]
        yield other


def test_error_of_learning_adds_to_p_and_interval():
    rng = np.random.default_rng(21)
    table = world(rng, speakers=60, effect=0.3)
    others = list(refits_of(table, rng, 0.2))
    settings = SETTINGS | {"resamples": 2000, "levels": ("clip",)}
    alone = cell(association(table, **settings), "clip")
    found = cell(association(table, **settings, refits=others), "clip")
    assert np.isnan(alone["training_error"]) and found["r"] == alone["r"]
    each = [cell(association(other, **settings), "clip")["r"] for other in others]
    assert found["training_error"] == pytest.approx(np.std(each, ddof=1))
    # On the scale of r both errors are one hypotenuse.
    t = stats.t.isf(alone["p"] / 2, 59)
    error = np.hypot(alone["r"] / t, np.std(each, ddof=1))
    expected = 2 * stats.t.sf(abs(alone["r"]) / error, 59)
    assert found["p"] == pytest.approx(expected, rel=1e-6)
    assert found["p"] > alone["p"]
    widths = [(row["high"] - row["low"]) / 2 for row in (alone, found)]
    ratio = np.hypot(widths[0], 2 * np.std(each, ddof=1)) / widths[1]
    assert ratio == pytest.approx(1, abs=0.15)


def test_refits_that_agree_change_nothing():
    table = world(np.random.default_rng(22), effect=0.3)
    alone = association(table, **SETTINGS)
    same = association(table, **SETTINGS, refits=[table, table])
    columns = ["r", "low", "high", "p", "p_corrected", "significant", "n"]
    np.testing.assert_allclose(
        same[columns].astype(float), alone[columns].astype(float), atol=1e-9
    )
    defined = same["r"].notna()
    assert (same.loc[defined, "training_error"].abs() < 1e-12).all()


def test_corrected_p_is_over_the_family_of_one_level():
    result = association(world(np.random.default_rng(7), effect=0.4), **SETTINGS)
    for _, family in result.groupby("level"):
        reject, corrected, *_ = multipletests(family["p"], 0.05, method="fdr_bh")
        np.testing.assert_allclose(family["p_corrected"], corrected)
        assert (family["significant"] == reject).all()


def test_few_false_positives_when_nothing_is_there():
    rng = np.random.default_rng(8)
    shares, naive, corrected = [], [], []
    for _ in range(25):
        table = world(rng, speakers=36, clips=6, trait_within=0.0)
        result = association(table, **SETTINGS, levels=("clip", "between"))
        shares.append((result["p"] < 0.05).mean())
        corrected.append(result["significant"].mean())
        naive.append(
            stats.pearsonr(table["emotion_anger"], table["trait_openness"])[1] < 0.05
        )
    assert 0.01 < np.mean(shares) < 0.065
    assert np.mean(corrected) <= 0.02
    assert np.mean(naive) > 0.12  # what would happen without regard to speakers


def test_traits_constant_within_speakers_are_undefined_there_with_a_reason():
    table = world(np.random.default_rng(9), trait_within=0.0)
    within = association(table, **SETTINGS, levels=("within",))
    assert within[["r", "low", "high", "p", "p_corrected"]].isna().all(axis=None)
    assert not within["significant"].any()
    assert cell(within, "within")["reason"] == "openness does not vary within speakers"


def test_speakers_with_one_clip_say_nothing_within():
    table = world(np.random.default_rng(17), speakers=10)
    alone = world(np.random.default_rng(18), speakers=5, clips=1)
    alone["speaker_id"] = "alone-" + alone["speaker_id"]
    both = association(pd.concat([table, alone]), **SETTINGS, levels=("within",))
    assert cell(both, "within")["n_speakers"] == 10
    assert cell(both, "within")["n"] == 40
    within = association(alone, **SETTINGS, levels=("within",))
    expected = "only 0 speakers have several clips with both values"
    assert set(within["reason"]) == {expected}


def test_constant_column_is_undefined_and_the_rest_is_not_touched():
    table = world(np.random.default_rng(10))
    before = association(table, **SETTINGS, levels=("clip",))
    table["emotion_fear"] = 0.1 + 0.2
    result = association(table, **SETTINGS, levels=("clip",))
    fear = result["emotion"] == "fear"
    assert result.loc[fear, "r"].isna().all()
    assert set(result.loc[fear, "reason"]) == {"fear does not vary"}
    pd.testing.assert_series_equal(result.loc[~fear, "r"], before.loc[~fear, "r"])


def test_two_speakers_are_too_few():
    table = world(np.random.default_rng(11), speakers=2)
    result = association(table, **SETTINGS, levels=("clip", "between"))
    assert result["r"].isna().all()
    assert set(result["reason"]) == {"only 2 speakers have both values"}


def test_clips_without_a_value_are_left_out_of_their_cells_only():
    rng = np.random.default_rng(12)
    table = world(rng)
    table.loc[rng.random(len(table)) < 0.3, "emotion_anger"] = np.nan
    kept = table.dropna()
    result = association(table, **SETTINGS)
    anger = cell(result, "clip")
    assert anger["n"] == len(kept)
    expected = np.corrcoef(kept["emotion_anger"], kept["trait_openness"])[0, 1]
    assert anger["r"] == pytest.approx(expected)
    assert cell(result, "clip", "fear")["n"] == len(table)
    nothing = association(table.assign(emotion_anger=np.nan), **SETTINGS)
    assert cell(nothing, "clip")["reason"] == "only 0 speakers have both values"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"emotion_fear": np.inf}, "emotion_fear: holds an infinite value"),
        ({"speaker_id": None}, "speaker_id: clip number 0 has no speaker"),
    ],
)
def test_bad_values_are_named(change, message):
    table = world(np.random.default_rng(13)).assign(**change)
    with pytest.raises(ValueError, match=message):
        association(table, **SETTINGS)


def test_absent_columns_and_unknown_names_are_named():
    table = world(np.random.default_rng(14))
    with pytest.raises(ValueError, match="trait_openness: no such column"):
        association(table.drop(columns="trait_openness"), **SETTINGS)
    with pytest.raises(ValueError, match="source: 'both' is none of"):
        association(table, **SETTINGS | {"source": "both"})
    with pytest.raises(ValueError, match="levels: 'person' is none of"):
        association(table, **SETTINGS, levels=("person",))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 100), st.floats(-50, 50))
def test_nothing_depends_on_scale_origin_or_order_of_clips(seed, scale, shift):
    rng = np.random.default_rng(seed)
    table = world(rng, speakers=8, clips=3)
    moved = table.assign(emotion_anger=scale * table["emotion_anger"] + shift)
    moved = moved.sample(frac=1, random_state=seed)
    first, second = (association(t, **SETTINGS) for t in (table, moved))
    pd.testing.assert_frame_equal(first, second, rtol=1e-6, atol=1e-8)


def test_resampled_association_centres_on_the_estimate():
    table = world(np.random.default_rng(15), speakers=60, effect=0.5)
    draws = resampled_association(table, resamples=200, seed=1)
    assert len(draws) == 200 * 30
    anger = draws[(draws["emotion"] == "anger") & (draws["trait"] == "openness")]
    r = cell(association(table, **SETTINGS), "clip")["r"]
    assert anger["r"].median() == pytest.approx(r, abs=0.03)


def test_few_speakers_have_t_intervals_of_the_jackknife():
    table = world(np.random.default_rng(16), speakers=7, effect=0.5)
    found = cell(association(table, **SETTINGS), "clip")
    x, y, who = (table[n] for n in ("emotion_anger", "trait_openness", "speaker_id"))
    r = stats.pearsonr(x, y)[0]
    without = [
        stats.pearsonr(x[who != name], y[who != name])[0] for name in who.unique()
    ]
    error = np.sqrt(6 / 7 * np.sum((np.array(without) - r) ** 2))
    half = stats.t.ppf(0.975, 6) * error
    assert found["interval"] == "cluster_t"
    assert found["low"] == pytest.approx(max(r - half, -1))
    assert found["high"] == pytest.approx(min(r + half, 1))
    many = world(np.random.default_rng(16), speakers=15)
    assert set(association(many, **SETTINGS)["interval"]) == {"expanded_percentile"}


def test_a_cell_of_few_speakers_among_many_has_a_t_interval():
    table = world(np.random.default_rng(17), speakers=40)
    few = table["speaker_id"] > "speaker-007"
    table.loc[few, "emotion_anger"] = np.nan
    found = association(table, **SETTINGS)
    alone = association(table[~few], **SETTINGS)
    mine, same = cell(found, "clip"), cell(alone, "clip")
    assert mine["interval"] == same["interval"] == "cluster_t"
    assert mine["n_speakers"] == 8 and mine["low"] == pytest.approx(same["low"])
    assert cell(found, "clip", "sadness")["interval"] == "expanded_percentile"


def test_refits_widen_the_interval_of_few_speakers():
    """Both variances add up, on Fisher's scale, which near 0 is that of r."""
    rng = np.random.default_rng(18)
    table = world(rng, speakers=8, clips=200)
    names = list(table.columns[:11])
    refits = [
        table.assign(**table[names] + 0.4 * rng.standard_normal((len(table), 11)))
        for _ in range(9)
    ]
    plain = cell(association(table, **SETTINGS), "clip")
    both = cell(association(table, **SETTINGS, refits=refits), "clip")
    quantile = stats.t.ppf(0.975, 7)
    own = (plain["high"] - plain["r"]) / quantile
    together = (both["high"] - both["r"]) / quantile
    expected = np.hypot(own, both["training_error"] * np.sqrt(9 / 8))
    assert together == pytest.approx(expected, rel=0.05) and together > own


def predictions():
    rows = [
        (clip, "multitask", seed, target, 0.1 * i + seed, 0.2 * i)
        for clip in ("a", "b")
        for seed in (0, 1)
        for i, target in enumerate([*SCORED_EMOTIONS, *TRAITS])
    ]
    columns = ["clip_id", "variant", "seed", "target", "predicted", "true"]
    return pd.DataFrame(rows, columns=columns)


def test_wide_table_averages_seeds_and_takes_the_sides_that_source_names():
    speakers = pd.Series({"a": "x", "b": "y"})
    table = wide_table(predictions(), speakers, "predicted_x_true")
    assert table["speaker_id"].tolist() == ["x", "y"]
    assert table["emotion_disgust"].tolist() == pytest.approx([0.6, 0.6])
    assert table["trait_openness"].tolist() == pytest.approx([1.2, 1.2])
    with pytest.raises(ValueError, match="no speaker for clip b"):
        wide_table(predictions(), speakers[:1], "true_x_true")
    two = pd.concat([predictions(), predictions().assign(variant="other")])
    with pytest.raises(ValueError, match="several values of variant"):
        wide_table(two, speakers, "true_x_true")
