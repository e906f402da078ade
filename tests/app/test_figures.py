import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from sslmepr.app.figures import described, outlined, pair_dots, score_bars
from sslmepr.app.scores import COLUMNS
from sslmepr.labels import EMOTIONS, TRAITS
from sslmepr.report import theme


def table(names, **values):
    frame = pd.DataFrame(np.nan, index=list(names), columns=COLUMNS)
    frame["score"] = np.linspace(0.1, 0.9, len(frame))
    return frame.assign(**values)


@pytest.mark.parametrize("names", [(*EMOTIONS, *TRAITS), EMOTIONS, TRAITS])
def test_bars_are_the_scores_on_an_axis_from_0_to_1(names):
    scores = table(names)
    with theme.use("dark", "narrow"):
        figure = score_bars.draw(scores)
    axes = [each for each in figure.axes if each.get_visible()]
    widths = [
        bar.get_width()
        for each in axes
        for bar in each.patches
        if np.isfinite(bar.get_width())  # without a usual error, its band is nowhere
    ]
    assert widths == pytest.approx(scores["score"].tolist())
    assert {each.get_xlim() for each in axes} == {(0.0, 1.0)}
    assert figure.legends == []  # nothing but scores is known
    plt.close(figure)


def test_marks_are_named_where_they_are():
    scores = table(EMOTIONS, low=0.0, high=1.0, true=0.5)
    figure = score_bars.draw(scores)
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["interval of a trait", "true"]
    plt.close(figure)


def test_bars_of_what_may_be_either_are_hatched():
    scores = table(EMOTIONS)
    scores.loc["fear", "open"] = 1
    figure = score_bars.draw(scores)
    (axes,) = [each for each in figure.axes if each.get_visible()]
    bars = [each for each in axes.patches if np.isfinite(each.get_width())]
    hatched = [
        name for name, bar in zip(EMOTIONS, bars, strict=True) if bar.get_hatch()
    ]
    assert hatched == ["fear"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["absent or present"]
    plt.close(figure)


def test_the_band_of_the_usual_error_stays_within_0_and_1():
    figure = score_bars.draw(table(TRAITS, usual=0.2))
    (axes,) = [each for each in figure.axes if each.get_visible()]
    bands = [bar for bar in axes.patches if bar.get_height() == pytest.approx(0.9)]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bands]
    expected = [(0, 0.3), (0.1, 0.5), (0.3, 0.7), (0.5, 0.9), (0.7, 1)]
    np.testing.assert_allclose(ends, expected, atol=1e-9)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["usual error"]
    plt.close(figure)


@pytest.mark.parametrize("larger", [[True, False], [False, False]])
def test_pairs_are_joined_and_strong_where_they_differ(larger):
    pairs = pd.DataFrame({"A": [0.1, 0.4], "B": [0.8, 0.3]}, index=["anger", "fear"])
    figure = pair_dots.draw(pairs.assign(larger=larger))
    (axes,) = figure.axes
    lines = [each for each in axes.collections if isinstance(each, LineCollection)]
    joined = {
        (float(each.get_linewidths()[0]), *sorted(part[:, 0].tolist()))
        for each in lines
        for part in each.get_segments()
    }
    assert joined == {(3.0 if larger[0] else 1.0, 0.1, 0.8), (1.0, 0.3, 0.4)}
    assert axes.get_xlim() == (0, 1)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert ("larger than the usual error" in names) is larger[0]
    plt.close(figure)


def test_boxes_stand_around_what_was_found():
    images = np.zeros((2, 40, 320, 3), np.uint8)
    regions = pd.DataFrame(
        {
            "frame": [0, 0, 1, 1],
            "modality": ["face", "scene", "face", "body"],
            "provenance": ["detected", "full_frame", "full_frame", "person"],
            "left": [10.0, 0.0, 0.0, 100.0],
            "top": [5.0, 0.0, 0.0, 4.0],
            "right": [30.0, 320.0, 320.0, 200.0],
            "bottom": [25.0, 40.0, 40.0, 36.0],
        }
    )
    shown = outlined(images, regions)
    assert images.max() == 0  # a copy
    rows, columns = np.nonzero(shown[0].any(axis=2))
    assert {rows.min(), rows.max()} <= {4, 5, 25, 26}
    assert columns.min() in (9, 10) and columns.max() in (30, 31)
    assert shown[0, 15, 20].sum() == 0  # only an outline
    assert shown[1, 20, 100].sum() > 0 and shown[1, :, :90].sum() == 0
    # Colour alone tells nothing: a body has two lines, 6 px apart at this size.
    lines = [np.flatnonzero(each.any(axis=-1)) for each in (shown[0, 15], shown[1, 20])]
    assert [sum(np.diff(each) > 1) + 1 for each in lines] == [2, 4]


def test_scores_in_words():
    assert described({"fear": 0.123, "openness": 0.5}) == "fear 0.12, openness 0.50"
