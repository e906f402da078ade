import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from sslmepr.association.disjoint_modalities import CORRELATED
from sslmepr.association.mixed_models import COLUMNS as MIXED
from sslmepr.report import measurement_tables, tables, words


def rows(page):
    """Cells of the first table of a page, heads first."""
    table = BeautifulSoup(page._repr_html_(), "html.parser").find("table")
    return [[cell.text for cell in row.select("th, td")] for row in table.select("tr")]


@pytest.fixture
def shown(monkeypatch):
    """Every frame that becomes a table."""
    frames, made = [], tables.Table.__init__

    def keep(self, frame, *more):
        frames.append(frame)
        made(self, frame, *more)

    monkeypatch.setattr(tables.Table, "__init__", keep)
    yield frames
    assert (
        frames
        and [name for frame in frames for name in frame if words.known(name) is None]
        == []
    )


def test_agreement_by_construct(shown):
    table = pd.DataFrame(
        [("anger", 0.4, 0.3, 0.5, "x", 0.1, 0.2, 0.9, 10, 5)],
        columns="construct convergent low high interval heteromethod monomethod "
        "exceeds n n_speakers".split(),
    )
    head, row = rows(measurement_tables.agreement_table(table, ""))
    assert head[:2] == ["Construct", "Same construct, other sensor"]
    assert row == ["Anger", "0.40 [0.30, 0.50]", "0.100", "0.200", "0.900"]


def test_ratios_of_a_construct(shown):
    table = pd.DataFrame(
        [
            ("anger", "fear", -0.4, -0.5, -0.3, True, True, ""),
            ("anger", "openness", *[np.nan] * 3, False, False, "no agreement"),
        ],
        columns="construct other htmt low high below distinct reason".split(),
    )
    page = measurement_tables.ratio_tabs(table, "")
    assert list(page.panels) == ["Anger"]
    head, first, second = rows(page)
    assert head == [
        "Other",
        "HTMT",
        "Below the conventional .85",
        "Distinct",
        "Reason",
    ]
    assert first == ["Fear", "−0.40 [−0.50, −0.30]", "yes", "yes", "–"]
    assert second == ["Openness", "–", "no interval", "no", "no agreement"]


def test_reliability_over_modalities_seeds_and_raters(shown):
    every = pd.DataFrame({"construct": CORRELATED, "over": "modalities", "count": 5})
    numbers = [0.3, 0.2, 0.4, 0.6, 0.5, 0.7]
    names = "single single_low single_high mean mean_low mean_high".split()
    every = every.assign(**dict(zip(names, numbers, strict=True)))
    every = every.assign(interval="expanded_percentile", reason="")
    seeds = every.assign(over="seeds", count=0, reason="the model was trained once")
    ceilings = pd.DataFrame(
        [("openness", 5, 0.81, 0.9)],
        columns=["construct", "raters", "reliability", "ceiling"],
    )
    page = measurement_tables.reliability_tabs(pd.concat([every, seeds]), ceilings)
    assert list(page.panels) == ["Over 5 modalities", "Over seeds", "Of raters"]
    head, first, *_ = rows(page)
    assert head == ["Construct", "One of them, ICC(2,1)", "Their mean, ICC(2,k)"]
    assert first == ["Anger", "0.300 [0.200, 0.400]", "0.600 [0.500, 0.700]"]
    assert page.panels["Over seeds"] == "<p>The model was trained once.</p>"
    assert "0.900" in page.panels["Of raters"]
    unknown = measurement_tables.reliability_tabs(seeds, ceilings.iloc[:0])
    assert "is not known" in unknown.panels["Of raters"]


def mixed(fit="converged", reason=""):
    row = dict.fromkeys(MIXED, 0.25) | {"emotion": "sadness", "trait": "openness"}
    row |= {"fit": fit, "simpson": False, "reason": reason}
    return row | {"corpus": "joint", "source": "true_x_true"}


def test_mixed_models_by_corpus(shown):
    other = mixed("singular") | {"corpus": "emotion", "source": "true_x_predicted"}
    page = measurement_tables.mixed_tabs(pd.DataFrame([mixed(), other]))
    assert list(page.panels) == [
        "Rated for both, held out: annotated × annotated",
        "Rated for emotions: annotated emotion × predicted trait",
    ]
    head, row = rows(page)
    assert head[2:] == [
        "Between people",
        "Corrected for few clips",
        "Within a person",
        "Reliability of a person's mean",
        "ICC",
        "R², marginal",
        "R², conditional",
        "Fit",
        "Simpson's paradox",
    ]
    assert row[:3] == ["Sadness", "Openness", "0.25 [0.25, 0.25]"]
    assert row[-2:] == ["converged", "no"] and "singular" in page._repr_html_()


def test_a_corpus_without_models_says_why():
    table = pd.DataFrame([mixed("none", "0 speakers have several clips")])
    page = measurement_tables.mixed_tabs(table)
    assert "<p>0 speakers have several clips.</p>" in page._repr_html_()
    empty = measurement_tables.mixed_tabs(table.iloc[:0])
    assert "No corpus has labels" in empty._repr_html_()


def test_joint_tests_in_a_row(shown):
    columns = "emotion specifications refused median low high smallest largest of_sign"
    columns += " significant p_median p_significant"
    row = ("sadness", 8, 1, -0.2, -0.3, -0.1, -0.25, -0.15, 1.0, 0.5, 0.0004, 0.042)
    joint = pd.DataFrame([row], columns=columns.split())
    head, found = rows(measurement_tables.joint_table(joint))
    assert head[2:4] == ["Median", "Span"]
    assert found == [
        "Sadness",
        "8",
        "−0.20 [−0.30, −0.10]",
        "−0.25 to −0.15",
        "100 %",
        "50 %",
        "< .001",
        ".042",
    ]
    none = measurement_tables.joint_table(joint.assign(specifications=0))
    assert "no estimate" in none._repr_html_()


@pytest.mark.parametrize("name", ["agreement_table", "ratio_tabs"])
def test_what_cannot_be_compared_is_said(name):
    page = getattr(measurement_tables, name)(None, "modalities cannot be compared")
    assert page._repr_html_() == "<p>Modalities cannot be compared.</p>"
