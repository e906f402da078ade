"""A matrix with its numbers written in, which most of the figures are made of."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize, to_rgb
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from sslmepr.report import theme


def draw_matrix(
    axes: Axes,
    values: np.ndarray,
    rows: list[str],
    columns: list[str],
    colours: Colormap,
    limits: tuple[float, float],
) -> AxesImage:
    """An image of `values` (row, column) with named rows and columns, and thin gaps.

    Undefined cells (NaN) are left as the page and crossed out.
    """
    image = axes.imshow(
        np.ma.masked_invalid(values),
        cmap=colours,
        vmin=limits[0],
        vmax=limits[1],
        aspect="auto",
    )
    axes.set_xticks(range(len(columns)), [theme.pretty(name) for name in columns])
    axes.set_yticks(range(len(rows)), [theme.pretty(name) for name in rows])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for edge in np.arange(len(columns) + 1) - 0.5:
        axes.axvline(edge, color=theme.page(), linewidth=2)
    for edge in np.arange(len(rows) + 1) - 0.5:
        axes.axhline(edge, color=theme.page(), linewidth=2)
    for row, column in np.argwhere(np.isnan(values)):
        axes.text(
            column, row, "–", ha="center", va="center", color=theme.faint(), fontsize=9
        )
    return image


def text_colour(value: float, colours: Colormap, limits: tuple[float, float]) -> str:
    """Black or white, whichever reads better on the colour of `value`."""
    red, green, blue = to_rgb(colours(Normalize(*limits)(value)))
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (red, green, blue)
    ]
    luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return "#10141a" if luminance > 0.18 else "#ffffff"


def write_values(
    axes: Axes,
    values: np.ndarray,
    texts: np.ndarray,
    colours: Colormap,
    limits: tuple[float, float],
    **style,
) -> None:
    """Write `texts` (row, column) into the defined cells of a drawn matrix."""
    for row, column in np.argwhere(np.isfinite(values)):
        axes.text(
            column,
            row,
            texts[row, column],
            ha="center",
            va="center",
            color=text_colour(values[row, column], colours, limits),
            **style,
        )


def frame_cells(axes: Axes, framed: np.ndarray) -> None:
    """Draw a frame just inside the cells (row, column) that are True."""
    for row, column in np.argwhere(framed):
        axes.add_patch(
            Rectangle(
                (column - 0.46, row - 0.44),
                0.92,
                0.88,
                fill=False,
                edgecolor=theme.ink(),
                linewidth=1.4,
            )
        )
