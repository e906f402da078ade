import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from sslmepr.association.sources import CROSS
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.trials.worlds import _medians, cell_means, summarise


def by_hand(recovered, planted, significant, **changes):
    """Cells of one source and size: a row per world."""
    recovered = np.array(recovered, float)
    rows = [
        {
            "source": CROSS,
            "condition": "100 clips",
            "strength": 0.2,
            "world": world,
            "emotion": SCORED_EMOTIONS[cell],
            "trait": TRAITS[0],
            "planted": planted[cell],
            "recovered": r,
            "low": r - 0.1,
            "high": r + 0.1,
            "error": 0.05,
            "p_family": 0.04 if significant[world][cell] else 0.5,
            "significant": significant[world][cell],
            "covered": abs(r - planted[cell]) <= 0.1,
        }
        for world, row in enumerate(recovered)
        for cell, r in enumerate(row)
    ]
    return pd.DataFrame(rows).astype({"covered": "boolean"}).assign(**changes)


RECOVERED = [[0.1, -0.2, 0.05], [0.3, 0.0, -0.05], [0.2, -0.1, 0.3]]
PLANTED = [0.2, -0.2, 0.0]
CALLED = [[True, True, False], [True, False, False], [True, False, True]]


def summary(table):
    return summarise(table, 0.05, 0.95, 500, 0).set_index("metric")


def test_summary_by_hand():
    found = summary(by_hand(RECOVERED, PLANTED, CALLED))
    r, planted = np.array(RECOVERED), np.array(PLANTED)
    expected = {
        # All but 0.0 for -0.2 and 0.3 for 0.0.
        "covers_planted": 7 / 9,
        "rmse": np.sqrt(((r - planted) ** 2).mean()),
        "error_ratio": 0.05 / np.sqrt(r.var(0, ddof=1).mean()),
        # All worlds have the same errors, so that none is left out.
        "error_ratio_trimmed": 0.05 / np.sqrt(r.var(0, ddof=1).mean()),
        "error_ratio_median": 0.05 / np.sqrt(r.var(0, ddof=1).mean()),
        "slope": (r @ planted).sum() / (3 * planted @ planted),
        "power": 4 / 6,
        "false_positive_rate": 1 / 3,
        "familywise_error": 1 / 3,
        "largest_t_error": 1 / 3,
    }
    assert found["estimate"].to_dict() == pytest.approx(expected)
    assert (found["worlds"] == 3).all()
    inside = found["estimate"].between(found["low"], found["high"])
    assert inside.all()
    wilson = proportion_confint(1, 3, 0.05, method="wilson")
    shares = ["familywise_error", "largest_t_error"]
    for name in shares:
        assert found.loc[name, ["low", "high"]].tolist() == pytest.approx(wilson)
    assert set(found.loc[shares, "interval"]) == {"wilson"}
    assert set(found["interval"].drop(shares)) == {"cluster_t"}  # three worlds
    each = (r @ planted) / (planted @ planted)
    expected = stats.ttest_1samp(each, 0).confidence_interval(0.95)
    ends = found.loc["slope", ["low", "high"]].tolist()
    assert ends == pytest.approx([expected.low, expected.high])


def test_identical_shares_have_a_wilson_interval():
    found = summary(by_hand(RECOVERED, PLANTED, np.zeros((3, 3), bool)))
    high = proportion_confint(0, 3, 0.05, method="wilson")[1]
    for metric in ("power", "false_positive_rate"):
        assert found.loc[metric, "estimate"] == 0
        assert found.loc[metric, ["low", "high"]].tolist() == pytest.approx([0, high])


def test_null_worlds_have_no_power():
    found = summary(by_hand(RECOVERED, [0.0] * 3, CALLED))
    assert {"power", "slope"}.isdisjoint(found.index)
    assert found.loc["false_positive_rate", "estimate"] == pytest.approx(5 / 9)


def test_undefined_cells_are_left_out():
    table = by_hand(RECOVERED, PLANTED, CALLED)
    gone = table["emotion"] == SCORED_EMOTIONS[2]
    table.loc[gone, ["recovered", "low", "high"]] = np.nan
    table.loc[gone, "covered"] = pd.NA
    found = summary(table)
    assert "false_positive_rate" not in found.index
    assert found.loc["covers_planted", "estimate"] == pytest.approx(5 / 6)


def test_one_world_has_no_deviation():
    found = summary(by_hand(RECOVERED[:1], PLANTED, CALLED))
    assert not found.index.str.startswith("error_ratio").any()
    assert np.isnan(found.loc["slope", "low"])


def test_standard_errors_that_are_right_have_a_ratio_of_one():
    """Normal cells with known error."""
    rng = np.random.default_rng(0)
    r = 0.1 + 0.05 * rng.standard_normal((400, 3))
    found = summary(by_hand(r, PLANTED, np.zeros((400, 3), bool)))
    assert found.loc["error_ratio", "estimate"] == pytest.approx(1, abs=0.05)


def test_without_standard_errors_there_is_no_ratio():
    table = by_hand(RECOVERED, PLANTED, CALLED).assign(error=np.nan, p_family=np.nan)
    found = summary(table).index
    assert "largest_t_error" not in found
    assert not found.str.startswith("error_ratio").any()


def test_a_few_large_standard_errors_move_the_mean_ratio_alone():
    """Of 20 worlds the last has standard errors that are ten times too large."""
    r = 0.1 + 0.05 * np.random.default_rng(1).standard_normal((20, 3))
    table = by_hand(r, PLANTED, np.zeros((20, 3), bool))
    table.loc[table["world"] == 19, "error"] = 0.5
    table.loc[table["world"] == 18, "error"] = 0.06
    found = summary(table)["estimate"]
    spread, kept = r.var(0, ddof=1).mean(), r[:18].var(0, ddof=1).mean()
    total = (18 * 0.05**2 + 0.06**2 + 0.5**2) / 20
    assert found["error_ratio"] == pytest.approx(np.sqrt(total / spread))
    assert found["error_ratio_median"] == pytest.approx(0.05 / np.sqrt(spread))
    assert found["error_ratio_trimmed"] == pytest.approx(0.05 / np.sqrt(kept))


def test_medians_of_replicates_are_those_of_repeated_values():
    rng = np.random.default_rng(2)
    values, counts = rng.standard_normal(9), rng.integers(0, 4, (30, 9))
    expected = [np.median(np.repeat(values, each)) for each in counts]
    np.testing.assert_allclose(_medians(values, counts), expected)


def test_means_of_cells_by_hand():
    means = cell_means(by_hand(RECOVERED, PLANTED, CALLED))
    assert means["expected"].tolist() == pytest.approx([0.2, -0.1, 0.1])
    assert means["deviation"].tolist() == pytest.approx(
        np.std(RECOVERED, axis=0, ddof=1).tolist()
    )
    assert means["significant"].tolist() == pytest.approx([1, 1 / 3, 1 / 3])
    assert means["worlds"].tolist() == [3, 3, 3]
