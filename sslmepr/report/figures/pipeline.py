"""The pipeline's stages, and what each reads."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from sslmepr.report import theme

BOX = (1.1, 0.7)
"""Width and height of a stage with what surrounds it, in inches."""

MANY = 5
"""Of a stage that reads from more stages than this, no arrows are drawn: they would run
through all others."""


@theme.both_modes
def pipeline_graph(edges: pd.DataFrame) -> Figure:
    """Stages as boxes, downwards in the order of the flow; arrows for what each reads.

    Stages that read from more than `MANY` others have a dashed frame and no arrows.

    Parameters
    ----------
    edges : DataFrame
        source, stage; a cycle is an error.
    """
    depth = _depths(edges)
    members: dict[int, list[str]] = {}
    for name, level in depth.items():
        members.setdefault(level, []).append(name)
    across = int(theme.width() / BOX[0])
    rows = [
        names[start : start + across]
        for _, names in sorted(members.items())
        for start in range(0, len(names), across)
    ]
    place = {
        name: (column - (len(names) - 1) / 2, -row)
        for row, names in enumerate(rows)
        for column, name in enumerate(names)
    }
    figure, axes = plt.subplots(figsize=(BOX[0] * across, BOX[1] * len(rows)))
    pairs = edges[["source", "stage"]].itertuples(index=False, name=None)
    direct = pd.DataFrame(
        [
            (source, stage)
            for source, stage in pairs
            if depth[stage] - depth[source] == 1 or not _indirect(edges, source, stage)
        ],
        columns=["source", "stage"],
    )
    counts = direct["stage"].value_counts()
    collecting = set(counts.index[counts > MANY])
    for source, stage in direct.itertuples(index=False):
        if stage not in collecting:
            axes.annotate(
                "",
                xy=(place[stage][0], place[stage][1] + 0.24),
                xytext=place[source],
                arrowprops={
                    "arrowstyle": "-|>",
                    "color": theme.faint(),
                    "lw": 1,
                    "shrinkA": 0,
                    "shrinkB": 0,
                },
                zorder=1,
            )
    for name, (x, y) in place.items():
        axes.text(
            x,
            y,
            name.replace("_", "\n"),
            ha="center",
            va="center",
            bbox={
                "boxstyle": "round,pad=0.4",
                "facecolor": theme.page(),
                "edgecolor": theme.accent(),
                "linestyle": "--" if name in collecting else "-",
            },
        )
    axes.set(xlim=(-across / 2, across / 2), ylim=(0.5 - len(rows), 0.5))
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
