"""Predictions of one clip, weights of modalities, differences between variants."""

import pandas as pd
from matplotlib.figure import Figure

from sslmepr.evaluation.scores import LATE_FUSION
from sslmepr.labels import EMOTIONS, TRAITS
from sslmepr.report import theme
from sslmepr.report.chapter_tables import disturbances
from sslmepr.report.figures.panels import entitle, legend, panel_grid
from sslmepr.statistics.verdicts import (
    BETTER,
    EQUIVALENT,
    NO_VERDICT,
    UNDECIDED,
    WORSE,
)

DISTURBED = ("multitask", LATE_FUSION, "no_predict_projector", "as_published")
"""Models of `robustness_dots`: as many as are told apart side by side."""

SHAPES = ("o", "s", "^", "D", "P", "v")
"""Markers of models, so that colours need not tell them apart alone."""


@theme.both_modes
def prediction_bars(predicted: pd.Series, true: pd.Series) -> Figure:
    """Bars of predicted emotions and traits, with a mark at the true value.

    Parameters
    ----------
    predicted, true : Series
        Target to value in 0..1; `true` may hold NaN.
    """
    figure, grid = panel_grid(2, (3.4, 2.1), (0.0, 0.3))
    colours = [theme.emotion_colours().values(), [theme.accent()] * len(TRAITS)]
    titles = ("Emotions (probability)", "Traits (score)")
    for axes, names, colour, title in zip(
        grid.flat, (EMOTIONS, TRAITS), colours, titles, strict=True
    ):
        places = range(len(names))
        axes.barh(places, predicted[list(names)], color=list(colour), height=0.62)
        axes.scatter(
            true[list(names)],
            places,
            marker="|",
            s=150,
            color=theme.ink(),
            linewidths=2,
            label="true",
        )
        axes.set_yticks(places, [theme.pretty(name) for name in names])
        axes.set(xlim=(0, 1), title=title)
        axes.invert_yaxis()
    legend(figure, [axes.collections[0]])
    return figure


@theme.both_modes
def difference_dots(table: pd.DataFrame) -> Figure:
    """Difference of each variant to the full model, one panel per metric.

    Parameters
    ----------
    table : DataFrame
        variant, metric, difference, low, high.
    """
    metrics = list(dict.fromkeys(table["metric"]))
    variants = list(dict.fromkeys(table["variant"]))
    panel = (1.6, 0.7 + 0.25 * len(variants))
    figure, grid = panel_grid(len(metrics), panel, (1.9, 0.1), sharey=True)
    for axes, metric in zip(grid.flat, metrics, strict=False):
        here = table[table["metric"] == metric]
        places = [variants.index(name) for name in here["variant"]]
        axes.axvline(0, color=theme.faint(), lw=1)
        axes.hlines(
            places, here["low"], here["high"], color=theme.accent(), lw=2.4, alpha=0.55
        )
        axes.scatter(here["difference"], places, color=theme.accent(), s=40, zorder=3)
        entitle(axes, theme.pretty(metric), panel[0])
        axes.grid(axis="x")
        axes.locator_params(axis="x", nbins=4)
    grid[0, 0].set_yticks(
        range(len(variants)), [theme.pretty(name) for name in variants]
    )
    grid[0, 0].set_ylim(len(variants) - 0.5, -0.5)
    return figure


@theme.both_modes
def robustness_dots(table: pd.DataFrame) -> Figure:
    """`DISTURBED` less linear fusion under each disturbance, a panel for each score.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.evaluation.robustness.robustness`.
    """
    shown = table[table["model"].isin(DISTURBED)]
    words = shown[["corpus", "metric"]].to_numpy()
    return _side_by_side(
        shown.assign(
            row=disturbances(shown),
            panel=[
                f"{theme.pretty(corpus, 'corpus')}\n{theme.pretty(metric)}"
                for corpus, metric in words
            ],
        ).rename(columns={"above": "value", "above_low": "start", "above_high": "end"}),
        1.7,
    )


@theme.both_modes
def outside_dots(table: pd.DataFrame) -> Figure:
    """Associations by where they come from, a panel for each emotion.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.association.outside_criterion.outside_criterion`.
    """
    return _side_by_side(
        table.assign(
            row=table["trait"].map(theme.pretty),
            panel=table["emotion"].map(theme.pretty),
            model=table["source"],
        ).rename(columns={"r": "value", "low": "start", "high": "end"}),
        2.0,
    )


