import matplotlib

matplotlib.use("Agg")

import itertools
import math
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb, to_rgba

from sslmepr.association.grid import tidy_matrix
from sslmepr.association.planning import CALL_ABSENT, FIND, FIND_MEAN
from sslmepr.association.recovery import compare
from sslmepr.association.sources import (
    CROSS,
    DISJOINT,
    NOTED,
    PREDICTED,
    PREDICTED_TRAIT,
)
from sslmepr.labels import (
    EMOTION_COLUMNS,
    EMOTIONS,
    MODALITIES,
    SCORED_EMOTIONS,
    TRAIT_COLUMNS,
    TRAITS,
)
from sslmepr.report import figures as shown
from sslmepr.report import status, theme
from sslmepr.report.figures.clips import envelope
from sslmepr.report.figures.panels import entitle, panel_grid
from sslmepr.report.figures.recovery import RING
from tests.report.test_figures_truth import (
    GROUPS,
    JOURNEY,
    PLACES,
    binned,
    confused,
)

WORDS = {"association_panels", "highest", "strongest"}
"""Functions that draw nothing."""
figures = SimpleNamespace(
    **{
        name: getattr(shown, name) if name in WORDS else getattr(shown, name).draw
        for name in shown.__all__
    }
)
"""What the figure functions draw, in the style in use, without being shown."""


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


def cells_of(axes):
    """Title, without the mark, to the colour of every cell of a drawn matrix."""
    return {patch.get_gid().removeprefix("title:"): patch for patch in axes.patches}


def test_heatmap_writes_values_and_frames_significant_cells():
    table, planted = association()
    figure = figures.association_heatmap({"Found": table, "Planted": planted})
    first, second = figure.axes[:2]
    assert first.get_title("left") == "Found"
    assert texts(first).count(".50") == 1
    assert len(texts(first)) == 30 and len(texts(second)) == 30
    cells = cells_of(first)
    framed = [name for name, cell in cells.items() if cell.get_edgecolor()[3]]
    assert framed == ["Happiness, Extraversion: .50 [.40, .60], significant"]
    assert cells[framed[0]].get_xy() == pytest.approx(
        (TRAITS.index("extraversion") - 0.48, SCORED_EMOTIONS.index("happiness") - 0.47)
    )
    assert "Anger, Emotional stability: .00 [−.10, .10]" in cells
    assert "Happiness, Extraversion: .50" in cells_of(second)
    row = SCORED_EMOTIONS.index("happiness")
    assert first.get_yticklabels()[row].get_text() == "Happiness"


def test_heatmap_crosses_out_undefined_cells():
    table, _ = association()
    figure = figures.association_heatmap({"Undefined": table.assign(r=np.nan)})
    assert texts(figure.axes[0]) == ["–"] * 30
    with pytest.raises(ValueError, match="one numeric column"):
        figures.association_heatmap({"": table.rename(columns={"r": "x"})})


def test_refused_numbers_are_grey_and_none_is_framed():
    table = pd.DataFrame(
        {"emotion": "anger", "trait": list(TRAITS), "r": 0.5, "significant": True}
    )
    for refused, weight in ((True, "normal"), (False, "bold")):
        figure = figures.association_heatmap({"x": table}, refused=refused)
        texts = [each for each in figure.axes[0].texts if each.get_text() == ".50"]
        assert {each.get_fontweight() for each in texts} == {weight}
        plt.close(figure)


def test_heatmap_of_some_pairs_has_their_rows_and_columns_alone():
    table, _ = association()
    some = table[table["emotion"].isin(["happiness", "fear"])]
    some = some[some["trait"] == "extraversion"]
    axes = figures.association_heatmap({"Some": some}).axes[0]
    assert texts(axes) == [".00", ".50"] and axes.get_xlim() == (-0.5, 0.5)
    assert len(axes.get_yticklabels()) == 2


def test_heatmap_has_one_scale():
    table, _ = association()
    for count in (1, 5):
        tables = {f"Table {number}": table for number in range(count)}
        figure = figures.association_heatmap(tables)
        assert figure.axes[-1].get_xlabel() == "correlation"
        assert figure.axes[-1].get_xlim() == (-0.6, 0.6)


def test_the_strongest_pair_is_the_largest_in_size_of_all_tables():
    table, planted = association()
    below = planted.assign(planted=-planted["planted"] * 1.2)
    assert figures.strongest({"Found\nhere": table, "Planted": planted}) == (
        "The strongest is .50 for happiness and extraversion (Found here)."
    )
    assert figures.strongest({"Found": table, "Below": below}) == (
        "The strongest is −.60 for happiness and extraversion (Below)."
    )


def test_there_is_a_panel_for_every_table_and_none_for_an_undefined_one():
    table, _ = association()
    table = table.assign(corpus="a", source=PREDICTED_TRAIT, level="clip")
    empty = table.assign(level="within", r=np.nan)
    between = table.assign(level="between", r=0.1)
    shown = figures.association_panels(pd.concat([table, empty, between]))
    first, second = shown
    assert first == "Annotated emotion × predicted trait\na"
    assert second == f"{first}, between people"
    assert len(shown[first]) == 30 and (shown[second]["r"] == 0.1).all()


@pytest.mark.parametrize(
    ("count", "wide", "narrow"),
    [(1, (1, 1), (1, 1)), (4, (2, 2), (4, 1)), (6, (2, 3), (6, 1))],
)
def test_a_grid_has_as_many_panels_as_are_asked_for_and_fit(count, wide, narrow):
    for layout, shape in (("wide", wide), ("narrow", narrow)):
        with theme.use("light", layout):
            figure, grid = panel_grid(count, (2.0, 1.0), (0.5, 0.25), sharey=True)
        assert grid.shape == shape
        assert [axes.get_visible() for axes in grid.flat].count(True) == count
        expected = (2.0 * shape[1] + 0.5, shape[0] + 0.25)
        assert tuple(figure.get_size_inches()) == pytest.approx(expected)
    with theme.use("light", "narrow"):
        figure, grid = panel_grid(2, (4.0, 1.0))
    assert grid.shape == (2, 1) and figure.get_figwidth() == 3.5


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("Fear", 2.0, "Fear"),
        ("Annotated emotion × predicted trait", 5.0, None),
        (
            "Annotated emotion × predicted trait\nof clips",
            3.3,
            "Annotated emotion\n× predicted trait\nof clips",
        ),
    ],
)
def test_lines_of_a_title_are_about_equally_long(text, width, expected):
    _, grid = panel_grid(1, (3.0, 1.0))
    entitle(grid[0, 0], text, width)
    assert grid[0, 0].get_title("left") == (expected or text)


