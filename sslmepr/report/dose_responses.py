"""What components are worth by dose of their knob, beside what there is to gain."""

import pandas as pd

from sslmepr.report.observer_losses import there_to_gain
from sslmepr.report.tables import Table, interval
from sslmepr.report.words import plain
from sslmepr.statistics.verdicts import verdicts

WITHOUT = "without"
GAINED, THERE = "gain of the component", "what there is to gain"


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
    there = places.merge(there_to_gain(observed), on=["knob", "dose", "metric"])
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
    keys = ["knob", "dose", "metric"]
    mine = gained[gained["against"] == WITHOUT]
    there = there_to_gain(observed).set_index(keys)["estimate"].rename("there")
    rows = [
        (
            each.component,
            f"{each.knob} {each.dose:g}",
            each.metric,
            interval(each.estimate, each.low, each.high, 3),
            f"{each.there:.3f}" if pd.notna(each.there) else "–",
            verdicts(each.low, each.high, margin).item(),
        )
        for each in mine.join(there, on=keys).itertuples()
    ]
    columns = ["component", "dose", "metric", "gain", "there to gain", "verdict"]
    caption = (
        "Gain over the same model without the component, on new people; equivalent: "
        f"the interval lies within ±{margin:g}."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption)