def _side_by_side(table: pd.DataFrame, width: float) -> Figure:
    """Dots with intervals around zero, of several models in each row of each panel.

    Parameters
    ----------
    table : DataFrame
        panel, row (what stands at the left), model, value, start, end.
    width : float
        Of a panel, in inches.
    """
    panels, rows, models = (
        list(dict.fromkeys(table[name])) for name in ("panel", "row", "model")
    )
    height = 0.9 + 0.12 * len(models) * len(rows)
    figure, grid = panel_grid(len(panels), (width, height), (1.5, 0.6), sharey=True)
    colours = list(theme.modality_colours().values())
    handles = {}
    for axes, panel in zip(grid.flat, panels, strict=False):
        axes.axvline(0, color=theme.faint(), lw=1)
        for number, model in enumerate(models):
            mine = table[(table["panel"] == panel) & (table["model"] == model)]
            if mine.empty:
                continue
            step = (number - (len(models) - 1) / 2) / (len(models) + 1.5)
            places = [rows.index(row) + step for row in mine["row"]]
            colour = colours[number % len(colours)]
            ends = mine["start"], mine["end"]
            axes.hlines(places, *ends, color=colour, lw=1.6, alpha=0.5)
            handles[number] = axes.scatter(
                mine["value"],
                places,
                color=colour,
                # Models with one colour differ in shape.
                marker=SHAPES[(number + number // len(colours)) % len(SHAPES)],
                s=18,
                zorder=3,
                label=theme.pretty(model),
            )
        entitle(axes, panel, width)
        axes.grid(axis="x")
        axes.locator_params(axis="x", nbins=4)
    grid[0, 0].set_yticks(range(len(rows)), rows)
    grid[0, 0].set_ylim(len(rows) - 0.5, -0.5)
    legend(figure, [handles[number] for number in sorted(handles)])
    return figure


@theme.both_modes
def component_gains(table: pd.DataFrame, margin: float) -> Figure:
    """Gain of each component with its interval, one panel per metric.

    Parameters
    ----------
    table : DataFrame
        component, added, metric, gain, low, high, verdict, in the order of display;
        those that the model does not have are marked with a plus sign.
    margin : float
        Of equivalence; its band is shaded.
    """
    metrics = list(dict.fromkeys(table["metric"]))
    components = list(dict.fromkeys(table["component"]))
    panel = (2.3, 1.0 + 0.27 * len(components))
    figure, grid = panel_grid(len(metrics), panel, (1.9, 0.1), sharey=True)
    marks = {BETTER: (">", "full"), WORSE: ("<", "full"), EQUIVALENT: ("s", "full")}
    handles = {}
    for axes, metric in zip(grid.flat, metrics, strict=False):
        here = table[table["metric"] == metric]
        axes.axvspan(-margin, margin, color=theme.faint(), alpha=0.15, lw=0)
        axes.axvline(0, color=theme.faint(), lw=1)
        for row in here.itertuples():
            place = components.index(row.component)
            shape, fill = marks.get(row.verdict, ("o", "none"))
            told = row.verdict in (BETTER, WORSE)
            colour = theme.accent() if told else theme.faint()
            axes.hlines(place, row.low, row.high, color=colour, lw=2.4, alpha=0.55)
            (handles[row.verdict],) = axes.plot(
                row.gain,
                place,
                shape,
                color=colour,
                fillstyle=fill,
                markerfacecolor=colour if fill == "full" else theme.page(),
                ls="none",
                label=row.verdict,
            )
        entitle(axes, theme.pretty(metric), panel[0])
        axes.grid(axis="x")
        axes.locator_params(axis="x", nbins=4)
    added = set(table.loc[table["added"], "component"])
    words = {name: theme.pretty(name, "component") for name in components}
    words |= {name: f"+ {words[name]}" for name in added}
    grid[0, 0].set_yticks(range(len(components)), list(words.values()))
    grid[0, 0].set_ylim(len(components) - 0.5, -0.5)
    order = (BETTER, WORSE, EQUIVALENT, UNDECIDED, NO_VERDICT)
    legend(figure, [handles[verdict] for verdict in order if verdict in handles])
    return figure


@theme.both_modes
def stacking_weights(weights: pd.DataFrame) -> Figure:
    """Bar of the weight of each modality in late fusion, with its interval.

    Parameters
    ----------
    weights : DataFrame
        Indexed by modality: weight, low, high.
    """
    panel = (3.0, 0.4 + 0.28 * len(weights))
    figure, grid = panel_grid(1, panel, (1.0, 0.3))
    axes = grid[0, 0]
    values, places = weights["weight"], range(len(weights))
    axes.barh(places, values, color=theme.accent(), height=0.62)
    axes.hlines(places, weights["low"], weights["high"], color=theme.faint(), lw=2)
    for place, (_, each) in enumerate(weights.iterrows()):
        axes.annotate(
            f"{each['weight']:.2f}",
            (max(each["high"], 0), place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_yticks(range(len(weights)), [theme.pretty(name) for name in weights.index])
    axes.set_xlabel("Weight")
    axes.axvline(0, color=theme.faint(), lw=1)
    axes.margins(x=0.15)
    axes.invert_yaxis()
    return figure
