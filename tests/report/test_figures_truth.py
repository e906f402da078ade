"""Figures of one clip, of predictions against labels, and of groups of people."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from sslmepr.labels import EMOTIONS
from sslmepr.report import figures, theme


@pytest.fixture(autouse=True)
def dark():
    with theme.use("dark"):
        yield
    plt.close("all")


def binned(targets):
    rows = [
        (target, number, 0.2 * number, 0.1 * number, 0.0, 0.5)
        for target in targets
        for number in range(5)
    ]
    columns = ["target", "bin", "predicted", "estimate", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def confused(*hits):
    """Of four clips with each strongest emotion, how many are told right."""
    rows = [
        (true, name, clips, clips / 4)
        for true, right in hits
        for name in EMOTIONS
        for clips in [right if name == true else (4 - right) * (name == "neutral")]
    ]
    return pd.DataFrame(rows, columns=["true", "predicted", "clips", "share"])


GROUPS = pd.DataFrame(
    [
        ("darker skin", "mWACC", 0.6, 0.5, 0.7, -0.2, -0.1),
        ("with glasses", "mWACC", 0.7, 0.6, 0.8, -0.1, 0.1),
        ("darker skin", "CCC", 0.6, 0.5, 0.7, -0.1, 0.1),
    ],
    columns=["people", "metric", "estimate", "low", "high", "lowest", "highest"],
)
JOURNEY = pd.DataFrame(
    [
        ("face", "stage 1", 0.1),
        ("face", "stage 2", 0.3),
        ("fused", "late fusion", 0.4),
        ("fused", "stage 3", 0.5),
    ],
    columns=["modality", "stage", "predicted"],
).assign(usual=0.2, true=0.6)
PLACES = pd.DataFrame(
    {"emotion": [0.1, 0.2], "trait": [0.3, 0.4], "chosen": [False, True]}
)


def test_a_panel_for_each_target_with_a_dot_for_each_bin():
    figure = figures.truth_panels.draw(binned(["anger", "openness"]))
    first, second = figure.axes
    titles = [axes.get_title("left") for axes in (first, second)]
    assert titles == ["Anger", "Openness"]
    (dots,) = [line for line in first.lines if line.get_marker() == "o"]
    assert dots.get_xydata()[:, 0] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert dots.get_xydata()[:, 1] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert dots.get_color() == theme.emotion_colours()["anger"]


def test_confusions_are_percent_of_the_row_and_the_diagonal_is_framed():
    table = confused(("anger", 3), ("fear", 4))
    (axes,) = figures.confusion_matrix.draw(table).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "Anger (4)",
        "Fear (4)",
    ]
    cells = {patch.get_gid().removeprefix("title:"): patch for patch in axes.patches}
    assert "Anger, Neutral: 25" in cells and "Fear, Fear: 100" in cells
    framed = [name for name, cell in cells.items() if cell.get_edgecolor()[3]]
    assert framed == ["Anger, Anger: 75", "Fear, Fear: 100"]


def test_a_group_that_surely_differs_has_a_colour():
    first, second = figures.group_dots.draw(GROUPS).axes
    assert [line.get_color() for line in first.lines] == [
        theme.accent(),
        theme.faint(),
    ]
    assert [line.get_color() for line in second.lines] == [theme.faint()]
    assert first.lines[1].get_ydata() == [1]


def test_a_journey_is_hollow_first_and_filled_later():
    (axes,) = figures.journey_dots.draw({"Anger": JOURNEY}).axes
    marks = [line for line in axes.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in marks] == [0.1, 0.3, 0.4, 0.5]
    hollow = [line.get_markerfacecolor() == theme.page() for line in marks]
    assert hollow == [True, False, True, False]
    verticals = [
        line.get_xdata()[0]
        for line in axes.lines
        if line.get_xdata()[0] == line.get_xdata()[-1] and line.get_marker() != "o"
    ]
    assert verticals == [0.2, 0.6]
    untold = figures.journey_dots.draw({"Anger": JOURNEY.assign(true=float("nan"))})
    assert len(untold.axes[0].lines) == len(axes.lines) - 1


def test_one_clip_is_marked_among_all():
    (axes,) = figures.place_scatter.draw(PLACES, "anger", "openness").axes
    everyone, mine = axes.collections
    assert len(everyone.get_offsets()) == 2
    assert mine.get_offsets().tolist() == [[0.2, 0.4]]
    assert axes.get_xlabel() == "Anger, predicted probability"
