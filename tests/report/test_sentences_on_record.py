"""Every decimal number of a computed sentence stands in the tables it was made from.

Held for the results on record (means and the like, which no table holds, are tested
with each function), and for the same tables scaled down, so that no number
can be typed by hand.
"""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sslmepr.report import (
    block_findings,
    collapse_findings,
    dose_responses,
    front_page,
    learning_curves,
    overview,
    power_findings,
)
from sslmepr.report.component_findings import component_findings

RESULTS = Path(__file__).parents[2] / "results"
STUDY, TRIALS = RESULTS / "simulated", RESULTS / "trials"
GIVEN = [0.05, 0.95, 0.02, 0.1, 0.9, 0.8, *power_findings.BAND]
"""Levels, margins and doses, which sentences name but tables need not hold."""


def decimals(text):
    """Numbers with a fraction, with as many digits as they are written with."""
    return [
        (float(each), len(each.partition(".")[2]))
        for each in re.findall(r"\d*\.\d+", text)
    ]


def values_of(*tables):
    """All numbers of tables, as they are and as per cent."""
    numbers = [each.select_dtypes("number").to_numpy(float).ravel() for each in tables]
    numbers = np.abs(np.concatenate([*numbers, GIVEN]))
    return np.concatenate([numbers, 100 * numbers])


def stray(sentences, *tables):
    """Numbers of sentences that no table holds."""
    values = values_of(*tables)
    return [
        (number, sentence)
        for sentence in sentences
        for number, digits in decimals(sentence)
        # Half a unit of the last place, for either way of rounding halves.
        if np.nanmin(np.abs(values - number)) > 0.5001 * 10.0**-digits
    ]


def mild(kind):
    return learning_curves.read(TRIALS / "curves", ["mild"], kind)


def gains():
    return dose_responses.read_gains(TRIALS / "doses")


TOLD = {
    "recognition": (
        lambda table: overview.recognition(table),
        lambda: [pd.read_csv(STUDY / "evaluate/metrics.csv")],
    ),
    "recognised": (
        lambda table: front_page.recognised(table),
        lambda: [pd.read_csv(STUDY / "evaluate/covered.csv")],
    ),
    "agreement": (
        lambda table: overview.agreement_findings(table),
        lambda: [pd.read_csv(STUDY / "validity/agreement.csv")],
    ),
    "power": (
        lambda table: power_findings.power_findings(table, 0.05).sentences,
        lambda: [pd.read_csv(TRIALS / "power/drawn.csv")],
    ),
    "collapse": (
        lambda table: [collapse_findings.collapse_finding(table)],
        lambda: [pd.read_csv(TRIALS / "collapse/drawn.csv")],
    ),
    "blocks": (
        lambda table: block_findings.findings(table).sentences,
        lambda: [pd.read_csv(TRIALS / "blocks/sequence.csv")],
    ),
    "curves": (
        lambda *tables: learning_curves.findings(*tables, 0.02).sentences,
        lambda: [mild("-covered"), mild("-gains")],
    ),
    "doses": (
        lambda *tables: dose_responses.findings(*tables, 0.02).sentences,
        lambda: [gains(), pd.read_csv(TRIALS / "observers/drawn.csv")],
    ),
    "components": (
        lambda table: component_findings(table, {"mWACC": "e"}, 0.02).sentences,
        lambda: [pd.read_csv(STUDY / "ablation/gains.csv")],
    ),
}
"""Sentences of chapters, and the tables that they are made from."""

KEYS = {"strength", "offset", "dose", "clips", "nominal", "seed", "n", "margin"}
"""Columns by which rows are chosen, which stay as they are."""


def scaled(table, factor):
    """The table with all its estimates smaller, in the same order."""
    floats = [name for name in table.select_dtypes("float").columns if name not in KEYS]
    return table.assign(**{name: factor * table[name] for name in floats})


@pytest.mark.parametrize("factor", [1, 0.83, 0.37])
@pytest.mark.parametrize("name", TOLD)
def test_numbers_of_sentences_are_those_of_the_tables(name, factor):
    tell, read = TOLD[name]
    try:
        tables = [scaled(each, factor) for each in read()]
    except FileNotFoundError as error:
        pytest.skip(f"not on record: {error.filename}")
    sentences = tell(*tables)
    assert sentences
    assert stray(sentences, *tables) == []


def test_recorded_findings_are_those_of_the_recorded_tables():
    folder = STUDY / "association"
    names = ("primary", "cross_source", "bridged")
    if not all((folder / f"{name}.csv").exists() for name in names):
        pytest.skip("not on record")
    primary, cross, bridged = (pd.read_csv(folder / f"{name}.csv") for name in names)
    told = json.loads((folder / "findings.json").read_text("utf-8"))
    bridged["width"] = bridged["high"] - bridged["low"]
    widths = bridged.groupby("source")[["width"]].mean()
    assert stray(told, primary, cross, bridged, widths) == []
    counts = cross["verdict"].value_counts()
    for verdict in ("present", "absent", "undecided"):
        head = next(each for each in told if each.startswith(f"**{verdict.title()}"))
        assert f", {counts.get(verdict, 0)} of {len(cross)}" in head


def test_a_number_that_no_table_holds_is_seen():
    table = pd.DataFrame({"r": [0.123]})
    assert stray(["r = .12 and 12.3 %"], table) == []
    assert [number for number, _ in stray(["r = .13"], table)] == [0.13]
