"""Means over seeds of the arms of a trial, and paired differences between arms."""

import numpy as np
import pandas as pd

from sslmepr.statistics.cluster_bootstrap import CLUSTER_T, NONE, t_interval


def summarise(runs: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Mean over seeds of every arm, offset and metric.

    Parameters
    ----------
    runs : DataFrame
        From :func:`sslmepr.trials.collapse.try_collapse`.
    confidence : float
        Confidence level of Student's t intervals over seeds.

    Returns
    -------
    DataFrame
        arm, offset, metric, estimate, low, high, interval, n (seeds).
    """
    return over_seeds(runs, ["arm", "offset", "metric"], confidence)


def differences(runs: pd.DataFrame, reference: str, confidence: float) -> pd.DataFrame:
    """Paired differences between a reference arm and every other, by study.

    Parameters
    ----------
    runs : DataFrame
        From :func:`sslmepr.trials.collapse.try_collapse`.
    reference : str
        Name of an arm; differences are its value minus that of the other.
    confidence : float
        Confidence level of Student's t intervals over seeds.

    Returns
    -------
    DataFrame
        arm (the other one), offset, metric, estimate, low, high, interval, n (seeds).

    Raises
    ------
    ValueError
        If there is no such arm.
    """
    keys = ["offset", "seed", "metric"]
    mine = runs.loc[runs["arm"] == reference].set_index(keys)["value"]
    if mine.empty:
        raise ValueError(f"there is no arm {reference!r}")
    others = runs[runs["arm"] != reference]
    paired = others.join(mine.rename("mine"), on=keys).dropna(subset="mine")
    paired = paired.assign(value=paired["mine"] - paired["value"])
    return over_seeds(paired, ["arm", "offset", "metric"], confidence)


def over_seeds(runs: pd.DataFrame, names: list[str], confidence: float) -> pd.DataFrame:
    """Mean of ``value`` over seeds, grouped by `names`.

    Parameters
    ----------
    runs : DataFrame
        `names`, value; one row per seed and group.
    names : list of str
    confidence : float
        Confidence level of Student's t intervals over seeds.

    Returns
    -------
    DataFrame
        `names`, estimate, low, high, interval (``cluster_t``, or ``none`` for one
        seed), n (seeds).
    """
    table = runs.groupby(names, sort=False)["value"].agg(["mean", "std", "count"])
    mean, n = table["mean"], table["count"]
    low, high = t_interval(mean, table["std"] / np.sqrt(n), n, confidence)
    kind = np.where(low.notna(), CLUSTER_T, NONE)
    found = pd.DataFrame({"estimate": mean, "low": low, "high": high, "interval": kind})
    return found.assign(n=n).reset_index()
