"""The course of a search of settings."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from sslmepr.report import theme
from sslmepr.report.figures.panels import legend


@theme.both_modes
def search_history(trials: pd.DataFrame) -> Figure:
    """Dev score of every trial; pruned ones hollow, the best so far as a line.

    Parameters
    ----------
    trials : DataFrame
        From :func:`sslmepr.trials.search.search`: trial, state, dev_score; the
        first is marked by a dashed line.
    """
    figure, axes = plt.subplots(figsize=(theme.width(), 3.2))
    colour = next(iter(theme.modality_colours().values()))
    done, pruned = (trials[trials["state"] == name] for name in ("complete", "pruned"))
    axes.axhline(
        trials["dev_score"].iloc[0], color=theme.faint(), lw=1, ls="--", label="first"
    )
    axes.plot(
        done["trial"], done["dev_score"].cummax(), color=colour, lw=1.4, label="best"
    )
    axes.scatter(
        done["trial"], done["dev_score"], color=colour, s=38, zorder=3, label="complete"
    )
    axes.scatter(
        pruned["trial"],
        pruned["dev_score"],
        facecolors="none",
        edgecolors=colour,
        s=38,
        zorder=3,
        label="pruned",
    )
    axes.set(xlabel="trial", ylabel="dev score")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="y")
    legend(figure, axes.get_legend_handles_labels()[0])
    return figure
