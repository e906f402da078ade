"""A matrix with its numbers written in, which most of the figures are made of."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize, to_rgb
from matplotlib.patches import Rectangle

from sslmepr.report import theme


def draw_matrix(
    axes: Axes,
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    colours: Colormap,
    limits: tuple[float, float],
    texts: np.ndarray,
    framed: np.ndarray | None = None,
    details: np.ndarray | None = None,
) -> None:
    """Coloured cells with named rows and columns, and a number and a title in each.

    Undefined cells (NaN) are left as the page and crossed out.

    Parameters
    ----------
    values : (row, column) ndarray
    rows, columns : sequence of str
    colours : Colormap
    limits : (low, high)
        Values of the ends of `colours`.
    texts : (row, column) ndarray of str
        Written into the cells.
    framed : (row, column) ndarray of bool, optional
        Cells with a frame and bold text.
    details : (row, column) ndarray of str, optional
        Follow the text in the title of a cell, which is shown under the pointer and
        read to those who do not see the figure.
    """
    rows, columns = (
        [theme.pretty(name) for name in names] for names in (rows, columns)
    )
    scale = Normalize(*limits)
    for (row, column), value in np.ndenumerate(values):
        if np.isnan(value):
            axes.text(column, row, "–", ha="center", va="center", color=theme.faint())
            continue
        detail = "" if details is None else details[row, column]
        colour = colours(scale(value))
        strong = framed is not None and framed[row, column]
        name = f"{rows[row]}, {columns[column]}: {texts[row, column]}{detail}"
        axes.add_patch(
            Rectangle(
                (column - 0.48, row - 0.47),
                0.96,
                0.94,
                facecolor=colour,
                edgecolor=theme.ink() if strong else "none",
                linewidth=1.4,
                gid=theme.named(name.replace("\n", " ")),
            )
        )
        axes.text(
            column,
            row,
            texts[row, column],
            ha="center",
            va="center_baseline",
            color=text_colour(colour),
            fontweight="bold" if strong else "normal",
        )
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def text_colour(background) -> str:
    """Black or white, whichever reads better; the contrast is at least 4.58."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in to_rgb(background)
    ]
    luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return "#000000" if luminance > 0.179 else "#ffffff"
