"""How a confirmation is made, and by which bounds it is judged: fixed in a file."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from sslmepr.params.base import Positive, Section, read
from sslmepr.params.study import parse

FILE = Path("book", "confirmation.yaml")

MET, MISSED, UNDECIDED = "met", "missed", "undecided"

Metric = Literal["covers_planted", "largest_t_error", "error_ratio", "slope"]
"""Of `sslmepr.trials.worlds.summarise`."""


class Bounds(Section):
    """Where a metric of many worlds has to lie.

    Attributes
    ----------
    least, most : float or None
        None: no bound on this side.
    errors : float or None
        Of a share of worlds: by how many of its standard errors at the bound the
        estimate may be above ``most``, as chance alone would have it; None: the whole
        interval has to lie within the bounds.
    """

    least: float | None = None
    most: float | None = None
    errors: Annotated[float, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _bound_something(self) -> "Bounds":
        if self.least is None and self.most is None:
            raise ValueError("needs `least`, `most` or both")
        low, high = self.ends
        if low > high:
            raise ValueError(f"least {low:g} must not be above most {high:g}")
        if self.errors is not None and not (self.least is None and 0 < high < 1):
            raise ValueError("errors: only beside `most`, a share between 0 and 1")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends, infinite where there is no bound."""
        least = -np.inf if self.least is None else self.least
        return least, np.inf if self.most is None else self.most

    def verdict(self, row) -> str:
        """`MET`, `MISSED` or `UNDECIDED`.

        Parameters
        ----------
        row : named tuple
            low, high; with `errors`, estimate and worlds.
        """
        least, most = self.ends
        if self.errors is not None:
            chance = self.errors * np.sqrt(most * (1 - most) / row.worlds)
            return MET if row.estimate <= most + chance else MISSED
        if row.low >= least and row.high <= most:
            return MET
        return MISSED if row.high < least or row.low > most else UNDECIDED


class ConfirmationPlan(Section):
    """What ``book/confirmation.yaml`` fixes.

    Attributes
    ----------
    written : str
        Date.
    worlds : int
        Drawn with the planted associations, and as many in which there are none.
    features : int
        Of every modality of a drawn world.
    bounds : dict of str to Bounds
        By metric.
    """

    written: str
    worlds: Positive
    features: Positive
    bounds: Annotated[dict[Metric, Bounds], Field(min_length=1)]


def read_plan(path: str | Path = FILE) -> ConfirmationPlan:
    """Read how a confirmation is made.

    Raises
    ------
    ParamsError
        If the file is absent, is not YAML, or holds something else; the message names
        the file and everything that is wrong.
    """
    return parse(read(Path(path)), str(path), ConfirmationPlan)


def judged(summary: pd.DataFrame, plan: ConfirmationPlan) -> pd.DataFrame:
    """Compare metrics of many worlds with the bounds that were fixed for them.

    Parameters
    ----------
    summary : DataFrame
        metric, estimate, low, high, worlds and more.
    plan : ConfirmationPlan

    Returns
    -------
    DataFrame
        `summary` with least and most (infinite without a bound; missing for a metric
        without any) and verdict: `MET` where the whole interval lies within the bounds,
        `MISSED` where all of it lies outside, otherwise `UNDECIDED`; where chance is
        allowed for (`Bounds.errors`), by the estimate; empty for a metric without
        bounds.
    """
    ends = summary["metric"].map(
        lambda name: plan.bounds[name].ends if name in plan.bounds else (np.nan, np.nan)
    )
    least, most = np.array([*ends], float).reshape(-1, 2).T
    verdict = [
        plan.bounds[row.metric].verdict(row) if row.metric in plan.bounds else ""
        for row in summary.itertuples()
    ]
    return summary.assign(least=least, most=most, verdict=verdict)
