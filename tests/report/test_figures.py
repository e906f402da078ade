import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sslmepr.association.grid import tidy_matrix
from sslmepr.association.recovery import compare
from sslmepr.association.sources import BOTH_PREDICTED, DISJOINT, PREDICTED_TRAIT
from sslmepr.labels import (
    EMOTION_COLUMNS,
    EMOTIONS,
    MODALITIES,
    SCORED_EMOTIONS,
    TRAIT_COLUMNS,
    TRAITS,
)
from sslmepr.report import figures, theme
from sslmepr.report.figures.clips import envelope
from sslmepr.report.figures.panels import panel_grid


@pytest.fixture(autouse=True)
def dark():
    with theme.use("dark"):
        yield
    plt.close("all")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def association():
    planted = tidy_matrix({"happiness": {"extraversion": 0.5}}, "planted")
    r = planted["planted"].to_numpy()
    table = planted[["emotion", "trait"]].assign(r=r, low=r - 0.1, high=r + 0.1)
    table["p_corrected"], table["interval"] = 0.5, "expanded_percentile"
    return table.assign(significant=r > 0.3), planted


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_heatmap_writes_values_intervals_and_frames_significant_cells():
    table, planted = association()
    figure = figures.association_heatmap({"Found": table, "Planted": planted})
    first, second = figure.axes[:2]
    assert first.get_title("left") == "Found"
    assert texts(first).count(".50") == 1 and "[.40, .60]" in texts(first)
    assert len(texts(first)) == 60 and len(texts(second)) == 30
    assert len(first.patches) == 1 and len(second.patches) == 0
    values = first.images[0].get_array()
    row, column = SCORED_EMOTIONS.index("happiness"), TRAITS.index("extraversion")
    assert values[row, column] == 0.5
    assert first.get_yticklabels()[row].get_text() == "Happiness"


def test_heatmap_crosses_out_undefined_cells():
    table, _ = association()
    figure = figures.association_heatmap({"Undefined": table.assign(r=np.nan)})
    assert texts(figure.axes[0]) == ["–"] * 30
    with pytest.raises(ValueError, match="one numeric column"):
        figures.association_heatmap({"": table.rename(columns={"r": "x"})})


def test_heatmap_has_one_scale_as_tall_as_a_panel():
    table, _ = association()
    for count in (1, 5):
        tables = {f"Table {number}": table for number in range(count)}
        figure = figures.association_heatmap(tables)
        figure.draw_without_rendering()
        first, bar = figure.axes[0], figure.axes[-1]
        assert bar.get_ylabel() == "correlation"
        panel, scale = first.get_position(), bar.get_position()
        assert (scale.y0, scale.y1) == pytest.approx((panel.y0, panel.y1))


def test_association_panels_come_in_pairs_and_undefined_ones_not_at_all():
    table, _ = association()
    table = table.assign(corpus="a", source=PREDICTED_TRAIT, level="clip", halo=False)
    left = table.assign(halo=True, r=0.1)
    both = pd.concat([table, left])
    empty = both.assign(level="within", r=np.nan)
    shown = figures.association_panels(
        pd.concat([both, empty, both.assign(level="between")])
    )
    assert list(shown) == [
        "Annotated emotion × predicted trait\na",
        "Annotated emotion × predicted trait\na, no halo",
        "Annotated emotion × predicted trait\na, between people",
        "Annotated emotion × predicted trait\na, between people, no halo",
    ]
    assert (shown["Annotated emotion × predicted trait\na, no halo"]["r"] == 0.1).all()


@pytest.mark.parametrize(
    ("count", "columns", "shape"), [(1, 3, (1, 1)), (3, 2, (2, 2)), (6, 3, (2, 3))]
)
def test_a_grid_has_as_many_panels_as_are_asked_for(count, columns, shape):
    figure, grid = panel_grid(count, columns, (2.0, 1.0), (0.5, 0.25), sharey=True)
    assert grid.shape == shape
    assert [axes.get_visible() for axes in grid.flat].count(True) == count
    expected = (2.0 * shape[1] + 0.5, shape[0] + 0.25)
    assert tuple(figure.get_size_inches()) == pytest.approx(expected)


