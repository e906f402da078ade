"""What studies of other sizes find."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from sslmepr.association.planning import CALL_ABSENT, FIND, FIND_MEAN
from sslmepr.report import theme
from sslmepr.report.apa import apa_number
from sslmepr.report.figures.panels import legend

LINES = {
    FIND: ("-", "r of a pair that is found"),
    FIND_MEAN: ("--", "mean over traits that is found"),
    CALL_ABSENT: (":", "limit within which 0 is called absent"),
}
"""Question to the style and the name of its line."""


@theme.both_modes
def reach_lines(reach: pd.DataFrame, effect: float) -> Figure:
    """Smallest correlation that is found or called absent, by the number of clips.

    Parameters
    ----------
    reach : DataFrame
        From `sslmepr.association.planning.reach`; the study at hand has times 1.
    effect : float
        Smallest effect, drawn as a horizontal line.
    """
    figure, axes = plt.subplots(figsize=(theme.width(), 3.4))
    for question, (style, words) in LINES.items():
        line = reach[reach["question"] == question]
        axes.plot(line["clips"], line["r"], style, color=theme.ink(), label=words)
    today = reach.loc[reach["times"] == 1, "clips"].iloc[0]
    axes.axhline(effect, color=theme.accent(), lw=1.2, label="smallest effect")
    axes.axvline(today, color=theme.faint(), lw=1, label="this study")
    axes.set(xscale="log", yscale="log", ylabel="correlation")
    axes.set(xlabel="clips of all corpora together")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    ticks = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
    low, high = reach["r"].min(), reach["r"].max()
    axes.set_yticks([each for each in ticks if low / 2 < each < 2 * high])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: apa_number(y)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    axes.grid(which="major")
    legend(figure, axes.get_legend_handles_labels()[0])
    return figure
