"""Summaries over simulated worlds: bias, power, false positives and coverage.

Recovered correlations are biased: predictions are not the latents themselves, and a
regression predicts an emotion also from cues of correlated traits. The mean recovered
correlation over worlds is called *expected* here. An interval can have nominal coverage
of the expected correlation and none of the planted one.
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
"""Wilson's binomial interval, for counts of worlds."""


def cell_means(cells: pd.DataFrame) -> pd.DataFrame:
    """Summarise every cell of the association table over worlds.

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
    cells: pd.DataFrame, confidence: float, resamples: int, seed: int
) -> pd.DataFrame:
    """Summarise worlds of the same strength and size.

    Parameters
    ----------
    cells : DataFrame
        From :func:`sslmepr.trials.power.try_power`.
    confidence : float
        Confidence level. Worlds are the clusters, because cells of one world are not
        independent. For ``familywise_error``, and where all worlds have the same
        share of cells, the interval is Wilson's with worlds as units.
    resamples, seed : int
        Number of bootstrap replicates and their seed.

    Returns
    -------
    DataFrame
        source, strength, clips, clips_per_speaker, metric, estimate, low, high,
        interval (its kind, or `WILSON`), worlds. Metrics: ``recovered`` (mean over
        planted cells, positive in the planted direction); ``slope`` of recovered on
        planted correlations through the origin; ``correlation`` of both over the cells
        of a world, mean over worlds; ``power`` (share of planted cells that are
        significant); ``false_positive_rate`` (share of null cells that are
        significant); ``familywise_error`` (share of worlds with a false positive);
        ``covers_planted`` and ``covers_expected`` (coverage of the planted and of the
        expected correlation). Undefined metrics have no row.
    """
    known = _with_expected(cells.dropna(subset="recovered"))
    rows = [
        (*key, metric, *estimate)
        for key, group in known.groupby(GROUP, sort=False)
        for metric, sums in _sums(group)
        for estimate in _ratio(metric, sums, confidence, resamples, seed)
    ]
    columns = [*GROUP, "metric", "estimate", "low", "high", "interval", "worlds"]
    return pd.DataFrame(rows, columns=columns)


def _with_expected(cells: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``covers_expected``; missing where there is a single world."""
    r = cells["recovered"]
    cell = r.groupby([cells[name] for name in [*GROUP, *CELL]])
    mean, worlds = cell.transform("mean"), cell.transform("size")
    # A world's deviation from a mean that includes it is too small; this corrects it.
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
        "power": (called & there, there),
        "false_positive_rate": (called & ~there, ~there),
        **{name: (held.fillna(False), held.notna()) for name, held in covers.items()},
    }
    for name, (above, below) in parts.items():
        both = pd.DataFrame({"above": above, "below": below}).astype(float)
        yield name, both.groupby(group["world"]).sum().to_numpy()
    wrong = (called & ~there).groupby(group["world"]).any()
    yield "familywise_error", np.column_stack([wrong, np.ones(len(wrong))])
    agreements = [
        agreement(world["recovered"].to_numpy(), world["planted"].to_numpy())
        for _, world in group.groupby("world")
    ]
    defined = [value for value in agreements if value is not None]
    yield "correlation", np.column_stack([defined, np.ones(len(defined))])


def _ratio(
    metric: str, sums: np.ndarray, confidence: float, resamples: int, seed: int
) -> Iterator[tuple[float, float, float, str, int]]:
    """Yield (estimate, low, high, interval, worlds); nothing where undefined."""
    sums = sums[sums[:, 1] > 0]
    worlds = len(sums)
    if worlds == 0:
        return
    estimate = sums[:, 0].sum() / sums[:, 1].sum()
    totals = replicated_totals(sums, resamples, seed)
    low, high, kind = interval(totals[:, 0] / totals[:, 1], worlds, confidence)
    alike = np.ptp(sums[:, 0] / sums[:, 1]) == 0
    if metric == "familywise_error" or (alike and estimate in (0, 1)):
        count = round(estimate * worlds)
        low, high = proportion_confint(count, worlds, 1 - confidence, method=WILSON)
        kind = WILSON
    yield float(estimate), float(low), float(high), str(kind), worlds
