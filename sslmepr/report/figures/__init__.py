"""Figures: each function takes tidy tables and shows them on light and dark pages."""

from sslmepr.report.figures.associations import (
    association_heatmap,
    association_panels,
    strongest,
)
from sslmepr.report.figures.attention import (
    attribution_heatmap,
    graph_attention_matrix,
    query_attention_matrix,
)
from sslmepr.report.figures.bars import (
    difference_dots,
    prediction_bars,
    stacking_weights,
)
from sslmepr.report.figures.blocks import block_gains
from sslmepr.report.figures.bounds import bounds_panels
from sslmepr.report.figures.clips import clip_panel, contact_sheet
from sslmepr.report.figures.controls import survival_matrix
from sslmepr.report.figures.corpora import (
    label_distribution,
    projection_scatter,
)
from sslmepr.report.figures.people import people_panels
from sslmepr.report.figures.pipeline import pipeline_graph
from sslmepr.report.figures.power import (
    expected_panels,
    null_dots,
    power_curves,
)
from sslmepr.report.figures.recovery import recovery_panels
from sslmepr.report.figures.results import highest, learning_curves, metric_dots
from sslmepr.report.figures.search import search_history
from sslmepr.report.figures.trials import trial_lines

__all__ = [
    "association_heatmap",
    "association_panels",
    "attribution_heatmap",
    "block_gains",
    "bounds_panels",
    "clip_panel",
    "contact_sheet",
    "difference_dots",
    "expected_panels",
    "graph_attention_matrix",
    "highest",
    "label_distribution",
    "learning_curves",
    "metric_dots",
    "people_panels",
    "null_dots",
    "pipeline_graph",
    "power_curves",
    "prediction_bars",
    "projection_scatter",
    "query_attention_matrix",
    "recovery_panels",
    "search_history",
    "stacking_weights",
    "strongest",
    "survival_matrix",
    "trial_lines",
]
