"""Agreement of recovered associations with the true ones of a simulated world.

True associations are known only in simulation, so only there can power and
false-positive rate of cross-task learning from disjoint labels be measured. Recovered
correlations are compared, cell by cell, with the true ones and with those of the ideal
observer, who knows the generating model but sees only the channels.

What is estimated is the association of the *labels*. Where raters label, it is not the
one that was planted in people but what they see of it (``rated``;
`sslmepr.simulation.raters.rated_association`), and that is the truth here.
"""

import numpy as np
import pandas as pd

from sslmepr.association.grid import CELL
from sslmepr.statistics.cluster_bootstrap import (
    FEWEST_FOR_BOOTSTRAP,
    NONE,
    interval,
)
from sslmepr.statistics.metrics import matrix_correlation


def _fisher_z(r: np.ndarray) -> np.ndarray:
    return np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))


SCALES = {"correlation": (_fisher_z, np.tanh), "rmse": (np.log, np.exp)}
"""Scale on which a metric's sampling distribution is nearly symmetric, and back."""


def compare(
    recovered: pd.DataFrame,
    truth: pd.DataFrame,
    observer: pd.DataFrame | None = None,
    against: str = "planted",
) -> pd.DataFrame:
    """Recovered and true correlation and the ideal observer's, by cell.

    Parameters
    ----------
    recovered : DataFrame
        One level of one source of :func:`sslmepr.association.correlation.association`.
    truth, observer : DataFrame
        As from :func:`sslmepr.association.grid.tidy_matrix`, with a column ``observer``
        or any number of columns of correlations.
    against : str
        Column of `truth` with what is estimated.

    Returns
    -------
    DataFrame
        emotion, trait, the columns of `truth`, observer, recovered, low, high, interval
        (which kind), p_corrected, significant, sign_agrees (missing where the truth is
        0), covered (the interval contains the truth).

    Raises
    ------
    ValueError
        If `recovered` has duplicate cells.
    """
    if recovered.duplicated(CELL).any():
        raise ValueError(
            "recovered: several rows per cell; choose one level and source"
        )
    columns = [*CELL, "r", "low", "high", "interval", "p_corrected", "significant"]
    table = truth.merge(recovered[columns], on=CELL, how="left", validate="1:1")
    table = table.rename(columns={"r": "recovered"})
    if observer is None:
        table["observer"] = np.nan
    else:
        table = table.merge(observer, on=CELL, how="left", validate="1:1")
    agrees = np.sign(table["recovered"]) == np.sign(table[against])
    judged = (table[against] != 0) & table["recovered"].notna()
    table["sign_agrees"] = agrees.astype("boolean").where(judged)
    covered = table[against].between(table["low"], table["high"])
    table["covered"] = covered.astype("boolean").where(table["low"].notna())
    return table[
        [*truth, "observer", "recovered", "low", "high", "interval"]
        + ["p_corrected", "significant", "sign_agrees", "covered"]
    ]


def recovery(
    recovered: pd.DataFrame,
    truth: pd.DataFrame,
    draws: pd.DataFrame | None = None,
    confidence: float = 0.95,
    against: str = "planted",
) -> pd.DataFrame:
    """Metrics of agreement between recovered and true associations.

    Parameters
    ----------
    recovered : DataFrame
        One level of one source of :func:`sslmepr.association.correlation.association`.
    truth : DataFrame
        As of `compare`.
    draws : DataFrame, optional
        The recovered matrix in every resample of speakers, from
        :func:`sslmepr.association.correlation.resampled_association`. Without them
        there are no intervals.
    confidence : float
        Confidence level of the intervals. A resampled matrix carries sampling error
        twice and so agrees less with the true one than the recovered matrix does.
        Replicates therefore give the width of the interval (on the scale of Fisher's z
        for the correlation, of the logarithm for the RMSE) but not its centre, which is
        the estimate. The estimate carries sampling error once and thus underestimates
        the agreement of the expected matrix. Shares of cells have no interval.
    against : str
        As of `compare`.

    Returns
    -------
    DataFrame
        metric, estimate, low, high, interval (which kind), n_cells, reason. Metrics:
        ``correlation`` of the two matrices over cells; ``slope`` of the recovered on
        the true through the origin (below 1: attenuated, above: inflated); ``rmse``;
        ``sign_agreement`` over cells that are truly associated; ``significant`` (share
        of all cells); ``power`` (share significant of the cells in which something is
        planted); ``false_positive_rate`` (share significant of those whose truth is 0,
        which fewer are where raters have a halo).
    """
    table = compare(recovered, truth, against=against)
    defined = table["recovered"].notna().to_numpy()
    values = table[against].to_numpy()[defined]
    estimates = _agreement(table["recovered"].to_numpy()[None, defined], values)
    matrices = None if draws is None else _matrices(draws, table)[:, defined]
    resampled = {} if matrices is None else _agreement(matrices, values)
    rows = []
    for metric, (value, n_cells, reason) in estimates.items():
        ends = (np.nan, np.nan, NONE)
        if metric in resampled:
            speakers = int(recovered["n_speakers"].max())
            ends = centred_interval(
                resampled[metric][0], value[0], metric, confidence, speakers
            )
        rows.append((metric, value[0], *ends, n_cells, reason))
    rows += _shares(table[defined], against)
    columns = ["metric", "estimate", "low", "high", "interval", "n_cells", "reason"]
    return pd.DataFrame(rows, columns=columns)


