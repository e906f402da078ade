"""Mixed models against closed forms of balanced designs, and what cannot be fitted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sslmepr.association.mixed_models import (
    CONVERGED,
    NO_FIT,
    NOT_CONVERGED,
    SINGULAR_FIT,
    MixedLM,
    between_and_within,
    fit_mixed,
    mixed_table,
    study_mixed,
)
from sslmepr.labels import SCORED_EMOTIONS, TRAITS

SPEAKERS, EACH = 40, 4
NAMES = np.repeat([f"s{n:02d}" for n in range(SPEAKERS)], EACH)


def drawn(seed, between=0.5, within=-0.3, spread=1.0):
    """Emotion and trait of balanced clips, with slopes between and within speakers."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(len(NAMES)) + np.repeat(rng.standard_normal(SPEAKERS), EACH)
    means, deviations = between_and_within(x, NAMES)
    y = between * means + within * deviations + rng.standard_normal(len(NAMES))
    return x, y + spread * np.repeat(rng.standard_normal(SPEAKERS), EACH)


def closed_form(x, y):
    """Restricted maximum likelihood of a balanced design, from two regressions."""
    (mean_x, mean_y), (within_x, within_y) = zip(
        between_and_within(x, NAMES), between_and_within(y, NAMES), strict=True
    )
    within = (within_x @ within_y) / (within_x @ within_x)
    rest = ((within_y - within * within_x) ** 2).sum()
    residual = rest / (len(NAMES) - SPEAKERS - 1)
    line = stats.linregress(mean_x[::EACH], mean_y[::EACH])
    away = mean_y[::EACH] - line.intercept - line.slope * mean_x[::EACH]
    speaker = (away**2).sum() / (SPEAKERS - 2) - residual / EACH
    errors = line.stderr, np.sqrt(residual / (within_x @ within_x))
    return (line.slope, within), errors, speaker, residual


@pytest.mark.parametrize("seed", range(3))
def test_a_balanced_design_has_a_closed_form(seed):
    x, y = drawn(seed)
    fit = fit_mixed(y, np.column_stack(between_and_within(x, NAMES)), NAMES)
    slopes, errors, speaker, residual = closed_form(x, y)
    assert fit.state == CONVERGED
    np.testing.assert_allclose(fit.slopes, slopes, rtol=1e-6)
    np.testing.assert_allclose(fit.error, errors, rtol=1e-3)
    assert fit.speaker == pytest.approx(speaker, rel=1e-3)
    assert fit.residual == pytest.approx(residual, rel=1e-3)
    fixed = np.var(np.column_stack(between_and_within(x, NAMES)) @ slopes, ddof=1)
    whole = fixed + speaker + residual
    assert fit.r2 == pytest.approx((fixed / whole, (fixed + speaker) / whole), rel=1e-3)
    assert fit.icc == pytest.approx(speaker / (speaker + residual), rel=1e-3)


@pytest.mark.parametrize("seed", range(12))
def test_a_fit_is_singular_where_the_closed_form_is_not_positive(seed):
    x, y = drawn(seed, spread=0.0)
    fit = fit_mixed(y, np.column_stack(between_and_within(x, NAMES)), NAMES)
    *_, speaker, _ = closed_form(x, y)
    assert (fit.state == SINGULAR_FIT) == (speaker <= 0)
    if speaker <= 0:
        assert fit.speaker == fit.icc == 0.0 and fit.r2[0] == fit.r2[1]
        design = np.column_stack([np.ones(len(x)), *between_and_within(x, NAMES)])
        expected, rest, *_ = np.linalg.lstsq(design, y)
        np.testing.assert_allclose(fit.slopes, expected[1:])
        assert fit.residual == pytest.approx(rest[0] / (len(x) - 3))


def test_a_model_without_predictors_has_the_variances_of_an_analysis_of_variance():
    _, y = drawn(3)
    fit = fit_mixed(y, np.empty((len(y), 0)), NAMES)
    means, deviations = between_and_within(y, NAMES)
    residual = (deviations**2).sum() / (len(y) - SPEAKERS)
    speaker = np.var(means[::EACH], ddof=1) - residual / EACH
    assert fit.icc == pytest.approx(speaker / (speaker + residual), rel=1e-3)
    assert fit.slopes.shape == (0,) and fit.fixed == 0.0


def test_an_optimiser_that_gives_up_or_breaks_off_is_told(monkeypatch):
    x, y = drawn(4)
    parts = np.column_stack(between_and_within(x, NAMES))
    fit = MixedLM.fit

    def gives_up(*given, **named):
        found = fit(*given, **named)
        found.converged = False
        return found

    monkeypatch.setattr(MixedLM, "fit", gives_up)
    found = fit_mixed(y, parts, NAMES)
    assert found.state == NOT_CONVERGED and np.isfinite(found.slopes).all()

    def breaks_off(*given, **named):
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(MixedLM, "fit", breaks_off)
    found = fit_mixed(y, parts, NAMES)
    assert found.state == NOT_CONVERGED and np.isnan([*found.slopes, found.icc]).all()
    row = mixed_table(clips(x, y), ["sadness"], 0.95).iloc[0]
    assert row["fit"] == NOT_CONVERGED and not row["simpson"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-50, 50), st.floats(0.1, 10))
