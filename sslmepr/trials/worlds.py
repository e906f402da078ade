"""Summaries over simulated worlds: errors, coverage, false positives and power."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from sslmepr.association.grid import CELL
from sslmepr.statistics.cluster_bootstrap import interval, replicated_totals
from sslmepr.trials.power import GROUP

WILSON = "wilson"
"""Wilson's binomial interval, for counts of worlds."""

SHARES = ("familywise_error", "largest_t_error")
"""Metrics that are shares of worlds."""

RATIO, TRIMMED, MEDIAN = "error_ratio", "error_ratio_trimmed", "error_ratio_median"
"""Of standard errors to the deviation over worlds: of all, most, and the middle one."""

ROOTS = ("rmse", RATIO, TRIMMED, MEDIAN)
"""Metrics that are the square root of a ratio of sums, or of a median and a mean."""

KEPT = 0.9
"""Share of worlds that `TRIMMED` keeps: those with the smallest standard errors."""


def cell_means(cells: pd.DataFrame) -> pd.DataFrame:
    """Summarise every cell of the association table over worlds.

    Parameters
    ----------
    cells : DataFrame
        From :func:`sslmepr.trials.power.try_power`.

    Returns
    -------
    DataFrame
        source, condition, strength, emotion, trait, planted, expected (mean recovered
        correlation), deviation (its standard deviation over worlds), significant (share
        of worlds), worlds (in which r is defined).
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
    cells: pd.DataFrame, alpha: float, confidence: float, resamples: int, seed: int
) -> pd.DataFrame:
    """Summarise worlds of the same condition and strength.

    Parameters
    ----------
    cells : DataFrame
        From :func:`sslmepr.trials.power.try_power`.
    alpha : float
        Level of the test of the whole table by the largest \\|t\\|.
    confidence : float
        Confidence level. Worlds are the clusters, because cells of one world are not
        independent. For shares of worlds, and where all worlds have the same share of
        cells, the interval is Wilson's with worlds as units.
    resamples, seed : int
        Number of bootstrap replicates and their seed.

    Returns
    -------
    DataFrame
        source, condition, strength, metric, estimate, low, high, interval (its kind, or
        `WILSON`), worlds. Metrics: ``covers_planted`` (share of intervals that contain
        the planted correlation); ``rmse`` of recovered against planted correlations;
        ``error_ratio`` (root mean square of standard errors, relative to the standard
        deviation over worlds), ``error_ratio_trimmed`` (the same of those worlds, nine
        in ten, whose standard errors are smallest) and ``error_ratio_median`` (that of
        the world with middling standard errors, relative to the deviation over all);
        ``slope`` of recovered on planted correlations through the origin; ``power``
        (share of planted cells that are significant);
        ``false_positive_rate`` (share of null cells that are significant);
        ``familywise_error`` (share of worlds with a false positive);
        ``largest_t_error`` (the same by the largest \\|t\\|). Undefined metrics have no
        row.
    """
    known = cells.dropna(subset="recovered")
    rows = [
        (*key, metric, *estimate)
        for key, group in known.groupby(GROUP, sort=False)
        for metric, sums in _sums(group, alpha)
        for estimate in _ratio(metric, sums, confidence, resamples, seed)
    ]
    columns = [*GROUP, "metric", "estimate", "low", "high", "interval", "worlds"]
    return pd.DataFrame(rows, columns=columns)


def _sums(group: pd.DataFrame, alpha: float) -> Iterator[tuple[str, np.ndarray]]:
    """Each metric as a ratio of two sums over worlds: (world, 2)."""
    planted, r = group["planted"], group["recovered"]
    there, called = planted != 0, group["significant"].astype(bool)
    squares = group["error"] ** 2
    of_world = squares.groupby(group["world"]).transform("mean")
    most = of_world <= of_world.quantile(KEPT)
    parts = {
        "covers_planted": (group["covered"].fillna(False), group["covered"].notna()),
        "rmse": ((r - planted) ** 2, np.ones(len(r))),
        RATIO: (squares, _spread(group)),
        MEDIAN: (squares, _spread(group)),
        TRIMMED: (squares, _spread(group[most]).reindex(group.index)),
        "slope": (r * planted, planted**2),
        "power": (called & there, there),
        "false_positive_rate": (called & ~there, ~there),
    }
    for name, (above, below) in parts.items():
        both = pd.DataFrame({"above": above, "below": below}).astype(float)
        both = both.mask(both.isna().any(axis=1))  # what lacks one part has none
        yield name, both.groupby(group["world"]).sum().to_numpy()
    if there.all():
        return
    for name, wrong in {
        "familywise_error": called & ~there,
        "largest_t_error": (group["p_family"] <= alpha) & ~there,
    }.items():
        if name == "familywise_error" or group["p_family"].notna().any():
            in_world = wrong.groupby(group["world"]).any()
            yield name, np.column_stack([in_world, np.ones(len(in_world))])


def _spread(cells: pd.DataFrame) -> pd.Series:
    """Squared deviations of cells from their mean over worlds; NaN in a single one."""
    r = cells["recovered"]
    of_cell = r.groupby([cells[name] for name in CELL])
    worlds = of_cell.transform("size")
    # Deviations from a mean that includes the world itself are too small.
    factor = (worlds / (worlds - 1)).where(worlds > 1)
    return factor * (r - of_cell.transform("mean")) ** 2


def _ratio(
    metric: str, sums: np.ndarray, confidence: float, resamples: int, seed: int
) -> Iterator[tuple[float, float, float, str, int]]:
    """Yield (estimate, low, high, interval, worlds); nothing where undefined."""
    sums = sums[sums[:, 1] > 0]
    worlds = len(sums)
    if worlds == 0:
        return
    scale = np.sqrt if metric in ROOTS else np.asarray
    counts = replicated_totals(np.eye(worlds), resamples, seed)
    totals = counts @ sums
    if metric == MEDIAN:
        totals[:, 0] = counts.sum(1) * _medians(sums[:, 0], counts)
    values = scale(totals[:, 0] / totals[:, 1])
    estimate = values[0]
    low, high, kind = interval(values, worlds, confidence)
    alike = np.ptp(sums[:, 0] / sums[:, 1]) == 0
    if metric in SHARES or (alike and estimate in (0, 1)):
        count = round(estimate * worlds)
        low, high = proportion_confint(count, worlds, 1 - confidence, method=WILSON)
        kind = WILSON
    yield float(estimate), float(low), float(high), str(kind), worlds


def _medians(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Medians of values (world,) that occur so often: (replicate,)."""
    order = np.argsort(values)
    reached = counts[:, order].cumsum(1)
    half = reached[:, -1:] / 2
    places = [(reached >= half).argmax(1), (reached > half).argmax(1)]
    return values[order][places].mean(0)
