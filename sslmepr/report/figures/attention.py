"""Attributions of outputs, and weights of attention, beside what is known of both."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sslmepr.labels import MODALITIES
from sslmepr.report import theme
from sslmepr.report.figures.panels import entitle, legend, panel_grid


def _modalities(table: pd.DataFrame) -> list[str]:
    return [name for name in MODALITIES if name in set(table["modality"])]


@theme.both_modes
def evidence_dots(table: pd.DataFrame) -> Figure:
    """Share of each output that a modality decides, beside the share that it could.

    Parameters
    ----------
    table : DataFrame
        target, modality, used and there with ``_low`` and ``_high``, as from
        :func:`sslmepr.explanation.evidence.evidence_used`; there may be NaN.
    """
    targets = list(dict.fromkeys(table["target"]))
    names = _modalities(table)
    panel = (1.0, 0.5 + 0.24 * len(targets))
    figure, grid = panel_grid(len(names), panel, (1.45, 0.75), sharex=True, sharey=True)
    places = np.arange(len(targets))
    for axes, name in zip(grid.flat, names, strict=False):
        mine = table[table["modality"] == name].set_index("target").loc[targets]
        colour = theme.modality_colours()[name]
        axes.hlines(
            places,
            100 * mine["used_low"],
            100 * mine["used_high"],
            color=colour,
            lw=2.4,
        )
        axes.scatter(100 * mine["used"], places, color=colour, s=34, zorder=3)
        axes.scatter(
            100 * mine["there"],
            places,
            marker="D",
            s=30,
            facecolors="none",
            edgecolors=theme.ink(),
            zorder=4,
        )
        entitle(axes, theme.pretty(name))
        axes.grid(axis="x")
        axes.set_xlim(0, 108 * np.nanmax(table[["used_high", "used", "there"]]))
        axes.locator_params(axis="x", nbins=3)
    for axes in grid.flat[: len(names)][-grid.shape[1] :]:
        axes.set_xlabel("Share, %")
    labels = ["Mean" if name == "all" else theme.pretty(name) for name in targets]
    grid[0, 0].set_yticks(places, labels)
    grid[0, 0].set_ylim(len(targets) - 0.5, -0.5)
    style = {"ls": "none", "markersize": 6}
    used = Line2D([], [], marker="o", color=theme.ink(), label="the model", **style)
    there = Line2D(
        *([], []), marker="D", mfc="none", color=theme.ink(), label="to be had", **style
    )
    known = table["there"].notna().any()
    legend(figure, [used, there] if known else [used])
    return figure


@theme.both_modes
def waterfall(
    contributions: pd.Series,
    baseline: float,
    output: float,
    evidence: pd.Series | None = None,
    unit: str = "",
    usual: str = "Average clip",
) -> Figure:
    """From the average clip to this one, a bar per modality.

    Parameters
    ----------
    contributions : Series
        Modality to its attribution; their sum and `baseline` are the output, but for
        the error of the path integral.
    baseline, output : float
        Of the average clip and of this one.
    evidence : Series, optional
        Modality to the ideal observer's value, a diamond as far from the start of its
        bar, with a line to the bar's end.
    unit : str
        Label of the axis.
    usual : str
        What the baseline is, if not the average clip.
    """
    names = [name for name in MODALITIES if name in contributions.index]
    steps = contributions[names].to_numpy()
    starts = baseline + np.cumsum(steps) - steps
    places = np.arange(len(names)) + 1
    figure, axes = plt.subplots(
        figsize=(min(5.2, theme.width()), 0.8 + 0.3 * (len(names) + 2))
    )
    ends = theme.diverging()(0.12), theme.diverging()(0.88)
    colours = [ends[int(step > 0)] for step in steps]
    axes.barh(places, steps, left=starts, color=colours, height=0.6)
    last = len(names) + 1
    axes.scatter([baseline, output], [0, last], color=theme.ink(), s=44, zorder=3)
    levels = np.append(starts, starts[-1] + steps[-1] if len(steps) else baseline)
    for place, level in enumerate(levels):
        axes.plot([level] * 2, [place, place + 1], color=theme.faint(), lw=1, zorder=0)
    if evidence is not None:
        known = starts + evidence.reindex(names).to_numpy()
        for place, end, there in zip(places, starts + steps, known, strict=True):
            axes.plot([end, there], [place] * 2, color=theme.ink(), lw=1, ls=":")
        axes.scatter(
            known,
            places,
            marker="D",
            s=34,
            facecolors=theme.page(),
            edgecolors=theme.ink(),
            zorder=4,
            label="end of the bar for an ideal observer",
        )
        legend(figure, [axes.collections[-1]])
    labels = [usual, *map(theme.pretty, names), "This clip"]
    axes.set_yticks(range(last + 1), labels)
    axes.set(ylim=(last + 0.6, -0.6), xlabel=unit)
    axes.use_sticky_edges = False
    axes.margins(x=0.06)
    axes.grid(axis="x")
    return figure


@theme.both_modes
def region_overlay(crops: Mapping[str, np.ndarray], regions: pd.DataFrame) -> Figure:
    """Crops with what hiding each region takes from an output, as numbers and frames.

    Parameters
    ----------
    crops : mapping of str to (height, width, channel) uint8 ndarray
        By modality.
    regions : DataFrame
        modality, row, column, attribution.
    """
    names = [name for name in MODALITIES if name in crops]
    figure, grid = panel_grid(len(names), (2.1, 2.4))
    peak = max(regions["attribution"].abs().max(), 1e-12)
    for axes, name in zip(grid.flat, names, strict=False):
        mine = regions[regions["modality"] == name]
        values = mine.pivot(index="row", columns="column", values="attribution")
        values = values.to_numpy()
        side = len(values)
        axes.imshow(crops[name], extent=(0, side, side, 0), interpolation="bilinear")
        mesh = theme.diverging()(0.5 + values / (2 * peak))
        # The page shows through where nothing is attributed.
        mesh[..., 3] = 0.6 * np.abs(values) / peak
        axes.imshow(mesh, extent=(0, side, side, 0), interpolation="nearest")
        for place in range(1, side):
            axes.axhline(place, color="white", lw=0.8)
            axes.axvline(place, color="white", lw=0.8)
        for (row, column), value in np.ndenumerate(values):
            axes.text(
                column + 0.5,
                row + 0.83,
                f"{value:+.2f}".replace("-", "\N{MINUS SIGN}"),
                ha="center",
                va="center",
                fontsize=9,
                color=theme.ink(),
                bbox={"facecolor": theme.page(), "edgecolor": "none", "pad": 1},
            )
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        entitle(axes, theme.pretty(name))
    return figure


@theme.both_modes
def in_time(steps: pd.DataFrame) -> Figure:
    """What each step of the modalities that have a time contributes to an output.

    Parameters
    ----------
    steps : DataFrame
        modality, step, attribution, of one clip and output. Text has no time.
    """
    steps = steps[steps["modality"] != "text"]
    names = _modalities(steps)
    figure, grid = panel_grid(len(names), (1.7, 1.5), (0.0, 0.3), sharey=True)
    for axes, name in zip(grid.flat, names, strict=False):
        mine = steps[steps["modality"] == name].sort_values("step")
        count = len(mine)
        axes.bar(
            (np.arange(count) + 0.5) / count * 100,
            mine["attribution"],
            width=86 / count,
            color=theme.modality_colours()[name],
        )
        axes.axhline(0, color=theme.faint(), lw=1)
        axes.set(xlim=(0, 100))
        axes.locator_params(nbins=3)
        entitle(axes, theme.pretty(name))
    figure.supxlabel("Time in the clip, %", fontsize=10)
    return figure


@theme.both_modes
def deletion_lines(table: pd.DataFrame) -> Figure:
    """Output of the clips while more and more of their steps become average.

    Parameters
    ----------
    table : DataFrame
        order, share, output with ``_low`` and ``_high``, as means over clips.
    """
    figure, axes = plt.subplots(figsize=(min(4.6, theme.width()), 2.7))
    colours = [theme.accent(), theme.faint()]
    for (order, mine), colour in zip(
        table.groupby("order", sort=False), colours, strict=True
    ):
        share = 100 * mine["share"]
        axes.plot(share, mine["output"], color=colour, marker="o", ms=4, label=order)
        axes.fill_between(
            share,
            mine["output_low"],
            mine["output_high"],
            color=colour,
            alpha=0.2,
            lw=0,
        )
    axes.set(xlabel="Steps deleted, %", ylabel="Logit above average clip")
    axes.axhline(0, color=theme.faint(), lw=1)
    axes.grid()
    legend(figure, axes.get_lines()[:2])
    return figure


@theme.both_modes
def weights_of_modalities(weights: pd.DataFrame) -> Figure:
    """Weights of attention against those of an ideal observer, a point per clip.

    Parameters
    ----------
    weights : DataFrame
        kind, modality, weight and observer (multiples of the uniform weight), as from
        :func:`sslmepr.explanation.attention.with_observer`. Without an observer, the
        weights of each modality stand beside each other.
    """
    kinds = list(dict.fromkeys(weights["kind"]))
    names = _modalities(weights)
    known = weights["observer"].notna().any()
    figure, grid = panel_grid(len(kinds), (2.2, 2.3), (0.0, 0.7))
    for axes, kind in zip(grid.flat, kinds, strict=False):
        for place, name in enumerate(names):
            mine = weights[(weights["kind"] == kind) & (weights["modality"] == name)]
            x = mine["observer"] if known else np.full(len(mine), place)
            axes.scatter(
                x,
                mine["weight"],
                s=9,
                alpha=0.5,
                color=theme.modality_colours()[name],
                marker=theme.MARKERS[name],
                rasterized=True,
            )
        axes.axhline(1, color=theme.faint(), lw=1)
        top = max(2.0, 1.05 * weights.loc[weights["kind"] == kind, "weight"].max())
        axes.set_ylim(0, top)
        if known:
            axes.set_xlim(left=0)
            axes.set_xlabel("Observer, × uniform")
            axes.axline((1, 1), slope=1, color=theme.faint(), lw=1, ls=":")
        else:
            axes.set_xticks([])
        entitle(axes, theme.pretty(kind))
    figure.supylabel("Weight, × uniform", fontsize=10)
    legend(figure, _modality_handles(names))
    return figure


@theme.both_modes
def weights_seen(table: pd.DataFrame) -> Figure:
    """Weight of each modality by how noisily it shows in the clip, a panel per kind.

    Parameters
    ----------
    table : DataFrame
        kind, modality, noise, weight with ``_low`` and ``_high``, as from
        :func:`sslmepr.explanation.attention.weights_by_noise`.
    """
    kinds, names = list(dict.fromkeys(table["kind"])), _modalities(table)
    figure, grid = panel_grid(len(kinds), (2.2, 2.2), (0.0, 0.7), sharey=True)
    places = sorted(table["noise"].unique())
    step = 0.02 * max(1.0, places[-1] - places[0])
    for axes, kind in zip(grid.flat, kinds, strict=False):
        axes.axhline(1, color=theme.faint(), lw=1, ls=":")
        for number, name in enumerate(names):
            mine = table[(table["kind"] == kind) & (table["modality"] == name)]
            colour = theme.modality_colours()[name]
            where = mine["noise"] + step * (number - (len(names) - 1) / 2)
            ends = mine["weight_low"], mine["weight_high"]
            axes.vlines(where, *ends, color=colour, lw=2, alpha=0.55)
            axes.plot(
                where,
                mine["weight"],
                color=colour,
                lw=1.4,
                marker=theme.MARKERS[name],
                ms=5,
            )
        axes.set_xticks(places, [f"{place:.1f}" for place in places])
        axes.tick_params(labelbottom=True)
        axes.set_ylim(0, 1.05 * table["weight_high"].max())
        axes.set_xlabel("Noise, × usual")
        axes.grid(axis="y")
        entitle(axes, theme.pretty(kind))
    figure.supylabel("Weight, × uniform", fontsize=10)
    legend(figure, _modality_handles(names))
    return figure


def _modality_handles(names: list[str]) -> list[Line2D]:
    """Of a legend, a marker for each modality."""
    return [
        Line2D(
            *([], []),
            marker=theme.MARKERS[name],
            color=theme.modality_colours()[name],
            label=theme.pretty(name),
            ls="none",
            markersize=6,
        )
        for name in names
    ]
