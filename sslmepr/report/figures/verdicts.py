"""Verdicts on pairs of an emotion and a trait, and what could be behind them."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.association.verdicts import ABSENT, PRESENT, UNDECIDED
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.report import theme
from sslmepr.report.apa import apa_number
from sslmepr.report.figures.panels import legend

SHAPES = ("o", "s")
"""Markers of groups, so that colours need not tell them apart alone."""


@theme.both_modes
def verdict_matrix(cells: pd.DataFrame, refused: bool = False) -> Figure:
    """A mark and a number for each pair: its correlation, or the clips that it needs.

    Parameters
    ----------
    cells : DataFrame
        From `sslmepr.report.association_findings.verdict_cells`, of all pairs or of
        some.
    refused : bool
        Whether verdicts are not to be relied on: grey, and none is bold.
    """
    figure, axes, places = matrix_axes(cells, 0.48)
    unsure = "not to be relied on: " if refused else ""
    for cell in cells.itertuples():
        place = places[cell.emotion, cell.trait]
        mark, text, bold = _marked(cell, refused)
        words = f"{theme.pretty(cell.emotion)}, {theme.pretty(cell.trait)}"
        numbers = f"{text} [{apa_number(cell.low)}, {apa_number(cell.high)}]"
        if cell.verdict == UNDECIDED:
            numbers = f"{cell.clips:,.0f} clips would decide"
        axes.scatter(
            place[0],
            place[1] - 0.17,
            **mark,
            gid=theme.named(f"{words}: {unsure}{cell.verdict}, {numbers}"),
        )
        axes.text(
            place[0],
            place[1] + 0.25,
            text,
            ha="center",
            va="center",
            color=theme.ink() if bold else theme.faint(),
            fontweight="bold" if bold else "normal",
        )
    keys = {
        "present, with more of the trait": verdict_mark(PRESENT, 1, refused),
        "present, with less of it": verdict_mark(PRESENT, -1, refused),
        "absent": verdict_mark(ABSENT, 0, refused),
        "undecided: clips to decide (k: 1,000)": verdict_mark(UNDECIDED, 0),
    }
    handles = [axes.scatter([], [], label=name, **mark) for name, mark in keys.items()]
    legend(figure, handles)
    return figure


Places = dict[tuple[str, str], tuple[int, int]]


def matrix_axes(cells: pd.DataFrame, row: float) -> tuple[Figure, Axes, Places]:
    """An empty matrix with a row for each emotion and a column for each trait.

    Parameters
    ----------
    cells : DataFrame
        emotion and trait, of all pairs or of some.
    row : float
        Its height in inches.

    Returns
    -------
    figure : Figure
    axes : Axes
    places : dict
        Emotion and trait to the middle of their cell.
    """
    emotions = [name for name in SCORED_EMOTIONS if name in set(cells["emotion"])]
    traits = [name for name in TRAITS if name in set(cells["trait"])]
    turned = theme.width() / len(traits) < 1
    height = (2.2 if turned else 1.2) + row * len(emotions)
    figure, axes = plt.subplots(figsize=(theme.width(), height))
    axes.set(xlim=(-0.5, len(traits) - 0.5), ylim=(len(emotions) - 0.5, -0.5))
    names = [theme.pretty(name).replace(" ", "\n") for name in traits]
    axes.set_xticks(range(len(traits)), names)
    axes.set_yticks(range(len(emotions)), [theme.pretty(name) for name in emotions])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for line in range(1, len(emotions)):
        axes.axhline(line - 0.5, color=theme.faint(), lw=0.4)
    if turned:
        plt.setp(axes.get_xticklabels(), rotation=90)
    return (
        figure,
        axes,
        {
            (emotion, trait): (column, line)
            for line, emotion in enumerate(emotions)
            for column, trait in enumerate(traits)
        },
    )


def _marked(cell, refused: bool) -> tuple[dict, str, bool]:
    """Mark and number of a cell, and whether the number is strong."""
    if cell.verdict == PRESENT:
        sign = "+" if cell.r > 0 else ""
        mark = verdict_mark(PRESENT, cell.r, refused)
        return mark, sign + apa_number(cell.r), not refused
    if cell.verdict == ABSENT:
        return verdict_mark(ABSENT, 0, refused), apa_number(cell.r), False
    clips = f"{cell.clips:,.0f}"
    if cell.clips >= 10_000:
        clips = f"{cell.clips / 1000:,.0f}k"
    return verdict_mark(UNDECIDED, 0), clips, False


def verdict_mark(verdict: str, r: float, refused: bool = False) -> dict:
    """Style of a scatter: a full triangle, a hollow circle or a small dot."""
    if verdict == PRESENT:
        colour = theme.faint() if refused else theme.diverging()(float(r > 0))
        return {"marker": "^" if r > 0 else "v", "s": 95, "color": [colour]}
    if verdict == ABSENT:
        return {
            "marker": "o",
            "s": 60,
            "facecolors": "none",
            "edgecolors": theme.faint() if refused else theme.ink(),
        }
    return {"marker": "o", "s": 9, "color": theme.faint()}


@theme.both_modes
def interval_dots(table: pd.DataFrame, reference: float, label: str) -> Figure:
    """A row for each name: its estimate and its interval, beside a line of reference.

    Parameters
    ----------
    table : DataFrame
        name, estimate, low, high; and group, if a name has several, in the order of
        display.
    reference : float
        Where nothing would be wrong.
    label : str
        Of the axis.
    """
    table = table if "group" in table else table.assign(group="")
    names, groups = (list(dict.fromkeys(table[each])) for each in ("name", "group"))
    figure, axes = plt.subplots(figsize=(theme.width(), 0.9 + 0.26 * len(names)))
    axes.axvline(reference, color=theme.ink(), lw=1)
    colours = (theme.accent(), theme.faint())
    for number, group in enumerate(groups):
        mine = table[table["group"] == group]
        step = 0.24 * (number - (len(groups) - 1) / 2)
        places = [names.index(name) + step for name in mine["name"]]
        colour = colours[number]
        axes.hlines(places, mine["low"], mine["high"], color=colour, lw=2, alpha=0.55)
        axes.scatter(
            mine["estimate"],
            places,
            color=colour,
            marker=SHAPES[number],
            s=34,
            zorder=3,
            label=group,
        )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel(label)
    axes.grid(axis="x")
    if len(groups) > 1:
        legend(figure, axes.get_legend_handles_labels()[0])
    return figure
