"""Many simulated worlds: recovery, power and false-positive rate."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.association.planning import USUAL_POWER
from sslmepr.labels import SCORED_EMOTIONS
from sslmepr.report import theme
from sslmepr.report.figures.panels import legend, panel_grid
from sslmepr.report.figures.recovery import side_by_side

SPREAD = 0.07
"""Width over which cells with the same planted correlation are drawn side by side."""


@theme.both_modes
def expected_panels(means: pd.DataFrame) -> Figure:
    """Mean recovered against planted correlations, one panel per source.

    One point per strength and cell, with a bar of one standard deviation over worlds.

    Parameters
    ----------
    means : DataFrame
        source, emotion, planted, expected, deviation, of one number of clips and of
        clips per speaker.
    """
    sources = list(dict.fromkeys(means["source"]))
    figure, grid = panel_grid(len(sources), (3.4, 3.2), (0.0, 0.5), sharey=True)
    ends = means["expected"].abs() + means["deviation"].fillna(0)
    reach = 0.05 + max(ends.max(), means["planted"].abs().max() + SPREAD / 2)
    colours = theme.emotion_colours()
    for axes, source in zip(grid.flat, sources, strict=False):
        here = means[means["source"] == source]
        alike = here.groupby("planted")["planted"].transform("size")
        shift = side_by_side(here["planted"], SPREAD / alike)
        here = here.assign(x=here["planted"] + shift)
        axes.axhline(0, color=theme.faint(), lw=0.6)
        axes.plot([-reach, reach], [-reach, reach], color=theme.faint(), lw=1, ls="--")
        for emotion in SCORED_EMOTIONS:
            cells = here[here["emotion"] == emotion]
            x, y, half = cells["x"], cells["expected"], cells["deviation"]
            colour = colours[emotion]
            axes.vlines(x, y - half, y + half, color=colour, lw=0.9, alpha=0.5)
            axes.scatter(x, y, color=colour, s=16, zorder=3)
            axes.scatter([], [], color=colour, s=38, label=theme.pretty(emotion))
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
        axes.set(xlabel="planted correlation", title=theme.pretty(source))
    plt.setp(grid[:, 0], ylabel="mean recovered correlation")
    legend(figure, grid[0, 0].get_legend_handles_labels()[0])
    return figure


@theme.both_modes
def power_curves(summary: pd.DataFrame) -> Figure:
    """Power (significant share of planted associations) by clips and by speakers.

    Parameters
    ----------
    summary : DataFrame
        strength, clips, clips_per_speaker, estimate, low, high, of one metric and one
        source; clips and clips per speaker of the first row are held constant while the
        other is varied.
    """
    figure, grid = panel_grid(2, (3.4, 2.7), (0.0, 0.6), sharey=True)
    panels = grid.flat
    clips, each = summary[["clips", "clips_per_speaker"]].iloc[0]
    table = summary.assign(speakers=summary["clips"] // summary["clips_per_speaker"])
    by_clips = table[table["clips_per_speaker"] == each]
    _curves(panels[0], by_clips, "clips", f"Clips per speaker: {each}")
    by_speakers = table[table["clips"] == clips]
    _curves(panels[1], by_speakers, "speakers", f"Clips: {clips}")
    plt.setp(grid[:, 0], ylabel="share found")
    handles = panels[0].get_legend_handles_labels()[0]
    legend(figure, handles, title="planted |r|")
    return figure


def _curves(axes: Axes, table: pd.DataFrame, along: str, title: str) -> None:
    axes.axhline(USUAL_POWER, color=theme.faint(), lw=1, ls="--")
    looks = zip(theme.modality_colours().values(), theme.MARKERS.values(), strict=False)
    lines = table.sort_values(along).groupby("strength")
    for (strength, line), (colour, marker) in zip(lines, looks, strict=False):
        x = line[along]
        axes.vlines(x, line["low"], line["high"], color=colour, lw=2.4, alpha=0.55)
        axes.plot(
            x, line["estimate"], color=colour, marker=marker, label=f"{strength:g}"
        )
    axes.set(xlabel=along, ylim=(-0.04, 1.04), title=title)
    axes.set_xticks(sorted(table[along].unique()))
    axes.margins(x=0.1)
    axes.grid(axis="y")


@theme.both_modes
def null_dots(summary: pd.DataFrame, alpha: float) -> Figure:
    """False-positive rate: significant share of cells in worlds without association.

    Parameters
    ----------
    summary : DataFrame
        source, clips, clips_per_speaker, estimate, low, high: ``false_positive_rate``
        at strength 0. Each source has a colour and a marker.
    alpha : float
        Nominal rate, drawn as a dashed line.
    """
    speakers = summary["clips"] // summary["clips_per_speaker"]
    row = summary["clips"].astype(str) + " clips, " + speakers.astype(str) + " speakers"
    names, sources = list(dict.fromkeys(row)), list(dict.fromkeys(summary["source"]))
    figure, axes = plt.subplots(figsize=(theme.width(), 1.2 + 0.4 * len(names)))
    axes.axvline(alpha, color=theme.ink(), lw=1, ls="--", label=f"{100 * alpha:g} %")
    looks = zip(theme.modality_colours().values(), theme.MARKERS.values(), strict=False)
    for number, (source, (colour, marker)) in enumerate(
        zip(sources, looks, strict=False)
    ):
        here = summary[summary["source"] == source]
        y = row[here.index].map(names.index)
        y = y + 0.3 * (number - (len(sources) - 1) / 2)
        axes.hlines(y, here["low"], here["high"], color=colour, lw=2.4, alpha=0.55)
        axes.scatter(
            here["estimate"],
            y,
            color=colour,
            marker=marker,
            s=46,
            zorder=3,
            label=theme.pretty(source),
        )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("share of cells called significant")
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    legend(figure, axes.get_legend_handles_labels()[0])
    return figure