def test_pipeline_draws_direct_arrows_alone_and_refuses_a_circle():
    edges = pd.DataFrame(
        [("a", "b"), ("b", "c"), ("a", "c")], columns=["source", "stage"]
    )
    axes = figures.pipeline_graph(edges).axes[0]
    assert texts(axes) == ["", "", "a", "b", "c"]
    circle = pd.concat([edges, pd.DataFrame([("c", "a")], columns=edges.columns)])
    with pytest.raises(ValueError, match="in a circle"):
        figures.pipeline_graph(circle)


def test_scatter_has_a_point_per_cell_and_the_observer():
    table, planted = association()
    observer = planted.rename(columns={"planted": "observer"})
    axes = figures.recovery_scatter(compare(table, planted, observer), note="r = 1")
    sizes = [len(c.get_offsets()) for c in axes.collections if hasattr(c, "get_sizes")]
    assert sizes.count(5) == len(SCORED_EMOTIONS) and sizes.count(30) == 1
    assert "r = 1" in texts(axes)
    assert len(axes.get_xticks()) > 0 and axes.get_xlabel() == "planted correlation"


def test_scatter_has_no_places_where_nothing_is_planted():
    table, planted = association()
    axes = figures.recovery_scatter(compare(table, planted.assign(planted=0.0)))
    assert len(axes.get_xticks()) == 0
    assert axes.get_xlabel() == "planted correlation: 0 everywhere"


def test_metric_dots_draw_every_row_with_interval_and_ceiling():
    rows = [
        (name, metric, 0.7, 0.6, 0.8, 0.5, 0.9)
        for metric in ("mWACC", "CCC")
        for name in (*MODALITIES, "fused")
    ]
    columns = ["modality", "metric", "estimate", "low", "high", "baseline", "ceiling"]
    figure = figures.metric_dots(pd.DataFrame(rows, columns=columns))
    assert [axes.get_title("left") for axes in figure.axes] == [
        "Balanced accuracy (mWACC)",
        "Concordance (CCC)",
    ]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["Face", "Body", "Scene", "Audio", "Text", "All fused"]
    assert figure.axes[0].get_ylim() == (5.5, -0.5)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["guessing", "ideal observer"]


def test_learning_curves_have_a_line_per_modality():
    rows = [
        (name, quantity, epoch, 1 / epoch, epoch == 3)
        for name in ("face", "text")
        for quantity in ("loss", "dev score")
        for epoch in (1, 2, 3, 4)
    ]
    columns = ["modality", "quantity", "epoch", "value", "best"]
    figure = figures.learning_curves(pd.DataFrame(rows, columns=columns))
    assert len(figure.axes) == 2 and len(figure.axes[0].lines) == 2
    assert figure.axes[0].lines[1].get_ydata().tolist() == [1, 1 / 2, 1 / 3, 1 / 4]


def test_attribution_panels_put_the_halves_side_by_side():
    rows = [
        ("anger", modality, "embedding", half, index, sign * (index + 1))
        for modality, width in (("face", 4), ("text", 2))
        for half, sign in (("emotion", 1), ("personality", -1))
        for index in range(width)
    ]
    rows.append(("anger", "face", "prediction", "emotion", 0, 99.0))
    columns = ["target", "modality", "pathway", "half", "index", "attribution"]
    figure = figures.attribution_heatmap(pd.DataFrame(rows, columns=columns))
    image = figure.axes[0].images[0].get_array()
    assert image.tolist() == [
        [1, 2, 3, 4, -1, -2, -3, -4],
        [1, 1, 2, 2, -1, -1, -2, -2],
    ]


