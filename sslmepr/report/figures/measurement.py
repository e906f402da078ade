"""Multitrait-multimethod matrix, heterotrait-monotrait ratios, specification curve."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sslmepr.association.disjoint_modalities import CORRELATED
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.report import theme
from sslmepr.report.apa import apa_number
from sslmepr.report.figures.matrices import draw_matrix
from sslmepr.report.figures.panels import panel_grid


@theme.both_modes
def multitrait_heatmap(
    matrix: np.ndarray, modalities: Sequence[str], limit: float = 0.8
) -> Figure:
    """Correlations of all constructs from all modalities, in blocks by construct.

    Blocks on the diagonal are of one construct, and are framed; the correlation of a
    score with itself is left out.

    Parameters
    ----------
    matrix : (modality, construct, modality, construct) ndarray
        From :class:`sslmepr.association.multitrait.Multitrait`, of the sample.
    modalities : sequence of str
        Their order within a block.
    limit : float
        Absolute correlation at which the colour is strongest.
    """
    count, size = len(modalities), len(CORRELATED)
    blocks = matrix.transpose(1, 0, 3, 2).reshape(size * count, size * count)
    blocks = np.where(np.eye(len(blocks), dtype=bool), np.nan, blocks)
    width = theme.width()
    figure, axes = plt.subplots(figsize=(width, 0.9 * width + 0.6))
    shown = axes.imshow(
        blocks,
        cmap=theme.diverging(),
        vmin=-limit,
        vmax=limit,
        interpolation="none",
    )
    apart = ~np.eye(count, dtype=bool)
    for row in range(size):
        for column in range(size):
            _block(axes, matrix[:, row, :, column][apart], row, column, count)
    middles = count * np.arange(size) + (count - 1) / 2
    names = [theme.pretty(name) for name in CORRELATED]
    axes.set_xticks(middles, names, rotation=90)
    axes.set_yticks(middles, names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(shown, ax=axes, location="bottom", shrink=0.6, aspect=30)
    bar.set_label("correlation")
    bar.outline.set_visible(False)
    bar.solids.set_rasterized(True)
    return figure


def _block(axes: Axes, values: np.ndarray, row: int, column: int, count: int) -> None:
    """Frame of a block, with its mean over different modalities as its title."""
    known = values[np.isfinite(values)]
    mean = apa_number(known.mean()) if len(known) else "not defined"
    own = row == column
    pair = theme.pretty(CORRELATED[row])
    pair += "" if own else f", {theme.pretty(CORRELATED[column])}"
    axes.add_patch(
        Rectangle(
            (count * column - 0.5, count * row - 0.5),
            count,
            count,
            facecolor=(0, 0, 0, 0),
            edgecolor=theme.ink() if own else theme.page(),
            linewidth=1.4 if own else 0.5,
            zorder=3 if own else 2,
            gid=theme.named(f"{pair}: {mean} between modalities"),
        )
    )


@theme.both_modes
def ratio_matrix(table: pd.DataFrame) -> Figure:
    """Heterotrait-monotrait ratio of every emotion with every trait.

    Pairs that are not surely distinct are framed.

    Parameters
    ----------
    table : DataFrame
        construct, other, htmt, low, high, distinct; from
        :func:`sslmepr.association.multitrait.htmt_table`.
    """
    cells = table.set_index(["construct", "other"])
    columns = ["htmt", "low", "high", "distinct"]
    wide = {
        name: cells[name]
        .unstack("other")
        .reindex(SCORED_EMOTIONS)[[*TRAITS]]
        .to_numpy()
        for name in columns
    }
    values = wide["htmt"].astype(float)
    unsure = ~wide["distinct"].astype(bool)
    write = np.vectorize(apa_number, otypes=[object])
    low, high = (write(wide[name].astype(float)) for name in ("low", "high"))
    details = " [" + low + ", " + high + "]" + np.where(unsure, ", not distinct", "")
    figure, grid = panel_grid(1, (3.9, 3.1), (0.6, 0.2))
    draw_matrix(
        grid[0, 0],
        values,
        SCORED_EMOTIONS,
        [trait.replace("_", "\n") for trait in TRAITS],
        theme.diverging(),
        (-1, 1),
        write(values),
        unsure,
        details,
    )
    labels = grid[0, 0].get_xticklabels()
    plt.setp(labels, rotation=35, ha="right", rotation_mode="anchor")
    return figure


@theme.both_modes
def specification_curve(table: pd.DataFrame, choices: Sequence[str]) -> Figure:
    """Sorted estimates of one headline, and below each the choices that led to it.

    Parameters
    ----------
    table : DataFrame
        Of one emotion: the columns of `choices`, estimate, low, high, significant;
        from :class:`sslmepr.association.specifications.Curve`. Rows without an estimate
        are left out. The first row is marked with a diamond.
    choices : sequence of str
        Columns that name a specification, from top to bottom.
    """
    table = table.assign(first=np.arange(len(table)) == 0).dropna(subset=["estimate"])
    table = table.sort_values("estimate", kind="stable").reset_index(drop=True)
    levels = [(c, v) for c in choices for v in dict.fromkeys(_in_order(table, c))]
    height = 2.0 + 0.19 * (len(levels) + len(choices))
    figure, (above, below) = plt.subplots(
        2,
        1,
        figsize=(theme.width(), height),
        sharex=True,
        height_ratios=(1.9, height - 2.0),
    )
    sure = table["significant"].astype(bool)
    for part, colour in ((table[sure], theme.accent()), (table[~sure], theme.faint())):
        _strokes(above, part.index, part["low"], part["high"], color=colour, alpha=0.5)
        above.scatter(part.index, part["estimate"], color=colour, s=9, zorder=3)
    chapter = table[table["first"]]
    above.scatter(
        chapter.index,
        chapter["estimate"],
        marker="D",
        s=34,
        facecolors=theme.page(),
        edgecolors=theme.ink(),
        zorder=4,
    )
    above.axhline(0, color=theme.faint(), lw=0.8)
    above.set_ylabel("mean correlation")
    above.tick_params(axis="x", length=0)
    places = _rows(below, table, levels)
    below.set_yticks(
        list(places.values()), [theme.pretty(value) for _, value in places], va="center"
    )
    below.set(xticks=[], ylim=(max(places.values()) + 0.8, -1.8))
    below.spines[:].set_visible(False)
    below.tick_params(length=0)
    return figure


def _in_order(table: pd.DataFrame, choice: str) -> list[str]:
    """Levels of a choice, from that of the lowest estimates to that of the highest."""
    means = table.groupby(choice, sort=False)["estimate"].mean()
    return list(means.sort_values(kind="stable").index)


def _rows(axes: Axes, table: pd.DataFrame, levels) -> dict[tuple[str, str], float]:
    """Draw a row of dots for every level; its place."""
    places, place, choice = {}, -1.0, None
    for each in levels:
        if each[0] != choice:
            choice, place = each[0], place + 1 if choice else place
            axes.text(
                0,
                place,
                theme.pretty(choice),
                transform=axes.get_yaxis_transform(),
                fontweight="bold",
                va="center",
            )
            place += 1
        places[each] = place
        chosen = table.index[table[each[0]] == each[1]]
        _strokes(axes, chosen, place - 0.3, place + 0.3, color=theme.ink())
        place += 1
    return places


def _strokes(axes: Axes, across, low, high, **style) -> None:
    """Upright strokes as one path, which keeps pages with hundreds of them small."""
    across = np.asarray(across, float)
    ends = [np.broadcast_to(each, across.shape) for each in (low, high, np.nan)]
    axes.plot(np.repeat(across, 3), np.stack(ends, 1).ravel(), lw=1, **style)