def test_pipeline_draws_direct_arrows_alone_and_refuses_a_circle():
    edges = pd.DataFrame(
        [("a", "b"), ("b", "c"), ("a", "c")], columns=["source", "stage"]
    )
    axes = figures.pipeline_graph(edges).axes[0]
    assert texts(axes) == ["", "", "a", "b", "c"]
    circle = pd.concat([edges, pd.DataFrame([("c", "a")], columns=edges.columns)])
    with pytest.raises(ValueError, match="in a circle"):
        figures.pipeline_graph(circle)


def test_arrows_of_a_pipeline_go_around_stages_that_are_in_the_way():
    edges = pd.DataFrame(
        [("a", "b"), ("b", "c"), ("c", "d"), ("c", "e"), ("x", "d"), ("a", "f")]
        + [("f", "d"), ("alone", "other")],
        columns=["source", "stage"],
    )
    axes = figures.pipeline_graph(edges).axes[0]
    boxes = {each.get_text(): each.get_position() for each in axes.texts}
    boxes = {name: place for name, place in boxes.items() if name}
    assert sorted(boxes) == sorted({*edges["source"], *edges["stage"]})
    assert len(set(boxes.values())) == len(boxes)
    for line in axes.lines:
        points = line.get_xydata()
        ends = {
            min(boxes, key=lambda n: math.dist(boxes[n], p)) for p in points[[0, -1]]
        }
        steps = np.linspace(0, 1, 200)[:, None]
        for one, two in itertools.pairwise(points):
            for name, (x, y) in boxes.items():
                off = np.abs(one + steps * (two - one) - (x, y))
                assert name in ends or not ((off < (0.3, 0.15)).all(1)).any()


def test_the_drawing_of_a_pipeline_does_not_follow_the_order_of_its_edges():
    edges = status.stage_graph(Path("dvc.yaml"))
    found = []
    for order in (edges, edges[::-1], edges.sample(frac=1, random_state=0)):
        axes = figures.pipeline_graph(order).axes[0]
        found.append({each.get_text(): each.get_position() for each in axes.texts})
        found[-1].pop("")  # of arrows, the last one
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("layout", ["wide", "narrow"])
def test_boxes_of_the_pipeline_do_not_touch(layout):
    edges = status.stage_graph(Path("dvc.yaml"))
    with theme.use("light", layout):
        figure = figures.pipeline_graph(edges)
        figure.canvas.draw()
        stages = [each for each in figure.axes[0].texts if each.get_text()]
        boxes = [each.get_bbox_patch().get_window_extent() for each in stages]
    assert len(boxes) == len({*edges["source"], *edges["stage"]})
    for one, two in itertools.combinations(boxes, 2):
        assert not one.overlaps(two)


def test_arrows_into_a_stage_that_gathers_all_are_left_out():
    names = "abcdef"
    edges = pd.DataFrame([(n, "all") for n in names], columns=["source", "stage"])
    axes = figures.pipeline_graph(edges).axes[0]
    styles = {
        each.get_text(): each.get_bbox_patch().get_linestyle() for each in axes.texts
    }
    assert styles == dict.fromkeys(names, "-") | {"all": "--"}
    few = figures.pipeline_graph(edges.head(2)).axes[0]
    assert sorted(texts(few)) == ["", "", "a", "all", "b"]


def test_recovery_has_a_point_per_cell_and_the_observer():
    table, planted = association()
    observer = planted.rename(columns={"planted": "observer"})
    truth = planted.assign(rated=planted["planted"] / 2)
    comparison = compare(table, truth, observer, against="rated")
    axes = figures.recovery_panels({"here": comparison}).axes[0]
    sizes = [len(c.get_offsets()) for c in axes.collections if hasattr(c, "get_sizes")]
    assert sizes.count(5) == len(SCORED_EMOTIONS) and sizes.count(30) == 1
    assert axes.get_title("left") == "Here: 1 of 30 cells"
    assert (
        len(axes.get_xticks()) > 0 and axes.get_xlabel() == "correlation of the labels"
    )


def test_the_matrix_of_truth_rings_what_was_built_in():
    table, planted = association()
    truth = planted.assign(rated=0.25)
    comparison = compare(table, truth, None, against="rated")
    axes = figures.truth_matrix(comparison).axes[0]
    rings = [c for c in axes.collections if RING["s"] in c.get_sizes()]
    # One more is the key's.
    assert len(rings) == (comparison["planted"] != 0).sum() + 1
    numbers = [text for text in texts(axes) if text.endswith("(.25)")]
    assert len(numbers) == len(comparison)
    bold = [t for t in axes.texts if t.get_fontweight() == "bold"]
    assert len(bold) == comparison["significant"].sum()


def test_recovery_has_no_places_where_nothing_is_associated():
    table, planted = association()
    comparison = compare(table, planted.assign(planted=0.0, rated=-0.0))
    axes = figures.recovery_panels({"": comparison}).axes[0]
    assert len(axes.get_xticks()) == 0
    assert axes.get_xlabel() == "correlation of the labels: 0 everywhere"


def scores():
    rows = [
        (name, metric, 0.7 + (name == "body") / 20, 0.6, 0.8, 0.5, 0.9)
        for metric in ("mWACC", "CCC")
        for name in (*MODALITIES, "fused")
    ]
    columns = ["modality", "metric", "estimate", "low", "high", "baseline", "ceiling"]
    return pd.DataFrame(rows, columns=columns)


def test_the_highest_score_of_each_metric_is_named():
    expected = "Highest: mWACC 0.75 (body), CCC 0.75 (body)."
    assert figures.highest(scores()) == expected


def test_metric_dots_draw_every_row_with_interval_and_ceiling():
    figure = figures.metric_dots(scores())
    assert [axes.get_title("left") for axes in figure.axes] == [
        "Balanced accuracy (mWACC)",
        "Concordance (CCC)",
    ]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["Face", "Body", "Scene", "Audio", "Text", "All fused"]
    assert figure.axes[0].get_ylim() == (5.5, -0.5)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["guessing", "ideal observer"]


def learned():
    rows = [
        (name, quantity, epoch, 1 / epoch, epoch == 3)
        for name in ("face", "text")
        for quantity in ("loss", "dev score")
        for epoch in (1, 2, 3, 4)
    ]
    columns = ["modality", "quantity", "epoch", "value", "best"]
    return pd.DataFrame(rows, columns=columns)


