"""Panels of one kind, in rows and columns."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.report import theme

LETTERS_PER_INCH = {"bold": 10.0, "normal": 14.5}
"""Of titles, which start right of a panel's labels, and of legends."""
LEGEND_MARK = 0.7
"""Of a legend's entry without its text, in inches."""


def panel_grid(
    count: int,
    panel: tuple[float, float],
    margin: tuple[float, float] = (0.0, 0.0),
    **shared,
) -> tuple[Figure, np.ndarray]:
    """A figure with `count` panels, row by row; places that are left over are hidden.

    As many stand side by side as the width of the layout in use allows.

    Parameters
    ----------
    count : int
    panel, margin : (width, height)
        Of each panel, and of what stands beside and below all of them, in inches. A
        panel that is wider than the layout is narrowed.
    **shared
        Whether panels share their axes: of ``matplotlib.pyplot.subplots``.

    Returns
    -------
    figure : Figure
    grid : (row, column) array of Axes
    """
    room = theme.width() - margin[0]
    rows = -(-count // max(1, int(room / panel[0])))
    columns = -(-count // rows)
    size = (min(panel[0] * columns, room) + margin[0], panel[1] * rows + margin[1])
    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, **shared)
    for place, axes in enumerate(grid.flat):
        # A scale at the foot of many rows is out of sight, and of a column that ends
        # earlier there is none.
        if rows > 2 or place + columns >= count:
            axes.tick_params(labelbottom=True)
        axes.set_visible(place < count)
    return figure, grid


def entitle(axes: Axes, text: str, width: float | None = None) -> None:
    """Write a title above a panel of a grid, in as many lines as it needs.

    Parameters
    ----------
    axes : Axes
    text : str
    width : float, optional
        Of the panel, in inches; by default all panels of a row share the figure.
    """
    if width is None:
        width = axes.figure.get_figwidth() / axes.get_gridspec().ncols
    letters = int(width * LETTERS_PER_INCH["bold"])
    lines = [_balanced(line, letters) for line in text.split("\n")]
    axes.set_title("\n".join(lines))


def _balanced(text: str, letters: int) -> str:
    """Text in as few lines of so many letters as it needs, of about equal length."""
    whole = textwrap.TextWrapper(letters, break_long_words=False)
    count = len(whole.wrap(text))
    while whole.width > 1:
        whole.width -= 1
        if len(whole.wrap(text)) != count:
            whole.width += 1
            break
    return whole.fill(text)


def legend(figure: Figure, handles: list, **style) -> None:
    """A legend below a figure, with as many entries side by side as fit.

    Parameters
    ----------
    figure : Figure
    handles : list
        Labelled artists; without any, there is no legend.
    **style
        Of ``Figure.legend``.
    """
    if not handles:
        return
    longest = max(len(handle.get_label()) for handle in handles)
    each = longest / LETTERS_PER_INCH["normal"] + LEGEND_MARK
    columns = max(1, int(figure.get_figwidth() / each))
    rows = -(-len(handles) // columns)
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=-(-len(handles) // rows),
        **style,
    )