def test_between_and_within_add_up_and_within_sums_to_nothing(seed, origin, unit):
    rng = np.random.default_rng(seed)
    speakers = rng.integers(0, 7, 30)
    values = origin + unit * rng.standard_normal(30)
    between, within = between_and_within(values, speakers)
    np.testing.assert_allclose(between + within, values, atol=1e-9)
    for each in np.unique(speakers):
        assert within[speakers == each].sum() == pytest.approx(0, abs=1e-8)
        assert np.ptp(between[speakers == each]) == pytest.approx(0, abs=1e-9)


def clips(x, y, speakers=NAMES, rest=0.0):
    """A table in which one emotion and all traits vary."""
    table = pd.DataFrame({"speaker_id": speakers})
    for emotion in SCORED_EMOTIONS:
        table[f"emotion_{emotion}"] = x if emotion == "sadness" else rest
    for trait in TRAITS:
        table[f"trait_{trait}"] = y
    return table


def test_the_table_has_standardised_slopes_with_between_within_degrees_of_freedom():
    x, y = drawn(5, between=0.9, within=-0.8, spread=0.6)
    row = mixed_table(clips(3 + 2 * x, y / 7), ["sadness"], 0.9).iloc[0]
    slopes, errors, *_ = closed_form(x, y)
    unit = x.std() / y.std()
    for place, (name, freedom) in enumerate(
        {"between": SPEAKERS - 2, "within": len(x) - SPEAKERS - 1}.items()
    ):
        assert row[name] == pytest.approx(unit * slopes[place], rel=1e-3)
        half = stats.t.ppf(0.95, freedom) * unit * errors[place]
        assert row[f"{name}_high"] - row[name] == pytest.approx(half, rel=1e-3)
        assert row[name] - row[f"{name}_low"] == pytest.approx(half, rel=1e-3)
    assert row["between_low"] > 0 > row["within_high"] and row["simpson"]
    assert (row["n"], row["n_speakers"], row["n_repeated"]) == (160, 40, 40)
    assert row["reason"] == ""


def test_one_sign_or_an_open_one_is_no_paradox():
    same = mixed_table(clips(*drawn(6, 0.9, 0.8)), ["sadness"], 0.95)
    assert not same["simpson"].any()
    weak = mixed_table(clips(*drawn(7, 0.9, 0.0)), ["sadness"], 0.95)
    assert not weak["simpson"].any()


def test_what_cannot_be_fitted_says_why():
    x, y = drawn(8)
    single = mixed_table(
        clips(x, y, speakers=np.arange(len(x)).astype(str)), ["sadness"], 0.95
    )
    assert (single["reason"] == "0 speakers have several clips, and 5 are needed").all()
    assert (single["fit"] == NO_FIT).all() and single["between"].isna().all()
    flat = mixed_table(clips(x, y), ["happiness"], 0.95)
    assert (flat["reason"] == "happiness does not vary").all()
    alike = mixed_table(clips(x, np.full(len(x), 0.5)), ["sadness"], 0.95)
    assert alike["reason"].iloc[0] == "openness does not vary"
    steady = mixed_table(clips(between_and_within(x, NAMES)[0], y), ["sadness"], 0.95)
    assert (steady["reason"].str.contains("between and within")).all()


def predicted(corpus, has):
    """Predictions of a corpus that has some of the labels, in long form."""
    rng = np.random.default_rng(9)
    rows = [
        (f"c{n:03d}", corpus, "fusion", "multitask", seed, target, rng.random(), true)
        for n in range(60)
        for seed in (0, 1)
        for kind, targets in (("emotion", SCORED_EMOTIONS), ("personality", TRAITS))
        for target in targets
        for true in (rng.random() if kind in has else np.nan,)
    ]
    columns = "clip_id corpus stage variant seed target predicted true".split()
    return pd.DataFrame(rows, columns=columns)


def test_every_corpus_has_the_models_that_its_labels_allow():
    kinds = {
        "lines": ["emotion"],
        "vlogs": ["personality"],
        "both": ["emotion", "personality"],
        "none": [],
    }
    table = pd.concat([predicted(name, has) for name, has in kinds.items()])
    names = [f"c{n:03d}" for n in range(60)]
    rows = pd.concat(
        [
            pd.DataFrame({"clip_id": names, "speaker_id": NAMES[:60], "part": part})
            for part in (*kinds, "not predicted")
        ]
    )
    found = study_mixed(table, rows, "multitask", ["sadness", "happiness"], 0.95)
    sources = found.groupby("corpus", sort=False)["source"].unique()
    assert {name: list(each) for name, each in sources.items()} == {
        "lines": ["true_x_predicted"],
        "vlogs": ["predicted_x_true"],
        "both": ["true_x_true"],
    }
    assert (found.groupby("corpus").size() == 10).all()
    nothing = study_mixed(
        table[table["corpus"] == "none"], rows, "multitask", ["sadness"], 0.95
    )
    assert nothing.empty and list(nothing) == list(found)