def disturbed():
    whats = [("none", "", 0.0), ("removed", "audio", 0.0), ("noise", "text", 2.0)]
    models = ["linear_fusion", "late_fusion", "multitask", "with_everything"]
    models += ["personality_only", "as_published"]
    rows = [
        {"corpus": "fiv2", "metric": metric, "model": model, "disturbance": kind}
        | {"modality": modality, "dose": dose, "above": place / 50}
        | {"above_low": place / 50 - 0.01, "above_high": place / 50 + 0.02}
        for metric in ("CCC", "mACC")
        for place, model in enumerate(models)
        for kind, modality, dose in whats
    ]
    return pd.DataFrame(rows)


def test_models_stand_at_their_difference_to_linear_fusion():
    figure = figures.robustness_dots(disturbed())
    panels = [axes for axes in figure.axes if axes.get_visible()]
    titles = [" ".join(axes.get_title("left").split()) for axes in panels]
    assert all("First Impressions" in each for each in titles)
    labels = [text.get_text() for text in panels[0].get_yticklabels()]
    assert labels == ["as they are", "without audio", "text with noise, 2 SD"]
    for axes in panels:
        named = {each.get_label(): each for each in axes.collections}
        own = named["Default model"].get_offsets()
        assert own[:, 0].tolist() == [0.04] * 3
        assert "Linear fusion" not in named


def outside():
    """Nobody was noted to be afraid; self-reports are of one pair."""
    rows = [
        (emotion, trait, source, place / 10)
        for emotion in ("fear", "happiness")
        for place, trait in enumerate(TRAITS)
        for source in (NOTED, PREDICTED)
    ]
    rows.append(("happiness", "extraversion", "costa1992", 0.6))
    table = pd.DataFrame(rows, columns=["emotion", "trait", "source", "r"])
    noted = (table["emotion"] == "fear") & (table["source"] == NOTED)
    table.loc[noted, "r"] = np.nan
    return table.assign(low=table["r"] - 0.1, high=table["r"] + 0.1)


def test_a_criterion_from_outside_stands_beside_the_model_and_self_reports():
    figure = figures.outside_dots(outside())
    first, second = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title("left") for axes in (first, second)] == ["Fear", "Happiness"]
    named = {each.get_label(): each for each in second.collections}
    model = named["Predicted by the model"].get_offsets()
    np.testing.assert_allclose(model[:, 0], np.arange(5) / 10)
    told = named["Norms of the NEO PI-R"].get_offsets()
    assert told.shape == (1, 2) and told[0, 0] == 0.6
    assert round(told[0, 1]) == TRAITS.index("extraversion")
    unknown = {each.get_label(): each for each in first.collections}
    assert np.ma.getmaskarray(unknown["Noted by observers"].get_offsets())[:, 0].all()
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == [
        "Noted by observers",
        "Predicted by the model",
        "Norms of the NEO PI-R",
    ]


def test_learning_curves_have_a_line_per_modality():
    figure = figures.learning_curves(learned())
    assert len(figure.axes) == 2 and len(figure.axes[0].lines) == 2
    assert figure.axes[0].lines[1].get_ydata().tolist() == [1, 1 / 2, 1 / 3, 1 / 4]


def used_evidence():
    targets = ["anger", "emotional_stability", "all"]
    rows = [(target, name) for target in targets for name in MODALITIES]
    table = pd.DataFrame(rows, columns=["target", "modality"])
    table["used"] = np.linspace(0.1, 0.4, len(table))
    table["there"] = table["used"][::-1].to_numpy()
    return table.assign(used_low=table["used"] - 0.05, used_high=table["used"] + 0.05)


def test_evidence_dots_have_a_panel_per_modality_in_percent():
    figure = figures.evidence_dots(used_evidence())
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title("left") for axes in panels] == [
        "Face",
        "Body",
        "Scene",
        "Audio",
        "Text",
    ]
    used, there = (c.get_offsets() for c in panels[1].collections[1:])
    mine = used_evidence().query("modality == 'body'")
    np.testing.assert_allclose(used[:, 0], 100 * mine["used"])
    np.testing.assert_allclose(there[:, 0], 100 * mine["there"])
    labels = [each.get_text() for each in panels[0].get_yticklabels()]
    assert labels == ["Anger", "Emotional stability", "Mean"]


def test_a_waterfall_leads_from_the_average_clip_to_this_one():
    moved = pd.Series({"text": -0.5, "face": 2.0})
    observer = pd.Series({"face": 1.0, "text": 0.25})
    axes = figures.waterfall(moved, -1.0, 0.5, observer).axes[0]
    bars = [(bar.get_x(), bar.get_width()) for bar in axes.patches]
    assert bars == [(-1.0, 2.0), (1.0, -0.5)]
    ends, diamonds = (c.get_offsets().tolist() for c in axes.collections)
    assert ends == [[-1.0, 0.0], [0.5, 3.0]]
    assert diamonds == [[0.0, 1.0], [1.25, 2.0]]
    labels = [each.get_text() for each in axes.get_yticklabels()]
    assert labels == ["Average clip", "Face", "Text", "This clip"]
    other = figures.waterfall(moved, -1.0, 0.5, usual="No content").axes[0]
    assert other.get_yticklabels()[0].get_text() == "No content"


def hidden_regions(modalities=("face", "body")):
    rows = [
        (name, row, column, (row - 1) * 0.1 + column * 0.01)
        for name in modalities
        for row in range(3)
        for column in range(3)
    ]
    return pd.DataFrame(rows, columns=["modality", "row", "column", "attribution"])


def test_region_overlays_say_what_each_region_counts():
    crops = {"face": np.full((9, 9, 3), 120, np.uint8)}
    axes = figures.region_overlay(crops, hidden_regions()).axes[0]
    assert texts(axes)[:4] == ["−0.10", "−0.09", "−0.08", "+0.00"]
    depth = axes.images[1].get_array()[..., 3]
    assert depth[0, 0] == pytest.approx(0.6 * 0.1 / 0.12) and depth[1, 0] == 0


def timed():
    rows = [("face", step, step / 4) for step in range(4)]
    rows += [("audio", step, -step / 9) for step in range(9)] + [("text", 0, 9.0)]
    return pd.DataFrame(rows, columns=["modality", "step", "attribution"])


