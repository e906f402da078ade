import re

import numpy as np
import pandas as pd
import pytest

from sslmepr import params as parameters
from sslmepr.association.cross_source import CrossSource
from sslmepr.association.cross_table import CrossAssociations, cell_table
from sslmepr.association.halo import sensitivity
from sslmepr.association.planning import deciding, precision
from sslmepr.association.preregistration import primary_table, read_preregistration
from sslmepr.association.scores import Scores
from sslmepr.report.apa import apa_number
from sslmepr.report.association_findings import (
    association_findings,
    clips_to_decide,
    halo_shown,
    primary_shown,
    verdict_cells,
    verdict_table,
)
from sslmepr.report.choice import choose

SETTINGS = parameters.load().association


def found(error=0.02, crossed=900):
    rng = np.random.default_rng(0)
    influence = rng.standard_normal((300, 6, 5))
    influence *= error / np.sqrt((influence**2).sum(0))
    r = np.zeros((6, 5))
    r[3] = 0.3  # happiness with every trait
    return CrossSource(r, [influence], 900, 300, crossed)


def known(estimate):
    """Precision of it, with its clips in a single corpus."""
    scores = Scores(None, None, np.ones((estimate.n_clips, 2), bool), None)
    return precision(estimate, [scores], ["emotion"])


def tell(estimate, bridged=None, choice=None):
    table = cell_table(estimate, SETTINGS, 0)
    crossed = CrossAssociations(table, table, estimate)
    bridged = pd.DataFrame() if bridged is None else bridged
    told = association_findings(
        crossed, "", primary(), SETTINGS, known(estimate), bridged, choice
    )
    return told.sentences


def primary():
    endpoints = read_preregistration().endpoints
    return primary_table(found(), endpoints, SETTINGS, 0)


def test_findings_begin_with_the_claims_of_the_paper():
    happy, sad, present, absent, undecided = tell(found())
    assert "happiness goes with higher trait scores: confirmed" in happy
    assert "traits .30 [.2" in happy and "for the 6 primary endpoints" in happy
    assert "sadness goes with lower trait scores: refuted, it is surely" in sad
    assert present.startswith("**Present**, 5 of 30: happiness with openness, .30 [")
    assert present.count("[") == 3 and present.endswith("2 more, in the table below.")
    assert absent.startswith("**Absent (surely smaller than ±0.1)**, 25 of 30")
    assert undecided == "**Undecided**, 0 of 30."


def test_what_is_undecided_is_told_with_the_clips_that_would_decide():
    estimate = found(error=0.2)
    needed = deciding(known(estimate), SETTINGS, 0.8)
    clips = clips_to_decide(known(estimate), SETTINGS)["clips"]
    assert clips.tolist() == needed["clips"].tolist()
    # Of one corpus, and of equal errors: four times the clips for half the error.
    fewer = clips_to_decide(known(found(error=0.1)), SETTINGS)["clips"]
    np.testing.assert_allclose(needed["clips"], 4 * fewer, atol=4)
    middle = needed["clips"].median()
    told = next(each for each in tell(estimate) if "Undecided" in each)
    about = re.search(
        r"about ([\d,]+) clips would tell whether it is as large as ±0.1 or", told
    )
    assert float(about[1].replace(",", "")) == pytest.approx(middle, rel=0.05)


def test_cells_say_what_would_decide_only_where_nothing_is_decided():
    estimate = found(error=0.07)
    table = cell_table(estimate, SETTINGS, 0)
    cells = verdict_cells(table, known(estimate), SETTINGS)
    assert list(cells)[:2] == ["emotion", "trait"] and len(cells) == 30
    open_ = cells["verdict"] == "undecided"
    assert open_.sum() == 25 and (cells["clips"].notna() == open_).all()
    assert cells["r"].tolist() == table["r"].tolist()


def test_sentences_are_of_the_pairs_that_were_chosen(settings):
    clips = pd.DataFrame({"corpus": ["emotion"], "part": ["emotion"]})
    asked = choose(settings, clips, emotions=["happiness"], traits=["openness"])
    happy, present, absent, _ = tell(found(), choice=asked)
    assert "happiness goes with" in happy and "for the 6 primary endpoints" in happy
    assert present.startswith("**Present**, 1 of 1: happiness with openness, .30 [")
    assert absent.endswith("0 of 1: no pair.")


def test_clips_of_a_single_modality_are_counted_apart():
    last = tell(found(error=0.2, crossed=700))[-1]
    assert "900 clips of 300 people (700 of the clips have two of" in last


def test_tables_show_intervals_and_verdicts():
    shown = verdict_table(cell_table(found(), SETTINGS, 0))
    assert list(shown)[-1] == "verdict"
    assert shown.loc[15, "r [interval]"].startswith(".30 [.2")
    first = primary_shown(primary())
    assert list(first) == [
        *("emotion", "traits", "direction", "r [interval]", "p_family", "verdict")
    ]
    assert first["verdict"].tolist()[:3] == ["present", "absent", "present"]


def test_halo_that_no_correlation_reaches_is_told_in_words():
    # By the norms, traits correlate by .198 on average.
    alike = np.where(np.eye(5) == 1, 1.0, 0.198 + 0.25 * (1 - 0.198))
    shown = halo_shown(sensitivity(primary(), alike), "traits")
    assert list(shown) == ["emotion", "traits", "r [interval]", "verdict", "robustness"]
    low = primary().loc[0, "low"]
    assert shown.loc[0, "robustness"] == apa_number(low / 0.5)
    assert shown.loc[1, "robustness"] == ".00"  # its interval holds 0
    table = cell_table(found(), SETTINGS, 0)
    none = halo_shown(sensitivity(table, np.eye(5)), "trait")
    happy = none[none["emotion"] == "happiness"]
    assert (happy["robustness"] == "no halo can").all()


def test_what_is_not_identified_has_no_verdict():
    none = pd.DataFrame()
    why = "no two modalities"
    nothing = association_findings(None, why, none, SETTINGS, none, none)
    assert nothing.sentences == ["**No verdict.** No two modalities."]


def test_doubly_labelled_clips_are_told_last():
    table = cell_table(found(), SETTINGS, 0)
    wide = cell_table(found(error=0.2), SETTINGS, 0)
    bridged = pd.concat(
        [
            wide,
            table.assign(source="prediction_powered", n=250),
            table.assign(source="combined"),
        ]
    )
    plain, told = tell(found()), tell(found(), bridged)
    assert told[:-1] == plain
    last = told[-1]
    assert last.startswith("**With the 250 clips that carry both labels**")
    assert "5 of 30 pairs are present, and intervals" in last
    widths = [(each["high"] - each["low"]).mean() for each in (table, wide)]
    assert f"are {apa_number(widths[0])} wide on average instead of " in last
    assert f"instead of {apa_number(widths[1])}." in last
    assert tell(found(), bridged.iloc[:0]) == plain
