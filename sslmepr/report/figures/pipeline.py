"""The pipeline's stages, and what each reads."""

import matplotlib.pyplot as plt
import networkx as nx
import pandas as pd
from grandalf.graphs import Edge, Graph, Vertex
from grandalf.layouts import SugiyamaLayout, VertexViewer
from grandalf.routing import EdgeViewer
from matplotlib.figure import Figure

from sslmepr.report import theme

BOX, GAP = (1.0, 0.5), (0.25, 0.35)
"""Width and height of a stage, and the space between stages, in inches."""

UPRIGHT, CLOSE = (0.4, 0.85), (0.08, 0.2)
"""The same on narrow pages, where names are read upwards."""

MANY = 5
"""Of a stage that reads from more stages than this, no arrows are drawn: they would run
through all others."""

ROUNDS = 5
"""In which crossings of arrows are undone."""

Place = tuple[float, float]


@theme.both_modes
def pipeline_graph(edges: pd.DataFrame) -> Figure:
    """Stages as boxes, downwards in the order of the flow; arrows for what each reads.

    Stages that read from more than `MANY` others have a dashed frame and no arrows.
    What a stage also reads through another one has no arrow of its own.

    Parameters
    ----------
    edges : DataFrame
        source, stage.

    Raises
    ------
    ValueError
        If stages depend on each other in a circle.
    """
    graph = nx.from_pandas_edgelist(edges, "source", "stage", create_using=nx.DiGraph)
    if not nx.is_directed_acyclic_graph(graph):
        raise ValueError("the stages depend on each other in a circle")
    direct = nx.transitive_reduction(graph)
    collecting = {name for name, count in direct.in_degree if count > MANY}
    direct.remove_edges_from([each for each in direct.edges if each[1] in collecting])
    # The layout follows the order of stages, which went through sets.
    order = nx.DiGraph()
    order.add_nodes_from(nx.lexicographical_topological_sort(direct))
    order.add_edges_from(sorted(direct.edges))
    narrow = theme.width() < theme.WIDTHS["wide"]
    box, gap = (UPRIGHT, CLOSE) if narrow else (BOX, GAP)
    places, ways = _layout(order, box, gap)
    wide, high = (
        max(each[i] for each in places.values()) + box[i] / 2 + gap[i] for i in range(2)
    )
    scale = min(1.0, theme.width() / wide)
    figure, axes = plt.subplots(figsize=(wide * scale, high * scale))
    for way in ways:
        *before, last = way
        axes.plot(*zip(*way, strict=True), color=theme.faint(), lw=1, zorder=1)
        axes.annotate(
            "",
            xy=last,
            xytext=before[-1],
            arrowprops={"arrowstyle": "-|>", "color": theme.faint(), "lw": 1}
            | {"shrinkA": 0, "shrinkB": 0},
            zorder=1,
        )
    for name, (x, y) in places.items():
        axes.text(
            x,
            y,
            name.replace("_", "\n"),
            ha="center",
            va="center",
            rotation=90 if narrow else 0,
            fontsize=scale * plt.rcParams["font.size"],
            bbox={
                "boxstyle": "round,pad=0.4",
                "facecolor": theme.page(),
                "edgecolor": theme.accent(),
                "linestyle": "--" if name in collecting else "-",
            },
        )
    axes.set(xlim=(0, wide), ylim=(high, 0))
    axes.axis("off")
    return figure


def _layout(
    graph: nx.DiGraph, box: Place, gap: Place
) -> tuple[dict[str, Place], list[list[Place]]]:
    """Centres of stages, and the points of each arrow, in inches from the top left.

    In layers, with few crossings, and around stages that are in the way (Sugiyama et
    al. 1981). Stages without arrows are in rows below.

    Parameters
    ----------
    graph : DiGraph
    box, gap : (float, float)
        Width and height of a stage, and the space between stages.
    """
    vertices = {name: Vertex(name) for name in graph}
    edges = [Edge(vertices[one], vertices[two]) for one, two in graph.edges]
    for each in vertices.values():
        each.view = VertexViewer(*box)
    for edge in edges:
        edge.view = EdgeViewer()
    places: dict[str, Place] = {}
    ways: list[list[Place]] = []
    right = bottom = 0.0
    for part in Graph(vertices.values(), edges).C:
        if not part.sE:
            continue
        layout = SugiyamaLayout(part)
        layout.xspace, layout.yspace = gap
        layout.route_edge = lambda edge, points: None  # from centre to centre
        layout.init_all()
        layout.draw(ROUNDS)
        seen = [each.view.xy for each in part.sV] + [
            point for edge in part.sE for point in edge.view._pts
        ]
        left, top = (min(each[i] for each in seen) - box[i] / 2 for i in range(2))
        places |= {
            v.data: (v.view.xy[0] - left + right, v.view.xy[1] - top) for v in part.sV
        }
        for edge in part.sE:
            *way, end = [(x - left + right, y - top) for x, y in edge.view._pts]
            ways.append([*way, (end[0], end[1] - box[1] / 2)])
        right += max(each[0] for each in seen) - left + box[0] / 2 + gap[0]
        bottom = max(bottom, max(each[1] for each in seen) - top + box[1] / 2 + gap[1])
    across = max(int((right or theme.width()) / (box[0] + gap[0])), 1)
    for number, name in enumerate(name for name in graph if name not in places):
        row, column = divmod(number, across)
        x, y = column * (box[0] + gap[0]), row * (box[1] + gap[1])
        places[name] = x + box[0] / 2, y + bottom + box[1] / 2
    return places, ways