def test_attention_matrices_average_over_clips():
    table = pd.DataFrame(
        {
            "modality": ["face", "face", "text", "text"] * 2,
            "source": ["face", "text"] * 4,
            "attention": [0.2, 0.8, 0.5, 0.5, 0.4, 0.6, 0.5, 0.5],
        }
    )
    axes = figures.graph_attention_matrix(table)
    assert texts(axes) == ["0.30", "0.70", "0.50", "0.50"]
    query = table.rename(columns={"source": "task"}).replace(
        {"task": {"face": "emotion", "text": "personality"}}
    )
    axes = figures.query_attention_matrix(query)
    assert axes.images[0].get_array().shape == (2, 2)


def clips(rng, n=20):
    emotions = (rng.random((n, 7)) > 0.5).astype(float)
    columns = list(EMOTION_COLUMNS + TRAIT_COLUMNS)
    return pd.DataFrame(np.hstack([emotions, rng.random((n, 5))]), columns=columns)


def test_label_distribution_shows_shares_of_the_tasks_that_are_labelled(rng):
    table = clips(rng)
    axes = figures.label_distribution(table).axes
    shares = [bar.get_width() for bar in axes[0].patches]
    np.testing.assert_allclose(shares, 100 * table[list(EMOTION_COLUMNS)].mean())
    table[list(TRAIT_COLUMNS)] = np.nan
    assert len(figures.label_distribution(table).axes) == 1
    table[list(EMOTION_COLUMNS)] = np.nan
    with pytest.raises(ValueError, match="mine: no clip has a label"):
        figures.label_distribution(table, "mine")


def test_trait_correlations_are_the_lower_triangle(rng):
    table = clips(rng)
    axes = figures.trait_correlations(table)
    written = texts(axes)
    expected = table[list(TRAIT_COLUMNS)].corr().to_numpy()
    assert len(written) == 10
    assert float(written[0].replace("−", "-")) == pytest.approx(
        expected[1, 0], abs=0.005
    )


@pytest.mark.parametrize("hue", ["emotion", "openness"])
def test_projection_has_a_panel_per_modality(rng, hue):
    table = pd.DataFrame({"x": rng.random(14), "y": rng.random(14)})
    table = table.assign(emotion=EMOTIONS * 2, openness=rng.random(14))
    table["modality"] = ["face"] * 7 + ["text"] * 7
    panels = figures.projection_scatter(table, hue).axes
    assert [axes.get_title("left") for axes in panels[:2]] == ["Face", "Text"]
    assert len(panels[0].collections) == (7 if hue == "emotion" else 1)
    copies = [table.assign(modality=name) for name in MODALITIES]
    panels = figures.projection_scatter(pd.concat(copies), hue).axes[:6]
    corners = [axes.get_position().p0.round(2) for axes in panels]
    assert len(set(map(tuple, corners))) == 6  # three beside one another
    assert len({across for across, _ in corners}) == 3
    assert [axes.axison for axes in panels] == [True] * 5 + [False]


def test_contact_sheet_and_clip_panel(rng):
    frames = rng.integers(0, 255, (3, 12, 16, 3), dtype=np.uint8)
    figure = figures.contact_sheet(
        frames, ["a", "b", "c"], columns=2, boxes=[{"face": (1, 2, 5, 8)}] * 3
    )
    assert len(figure.axes) == 4 and figure.axes[0].patches[0].get_bbox().x1 == 5
    wave = np.sin(np.arange(1600) / 9)
    figure = figures.clip_panel(frames, np.arange(3), wave, 16000, "Hello there.")
    assert figure.axes[3].get_xlabel() == "“Hello there.”"
    assert figure.axes[3].get_xlim() == (0, 0.1)
    silent = figures.clip_panel(frames, np.arange(3), None, 16000, "")
    assert "no sound" in texts(silent.axes[3])


