"""Verdicts on differences: better, worse, equivalent or undecided."""

import numpy as np

BETTER, WORSE = "better", "worse"
EQUIVALENT, UNDECIDED = "equivalent", "undecided"
NO_VERDICT = "no interval"


def verdicts(low, high, margin: float) -> np.ndarray:
    """Judge differences by their confidence intervals.

    A difference is equivalent to none if its interval lies within `margin` on both
    sides of 0. With intervals of 95 %, this is stricter than two one-sided tests at 5 %
    (Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15), which need
    those of 90 %.

    Parameters
    ----------
    low, high : (...) array
        Ends of the intervals; NaN where there is none.
    margin : float
        Largest difference that does not matter.

    Returns
    -------
    (...) ndarray of str
        `EQUIVALENT` if the interval lies within the margin, even where it excludes 0;
        otherwise `BETTER` if it lies above 0, `WORSE` if below, else `UNDECIDED`;
        `NO_VERDICT` without an interval.

    Raises
    ------
    ValueError
        If the margin is not above 0, or a lower end exceeds its upper one.
    """
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    if not margin > 0:
        raise ValueError(f"margin: {margin} is not above 0")
    if (low > high).any():
        raise ValueError("low: exceeds high")
    within = (low >= -margin) & (high <= margin)
    cases = [np.isnan(low) | np.isnan(high), within, low > 0, high < 0]
    return np.select(cases, [NO_VERDICT, EQUIVALENT, BETTER, WORSE], UNDECIDED)