def _matrices(draws: pd.DataFrame, table: pd.DataFrame) -> np.ndarray:
    wide = draws.pivot(index="resample", columns=CELL, values="r")
    return wide[list(zip(table["emotion"], table["trait"], strict=True))].to_numpy()


def _agreement(matrices: np.ndarray, truth: np.ndarray) -> dict:
    """Metric to (its value per matrix (resample,), cells used, why it is undefined)."""
    n = len(truth)
    undefined = np.full(len(matrices), np.nan)
    nonzero = truth != 0
    result = {}
    if n < 3 or np.ptp(truth) == 0:
        why = "the true associations do not vary" if n else "no cell is defined"
        result["correlation"] = (undefined, n, why)
    else:
        r = matrix_correlation(matrices, truth)
        r[np.isnan(matrices).any(axis=1)] = np.nan  # as for the other metrics
        result["correlation"] = (r, n, "")
    nothing = "" if nonzero.any() else "nothing is associated"
    agrees = np.sign(matrices[:, nonzero]) == np.sign(truth[nonzero])
    slope = undefined if nothing else matrices @ truth / (truth @ truth)
    result["slope"] = (slope, n, nothing)
    rmse = np.sqrt(((matrices - truth) ** 2).mean(axis=1)) if n else undefined
    result["rmse"] = (rmse, n, "" if n else "no cell is defined")
    agreement = undefined if nothing else agrees.mean(axis=1)
    result["sign_agreement"] = (agreement, int(nonzero.sum()), nothing)
    return result


def centred_interval(
    draws: np.ndarray, estimate: float, metric: str, confidence: float, n_speakers: int
) -> tuple[float, float, str]:
    """Bootstrap or jackknife interval that is centred at the estimate.

    Parameters
    ----------
    draws : (replicate,) ndarray
    estimate : float
    metric : str
        The scale of `SCALES` is used where it has one.
    confidence : float
        Confidence level.
    n_speakers : int
        Number of speakers that were resampled.

    Returns
    -------
    low, high : float
    kind : str
        See `sslmepr.statistics.cluster_bootstrap`. The sign agreement has no interval
        for few speakers: it is a step function, for which the jackknife fails.
    """
    scale, back = SCALES.get(metric, (np.asarray, np.asarray))
    shares = metric == "sign_agreement"
    if shares and n_speakers < FEWEST_FOR_BOOTSTRAP:
        return np.nan, np.nan, NONE
    values = scale(np.concatenate([[estimate], draws]))
    *ends, kind = interval(values, n_speakers, confidence, centred=True)
    low, high = np.clip(ends, 0, 1) if shares else back(np.array(ends))
    return float(low), float(high), str(kind)


def _shares(table: pd.DataFrame, against: str) -> list[tuple]:
    groups = {
        "significant": table,
        "power": table[table["planted"] != 0],
        "false_positive_rate": table[table[against] == 0],
    }
    rows = []
    for metric, cells in groups.items():
        share = cells["significant"].mean() if len(cells) else np.nan
        reason = "" if len(cells) else "there are no such cells"
        rows.append((metric, share, np.nan, np.nan, NONE, len(cells), reason))
    return rows