def test_steps_stand_at_their_time_and_text_has_none():
    figure = figures.in_time(timed())
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title("left") for axes in panels] == ["Face", "Audio"]
    heights = [bar.get_height() for bar in panels[0].patches]
    assert heights == [0, 0.25, 0.5, 0.75]
    middles = [bar.get_x() + bar.get_width() / 2 for bar in panels[0].patches]
    assert middles == pytest.approx([12.5, 37.5, 62.5, 87.5])


def deleted():
    table = pd.DataFrame({"share": [0, 0.5, 1] * 2, "output": [2, 1, 0, 2, 1.5, 0.5]})
    table["order"] = ["by attribution"] * 3 + ["at random"] * 3
    return table.assign(
        output_low=table["output"] - 0.2, output_high=table["output"] + 0.2
    )


def test_deletion_lines_are_named_by_their_order():
    axes = figures.deletion_lines(deleted()).axes[0]
    first, second = axes.lines[:2]
    assert (first.get_label(), second.get_label()) == ("by attribution", "at random")
    assert first.get_xydata().tolist() == [[0, 2], [50, 1], [100, 0]]


def weighted(known=True):
    rows = [
        (kind, name, 0.5 + place / 4, (1 + place / 8) if known else np.nan)
        for kind in ("graph_attention", "task_query for emotions", "product_of_experts")
        for place, name in enumerate(MODALITIES)
    ]
    return pd.DataFrame(rows, columns=["kind", "modality", "weight", "observer"])


@pytest.mark.parametrize("known", [True, False])
def test_weights_stand_against_those_of_an_observer_where_it_is_known(known):
    axes = figures.weights_of_modalities(weighted(known)).axes[0]
    points = np.concatenate([each.get_offsets() for each in axes.collections])
    expected = 1 + np.arange(5) / 8 if known else np.arange(5)
    assert points[:, 0].tolist() == expected.tolist()
    assert points[:, 1].tolist() == (0.5 + np.arange(5) / 4).tolist()
    assert len(axes.lines) == 1 + known


def by_noise():
    rows = [
        (kind, name, noise, 1 + place / 4 - noise / 10)
        for kind in ("ideal_observer", "product_of_experts")
        for place, name in enumerate(MODALITIES)
        for noise in (0.8, 1.4, 2.3)
    ]
    table = pd.DataFrame(rows, columns=["kind", "modality", "noise", "weight"])
    ends = {"weight_low": table["weight"] - 0.1, "weight_high": table["weight"] + 0.1}
    return table.assign(**ends)


def test_weights_stand_over_the_noise_with_the_uniform_one_marked():
    first, second = figures.weights_seen(by_noise()).axes[:2]
    assert first.get_title("left") == "Ideal observer"
    uniform, face, *_ = first.lines
    assert len(first.lines) == 1 + len(MODALITIES)
    assert uniform.get_ydata()[0] == 1 and uniform.get_linestyle() == ":"
    assert face.get_ydata().tolist() == pytest.approx([0.92, 0.86, 0.77])
    assert [each.get_text() for each in first.get_xticklabels()] == [
        "0.8",
        "1.4",
        "2.3",
    ]
    assert first.get_ylim() == second.get_ylim() == pytest.approx((0, 1.05 * 2.02))


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


def frames(rng, count=3):
    return rng.integers(0, 255, (count, 12, 16, 3), dtype=np.uint8)


def test_contact_sheet_and_sound(rng):
    figure = figures.contact_sheet(frames(rng), ["a", "b", "c"])
    assert [texts(axes) for axes in figure.axes] == [["a"], ["b"], ["c"]]
    wave = np.sin(np.arange(1600) / 9)
    (axes,) = figures.sound(wave, 16000, np.array([0.02, 0.05])).axes
    assert axes.get_xlim() == (0, 0.1)
    _, marks = axes.collections
    assert [part[0, 0] for part in marks.get_segments()] == [0.02, 0.05]


def test_envelope_keeps_every_peak(rng):
    wave = rng.standard_normal(1000)
    seconds, low, high = envelope(wave, 100, columns=30)
    assert len(seconds) == 30 and high.max() == wave.max() and low.min() == wave.min()
    assert len(envelope(wave[:7], 100, columns=30)[0]) == 7


