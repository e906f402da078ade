"""Panels of one kind, in rows and columns."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure


def panel_grid(
    count: int,
    columns: int,
    panel: tuple[float, float],
    margin: tuple[float, float] = (0.0, 0.0),
    **shared,
) -> tuple[Figure, np.ndarray]:
    """A figure with `count` panels, row by row; places that are left over are hidden.

    Parameters
    ----------
    count : int
    columns : int
        Panels side by side, at most.
    panel, margin : (width, height)
        Of each panel, and of what stands beside and below all of them, in inches.
    **shared
        Whether panels share their axes: of ``matplotlib.pyplot.subplots``.

    Returns
    -------
    figure : Figure
    grid : (row, column) array of Axes
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    size = (panel[0] * columns + margin[0], panel[1] * rows + margin[1])
    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, **shared)
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    return figure, grid