def test_envelope_keeps_every_peak(rng):
    wave = rng.standard_normal(1000)
    seconds, low, high = envelope(wave, 100, columns=30)
    assert len(seconds) == 30 and high.max() == wave.max() and low.min() == wave.min()
    assert len(envelope(wave[:7], 100, columns=30)[0]) == 7


def test_lines_of_trials_stand_beside_each_other():
    rows = [
        (metric, x, name, y, y - 0.1, y + 0.1)
        for metric in ("found", "invented")
        for name, start in (("a", 0.2), ("b", 0.4))
        for x, y in ((0.3, start + 0.3), (0.0, start))
    ]
    columns = ["metric", "strength", "source", "estimate", "low", "high"]
    table = pd.DataFrame(rows, columns=columns)
    levels = {"invented": 0.05}
    figure = figures.trial_lines(table, "strength", "source", levels)
    first, second = figure.axes
    assert [axes.get_title("left") for axes in figure.axes] == [
        "Planted pairs found",
        "False positives",
    ]
    assert len(first.lines) == 2 and len(second.lines) == 3
    a, b = first.lines
    assert a.get_ydata().tolist() == pytest.approx([0.2, 0.5])  # in order across
    assert (b.get_xdata() - a.get_xdata()).tolist() == pytest.approx([0.005] * 2)
    assert a.get_color() != b.get_color() and a.get_marker() != b.get_marker()
    assert second.lines[0].get_ydata()[0] == 0.05
    assert first.get_xticks().tolist() == [0.0, 0.3]


def test_gains_of_blocks_stand_above_each_other():
    rows = [
        ("face", "emotion", "mamba", 0.02),
        ("face", "emotion", "state_free", 0.01),
        ("text", "emotion", "state_free", 0.03),
        ("drawn sequences", "order", "mamba", 0.5),
    ]
    table = pd.DataFrame(rows, columns=["what", "task", "block", "estimate"])
    table = table.assign(low=table["estimate"] - 0.01, high=table["estimate"] + 0.01)
    figure = figures.block_gains(table)
    emotion, order = figure.axes
    assert [axes.get_title("left") for axes in figure.axes] == ["Emotion", "Order"]
    assert [t.get_text() for t in emotion.get_yticklabels()] == ["Face", "Text"]
    assert [t.get_text() for t in order.get_yticklabels()] == ["Drawn sequences"]
    _, mamba, _, other = emotion.collections
    assert mamba.get_offsets().tolist() == [[0.02, -0.125]]
    assert other.get_offsets().tolist() == [[0.01, 0.125], [0.03, 1.125]]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "Mamba",
        "State free",
    ]


def test_survival_matrix_frames_survivors_and_marks_what_is_planted():
    table, planted = association()
    first = table.assign(control="full model", survives=table["significant"])
    second = table.assign(control="halo removed", survives=False, r=np.nan)
    figure = figures.survival_matrix(pd.concat([first, second]), planted)
    axes = figure.axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [
        "Full\nmodel",
        "Halo\nremoved",
    ]
    assert len(axes.get_yticklabels()) == 30
    assert len(axes.patches) == 1 and len(axes.collections) == 1
    row = SCORED_EMOTIONS.index("happiness") * 5 + TRAITS.index("extraversion")
    assert axes.patches[0].get_y() == pytest.approx(row - 0.44)
    assert axes.images[0].get_array()[row, 0] == 0.5
    assert texts(axes).count("–") == 30


def test_people_panels_have_a_letter_for_every_reported_cell():
    table, _ = association()
    reports = pd.DataFrame(
        {
            "emotion": ["happiness", "happiness", "fear"],
            "trait": ["extraversion", "extraversion", "emotional_stability"],
            "kind": ["trait", "state", "trait"],
            "r": [0.5, 0.1, -0.6],
        }
    )
    figure = figures.people_panels({"One": table, "Other": table}, reports)
    first, second = figure.axes[:2]
    assert texts(first) == texts(second) == ["S", "E", "e"]
    assert first.texts[1].get_position() == (0.5, 0.5)
    assert first.get_title("left") == "One"
    assert first.get_xlim() == pytest.approx((-0.69, 0.69))


