import numpy as np
from scipy import stats

from sslmepr import params as parameters
from sslmepr.association.cross_source import CrossSource
from sslmepr.association.cross_table import CrossAssociations, cell_table
from sslmepr.report.association_findings import (
    association_findings,
    contrast,
    verdict_table,
)

SETTINGS = parameters.load().association


def found(error=0.02):
    rng = np.random.default_rng(0)
    influence = rng.standard_normal((300, 6, 5))
    influence *= error / np.sqrt((influence**2).sum(0))
    r = np.zeros((6, 5))
    r[3] = 0.3  # happiness with every trait
    return CrossSource(r, [influence], 900, 300, 0.0, 0.5)


def test_the_claims_of_the_paper_are_tested_on_means_over_traits():
    happy = contrast(found(), "happiness", 1, 0.95)
    assert "higher trait scores: confirmed" in happy and ".30 [" in happy
    sad = contrast(found(), "sadness", -1, 0.95)
    assert "lower trait scores: not confirmed" in sad and "p = .500" in sad
    each = found()
    error = np.sqrt((each.influence[0][:, 3].mean(1) ** 2).sum())
    half = stats.t.ppf(0.975, 299) * error
    assert f"[{0.3 - half:.2f}".replace("0.", ".") in happy


def test_cells_are_told_by_verdict():
    estimate = found()
    table = cell_table(estimate, SETTINGS, 0)
    crossed = CrossAssociations(table, table, estimate)
    *_, present, absent, undecided = association_findings(
        crossed, "", 0.1, 0.95
    ).sentences
    assert present.startswith("**Present**, 5 of 30: happiness with openness, .30 [")
    assert absent.startswith("**Absent (surely smaller than ±0.1)**, 25 of 30")
    assert undecided.startswith("**Undecided**, 0 of 30: 900 clips")
    shown = verdict_table(table)
    assert list(shown)[-1] == "verdict"
    assert shown.loc[15, "r [interval]"].startswith(".30 [.2")


def test_what_is_not_identified_has_no_verdict():
    (told,) = association_findings(None, "no two modalities", 0.1, 0.95).sentences
    assert told == "**No verdict.** No two modalities."
