"""The pipeline's stages, and what each reads."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from sslmepr.report import theme


def pipeline_graph(edges: pd.DataFrame) -> Figure:
    """Stages as boxes in the order of the flow, with an arrow for what each reads.

    Parameters
    ----------
    edges : DataFrame
        source, stage; a cycle is an error.
    """
    column = _depths(edges)
    members: dict[int, list[str]] = {}
    for name, depth in column.items():
        members.setdefault(depth, []).append(name)
    place = {
        name: (1.75 * depth, (row - (len(names) - 1) / 2) * -0.75)
        for depth, names in members.items()
        for row, name in enumerate(names)
    }
    width = 1.75 * (max(members) + 1)
    height = 0.75 * max(map(len, members.values())) + 0.6
    figure, axes = plt.subplots(figsize=(min(width, 13), height))
    for source, stage in edges[["source", "stage"]].itertuples(index=False):
        if column[stage] - column[source] == 1 or not _indirect(edges, source, stage):
            axes.annotate(
                "",
                xy=(place[stage][0] - 0.62, place[stage][1]),
                xytext=(place[source][0] + 0.62, place[source][1]),
                arrowprops={"arrowstyle": "-|>", "color": theme.faint(), "lw": 1},
            )
    for name, (x, y) in place.items():
        axes.text(
            x,
            y,
            name,
            ha="center",
            va="center",
            fontsize=9,
            bbox={
                "boxstyle": "round,pad=0.4",
                "facecolor": theme.page(),
                "edgecolor": theme.accent(),
            },
        )
    xs, ys = zip(*place.values(), strict=True)
    axes.set_xlim(min(xs) - 0.9, max(xs) + 0.9)
    axes.set_ylim(min(ys) - 0.5, max(ys) + 0.5)
    axes.axis("off")
    return figure


def _depths(edges: pd.DataFrame) -> dict[str, int]:
    """Longest way from a source to each stage."""
    names = list(dict.fromkeys([*edges["source"], *edges["stage"]]))
    depth = dict.fromkeys(names, 0)
    for _ in names:
        before = dict(depth)
        for source, stage in edges[["source", "stage"]].itertuples(index=False):
            depth[stage] = max(depth[stage], depth[source] + 1)
        if depth == before:
            return depth
    raise ValueError("the stages depend on each other in a circle")


def _indirect(edges: pd.DataFrame, source: str, stage: str) -> bool:
    """Whether `stage` also reads from `source` through a stage between them."""
    after = edges.groupby("source")["stage"].apply(set).to_dict()
    waiting, seen = set(after.get(source, ())) - {stage}, set()
    while waiting:
        name = waiting.pop()
        if name == stage:
            return True
        seen.add(name)
        waiting |= after.get(name, set()) - seen
    return False
