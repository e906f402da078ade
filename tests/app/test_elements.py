import re

import numpy as np
import pandas as pd
import pytest

from sslmepr.app.elements import drawn, in_the_dark, key
from sslmepr.app.figures import pair_dots, score_bars
from sslmepr.app.scores import COLUMNS
from sslmepr.labels import EMOTIONS, MODALITIES, SCORED_EMOTIONS, TRAITS
from sslmepr.media.audio import SAMPLE_RATE_HZ
from sslmepr.report import figures, theme

WAVEFORM = np.sin(np.arange(8 * SAMPLE_RATE_HZ, dtype=np.float32))


def shown():
    """Every figure of the app without a colour map, and what it is drawn of."""
    scores = pd.DataFrame(0.5, index=[*EMOTIONS, *TRAITS], columns=COLUMNS)
    pairs = pd.DataFrame({"A": [0.1, 0.4], "B": [0.8, 0.3]}, index=["anger", "fear"])
    windows = pd.DataFrame({"start": [0.0, 2.0], "end": [4.0, 6.0]})
    windows = windows.assign(**dict.fromkeys(SCORED_EMOTIONS, 0.3))
    moved = pd.Series(np.linspace(-1, 1, len(MODALITIES)), index=MODALITIES)
    steps = pd.DataFrame({"modality": ["face", "face", "audio"], "step": [0, 1, 0]})
    steps["attribution"] = [0.5, -0.5, 0.1]
    frames = np.zeros((2, 8, 8, 3), np.uint8)
    return {
        score_bars: [scores],
        pair_dots: [pairs.assign(larger=[True, False])],
        figures.emotion_timeline: [
            windows,
            dict.fromkeys(SCORED_EMOTIONS, 0.4),
            WAVEFORM,
            SAMPLE_RATE_HZ,
        ],
        figures.waterfall: [moved, 0.0, moved.sum(), None, "Logit", "Average clip"],
        figures.in_time: [steps],
        figures.contact_sheet: [frames, ["0.1 s", "0.2 s"]],
        figures.sound: [WAVEFORM, SAMPLE_RATE_HZ, np.array([0.1, 0.2])],
    }


def numbered(drawing):
    """A drawing whose ids are their places."""
    for place, name in enumerate(re.findall(r'\bid="([^"]*)"', drawing)):
        drawing = re.sub(rf'(?<=["#]){re.escape(name)}(?=[")])', f"id{place}", drawing)
    return drawing


@pytest.mark.parametrize("show", shown(), ids=lambda show: show.__name__)
def test_a_drawing_in_other_colours_is_the_dark_one(show):
    drawings = {}
    for mode in theme.MODES:
        with theme.use(mode, "narrow"):
            drawings[mode] = theme.svg(show.draw(*shown()[show]), "x", "narrow")
    dark = in_the_dark(drawings["light"])
    assert numbered(dark) == numbered(drawings["dark"])
    ids = [re.findall(r'\bid="([^"]*)"', each) for each in (dark, drawings["light"])]
    assert not {*ids[0]} & {*ids[1]}  # both stand on one page


def test_a_figure_stands_there_in_every_style_and_layout():
    scores = pd.DataFrame(0.5, index=["fear"], columns=COLUMNS)
    pages = [drawn(score_bars, scores, alt="x", mapped=each) for each in (False, True)]
    for page in pages:
        assert re.findall(r'class="(only-\w+|wide|narrow)"', page) == [
            *("only-light", "wide", "narrow"),
            *("only-dark", "wide", "narrow"),
        ]


def test_a_key_says_what_each_colour_stands_for():
    assert key("Boxes", {"<face>": "background:#123456"}) == (
        '<p class="key">Boxes: <span><span aria-hidden="true" '
        'style="background:#123456"></span>&lt;face&gt;</span> </p>'
    )
