"""What components are worth by dose of their knob, beside what there is to gain."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from sslmepr.report.observer_losses import ENOUGH, there_to_gain
from sslmepr.report.overview import Findings
from sslmepr.report.tables import Table, interval
from sslmepr.report.words import plain, pretty
from sslmepr.statistics.verdicts import BETTER, verdicts

WITHOUT = "without"
GAINED, THERE = "gain of the component", "what there is to gain"
KEYS = ["knob", "dose", "metric"]


def read_gains(folder: str | Path) -> pd.DataFrame:
    """All gains on record, of one trial after the other.

    Parameters
    ----------
    folder : path
        Holds ``<trial>-gains.csv`` of `sslmepr.trials.doses.gains`.

    Returns
    -------
    DataFrame
        As from there. Where corpora are unlike, the knob's name says how much. Files
        of trials in which they never were have no column ``offset``.
    """
    paths = sorted(Path(folder).glob("*-gains.csv"))
    found = pd.concat([pd.read_csv(path) for path in paths], ignore_index=True)
    if "offset" not in found:
        return found
    offset = found.pop("offset").fillna(0)
    unlike = found["knob"] + offset.map(" in unlike corpora (offset {:g})".format)
    return found.assign(knob=found["knob"].where(offset == 0, unlike))


def findings(gained: pd.DataFrame, observed: pd.DataFrame, margin: float) -> Findings:
    """Say of each component what it is worth at the ends of its knob.

    Parameters
    ----------
    gained, observed : DataFrame
        As for `lines`.
    margin : float
        Largest difference that does not matter.

    Returns
    -------
    Findings
        One sentence for each component and knob.
    """
    mine = gained[gained["against"] == WITHOUT]
    there = there_to_gain(observed).set_index(KEYS)["estimate"].rename("there")
    mine = mine.join(there, on=KEYS)
    mine = mine.assign(verdict=verdicts(mine["low"], mine["high"], margin))
    sentences = []
    for (component, knob), own in mine.groupby(["component", "knob"], sort=False):
        parts = [
            f"at dose {dose:g} " + "; ".join(_told(own[own["dose"] == dose]))
            for dose in sorted({own["dose"].min(), own["dose"].max()}, reverse=True)
        ]
        title = f"**{pretty(component, 'component')}**, {knob}"
        sentences.append(f"{title}: {', '.join(parts)}.")
    return Findings(sentences)


def _told(rows: pd.DataFrame) -> Iterator[str]:
    """Gain, verdict and what there is to gain, by metric."""
    for row in rows.itertuples():
        there = ""
        if pd.notna(row.there):
            little = row.there < ENOUGH and row.verdict != BETTER
            there = ", with little to gain" if little else f" of {row.there:.3f}"
        gain = interval(row.estimate, row.low, row.high, 3)
        yield f"{row.metric} {gain}{there} ({row.verdict})"


def lines(gained: pd.DataFrame, observed: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Gains by component and dose, in the form of `sslmepr.report.figures.trial_lines`.

    Parameters
    ----------
    gained : DataFrame
        From `sslmepr.trials.doses.gains`.
    observed : DataFrame
        From `sslmepr.trials.observers.summarise_observers`.
    metric : {"mWACC", "CCC"}

    Returns
    -------
    DataFrame
        metric (component and knob), dose, line (`GAINED` or `THERE`), estimate, low,
        high.
    """
    mine = gained[(gained["against"] == WITHOUT) & (gained["metric"] == metric)]
    places = mine[["component", "knob", "dose", "metric"]]
    there = places.merge(there_to_gain(observed), on=KEYS)
    both = pd.concat([mine.assign(line=GAINED), there.assign(line=THERE)])
    title = both["component"].map(plain) + ", " + both["knob"]
    columns = ["metric", "dose", "line", "estimate", "low", "high"]
    return both.assign(metric=title)[columns].reset_index(drop=True)


def gain_table(gained: pd.DataFrame, observed: pd.DataFrame, margin: float) -> Table:
    """Gain of each component over the same model without it, and what it means.

    Parameters
    ----------
    gained, observed : DataFrame
        As for `lines`.
    margin : float
        Largest difference that does not matter.
    """
    mine = gained[gained["against"] == WITHOUT]
    there = there_to_gain(observed).set_index(KEYS)["estimate"].rename("there")
    rows = [
        (
            each.component,
            f"{each.knob}, dose {each.dose:g}",
            each.metric,
            interval(each.estimate, each.low, each.high, 3),
            f"{each.there:.3f}" if pd.notna(each.there) else "–",
            verdicts(each.low, each.high, margin).item(),
        )
        for each in mine.join(there, on=KEYS).itertuples()
    ]
    columns = ["component", "dose", "metric", "gain", "there to gain", "verdict"]
    caption = (
        "Gain over the same model without the component, on new people; equivalent: "
        f"the interval lies within ±{margin:g}."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption)
