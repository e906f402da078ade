"""Figures: each function takes tidy tables and shows them on light and dark pages."""

from sslmepr.report.figures.associations import (
    association_heatmap,
    association_panels,
    strongest,
)
from sslmepr.report.figures.attention import (
    deletion_lines,
    evidence_dots,
    in_time,
    region_overlay,
    waterfall,
    weights_of_modalities,
    weights_seen,
)
from sslmepr.report.figures.bars import (
    component_gains,
    difference_dots,
    outside_dots,
    prediction_bars,
    robustness_dots,
    stacking_weights,
)
from sslmepr.report.figures.blocks import block_gains
from sslmepr.report.figures.bounds import bounds_panels
from sslmepr.report.figures.clips import contact_sheet, sound
from sslmepr.report.figures.corpora import label_distribution
from sslmepr.report.figures.measurement import (
    multitrait_heatmap,
    ratio_matrix,
    specification_curve,
)
from sslmepr.report.figures.people import reports_forest
from sslmepr.report.figures.pipeline import pipeline_graph
from sslmepr.report.figures.planning import reach_lines
from sslmepr.report.figures.power import (
    condition_panels,
    expected_panels,
)
from sslmepr.report.figures.recovery import recovery_panels, truth_matrix
from sslmepr.report.figures.results import highest, learning_curves, metric_dots
from sslmepr.report.figures.search import search_history
from sslmepr.report.figures.timeline import emotion_timeline
from sslmepr.report.figures.tour import journey_dots, place_scatter
from sslmepr.report.figures.trials import dose_dots, trial_lines
from sslmepr.report.figures.truth import (
    confusion_matrix,
    group_dots,
    truth_panels,
)
from sslmepr.report.figures.verdicts import interval_dots, verdict_matrix

__all__ = [
    "association_heatmap",
    "association_panels",
    "block_gains",
    "bounds_panels",
    "contact_sheet",
    "component_gains",
    "condition_panels",
    "confusion_matrix",
    "deletion_lines",
    "difference_dots",
    "dose_dots",
    "emotion_timeline",
    "evidence_dots",
    "expected_panels",
    "group_dots",
    "highest",
    "in_time",
    "interval_dots",
    "journey_dots",
    "label_distribution",
    "learning_curves",
    "metric_dots",
    "multitrait_heatmap",
    "outside_dots",
    "place_scatter",
    "pipeline_graph",
    "prediction_bars",
    "ratio_matrix",
    "reach_lines",
    "recovery_panels",
    "region_overlay",
    "reports_forest",
    "robustness_dots",
    "search_history",
    "sound",
    "specification_curve",
    "stacking_weights",
    "strongest",
    "trial_lines",
    "truth_matrix",
    "truth_panels",
    "verdict_matrix",
    "waterfall",
    "weights_of_modalities",
    "weights_seen",
]
