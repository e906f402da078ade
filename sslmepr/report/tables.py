"""HTML tables of estimates with intervals, reproducible byte by byte.

pandas' Styler writes a random identifier into every table. Here, cells are formatted
first and written as plain HTML, which the book styles.
"""

import html
import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from sslmepr.report.apa import MINUS, p_alone
from sslmepr.report.words import IN_COLUMN, cell, pretty
from sslmepr.statistics.cluster_bootstrap import (
    CLUSTER_T,
    EXPANDED_PERCENTILE,
    NONE,
)

MISSING = "–"

INTERVAL = re.compile(rf"\[[{MINUS}.\d]+, [{MINUS}.\d]+\]\S?")
"""An interval, within which a line must not break."""

P_VALUE = re.compile(r"p(_\w+)?")
"""A column of p-values, none of which is 0."""

KINDS = {
    EXPANDED_PERCENTILE: ("", "expanded percentile bootstrap over clusters"),
    CLUSTER_T: ("\N{MODIFIER LETTER SMALL T}", "Student's t over clusters"),
    "influence": ("", "influence functions of speakers"),
    "wilson": ("\N{MODIFIER LETTER SMALL W}", "Wilson's interval of a count"),
    NONE: ("", "no interval is defined"),
}
"""Kind of interval to the mark behind its brackets, and the meaning of the mark."""


class Table:
    """A table that notebooks display as HTML.

    Parameters
    ----------
    frame : DataFrame
        Columns and values have internal names; readers see those of
        `sslmepr.report.words`. The index is not shown.
    caption : str, optional
        Above the table.
    note : str, optional
        Below it.
    """

    def __init__(
        self, frame: pd.DataFrame, caption: str | None = None, note: str | None = None
    ):
        self.frame, self.caption, self.note = frame, caption, note

    def _repr_html_(self) -> str:
        caption = ""
        if self.caption:
            caption = f"<caption>{html.escape(self.caption)}</caption>"
        columns = [str(name) for name in self.frame.columns]
        cells = [
            [text(value, name) for value in column]
            for name, (_, column) in zip(columns, self.frame.items(), strict=True)
        ]
        numeric = [
            name not in IN_COLUMN and _is_numeric(column)
            for name, column in zip(columns, cells, strict=True)
        ]
        heads = _row("th", map(pretty, columns), numeric)
        body = "".join(_row("td", row, numeric) for row in zip(*cells, strict=True))
        foot = ""
        if self.note:
            note = f'<td colspan="{len(columns)}">{html.escape(self.note)}</td>'
            foot = f"<tfoot><tr>{note}</tr></tfoot>"
        return (
            f'<table class="dataframe">{caption}<thead>{heads}</thead>'
            f"<tbody>{body}</tbody>{foot}</table>"
        )

    def __repr__(self) -> str:
        return self.frame.to_string(index=False)


def _is_numeric(column: list[str]) -> bool:
    first = [cell for cell in column if cell != MISSING][:1]
    return bool(first) and first[0].startswith((MINUS, *".0123456789<"))


def _row(tag: str, cells: Iterable[str], numeric: list[bool]) -> str:
    row = (_cell(tag, *each) for each in zip(cells, numeric, strict=True))
    return f"<tr>{''.join(row)}</tr>"


def _cell(tag: str, content: str, right: bool) -> str:
    side = "right" if right else "left"
    whole = INTERVAL.sub(r'<span class="interval">\g<0></span>', html.escape(content))
    return f'<{tag} style="text-align:{side}">{whole}</{tag}>'


def text(value, column: str = "") -> str:
    """Format a cell: a dash for a missing value, readers' words for internal names."""
    if pd.isna(value):
        return MISSING
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return p_alone(value) if P_VALUE.fullmatch(column) else number(value)
    return cell(str(value), column)


def number(value: float, digits: int = 3) -> str:
    """Format a number with a minus sign; a dash if it is not finite."""
    if not np.isfinite(value):
        return MISSING
    told = f"{abs(value):.{digits}f}"
    return (MINUS if value < 0 and float(told) != 0 else "") + told


def interval(estimate: float, low: float, high: float, digits: int = 3) -> str:
    """Format an estimate with its interval: ``0.712 [0.690, 0.733]``.

    Parameters
    ----------
    estimate, low, high : float
        Without finite bounds, the estimate stands alone.
    digits : int
        After the decimal point.
    """
    told = number(estimate, digits)
    if not (np.isfinite(low) and np.isfinite(high)):
        return told
    return f"{told} [{number(low, digits)}, {number(high, digits)}]"


def written(row: Mapping, digits: int = 3, signed: bool = False) -> str:
    """Format an estimate of a table with its interval, as `interval` does.

    Parameters
    ----------
    row : mapping
        estimate, low, high.
    digits : int
    signed : bool
        Whether a plus sign stands before what is above 0: of differences.
    """
    told = interval(row["estimate"], row["low"], row["high"], digits)
    return f"+{told}" if signed and row["estimate"] > 0 else told


def metric_table(
    table: pd.DataFrame, rows: str, digits: int = 3, caption: str | None = None
) -> Table:
    """Table of estimates with intervals, which are marked by their kind.

    Parameters
    ----------
    table : DataFrame
        metric, `rows`, estimate, low, high and, optionally, interval (its kind), in the
        order of display.
    rows : str
        Column that becomes the rows; metrics become the columns.
    digits : int
        Digits after the decimal point.
    caption : str, optional

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If a row has a metric twice.
    """
    if table.duplicated([rows, "metric"]).any():
        twice = table[table.duplicated([rows, "metric"])].iloc[0]
        raise ValueError(f"{rows} {twice[rows]!r} has {twice['metric']} twice")
    kinds = table["interval"] if "interval" in table else [None] * len(table)
    cells = [
        interval(estimate, low, high, digits) + KINDS.get(kind, ("", ""))[0]
        for (estimate, low, high), kind in zip(
            table[["estimate", "low", "high"]].to_numpy(float), kinds, strict=True
        )
    ]
    wide = table.assign(cell=cells).pivot(index=rows, columns="metric", values="cell")
    wide = wide.reindex(
        index=table[rows].unique(), columns=table["metric"].unique()
    ).rename_axis(columns=None)
    return Table(wide.reset_index(), caption, _note(set(kinds)))


def _note(kinds: set) -> str | None:
    """Legend of the kinds of interval in a table."""
    legend = [
        f"{'number alone' if kind == NONE else f'[ ]{mark}'}: {meaning}"
        for kind, (mark, meaning) in KINDS.items()
        if kind in kinds
    ]
    return "; ".join(legend) or None
