import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from sslmepr import params as parameters
from sslmepr.association.cross_source import CrossSource
from sslmepr.association.cross_table import cell_table, unidentified
from sslmepr.association.grid import cell_matrix, tidy_matrix
from sslmepr.association.recovery import compare, recovery

SETTINGS = parameters.load().association
SPEAKERS = 400


@pytest.fixture
def found():
    """Associations with standard errors of .02 but for one of .3."""
    rng = np.random.default_rng(0)
    influence = rng.standard_normal((SPEAKERS, 6, 5))
    influence *= 0.02 / np.sqrt((influence**2).sum(0))
    influence[:, 5, 4] *= 15
    r = np.zeros((6, 5))
    r[0, 0], r[1, 1], r[2, 2] = 0.3, -0.2, 0.04
    return CrossSource(r, [influence], 1000, SPEAKERS)


def test_verdicts_by_hand(found):
    table = cell_table(found, SETTINGS, 0).set_index(["emotion", "trait"])
    assert table.loc[("anger", "openness"), "verdict"] == "present"
    assert table.loc[("disgust", "conscientiousness"), "verdict"] == "present"
    # .04 + 1.65 * .02 = .073 is smaller than .1, and zero is.
    assert table.loc[("fear", "extraversion"), "verdict"] == "absent"
    assert table.loc[("sadness", "openness"), "verdict"] == "absent"
    # 1.65 * .3 is not.
    cell = ("surprise", "emotional_stability")
    assert table.loc[cell, "verdict"] == "undecided"


def test_numbers_are_those_of_student_and_of_the_correction(found):
    table = cell_table(found, SETTINGS, 0)
    r, error = found.associations.ravel(), found.error.ravel()
    p = 2 * stats.t.sf(np.abs(r) / error, SPEAKERS - 1)
    np.testing.assert_allclose(table["p"], p)
    corrected = multipletests(p, SETTINGS.alpha, method=SETTINGS.correction)[1]
    np.testing.assert_allclose(table["p_corrected"], corrected)
    half = stats.t.ppf(0.5 + SETTINGS.confidence / 2, SPEAKERS - 1) * error
    np.testing.assert_allclose(table["high"] - table["r"], half)
    np.testing.assert_allclose(cell_matrix(table, "r"), found.associations)


def test_a_family_asks_for_more_than_a_cell(found):
    table = cell_table(found, SETTINGS, 0)
    assert (table["p_family"] >= table["p"] - 0.02).all()
    assert table["p_family"].min() == pytest.approx(1 / (SETTINGS.resamples + 1))


def test_without_identification_every_cell_says_why(found):
    table, told = unidentified("one modality"), cell_table(found, SETTINGS, 0)
    assert set(table) == set(told) and len(table) == 30
    assert table["r"].isna().all() and not table["significant"].any()
    assert (table["reason"] == "one modality").all()
    planted = tidy_matrix({}, "planted")
    assert compare(table, planted)["covered"].isna().all()
    metrics = recovery(table, planted).set_index("metric")
    assert metrics.loc["significant", "n_cells"] == 0
