"""What many worlds come to: recovered, found, invented, and how well intervals hold.

Recovered correlations need not have the size of the planted ones: predictions are not
the latents themselves, and a regression reads an emotion also from cues of the traits
that go with it. What an analysis of so many clips recovers on average, the mean over
worlds, is called *expected* here; an interval can be right about that and yet never
hold the planted value.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from sslmepr.association.grid import CELL
from sslmepr.simulation.ideal_observer import agreement
from sslmepr.statistics.cluster_bootstrap import interval, replicated_totals
from sslmepr.trials.power import GROUP

WILSON = "wilson"
"""The interval of a count of worlds, which has a known distribution."""


def cell_means(cells: pd.DataFrame) -> pd.DataFrame:
    """Every cell over its worlds.

    Parameters
    ----------
    cells : DataFrame
        From :func:`sslmepr.trials.power.try_power`.

    Returns
    -------
    DataFrame
        source, strength, clips, clips_per_speaker, emotion, trait, planted, expected
        (mean recovered correlation), deviation (its standard deviation over worlds),
        significant (share of worlds), worlds (in which r is defined).
    """
    known = cells.dropna(subset="recovered")
    groups = known.groupby([*GROUP, *CELL], sort=False)
    table = groups.agg(
        planted=("planted", "first"),
        expected=("recovered", "mean"),
        deviation=("recovered", "std"),
        significant=("significant", "mean"),
        worlds=("world", "nunique"),
    )
    return table.reset_index()


def summarise(
    cells: pd.DataFrame, level: float, resamples: int, seed: int
) -> pd.DataFrame:
    """What worlds of one strength and size come to.

    Parameters
    ----------
    cells : DataFrame
        From :func:`sslmepr.trials.power.try_power`.
    level : float
        Of the intervals. Worlds are their clusters, because the cells of one world hang
        together; where all worlds have the same share of cells, and for
        ``any_invented``, they are Wilson's with worlds as units.
    resamples, seed : int

    Returns
    -------
    DataFrame
        source, strength, clips, clips_per_speaker, metric, estimate, low, high,
        interval (which kind, or `WILSON`), worlds. Metrics: ``recovered`` (mean over
        planted cells, positive in the direction that was planted); ``slope`` of
        recovered on planted correlations through the origin; ``correlation`` of both
        over the cells of a world, mean over worlds; ``found`` (share significant where
        something is planted: power); ``invented`` (share significant where nothing is);
        ``any_invented`` (share of worlds with such a cell); ``covers_planted`` and
        ``covers_expected`` (share of intervals that hold the planted value, and what
        the cell recovers on average over worlds). What the strength leaves undefined is
        absent.
    """
    known = _with_expected(cells.dropna(subset="recovered"))
    rows = [
        (*key, metric, *estimate)
        for key, group in known.groupby(GROUP, sort=False)
        for metric, sums in _sums(group)
        for estimate in _ratio(metric, sums, level, resamples, seed)
    ]
    columns = [*GROUP, "metric", "estimate", "low", "high", "interval", "worlds"]
    return pd.DataFrame(rows, columns=columns)


def _with_expected(cells: pd.DataFrame) -> pd.DataFrame:
    """With a column ``covers_expected``; missing where there is a single world."""
    r = cells["recovered"]
    cell = r.groupby([cells[name] for name in [*GROUP, *CELL]])
    mean, worlds = cell.transform("mean"), cell.transform("size")
    # A world deviates from a mean that it belongs to by less than from the true one.
    stretch = np.sqrt(worlds / (worlds - 1).where(worlds > 1))
    expected = r - stretch * (r - mean)
    held = expected.between(cells["low"], cells["high"]).astype("boolean")
    known = expected.notna() & cells["low"].notna()
    return cells.assign(covers_expected=held.where(known))


def _sums(group: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Each metric as a ratio of two sums over worlds: (world, 2)."""
    planted, r = group["planted"], group["recovered"]
    there, called = planted != 0, group["significant"].astype(bool)
    covers = {
        "covers_planted": group["covered"],
        "covers_expected": group["covers_expected"],
    }
    parts = {
        "recovered": (r * np.sign(planted), there),
        "slope": (r * planted, planted**2),
        "found": (called & there, there),
        "invented": (called & ~there, ~there),
        **{name: (held.fillna(False), held.notna()) for name, held in covers.items()},
    }
    for name, (above, below) in parts.items():
        both = pd.DataFrame({"above": above, "below": below}).astype(float)
        yield name, both.groupby(group["world"]).sum().to_numpy()
    invented = (called & ~there).groupby(group["world"]).any()
    yield "any_invented", np.column_stack([invented, np.ones(len(invented))])
    agreements = [
        agreement(world["recovered"].to_numpy(), world["planted"].to_numpy())
        for _, world in group.groupby("world")
    ]
    defined = [value for value in agreements if value is not None]
    yield "correlation", np.column_stack([defined, np.ones(len(defined))])


def _ratio(
    metric: str, sums: np.ndarray, level: float, resamples: int, seed: int
) -> Iterator[tuple[float, float, float, str, int]]:
    """(estimate, low, high, interval, worlds); nothing where it is undefined."""
    sums = sums[sums[:, 1] > 0]
    worlds = len(sums)
    if worlds == 0:
        return
    estimate = sums[:, 0].sum() / sums[:, 1].sum()
    totals = replicated_totals(sums, resamples, seed)
    low, high, kind = interval(totals[:, 0] / totals[:, 1], worlds, level)
    alike = np.ptp(sums[:, 0] / sums[:, 1]) == 0
    if metric == "any_invented" or (alike and estimate in (0, 1)):
        count = round(estimate * worlds)
        low, high = proportion_confint(count, worlds, 1 - level, method=WILSON)
        kind = WILSON
    yield float(estimate), float(low), float(high), str(kind), worlds