def trials_of_strengths():
    rows = [
        (metric, x, name, y, y - 0.1, y + 0.1)
        for metric in ("power", "false_positive_rate")
        for name, start in (("a", 0.2), ("b", 0.4))
        for x, y in ((0.3, start + 0.3), (0.0, start))
    ]
    columns = ["metric", "strength", "source", "estimate", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def test_lines_of_trials_stand_beside_each_other():
    marks = {"false_positive_rate": 0.05}
    figure = figures.trial_lines(trials_of_strengths(), "strength", "source", marks)
    first, second = figure.axes
    assert [axes.get_title("left") for axes in figure.axes] == [
        "Power",
        "False-positive rate",
    ]
    assert len(first.lines) == 2 and len(second.lines) == 3
    a, b = first.lines
    assert a.get_ydata().tolist() == pytest.approx([0.2, 0.5])  # in order across
    assert (b.get_xdata() - a.get_xdata()).tolist() == pytest.approx([0.005] * 2)
    assert a.get_color() != b.get_color() and a.get_marker() != b.get_marker()
    assert second.lines[0].get_ydata()[0] == 0.05
    assert first.get_xticks().tolist() == [0.0, 0.3]


def test_trial_lines_over_ratios_have_all_marks():
    table = trials_of_strengths()
    places = sorted(table["strength"].unique())
    counts = dict(zip(places, 100 * 4.0 ** np.arange(len(places)), strict=True))
    table = table.assign(strength=table["strength"].map(counts))
    metric = table["metric"].iloc[0]
    figure = figures.trial_lines(
        table, "strength", "source", {metric: [0.2, 0.4]}, by_ratio=True
    )
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    dotted = [line for line in axes.get_lines() if line.get_linestyle() == ":"]
    assert [line.get_ydata()[0] for line in dotted] == [0.2, 0.4]
    ticks = [each.get_text() for each in axes.get_xticklabels()]
    assert ticks == [f"{count:,g}" for count in counts.values()]


def test_labels_of_ticks_keep_apart_on_a_narrow_screen():
    clips = [340, 1400, 2000, 5600, 8000, 22000]
    table = pd.DataFrame({"clips": clips, "arm": "a", "metric": "CCC", "estimate": 0.5})
    table = table.assign(low=0.4, high=0.6)
    axes = figures.trial_lines(table, "clips", "arm", by_ratio=True).axes[0]
    labels = [each.get_text() for each in axes.get_xticklabels()]
    assert labels == ["340", "1,400", "", "5,600", "", "22,000"]
    assert axes.get_xticks().tolist() == clips


def dosed():
    rows = [
        ("task_query", "occlusion", 0.0, "mWACC", 0.001, 0.0),
        ("task_query", "occlusion", 0.5, "mWACC", 0.01, 0.02),
        ("task_query", "occlusion", 1.0, "mWACC", 0.03, 0.05),
        ("gradnorm", "imbalance", 1.0, "mWACC", 0.02, np.nan),
        ("gradnorm", "imbalance", 1.0, "CCC", 0.01, np.nan),
    ]
    columns = ["component", "knob", "dose", "metric", "estimate", "there"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(low=table["estimate"] - 0.01, high=table["estimate"] + 0.01)


def test_doses_of_a_pair_stand_below_one_another():
    figure = figures.dose_dots(dosed(), 0.005)
    first, second = figure.axes
    names = [each.get_text() for each in first.get_yticklabels()]
    assert names == ["Task queries, occlusion", "GradNorm, imbalance"]
    dots = [line for line in first.lines if line.get_marker() == "o"]
    assert [dot.get_xdata()[0] for dot in dots] == [0.001, 0.01, 0.03, 0.02]
    assert [dot.get_fillstyle() for dot in dots] == ["none", "left", "full", "full"]
    heights = [dot.get_ydata()[0] for dot in dots]
    assert heights == pytest.approx([-0.26, 0.0, 0.26, 1.0])
    diamonds = [
        each.get_offsets()[0].tolist()
        for each in first.collections
        if each.get_label() == "what there is to gain"
    ]
    assert diamonds == [[0.02, 0.0], [0.05, 0.26]]
    assert len([line for line in second.lines if line.get_marker() == "o"]) == 1


def gains():
    rows = [
        ("face", "emotion", "mamba", 0.02),
        ("face", "emotion", "state_free", 0.01),
        ("text", "emotion", "state_free", 0.03),
        ("drawn sequences", "order", "mamba", 0.5),
    ]
    table = pd.DataFrame(rows, columns=["what", "task", "block", "estimate"])
    ends = {"low": table["estimate"] - 0.01, "high": table["estimate"] + 0.01}
    return table.assign(**ends)


def test_gains_of_blocks_stand_above_each_other():
    figure = figures.block_gains(gains())
    emotion, order = figure.axes
    assert [axes.get_title("left") for axes in figure.axes] == ["Emotion", "Order"]
    assert [t.get_text() for t in emotion.get_yticklabels()] == ["Face", "Text"]
    assert [t.get_text() for t in order.get_yticklabels()] == ["Drawn sequences"]
    _, mamba, _, other = emotion.collections
    assert mamba.get_offsets().tolist() == [[0.02, -0.125]]
    assert other.get_offsets().tolist() == [[0.01, 0.125], [0.03, 1.125]]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "Mamba-2",
        "Published block (state-free)",
    ]


def reported():
    return pd.DataFrame(
        {
            "emotion": ["happiness", "happiness", "fear"],
            "trait": ["extraversion", "extraversion", "emotional_stability"],
            "kind": ["trait", "state", "trait"],
            "source": ["costa1992", "rafaeli2006", "costa1992"],
            "r": [0.5, 0.1, -0.6],
            "low": [0.4, 0.0, -0.7],
            "high": [0.6, 0.2, -0.5],
        }
    )


def test_a_forest_has_this_study_and_every_report_of_a_pair():
    table, _ = association()
    figure = figures.reports_forest(table, reported())
    fear, happiness = [axes for axes in figure.axes if axes.get_visible()]
    assert (fear.get_title("left"), happiness.get_title("left")) == (
        "Fear",
        "Happiness",
    )
    ticks = [tick.get_text() for tick in fear.get_yticklabels()]
    assert ticks == ["Extraversion", "Emotional stability"]
    marks = [c.get_offsets().tolist() for c in happiness.collections[1::2]]
    assert [mark for mark in marks if mark] == [
        [[0.5, pytest.approx(-0.3)]],
        [[0.5, pytest.approx(-0.1)]],
        [[0.1, pytest.approx(0.05)]],
    ]
    lines = happiness.collections[0].get_segments()
    assert [line[:, 0].tolist() for line in lines] == [pytest.approx([0.4, 0.6])]
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == [
        "this study",
        "Norms of the NEO PI-R (in general)",
        "Rafaeli and Revelle (2006) (at the moment)",
    ]


def verdicts():
    table, _ = association()
    verdict = np.where(table["r"] > 0.3, "present", "absent").astype(object)
    verdict[:2] = "undecided"
    cells = table.assign(verdict=verdict, clips=np.nan)
    cells.loc[:1, "clips"] = [1234, 151_700]
    cells.loc[2, ["r", "verdict"]] = [-0.4, "present"]
    return cells


def test_every_verdict_has_its_mark_and_its_number():
    axes = figures.verdict_matrix(verdicts()).axes[0]
    assert texts(axes)[:4] == ["1,234", "152k", "−.40", ".00"]
    assert texts(axes).count("+.50") == 1 and len(texts(axes)) == 30
    marks = [c for c in axes.collections if c.get_gid()]
    assert marks[0].get_gid() == (
        "title:Anger, Openness: undecided, 1,234 clips would decide"
    )
    assert marks[2].get_gid().startswith("title:Anger, Extraversion: present, −.40 [")
    assert marks[3].get_gid().startswith("title:Anger, Agreeableness: absent, .00 [−")
    shapes = [len(mark.get_paths()[0].vertices) for mark in marks]
    assert shapes[2] != shapes[3] and marks[3].get_facecolor().size == 0
    assert marks[0].get_sizes()[0] < marks[3].get_sizes()[0]


def test_verdicts_that_are_refused_are_grey_and_said_to_be():
    axes = figures.verdict_matrix(verdicts(), refused=True).axes[0]
    marks = [c for c in axes.collections if c.get_gid()]
    assert (
        marks[2]
        .get_gid()
        .startswith("title:Anger, Extraversion: not to be relied on: present, −.40 [")
    )
    grey = to_rgba(theme.faint())
    assert {tuple(mark.get_edgecolor()[0]) for mark in marks} == {grey}
    assert {text.get_fontweight() for text in axes.texts} == {"normal"}


def test_a_matrix_of_some_pairs_has_their_rows_alone():
    some = verdicts()
    some = some[some["emotion"].isin(["anger", "happiness"])]
    some = some[some["trait"] == "openness"]
    axes = figures.verdict_matrix(some).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [
        "Anger",
        "Happiness",
    ]
    assert len(texts(axes)) == 2


def risks():
    rows = [("Cues apart", "three sources", 0.06, 0.03, 0.1)]
    rows += [("Cues overlap", "three sources", 0.03, 0.01, 0.06)]
    rows += [("Cues overlap", "disjoint modalities", 1.0, 0.98, 1.0)]
    columns = ["name", "group", "estimate", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def test_dots_of_a_name_stand_in_its_row():
    figure = figures.interval_dots(risks(), 0.05, "share")
    (axes,) = figure.axes
    first, second = axes.collections[1::2]
    assert first.get_offsets().tolist() == [
        [0.06, pytest.approx(-0.12)],
        [0.03, pytest.approx(0.88)],
    ]
    assert second.get_offsets().tolist() == [[1.0, pytest.approx(1.12)]]
    assert len(figure.legends) == 1
    alone = figures.interval_dots(risks().drop(columns="group").head(2), 0.05, "share")
    assert alone.legends == [] and alone.axes[0].get_xlabel() == "share"


def conditions():
    rows = [
        (source, condition, strength, metric, value, value - 0.01, value + 0.01)
        for source, shift in ((CROSS, 0.0), (DISJOINT, -0.5))
        for condition in ("480 clips", "cues overlap by 30 degrees")
        for strength in (0.0, 0.3)
        for metric, value in (("covers_planted", 0.95 + shift), ("rmse", 0.08 - shift))
    ]
    names = ["source", "condition", "strength", "metric", "estimate", "low", "high"]
    return pd.DataFrame(rows, columns=names)


BANDS = {"covers_planted": (0.93, 0.98), "rmse": (0.0, 0.1)}


def expected():
    cells = pd.DataFrame(
        [(e, t) for e in SCORED_EMOTIONS for t in TRAITS], columns=["emotion", "trait"]
    )
    planted = np.where(cells["trait"] == "openness", 0.3, 0.0)
    cells = cells.assign(planted=planted, expected=planted / 2, deviation=0.05)
    return pd.concat([cells.assign(source="one"), cells.assign(source="other")])


def test_expected_panels_keep_cells_of_one_value_apart():
    figure = figures.expected_panels(expected())
    assert [axes.get_title("left") for axes in figure.axes] == ["One", "Other"]
    points = [c.get_offsets() for c in figure.axes[0].collections]
    points = np.concatenate([each for each in points if len(each) == 5])
    assert len(points) == len(set(points[:, 0].round(6))) == 30
    assert abs(points[:, 0] - 2 * points[:, 1]).max() <= 0.035


def test_condition_panels_have_a_row_per_kind_of_worlds():
    first, second = figures.condition_panels(conditions(), BANDS).axes
    assert [label.get_text() for label in first.get_yticklabels()] == [
        "480 clips",
        "cues overlap by 30 degrees",
    ]
    shown = [c.get_offsets() for c in first.collections if len(c.get_offsets()) == 2]
    values = [each[:, 0].round(6).tolist() for each in shown]
    assert values == [[0.95] * 2] * 2 + [[0.45] * 2] * 2
    heights = np.array([each[:, 1] for each in shown])
    assert len(np.unique(heights.round(6))) == 8  # no two marks at one height
    assert second.patches[0].get_extents().width > 0
    # What lies beyond the axis has an arrow and its number at the edge.
    assert [text.get_text() for text in second.texts] == ["0.58"] * 4
    assert first.texts == [] or not any(text.get_text() for text in first.texts)
    table = conditions()
    absent = (table["source"] == DISJOINT) & (table["metric"] == "rmse")
    _, second = figures.condition_panels(table[~absent], BANDS).axes
    shown = [c for c in second.collections if len(c.get_offsets()) == 2]
    assert len(shown) == 2


def reached():
    """What each question reaches, with a study at hand of a thousand clips."""
    questions = {FIND: 0.3, FIND_MEAN: 0.1, CALL_ABSENT: 0.2}
    rows = [
        {"question": question, "times": n, "clips": 1000.0 * n, "r": r / n**0.5}
        for question, r in questions.items()
        for n in (1, 4, 16)
    ]
    return pd.DataFrame(rows)


def test_reach_has_a_line_per_question_and_marks_the_study_at_hand():
    axes = figures.reach_lines(reached(), 0.1).axes[0]
    *lines, effect, today = axes.lines
    assert len(lines) == 3 and lines[0].get_xydata()[1].tolist() == [4000, 0.15]
    assert set(effect.get_ydata()) == {0.1} and set(today.get_xdata()) == {1000}


def searched():
    return pd.DataFrame(
        {
            "trial": [0, 1, 2, 3],
            "state": ["complete", "complete", "pruned", "complete"],
            "dev_score": [0.5, 0.7, 0.9, 0.6],
        }
    )


def test_search_history_keeps_pruned_trials_apart():
    axes = figures.search_history(searched()).axes[0]
    first, best = axes.lines
    assert set(first.get_ydata()) == {0.5}
    assert best.get_xydata().tolist() == [[0, 0.5], [1, 0.7], [3, 0.7]]
    complete, pruned = axes.collections
    assert complete.get_offsets().tolist() == [[0, 0.5], [1, 0.7], [3, 0.6]]
    assert pruned.get_offsets().tolist() == [[2, 0.9]]
    assert len(pruned.get_facecolors()) == 0


def differences():
    table = scores().rename(columns={"modality": "variant", "estimate": "difference"})
    return table.replace({"variant": {"face": "no_predict_projector"}})


def component_gains():
    table = differences().rename(columns={"variant": "component"})
    table = table.rename(columns={"difference": "gain"})
    verdicts = ["better", "worse", "equivalent", "undecided"]
    table["verdict"] = [verdicts[i % 4] for i in range(len(table))]
    return table.assign(added=True)


def bounded():
    table, planted = association()
    ends = {"low": -0.8, "high": 0.9, "interval_low": -0.9, "interval_high": 1.0}
    return table.assign(unrelated=table["r"], **ends), table


def multitrait(rng):
    """Correlations of drawn scores: (modality, construct, modality, construct)."""
    scores = rng.standard_normal((30, 11, 1)) + rng.standard_normal((30, 11, 5))
    flat = np.corrcoef(scores.transpose(0, 2, 1).reshape(30, -1), rowvar=False)
    return flat.reshape(5, 11, 5, 11)


def test_a_multitrait_matrix_has_a_framed_block_for_each_construct(rng):
    matrix = multitrait(rng)
    matrix[2, 3, 4, 7] = 0.77
    axes = figures.multitrait_heatmap(matrix, MODALITIES).axes[0]
    shown = axes.images[0].get_array()
    assert shown[5 * 3 + 2, 5 * 7 + 4] == pytest.approx(0.77)
    assert np.isnan(np.asarray(shown.filled(np.nan)).diagonal()).all()
    framed = [
        name for name, block in cells_of(axes).items() if block.get_linewidth() > 1
    ]
    assert len(framed) == 11 and len(axes.patches) == 121
    mean = matrix[:, 3, :, 3][~np.eye(5, dtype=bool)].mean()
    assert f"Happiness: .{100 * mean:02.0f} between modalities" in framed
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[0] == "Anger" and names[-1] == "Emotional stability"


def test_a_block_without_a_defined_correlation_says_so(rng):
    matrix = multitrait(rng)
    matrix[:, 0] = np.nan
    axes = figures.multitrait_heatmap(matrix, MODALITIES).axes[0]
    assert "Anger: not defined between modalities" in cells_of(axes)


def ratios():
    constructs = (*SCORED_EMOTIONS, *TRAITS)
    rows = [
        (one, other, 0.05 * place - 0.3, 0.05 * place - 0.4, 0.05 * place - 0.2)
        for place, one in enumerate(constructs)
        for other in constructs[place + 1 :]
    ]
    table = pd.DataFrame(rows, columns=["construct", "other", "htmt", "low", "high"])
    return table.assign(distinct=table["other"] != "agreeableness")


def test_ratios_of_emotions_with_traits_are_framed_where_they_are_not_distinct():
    axes = figures.ratio_matrix(ratios()).axes[0]
    cells = cells_of(axes)
    assert len(cells) == 30
    framed = [name for name, cell in cells.items() if cell.get_edgecolor()[3]]
    assert len(framed) == len(SCORED_EMOTIONS)
    assert "Anger, Agreeableness: −.30 [−.40, −.20], not distinct" in framed
    assert "Happiness, Openness: −.15 [−.25, −.05]" in cells


CHOICES = ("modalities", "corpora", "scores")


def specified(rng, refused=0):
    rows = [
        (modalities, corpora, penalty, rng.standard_normal() / 9)
        for modalities in ("all", "without face", "without text")
        for corpora in ("all", "training corpora")
        for penalty in ("probes", "penalty a tenth", "networks")
    ]
    columns = [*CHOICES, "estimate"]
    table = pd.DataFrame(rows, columns=columns)
    table.loc[len(table) - refused :, "estimate"] = np.nan
    table["low"], table["high"] = table["estimate"] - 0.1, table["estimate"] + 0.1
    return table.assign(significant=table["low"] > 0)


def test_a_specification_curve_is_sorted_and_has_a_stroke_for_each_choice(rng):
    table = specified(rng, refused=4)
    above, below = figures.specification_curve(table, CHOICES).axes
    points = [c.get_offsets() for c in above.collections]
    heights = np.sort(np.concatenate(points[:2])[:, 1])
    np.testing.assert_allclose(heights, np.sort(table["estimate"].dropna()))
    (diamond,) = points[2]
    assert diamond[1] == table["estimate"].iloc[0]
    assert diamond[0] == (table["estimate"] < diamond[1]).sum()
    labels = [label.get_text() for label in below.get_yticklabels()]
    assert len(labels) == 3 + 2 + 3 == len(below.lines)
    assert texts(below) == ["Modalities", "Corpora", "Scores"]
    strokes = {
        label: np.unique(line.get_xdata())
        for label, line in zip(labels, below.lines, strict=True)
    }
    order = table.dropna().sort_values("estimate")["modalities"].to_numpy()
    expected = np.flatnonzero(order == "without face")
    assert strokes["Without face"].tolist() == expected.tolist()


def windows():
    """Six emotions in windows of 4 s every 2 s; the second is a gap."""
    table = pd.DataFrame({"start": [1.0, 3, 5], "end": [5.0, 7, 9]})
    for place, name in enumerate(SCORED_EMOTIONS):
        table[name] = [0.1 * place, np.nan, 0.1 * place + 0.4]
    return table


@pytest.mark.parametrize("sound", [True, False])
def test_a_timeline_has_gaps_and_the_time_of_the_recording(sound):
    wave = np.ones(80) if sound else None
    thresholds = dict.fromkeys(SCORED_EMOTIONS, 0.5)
    figure = figures.emotion_timeline(windows(), thresholds, wave, 10)
    panels = figure.axes[: len(SCORED_EMOTIONS)]
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    names = [theme.pretty(name) for name in SCORED_EMOTIONS]
    assert titles == [*names, *(["Sound"] if sound else [])]
    for place, axes in enumerate(panels):
        line, threshold = axes.get_lines()
        np.testing.assert_array_equal(line.get_xdata(), [3, 5, 7])
        expected = [0.1 * place, np.nan, 0.1 * place + 0.4]
        np.testing.assert_allclose(line.get_ydata(), expected)
        assert threshold.get_ydata() == [0.5, 0.5]
        assert axes.get_xlim() == (1, 9) and axes.get_ylim()[0] < 0
        filled, hollow = (each.get_offsets()[:, 1] for each in axes.collections[1:])
        assert len(filled) == sum(value >= 0.5 for value in expected)
        assert (filled >= 0.5).all() and not (hollow >= 0.5).any()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "seeds" not in labels
    if sound:  # from the start of the first window on
        (area,) = figure.axes[-1].collections
        ends = area.get_paths()[0].vertices[:, 0]
        assert ends.min() == 1 and ends.max() == pytest.approx(8.9)


def test_a_timeline_has_a_band_over_seeds():
    bands = windows().drop(columns=["start", "end"])
    bands = bands.add_suffix("_least") - 0.05, bands.add_suffix("_most") + 0.1
    table = pd.concat([windows(), *bands], axis=1)
    figure = figures.emotion_timeline(table, {}, None, 10)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "seeds" in labels
    assert len(figure.axes) == len(SCORED_EMOTIONS)
    for place, axes in enumerate(figure.axes):
        _, ends, *_ = axes.collections
        found = [part[:, 1] for part in ends.get_segments() if len(part)]  # a gap
        expected = np.array([[0.1 * place], [0.1 * place + 0.4]]) + [-0.05, 0.1]
        np.testing.assert_allclose(found, expected)


def everything(rng):
    """Each figure function's name to arguments that make it full."""
    table, planted = association()
    observer = planted.rename(columns={"planted": "observer"})
    title = "true × predicted, personality, between people"
    tables = {f"{title} {number}": table for number in range(4)}
    truth = planted.assign(rated=planted["planted"])
    comparison = compare(table, truth, observer, against="rated")
    values = pd.Series({name: 0.9 for name in (*EMOTIONS, *TRAITS)})
    stages = [("extract", "evaluate_replicate"), ("extract", "unimodal")]
    stages += [("extract", f"stage_{number}") for number in range(6)]
    wave = np.sin(np.arange(1600) / 9)
    moved = pd.Series(dict.fromkeys(MODALITIES, 0.7))
    crops = {
        name: image for name, image in zip(MODALITIES, frames(rng, 2), strict=False)
    }
    labels = ["happiness 0.83, sadness\nemotional stability 0.11"] * 5
    weights = pd.DataFrame(
        {"weight": [0.5, -0.1], "low": [0.4, -0.3], "high": [0.6, 0.1]},
        index=["face", "text"],
    )
    return {
        "truth_matrix": (comparison,),
        "truth_panels": (binned([*EMOTIONS[1:], *TRAITS]),),
        "confusion_matrix": (confused(*((name, 3) for name in EMOTIONS)),),
        "group_dots": (GROUPS,),
        "journey_dots": ({"Happiness, by stage": JOURNEY},),
        "place_scatter": (PLACES, "happiness", "emotional_stability"),
        "association_heatmap": (tables,),
        "block_gains": (gains(),),
        "bounds_panels": bounded(),
        "component_gains": (component_gains(), 0.005),
        "condition_panels": (conditions(), BANDS),
        "contact_sheet": (frames(rng, 5), labels),
        "deletion_lines": (deleted(),),
        "dose_dots": (dosed(), 0.005),
        "difference_dots": (differences(),),
        "emotion_timeline": (
            windows().assign(anger_least=0.0, anger_most=0.5),
            dict.fromkeys(EMOTIONS, 0.6),
            wave,
            160,
        ),
        "evidence_dots": (used_evidence(),),
        "expected_panels": (expected(),),
        "in_time": (timed(),),
        "interval_dots": (risks(), 0.05, "share of worlds"),
        "label_distribution": (clips(rng), "personality"),
        "learning_curves": (learned(),),
        "metric_dots": (scores(),),
        "multitrait_heatmap": (multitrait(rng), MODALITIES),
        "pipeline_graph": (pd.DataFrame(stages, columns=["source", "stage"]),),
        "prediction_bars": (values, values),
        "reach_lines": (reached(), 0.1),
        "ratio_matrix": (ratios(),),
        "recovery_panels": ({"simulated": comparison, "null world": comparison},),
        "region_overlay": (crops, hidden_regions()),
        "reports_forest": (table, reported()),
        "robustness_dots": (disturbed(),),
        "outside_dots": (outside(),),
        "search_history": (searched(),),
        "sound": (wave, 16000, np.arange(4) / 1000),
        "specification_curve": (specified(rng), CHOICES),
        "stacking_weights": (weights,),
        "trial_lines": (trials_of_strengths(), "strength", "source"),
        "verdict_matrix": (verdicts(),),
        "waterfall": (moved, -2.0, 1.5, moved / 2, "logit"),
        "weights_of_modalities": (weighted(),),
        "weights_seen": (by_noise(),),
    }


def visible_texts(figure):
    """Texts that are drawn; of ticks, those within the limits of axes that are on."""
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.majorTicks, *axis.minorTicks]:
                if not (axes.axison and low <= tick.get_loc() <= high):
                    hidden |= {tick.label1, tick.label2}
    for text in set(figure.findobj(plt.Text)) - hidden:
        box = text.get_window_extent()
        shown = text.axes is None or text.axes.get_visible()
        if text.get_text().strip() and text.get_visible() and shown and box.width > 0:
            yield text, box


def luminance(pixels):
    linear = np.where(
        pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4
    )
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize(
    ("mode", "layout"), list(zip(theme.MODES, theme.WIDTHS, strict=True))
)
@pytest.mark.parametrize("name", sorted(set(shown.__all__) - WORDS))
def test_texts_can_be_read(name, mode, layout, rng):
    """Sizes, and contrast of WCAG 2.2, success criterion 1.4.3.

    Modes have sizes in common, and layouts colours.
    """
    with theme.use(mode, layout):
        figure = getattr(figures, name)(*everything(rng)[name])
        figure.draw_without_rendering()
        found = list(visible_texts(figure))
        assert found and figure.get_figwidth() <= theme.WIDTHS[layout] + 1e-9
        page = figure.bbox.padded(2)
        for text, box in found:
            words = text.get_text()
            assert text.get_fontsize() * 96 / 72 >= 9, words
            assert page.contains(box.x0, box.y0), (words, box)
            assert page.contains(box.x1, box.y1), (words, box)
        for text, _ in found:
            text.set_alpha(0)
        figure.canvas.draw()
        behind = np.asarray(figure.canvas.buffer_rgba())[::-1, :, :3] / 255
    for text, box in found:
        (x0, y0), (x1, y1) = np.clip(box.get_points(), 0, None).astype(int)
        part = luminance(behind[y0 : y1 + 1, x0 : x1 + 1].reshape(-1, 3))
        mine = luminance(np.array(to_rgb(text.get_color())))
        contrast = (np.maximum(part, mine) + 0.05) / (np.minimum(part, mine) + 0.05)
        # Lines of a grid and marks may cross a text's box; what it stands on may not.
        assert np.quantile(contrast, 0.25) >= 4.5, text.get_text()


def test_cells_that_are_not_identified_leave_their_panel_empty():
    nothing = pd.DataFrame({"emotion": SCORED_EMOTIONS[0], "trait": TRAITS[0]}, [0])
    columns = ["planted", "rated", "observer", "recovered", "low", "high"]
    nothing = nothing.assign(**dict.fromkeys(columns, np.nan), significant=False)
    figure = shown.recovery_panels.draw({"simulated": nothing})
    assert not figure.legends
    assert figure.axes[0].get_title("left") == "Simulated: 0 of 1 cells"
    plt.close(figure)
