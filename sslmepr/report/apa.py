"""Statistics in the style of the American Psychological Association (APA)."""

import numpy as np
import pandas as pd

MINUS = "\N{MINUS SIGN}"


def apa_correlation(row: pd.Series, confidence: float) -> str:
    """Format a correlation: ``r = .42, 95% CI [.31, .52], p < .001``.

    Parameters
    ----------
    row : Series
        A row of :func:`association`; its corrected p-value is used.
    confidence : float
        Confidence level of the interval.

    Returns
    -------
    str
    """
    if np.isnan(row["r"]):
        return f"r undefined ({row['reason']})"
    r, low, high = (apa_number(row[name]) for name in ("r", "low", "high"))
    p = row["p_corrected"]
    p = "p undefined" if np.isnan(p) else apa_p(p)
    return f"r = {r}, {100 * confidence:g}% CI [{low}, {high}], {p}"


def apa_number(value: float, digits: int = 2) -> str:
    """Format a number of at most 1 without leading zero, with a minus sign.

    >>> apa_number(0.417)
    '.42'
    """
    if np.isnan(value):
        return "n/a"
    text = f"{abs(value):.{digits}f}"
    negative = value < 0 and float(text) != 0
    return (MINUS if negative else "") + text.removeprefix("0")


def apa_p(p: float) -> str:
    """Format a p-value to three digits: ``p = .012`` or ``p < .001``."""
    return "p < .001" if p < 0.001 else f"p = {apa_number(p, 3)}"


def p_alone(p: float) -> str:
    """Format a p-value for a column that is named p: ``.012`` or ``< .001``."""
    return "< .001" if p < 0.001 else apa_number(p, 3)


def counted(clips: int, crossed: int, people: int) -> str:
    """Clips and people, and how many clips have more than a single sensor.

    Parameters
    ----------
    clips, crossed : int
        All clips, and those that two sensors have (camera, microphone, words).
    people : int
    """
    if clips == crossed:
        return f"{clips:,} clips of {people:,} people"
    return (
        f"{clips:,} clips of {people:,} people ({crossed:,} of the clips have two of "
        "picture, sound and words)"
    )
