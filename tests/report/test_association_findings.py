import numpy as np
import pandas as pd

from sslmepr import params as parameters
from sslmepr.association.cross_source import CrossSource
from sslmepr.association.cross_table import CrossAssociations, cell_table
from sslmepr.association.halo import sensitivity
from sslmepr.association.preregistration import primary_table, read_preregistration
from sslmepr.report.apa import apa_number
from sslmepr.report.association_findings import (
    association_findings,
    halo_shown,
    primary_shown,
    verdict_table,
)

SETTINGS = parameters.load().association


def found(error=0.02, crossed=900):
    rng = np.random.default_rng(0)
    influence = rng.standard_normal((300, 6, 5))
    influence *= error / np.sqrt((influence**2).sum(0))
    r = np.zeros((6, 5))
    r[3] = 0.3  # happiness with every trait
    return CrossSource(r, [influence], 900, 300, crossed)


def primary():
    endpoints = read_preregistration().endpoints
    return primary_table(found(), endpoints, SETTINGS, 0)


def test_findings_begin_with_the_claims_of_the_paper():
    estimate = found()
    table = cell_table(estimate, SETTINGS, 0)
    crossed = CrossAssociations(table, table, estimate)
    told = association_findings(crossed, "", primary(), 0.1).sentences
    happy, sad, present, absent, undecided = told
    assert "happiness goes with higher trait scores: confirmed" in happy
    assert "traits .30 [.2" in happy and "for the 6 primary endpoints" in happy
    assert "sadness goes with lower trait scores: refuted, it is surely" in sad
    assert present.startswith("**Present**, 5 of 30: happiness with openness, .30 [")
    assert absent.startswith("**Absent (surely smaller than ±0.1)**, 25 of 30")
    assert undecided.startswith("**Undecided**, 0 of 30: 900 clips of 300 people do")


def test_clips_of_a_single_modality_are_counted_apart():
    estimate = found(crossed=700)
    table = cell_table(estimate, SETTINGS, 0)
    crossed = CrossAssociations(table, table, estimate)
    last = association_findings(crossed, "", primary(), 0.1).sentences[-1]
    assert "700 clips with two sensors or more and 200 with one, of 300" in last


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
    nothing = association_findings(None, "no two modalities", primary(), 0.1)
    assert nothing.sentences == ["**No verdict.** No two modalities."]


def test_doubly_labelled_clips_are_told_last():
    estimate = found()
    table = cell_table(estimate, SETTINGS, 0)
    crossed = CrossAssociations(table, table, estimate)
    wide = cell_table(found(error=0.2), SETTINGS, 0)
    bridged = pd.concat(
        [
            wide,
            table.assign(source="prediction_powered", n=250),
            table.assign(source="combined"),
        ]
    )
    plain = association_findings(crossed, "", primary(), 0.1).sentences
    told = association_findings(crossed, "", primary(), 0.1, bridged).sentences
    assert told[:-1] == plain
    last = told[-1]
    assert last.startswith("**With the 250 clips that carry both labels**")
    assert "5 of 30 pairs are present (the strongest: happiness with openness" in last
    assert last.count("happiness") == 3
    widths = [(each["high"] - each["low"]).mean() for each in (table, wide)]
    assert f"are {apa_number(widths[0])} wide on average instead of " in last
    assert f"instead of {apa_number(widths[1])}." in last
    empty = bridged.iloc[:0]
    assert association_findings(crossed, "", primary(), 0.1, empty).sentences == plain
