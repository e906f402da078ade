import numpy as np
import pandas as pd
import pytest
from drawn_scores import CORPORA, SETTINGS, crossed, world
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm
from statsmodels.stats.power import normal_power, normal_sample_size_one_tail

from sslmepr.association import planning
from sslmepr.association.cross_source import cross_source
from sslmepr.association.planning import MEAN_OF_TRAITS, clips_needed, precision

shares = st.floats(0.01, 0.99)


@pytest.fixture(scope="module")
def found():
    return crossed()


@pytest.fixture(scope="module")
def table(found):
    return precision(found.estimate, found.scores, CORPORA)


def test_errors_of_corpora_add_up_to_those_of_the_associations(found, table):
    pairs = table[table["trait"] != MEAN_OF_TRAITS]
    total = (pairs["error"] ** 2).groupby(
        [pairs["emotion"], pairs["trait"]], sort=False
    )
    expected = found.estimate.error.ravel() ** 2
    np.testing.assert_allclose(total.sum(), expected)
    assert len(pairs) == 90 and len(table) == 108


def test_the_error_of_a_mean_is_that_of_the_influence_of_the_mean(found, table):
    place = 3
    square = sum(
        (each[:, place].mean(1) ** 2).sum() for each in found.estimate.influence
    )
    mine = (table["emotion"] == "happiness") & (table["trait"] == MEAN_OF_TRAITS)
    assert (table.loc[mine, "error"] ** 2).sum() == pytest.approx(square)


def test_sizes_are_those_of_the_corpora(table):
    sizes = table.groupby("corpus", sort=False)[["clips", "speakers"]].first()
    assert sizes.loc["emotion"].tolist() == [600, 300]
    assert sizes.loc["joint"].tolist() == [300, 150]


@settings(max_examples=30, deadline=None)
@given(r=st.floats(0.02, 0.9), power=st.floats(0.2, 0.99))
def test_with_the_error_to_find_the_power_is_as_wished(r, power):
    """Two-sided and one-sided power of statsmodels for one sample of that error."""
    error = planning.error_to_find(r, power, 0.05)
    found = normal_power(r / error, 1, 0.05, "two-sided")
    assert found == pytest.approx(power, abs=1e-6)
    assert planning.error_to_find(-r, power, 0.05) == pytest.approx(error)
    error = planning.error_to_find(r, power, 0.05, one_sided=True)
    assert normal_power(r / error, 1, 0.05, "larger") == pytest.approx(power, abs=1e-6)


@pytest.mark.parametrize(("r", "power"), [(0.1, 0.8), (0.2, 0.9), (0.3, 0.5)])
def test_the_sample_of_a_one_tailed_test_is_that_of_statsmodels(r, power):
    """As for values of which each adds a standard deviation of 1.7 to the estimate."""
    error = planning.error_to_find(r, power, 0.05, one_sided=True)
    expected = normal_sample_size_one_tail(r, power, 0.05, 1.7)
    assert (1.7 / error) ** 2 == pytest.approx(expected)


def test_a_family_is_tested_at_a_stricter_level():
    error = planning.error_to_find(0.2, 0.8, 0.05, tests=30)
    assert normal_power(0.2 / error, 1, 0.05 / 30, "two-sided") == pytest.approx(0.8)
    assert error < planning.error_to_find(0.2, 0.8, 0.05)


@settings(max_examples=30, deadline=None)
@given(effect=st.floats(0.02, 0.9), power=shares, alpha=st.floats(0.01, 0.2))
def test_with_the_error_to_call_absent_both_one_sided_tests_succeed(
    effect, power, alpha
):
    error = planning.error_to_call_absent(effect, power, alpha)
    reach = effect / error - norm.ppf(1 - alpha)  # of an estimate of 0, in errors
    assert norm.cdf(reach) - norm.cdf(-reach) == pytest.approx(power)
    one_tail = normal_sample_size_one_tail(effect, (1 + power) / 2, alpha, 1.0)
    assert error**-2 == pytest.approx(one_tail)


@settings(max_examples=30, deadline=None)
@given(half=shares)
def test_an_interval_has_the_wished_half_width(half):
    error = planning.error_to_measure(half, 0.95)
    low, high = norm.interval(0.95, 0, error)
    assert (high - low) / 2 == pytest.approx(half)


