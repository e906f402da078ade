import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sslmepr.association.grid import tidy_matrix
from sslmepr.association.recovery import compare, recovery
from sslmepr.labels import SCORED_EMOTIONS, TRAITS

WORLD = {
    "happiness": {"extraversion": 0.5, "openness": 0.2},
    "sadness": {"emotional_stability": -0.4},
}


def recovered(r, speakers=40):
    table = tidy_matrix(WORLD, "planted")[["emotion", "trait"]]
    return table.assign(
        r=r, low=np.asarray(r) - 0.1, high=np.asarray(r) + 0.1, p_corrected=0.2
    ).assign(
        interval="expanded_percentile",
        n_speakers=speakers,
        significant=np.abs(r) > 0.25,
    )


def test_perfect_recovery():
    planted = tidy_matrix(WORLD, "planted")
    result = recovery(recovered(planted["planted"]), planted).set_index("metric")
    estimate = result["estimate"]
    assert estimate["correlation"] == pytest.approx(1)
    assert estimate["slope"] == pytest.approx(1)
    assert estimate["rmse"] == 0 and estimate["sign_agreement"] == 1
    assert estimate["significant"] == pytest.approx(2 / 30)
    assert (
        estimate["power"] == pytest.approx(2 / 3)
        and estimate["false_positive_rate"] == 0
    )
    assert result["low"].isna().all()


def test_numbers_equal_numpy_and_count_signs():
    rng = np.random.default_rng(0)
    planted = tidy_matrix(WORLD, "planted")
    r = 0.5 * planted["planted"] + 0.1 * rng.standard_normal(30)
    r[planted["planted"] == 0.2] = -0.3
    result = recovery(recovered(r), planted).set_index("metric")["estimate"]
    truth = planted["planted"]
    assert result["correlation"] == pytest.approx(np.corrcoef(r, truth)[0, 1])
    slope = np.linalg.lstsq(truth.to_numpy()[:, None], r, rcond=None)[0][0]
    assert result["slope"] == pytest.approx(slope)
    assert result["rmse"] == pytest.approx(np.sqrt(np.mean((r - truth) ** 2)))
    assert result["sign_agreement"] == pytest.approx(2 / 3)


def test_intervals_lie_around_the_estimates():
    rng = np.random.default_rng(1)
    planted = tidy_matrix(WORLD, "planted")
    r = planted["planted"] + 0.05 * rng.standard_normal(30)
    draws = pd.concat(
        planted[["emotion", "trait"]].assign(
            resample=i, r=r + 0.05 * rng.standard_normal(30)
        )
        for i in range(200)
    )
    result = recovery(recovered(r), planted, draws).iloc[:4]
    assert (result["low"] <= result["estimate"]).all()
    assert (result["estimate"] <= result["high"]).all()
    assert result["high"].iloc[0] < 1


def test_few_speakers_have_t_intervals_on_the_scale_of_a_metric():
    """The correlation on Fisher's scale, the slope as it is, signs without one."""
    rng = np.random.default_rng(2)
    planted = tidy_matrix(WORLD, "planted")
    truth = planted["planted"].to_numpy()
    r = truth + 0.05 * rng.standard_normal(30)
    without = r + 0.02 * rng.standard_normal((6, 30))
    draws = pd.concat(
        planted[["emotion", "trait"]].assign(resample=i, r=each)
        for i, each in enumerate(without)
    )
    result = recovery(recovered(r, speakers=6), planted, draws).set_index("metric")

    def half(value, others):
        error = np.sqrt(5 / 6 * np.sum((np.array(others) - value) ** 2))
        return stats.t.ppf(0.975, 5) * error

    z = np.arctanh([np.corrcoef(each, truth)[0, 1] for each in (r, *without)])
    found = result.loc["correlation"]
    assert found["interval"] == "cluster_t"
    assert found["low"] == pytest.approx(np.tanh(z[0] - half(z[0], z[1:])))
    slopes = [each @ truth / (truth @ truth) for each in (r, *without)]
    found = result.loc["slope"]
    assert found["high"] == pytest.approx(slopes[0] + half(slopes[0], slopes[1:]))
    assert result.loc["sign_agreement", "interval"] == "none"
    assert result.loc["sign_agreement", ["low", "high"]].isna().all()
    assert result.loc["power", "interval"] == "none"


def test_null_world_has_no_agreement_but_a_false_positive_rate():
    planted = tidy_matrix({}, "planted")
    result = recovery(recovered(np.linspace(-0.1, 0.3, 30)), planted)
    result = result.set_index("metric")
    assert np.isnan(result.loc["correlation", "estimate"])
    assert "do not vary" in result.loc["correlation", "reason"]
    assert result.loc["slope", "reason"] == "nothing is associated"
    expected = (np.linspace(-0.1, 0.3, 30) > 0.25).mean()
    assert result.loc["false_positive_rate", "estimate"] == pytest.approx(expected)


def test_compare_puts_three_matrices_side_by_side():
    planted = tidy_matrix(WORLD, "planted")
    observer = tidy_matrix({"sadness": {"emotional_stability": -0.35}}, "observer")
    r = planted["planted"].to_numpy().copy()
    r[0] = np.nan
    table = compare(recovered(r), planted, observer)
    assert table["recovered"].isna().sum() == 1
    assert table["sign_agrees"].count() == 3 and table["sign_agrees"].all()
    assert pd.isna(table["covered"][0]) and table["covered"].count() == 29
    assert table["observer"].min() == -0.35
    assert set(table["emotion"]) == set(SCORED_EMOTIONS)
    assert set(table["trait"]) == set(TRAITS)
    with pytest.raises(ValueError, match="several rows per cell"):
        compare(pd.concat([recovered(r)] * 2), planted)


def test_the_estimand_is_the_column_that_is_named():
    """Of a truth with several columns only one decides, and all are kept."""
    rng = np.random.default_rng(3)
    planted = tidy_matrix(WORLD, "planted")
    truth = planted.assign(rated=rng.uniform(-0.5, 0.5, 30))
    found = recovered(truth["rated"] + 0.05 * rng.standard_normal(30))
    table = compare(found, truth, against="rated")
    alone = compare(found, truth[["emotion", "trait", "rated"]], against="rated")
    pd.testing.assert_frame_equal(table.drop(columns="planted"), alone)
    expected = (found["low"] <= truth["rated"]) & (truth["rated"] <= found["high"])
    assert table["covered"].tolist() == expected.tolist()
    result = recovery(found, truth, against="rated").set_index("metric")["estimate"]
    slope = found["r"] @ truth["rated"] / (truth["rated"] ** 2).sum()
    assert result["slope"] == pytest.approx(slope)
    there = planted["planted"] != 0
    assert result["power"] == pytest.approx(found.loc[there, "significant"].mean())
    assert np.isnan(result["false_positive_rate"])