def worlds(metric="found", source=DISJOINT, strength=0.1):
    table = pd.DataFrame(
        {
            "clips": [480, 240, 960, 480],
            "clips_per_speaker": [1, 1, 1, 4],
            "estimate": [0.5, 0.2, 0.9, 0.3],
        }
    )
    ends = {"low": table["estimate"] - 0.1, "high": table["estimate"] + 0.1}
    return table.assign(metric=metric, source=source, strength=strength, **ends)


def test_expected_panels_keep_cells_of_one_value_apart():
    cells = pd.DataFrame(
        [(e, t) for e in SCORED_EMOTIONS for t in TRAITS], columns=["emotion", "trait"]
    )
    planted = np.where(cells["trait"] == "openness", 0.3, 0.0)
    cells = cells.assign(planted=planted, expected=planted / 2, deviation=0.05)
    means = pd.concat([cells.assign(source="one"), cells.assign(source="other")])
    figure = figures.expected_panels(means)
    assert [axes.get_title("left") for axes in figure.axes] == ["One", "Other"]
    points = [c.get_offsets() for c in figure.axes[0].collections]
    points = np.concatenate([each for each in points if len(each) == 5])
    assert len(points) == len(set(points[:, 0].round(6))) == 30
    assert abs(points[:, 0] - 2 * points[:, 1]).max() <= 0.035


def test_power_curves_vary_one_number_at_a_time():
    both = pd.concat([worlds(strength=0.1), worlds(strength=0.2)])
    by_clips, by_speakers = figures.power_curves(both).axes
    lines = [line for line in by_clips.lines if line.get_label() in ("0.1", "0.2")]
    assert [list(line.get_xdata()) for line in lines] == [[240, 480, 960]] * 2
    assert list(lines[0].get_ydata()) == [0.2, 0.5, 0.9]
    assert list(by_speakers.lines[1].get_xdata()) == [120, 480]
    assert list(by_speakers.lines[1].get_ydata()) == [0.3, 0.5]
    assert by_clips.get_title("left") == "Clips per speaker: 1"
    assert by_speakers.get_title("left") == "Clips: 480"


def test_null_dots_have_a_row_per_size_and_the_promised_share():
    both = pd.concat([worlds("invented"), worlds("invented", BOTH_PREDICTED)])
    axes = figures.null_dots(both.reset_index(drop=True), 0.05).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "480 clips, 480 speakers",
        "240 clips, 240 speakers",
        "960 clips, 960 speakers",
        "480 clips, 120 speakers",
    ]
    assert list(axes.lines[0].get_xdata()) == [0.05, 0.05]
    shown = [c.get_offsets()[:, 0] for c in axes.collections if len(c.get_offsets())]
    assert [list(each) for each in shown if len(each) == 4] == [
        [0.5, 0.2, 0.9, 0.3]
    ] * 2


def test_search_history_keeps_pruned_trials_apart():
    trials = pd.DataFrame(
        {
            "trial": [0, 1, 2, 3],
            "state": ["complete", "complete", "pruned", "complete"],
            "dev_score": [0.5, 0.7, 0.9, 0.6],
        }
    )
    axes = figures.search_history(trials).axes[0]
    first, best = axes.lines
    assert set(first.get_ydata()) == {0.5}
    assert best.get_xydata().tolist() == [[0, 0.5], [1, 0.7], [3, 0.7]]
    complete, pruned = axes.collections
    assert complete.get_offsets().tolist() == [[0, 0.5], [1, 0.7], [3, 0.6]]
    assert pruned.get_offsets().tolist() == [[2, 0.9]]
    assert len(pruned.get_facecolors()) == 0