@pytest.mark.parametrize("r", [0.0, 1.0, -1.0, 1.5, np.nan])
def test_what_is_no_correlation_is_refused(r):
    with pytest.raises(ValueError, match="r: .* is not a correlation"):
        planning.error_to_find(r, 0.8, 0.05)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 7.0, np.nan])
def test_shares_are_between_0_and_1(share):
    calls = [
        ("power", lambda: planning.error_to_find(0.2, share, 0.05)),
        ("power", lambda: planning.error_to_call_absent(0.1, share, 0.05)),
        ("alpha", lambda: planning.error_to_find(0.2, 0.8, share)),
        ("effect", lambda: planning.error_to_call_absent(share, 0.8, 0.05)),
        ("half width", lambda: planning.error_to_measure(share, 0.95)),
        ("confidence", lambda: planning.error_to_measure(0.05, share)),
    ]
    for name, call in calls:
        with pytest.raises(ValueError, match=f"{name}: .* is not between 0 and 1"):
            call()


def test_a_power_that_chance_has_is_refused():
    with pytest.raises(ValueError, match="does not exceed the level"):
        planning.error_to_find(0.2, 0.05, 0.05)


def test_half_the_error_takes_four_times_the_clips(table):
    one = table[(table["emotion"] == "fear") & (table["trait"] == "openness")]
    error = np.sqrt((one["error"] ** 2).sum())
    same, four = clips_needed(one, error), clips_needed(one, error / 2)
    assert same["clips"].tolist() == one["clips"].tolist() == [600, 600, 300]
    assert four["clips"].tolist() == [2400, 2400, 1200]
    assert four["speakers"].tolist() == [1200, 1200, 600]
    assert four["times"].tolist() == pytest.approx([4] * 3)


def test_errors_fall_with_the_root_of_the_clips(table):
    """The assumption of every plan, in a world drawn with four times as many."""
    more = crossed(clips=(2400, 2400, 1200))
    halved = precision(more.estimate, more.scores, CORPORA)
    ratio = table["error"] / halved["error"]
    assert ratio.median() == pytest.approx(2, abs=0.15)


def test_studies_of_the_planned_size_have_about_the_wished_power(table):
    """Drawn worlds, each of which finds a pair and calls another one absent, or not."""
    found, absent = "happiness extraversion".split(), "fear openness".split()
    strength, effect, power, alpha = 0.3, 0.3, 0.8, 0.05
    error = planning.error_to_find(strength, power, alpha)
    clips = tuple(clips_needed(planning.chosen(table, *found), error)["clips"])
    error = planning.error_to_call_absent(effect, power, alpha)
    others = tuple(clips_needed(planning.chosen(table, *absent), error)["clips"])
    hits, worlds = np.zeros(2), 30
    for seed in range(worlds):
        one = estimated(seed, clips, strength)
        hits[0] += abs(one.associations[3, 2]) > norm.isf(alpha / 2) * one.error[3, 2]
        two = estimated(seed, others, strength)
        inner = abs(two.associations[2, 0]) + norm.isf(alpha) * two.error[2, 0]
        hits[1] += inner < effect
    few, many = binom.interval(0.999, worlds, power)
    assert (few <= hits).all() and (hits <= many).all()


def estimated(seed, clips, strength):
    scores, _ = world(np.random.default_rng(seed), clips, strength=strength)
    return cross_source(scores[0], scores[1], scores[2:])


def test_a_plan_has_the_typical_and_the_hardest_case_of_each_question(table):
    wished = planning.plan(table, SETTINGS, 0.2, 0.8, 0.05)
    assert len(wished) == 4 * 2 * len(CORPORA)
    pairs = table[table["trait"] != MEAN_OF_TRAITS]
    squares = (pairs["error"] ** 2).groupby([pairs["emotion"], pairs["trait"]]).sum()
    error = planning.error_to_find(0.2, 0.8, SETTINGS.alpha, 30)
    mine = wished[wished["question"] == planning.FIND].set_index("case")
    hardest = mine.loc["hardest"].iloc[0]
    assert (hardest["emotion"], hardest["trait"]) == squares.idxmax()
    assert hardest["times"] == pytest.approx(squares.max() / error**2)
    assert hardest["clips"] == np.ceil(600 * hardest["times"])
    typical = mine.loc["typical", "times"].iloc[0] * error**2
    assert (squares < typical).sum() == 14  # fifteenth of thirty
    means = wished.loc[wished["question"] == planning.FIND_MEAN, "trait"]
    assert set(means) == {MEAN_OF_TRAITS}
    assert wished.loc[wished["question"] == planning.CALL_ABSENT, "size"].eq(0.1).all()


