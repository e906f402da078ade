"""Curves of trials: scores by offset or by planted strength, gains by dose."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sslmepr.labels import MODALITIES
from sslmepr.report import theme
from sslmepr.report.figures.panels import entitle, legend, panel_grid
from sslmepr.report.observer_losses import ENOUGH

TICKS_APART = 0.15
"""Share of a panel's width that labels of ticks keep from each other."""

_SHAPES = [theme.MARKERS[name] for name in MODALITIES]


@theme.both_modes
def trial_lines(
    table: pd.DataFrame,
    across: str,
    by: str,
    marks: Mapping[str, float | Sequence[float]] | None = None,
    by_ratio: bool = False,
) -> Figure:
    """One panel per metric, one line for each value of a column.

    Parameters
    ----------
    table : DataFrame
        metric, `across`, `by`, estimate, low, high.
    across : str
        Column of the horizontal axis.
    by : str
        Column whose values get a line each, with a colour and marker of its own.
    marks : mapping of str to float or sequence of float, optional
        Metric to one or more values that are marked by dotted lines.
    by_ratio : bool
        Whether the horizontal axis is logarithmic.
    """
    metrics, names = (list(dict.fromkeys(table[key])) for key in ("metric", by))
    figure, grid = panel_grid(len(metrics), (2.3, 2.4), (0.0, 0.5))
    colours = [*theme.modality_colours().values()]
    ends = np.array([table[across].min(), table[across].max()])
    forth, back = (np.log, np.exp) if by_ratio else (np.asarray, np.asarray)
    step = np.ptp(forth(ends)) / 60
    for axes, metric in zip(grid.flat, metrics, strict=False):
        if marks and metric in marks:
            for mark in np.atleast_1d(marks[metric]):
                axes.axhline(mark, color=theme.faint(), ls=":", lw=1.4)
        for place, name in enumerate(names):
            here = table[(table["metric"] == metric) & (table[by] == name)]
            here = here.sort_values(across)
            # Side by side, or intervals of equal values would hide each other.
            where = back(forth(here[across]) + step * (place - (len(names) - 1) / 2))
            colour = colours[place % len(colours)]
            # Of two lines of one colour, each has a marker of its own.
            shape = _SHAPES[(place + place // len(_SHAPES)) % len(_SHAPES)]
            axes.vlines(
                where, here["low"], here["high"], color=colour, alpha=0.55, lw=2
            )
            axes.plot(
                where,
                here["estimate"],
                marker=shape,
                color=colour,
                lw=1.4,
                label=theme.pretty(str(name)),
            )
        axes.set(title=theme.pretty(metric), xlabel=theme.pretty(across))
        places = sorted(table[across].unique())
        if by_ratio:
            axes.set_xscale("log")
            axes.minorticks_off()
        axes.set_xticks(places, _apart(places, forth(np.asarray(places, float))))
        axes.grid(axis="y")
    legend(figure, grid[0, 0].get_legend_handles_labels()[0])
    return figure


def _apart(places: Sequence[float], where: np.ndarray) -> list[str]:
    """Labels of ticks; empty for those too near the last one that has one."""
    labels, last = [], -np.inf
    for place, here in zip(places, where, strict=True):
        near = here - last < TICKS_APART * np.ptp(where)
        labels.append("" if near else f"{place:,g}")
        last = last if near else here
    return labels


@theme.both_modes
def dose_dots(table: pd.DataFrame, margin: float) -> Figure:
    """Gain of each component at each dose of its knob, beside what there is to gain.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.report.dose_responses.judged`.
    margin : float
        Of equivalence; its band is shaded. The dotted line, where what there is to
        gain is known, is where that begins to be something.
    """
    title = table["component"].map(theme.pretty) + ", " + table["knob"]
    metrics, rows = (list(dict.fromkeys(each)) for each in (table["metric"], title))
    doses = sorted(table["dose"].unique())
    panel = (2.2, 0.9 + 0.44 * len(rows))
    figure, grid = panel_grid(len(metrics), panel, (2.2, 0.1), sharey=True)
    handles = {}
    for axes, metric in zip(grid.flat, metrics, strict=False):
        axes.axvspan(-margin, margin, color=theme.faint(), alpha=0.15, lw=0)
        axes.axvline(0, color=theme.faint(), lw=1)
        if table["there"].notna().any():
            axes.axvline(ENOUGH, color=theme.faint(), lw=1, ls=":")
        for row in table[table["metric"] == metric].itertuples():
            name = title[row.Index]
            mine = sorted(table.loc[title == name, "dose"].unique())
            shift = 0.26 * (mine.index(row.dose) - (len(mine) - 1) / 2)
            place = rows.index(name) + shift
            colour = theme.accent() if row.dose else theme.faint()
            axes.hlines(place, row.low, row.high, color=colour, lw=2, alpha=0.55)
            fill = "none" if not row.dose else "full" if row.dose >= 1 else "left"
            (dot,) = axes.plot(
                row.estimate,
                place,
                "o",
                color=colour,
                ms=5.5,
                fillstyle=fill,
                ls="none",
                label=f"gain at dose {row.dose:g}",
            )
            dot.set_gid(theme.named(f"{name} {row.dose:g}: {row.estimate:.3f}"))
            handles[row.dose] = dot
            if row.dose and not np.isnan(row.there):
                handles["there"] = axes.scatter(
                    row.there,
                    place,
                    marker="D",
                    s=26,
                    facecolors="none",
                    edgecolors=theme.ink(),
                    label="what there is to gain",
                )
        entitle(axes, theme.pretty(metric), panel[0])
        axes.grid(axis="x")
        axes.locator_params(axis="x", nbins=4)
    labels = [textwrap.fill(name, 27) for name in rows]
    grid[0, 0].set_yticks(range(len(rows)), labels)
    grid[0, 0].set_ylim(len(rows) - 0.4, -0.6)
    legend(figure, [handles[key] for key in (*doses, "there") if key in handles])
    return figure
