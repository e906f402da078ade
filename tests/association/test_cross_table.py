import numpy as np
import pytest
from drawn_laws import drawn, laws
from scipy import stats
from statsmodels.stats.multitest import multipletests

from sslmepr import params as parameters
from sslmepr.association.cross_source import CrossSource, cross_source
from sslmepr.association.cross_table import (
    LABEL_COLUMNS,
    cell_table,
    label_columns,
    label_scale,
    unidentified,
)
from sslmepr.association.grid import cell_matrix, tidy_matrix
from sslmepr.association.recovery import compare, recovery
from sslmepr.association.scores import Scores

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
    assert set(table) == {*told, *LABEL_COLUMNS} and len(table) == 30
    assert table["r"].isna().all() and not table["significant"].any()
    assert (table["reason"] == "one modality").all()
    planted = tidy_matrix({}, "planted")
    assert compare(table, planted)["covered"].isna().all()
    metrics = recovery(table, planted).set_index("metric")
    assert metrics.loc["significant", "n_cells"] == 0


@pytest.mark.parametrize("cut", [-0.7, 0.0, 1.2])
def test_presence_correlates_as_a_normal_variable_that_is_cut(found, cut):
    """Against two million draws of a normal pair."""
    rng = np.random.default_rng(1)
    latent, other = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], 2_000_000).T
    labels = np.repeat((latent > cut)[:, None], 6, 1)[:2000]
    labels[:, 0] = stats.norm.isf((np.arange(2000) + 0.5) / 2000) > cut
    emotion = Scores(None, None, None, np.arange(2000) % SPEAKERS, labels)
    scaled = label_scale(found, emotion)
    expected = np.corrcoef(latent > cut, other)[0, 1]
    assert scaled.associations[0, 0] == pytest.approx(expected, abs=0.003)


def test_its_influence_is_that_of_a_jackknife():
    rng = np.random.default_rng(4)
    corpora = drawn(rng, 3000, *laws(rng), per_speaker=3)

    def of_labels(parts):
        return label_scale(cross_source(*parts[:2], parts[2:]), parts[0])

    found = of_labels(corpora)
    emotion, changes = corpora[0], []
    for name in np.unique(emotion.speakers)[:12]:
        keep = emotion.speakers != name
        part = Scores(*(None if each is None else each[keep] for each in emotion))
        changes.append(
            found.associations - of_labels([part, *corpora[1:]]).associations
        )
    influence = found.influence[0][:12]
    slope = (changes * influence).sum() / (influence**2).sum()
    assert slope == pytest.approx(1, abs=0.1)
    assert np.corrcoef(np.ravel(changes), influence.ravel())[0, 1] > 0.97


def test_columns_of_the_labels_are_those_of_the_scaled_estimate(found):
    rng = np.random.default_rng(2)
    labels = rng.random((1000, 6)) < 0.3
    emotion = Scores(None, None, None, np.arange(1000) % SPEAKERS, labels)
    columns = label_columns(found, emotion, SETTINGS)
    scaled = label_scale(found, emotion)
    np.testing.assert_allclose(columns["r_label"], scaled.associations.ravel())
    np.testing.assert_allclose(columns["r_label_error"], scaled.error.ravel())
    half = stats.t.ppf(0.5 + SETTINGS.confidence / 2, SPEAKERS - 1)
    np.testing.assert_allclose(
        columns["r_label_high"] - columns["r_label"], half * columns["r_label_error"]
    )