def test_of_one_pair_only_its_questions_are_planned(table):
    one = planning.chosen(table, "fear", "openness")
    wished = planning.plan(one, SETTINGS, -0.2, 0.8)
    assert len(wished) == 2 * len(CORPORA) and set(wished["case"]) == {"chosen"}
    assert set(wished["question"]) == {planning.FIND, planning.CALL_ABSENT}
    assert set(wished["emotion"]) == {"fear"} and wished["size"].max() == 0.2
    assert planning.plan(table.head(0), SETTINGS, 0.2, 0.8).empty


def test_an_emotion_or_a_trait_that_is_chosen_must_exist(table):
    assert len(planning.chosen(table)) == len(table)
    assert len(planning.chosen(table, emotion="fear")) == 6 * len(CORPORA)
    assert len(planning.chosen(table, trait="openness")) == 6 * len(CORPORA)
    with pytest.raises(ValueError, match="emotion: 'joy' is none of anger, disgust"):
        planning.chosen(table, emotion="joy")
    with pytest.raises(ValueError, match="trait: 'mean of traits' is none of"):
        planning.chosen(table, trait=MEAN_OF_TRAITS)


def test_what_decides_is_enough_for_either_answer(table):
    needed = planning.deciding(table, SETTINGS, 0.8)
    assert len(needed) == 90
    effect, alpha = SETTINGS.smallest_effect, SETTINGS.alpha
    for error in (
        planning.error_to_find(effect, 0.8, alpha, 30),
        planning.error_to_call_absent(effect, 0.8, alpha),
    ):
        less = clips_needed(table[table["trait"] != MEAN_OF_TRAITS], error)
        assert (needed["clips"] >= less["clips"]).all()


def test_reach_is_what_a_plan_of_that_size_finds(table):
    found = planning.reach(table, SETTINGS, 0.8, [1, 4]).set_index(
        ["question", "times"]
    )
    for question in (planning.FIND, planning.FIND_MEAN):
        r = found.loc[(question, 4), "r"]
        wished = planning.plan(table, SETTINGS, r, 0.8).set_index(["question", "case"])
        assert wished.loc[(question, "typical"), "times"].iloc[0] == pytest.approx(4)
        assert found.loc[(question, 1), "r"] == pytest.approx(2 * r)
        assert found.loc[(question, 4), "clips"] == 6000
    limit = found.loc[(planning.CALL_ABSENT, 1), "r"]
    other = SETTINGS.model_copy(update={"smallest_effect": limit})
    wished = planning.plan(table, other, 0.2, 0.8).set_index(["question", "case"])
    times = wished.loc[(planning.CALL_ABSENT, "typical"), "times"].iloc[0]
    assert times == pytest.approx(1)


class TestReadPrecision:
    def test_what_is_written_is_read(self, table, tmp_path):
        table.to_csv(tmp_path / planning.PRECISION_FILE, index=False)
        pd.testing.assert_frame_equal(planning.read_precision(tmp_path), table)
        table.head(0).to_csv(tmp_path / planning.PRECISION_FILE, index=False)
        assert planning.read_precision(tmp_path).empty

    def test_a_file_that_is_not_there_is_named(self, tmp_path):
        message = r"precision\.csv: missing; run `dvc repro association`"
        with pytest.raises(FileNotFoundError, match=message):
            planning.read_precision(tmp_path)

    def test_a_damaged_one_is_refused(self, table, tmp_path):
        path = tmp_path / planning.PRECISION_FILE
        table.drop(columns="clips").to_csv(path, index=False)
        with pytest.raises(ValueError, match=r"precision\.csv: no column clips"):
            planning.read_precision(tmp_path)
        for wrong in (-0.1, np.nan, "much"):
            table.assign(error=wrong).to_csv(path, index=False)
            with pytest.raises(ValueError, match="missing or negative"):
                planning.read_precision(tmp_path)
        path.write_text("")
        with pytest.raises(ValueError, match=r"precision\.csv: is empty"):
            planning.read_precision(tmp_path)
