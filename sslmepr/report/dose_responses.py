"""What components are worth by dose of their knob, beside what there is to gain."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.report.block_findings import POOLING, SLOPE, STACKED
from sslmepr.report.observer_losses import ENOUGH, there_to_gain
from sslmepr.report.overview import Findings
from sslmepr.report.tables import Table, interval, number
from sslmepr.report.words import plain
from sslmepr.statistics.verdicts import (
    BETTER,
    EQUIVALENT,
    UNDECIDED,
    WORSE,
    verdicts,
)

WITHOUT = "without"
_GAINS = "*-gains.csv"
NOTHING = "nothing to gain"
KEYS = ["knob", "dose", "metric"]

VERDICTS = {
    BETTER: "Better with it",
    WORSE: "Worse with it",
    NOTHING: "Nothing to gain",
    EQUIVALENT: "As good without it",
    UNDECIDED: "Undecided",
}


def read_gains(folder: str | Path) -> pd.DataFrame:
    """All gains on record, of one trial after the other.

    Parameters
    ----------
    folder : path
        Holds ``doses/<trial>-gains.csv`` of `sslmepr.trials.doses.gains` and
        ``timing/<trial>-gains.csv`` of `sslmepr.trials.timing.timing_gains`.

    Returns
    -------
    DataFrame
        component, knob, dose, against, metric, estimate, low, high, and what else is in
        the files. Where corpora are unlike, the knob's name says how much. A sequence
        block is a component of the late fusion of modalities, against pooling.
    """
    tables = [pd.read_csv(path) for path in sorted(Path(folder, "doses").glob(_GAINS))]
    for path in sorted(Path(folder, "timing").glob(_GAINS)):
        timed = pd.read_csv(path)
        blocks = (timed["modality"] == STACKED) & (timed["arm"] != SLOPE)
        own = timed[blocks & (timed["against"] == POOLING)]
        own = own.rename(columns={"arm": "component"}).drop(columns="modality")
        tables.append(own.assign(against=WITHOUT))
    found = pd.concat(tables, ignore_index=True)
    if "offset" not in found:
        return found
    offset = found.pop("offset").fillna(0)
    unlike = found["knob"] + offset.map(" in unlike corpora (offset {:g})".format)
    return found.assign(knob=found["knob"].where(offset == 0, unlike))


def known_to_observers(gained: pd.DataFrame, observed: pd.DataFrame) -> pd.Series:
    """Rows whose knob an observer knows of, unlike those of labels: of bool."""
    return gained["knob"].isin(observed["knob"])


def judged(gained: pd.DataFrame, observed: pd.DataFrame, margin: float) -> pd.DataFrame:
    """Gains over the same model without the component, and what they mean.

    Parameters
    ----------
    gained : DataFrame
        From `read_gains`.
    observed : DataFrame
        From `sslmepr.trials.observers.summarise_observers`.
    margin : float
        Largest difference that does not matter.

    Returns
    -------
    DataFrame
        component, knob, dose, metric, estimate, low, high, verdict (of
        `sslmepr.statistics.verdicts`), there, there_low, there_high (gain of an
        observer who knows of the knob; NaN where none does), nothing (whether that is
        less than `ENOUGH` and the model is neither better nor worse). At dose 0, where
        nothing ever is to gain, ``nothing`` is False: equivalence is asked for there.
    """
    mine = gained[gained["against"] == WITHOUT]
    ends = {"estimate": "there", "low": "there_low", "high": "there_high"}
    there = there_to_gain(observed).rename(columns=ends)
    found = mine.merge(there, "left", on=KEYS)
    found["verdict"] = verdicts(found["low"], found["high"], margin)
    found["nothing"] = (
        (found["there"] < ENOUGH)
        & (found["dose"] > 0)
        & found["verdict"].isin([EQUIVALENT, UNDECIDED])
    )
    columns = ["component", "knob", "dose", "metric", "estimate", "low", "high"]
    return found[[*columns, "verdict", *ends.values(), "nothing"]]


def findings(found: pd.DataFrame, margin: float) -> Findings:
    """Say by verdict what components are worth at the largest dose of their knob.

    Parameters
    ----------
    found : DataFrame
        From `judged`.
    margin : float
        As there.

    Returns
    -------
    Findings
        A sentence for each of `VERDICTS` that a component has, and one on dose 0.
    """
    last = found.groupby(["component", "knob"])["dose"].transform("max")
    largest = found[(found["dose"] == last) & (found["dose"] > 0)]
    verdict = np.where(largest["nothing"], NOTHING, largest["verdict"])
    sentences = []
    for name, words in VERDICTS.items():
        own = largest[verdict == name]
        if name == EQUIVALENT:
            words += f" (within ±{margin:g})"
        if name == NOTHING:
            words += f" (an observer's knowledge is worth less than {ENOUGH:g})"
        if len(own):
            sentences.append(f"**{words}**: {'; '.join(_by_pair(own))}.")
    none = found[found["dose"] == 0]
    if len(none):
        counts = none["verdict"].value_counts()
        told = ", ".join(f"{verdict} {count}" for verdict, count in counts.items())
        sentences.append(
            "**Without the circumstance that it is for** (dose 0), where a component "
            f"should make no difference, comparisons by verdict: {told}."
        )
    return Findings(sentences)


def _by_pair(rows: pd.DataFrame) -> Iterator[str]:
    """Component, knob and dose, and of each metric the gain and what there is."""
    for (component, knob, dose), own in rows.groupby(
        ["component", "knob", "dose"], sort=False
    ):
        each = " and ".join(map(_told, own.itertuples()))
        yield f"{plain(component, 'component')} under {knob}, dose {dose:g}: {each}"


def _told(row) -> str:
    """A gain, and what there is to gain."""
    gain = interval(row.estimate, row.low, row.high, 3)
    there = "" if pd.isna(row.there) else f" of {number(row.there, 3)}"
    return f"{gain}{there} in {row.metric}"


def gain_table(found: pd.DataFrame, margin: float) -> Table:
    """Gain of each component at each dose, and what it means.

    Parameters
    ----------
    found, margin
        As for `findings`.
    """
    of_dose = found["knob"] + found["dose"].map(", dose {:g}".format)
    table = found.assign(dose=of_dose)[["component", "dose"]].drop_duplicates()
    for metric, own in found.assign(dose=of_dose).groupby("metric", sort=False):
        cells = own[["component", "dose"]].copy()
        cells[metric] = [_judged(each) for each in own.itertuples()]
        if own["there"].notna().any():
            cells[f"{metric}, there"] = [number(each, 3) for each in own["there"]]
        table = table.merge(cells, "left", on=["component", "dose"])
    caption = (
        "Gain over the same model without the component, on new people, and what there "
        f"is to gain; equivalent: the interval lies within ±{margin:g}; {NOTHING}: "
        f"an observer's knowledge is worth less than {ENOUGH:g}."
    )
    return Table(table, caption)


def _judged(row) -> str:
    """A gain with its verdict."""
    gain = interval(row.estimate, row.low, row.high, 3)
    return f"{gain} {row.verdict}{f', {NOTHING}' if row.nothing else ''}"
