import inspect
import itertools
import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image

from sslmepr.report import theme
from sslmepr.report.fonts import FONT_FILES, FONT_LICENCE

# Machado, Oliveira and Fernandes (2009), severity 1.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def linear(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    xyz = np.array(TO_XYZ) @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(first, second):
    high, low = sorted((linear(c) @ TO_XYZ[1] for c in (first, second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@theme.both_modes
def line(height, colour=None):
    """A line."""
    figure, axes = plt.subplots(figsize=(theme.width(), height))
    (drawn,) = axes.plot([0, 1], color=colour or theme.accent())
    drawn.set_gid(theme.named('from 0 to 1, "up" & on'))
    axes.set_title("A text")
    return figure


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: MIME types to contents, one dict per output."""
    outputs = []
    monkeypatch.setattr(theme, "display", lambda data, raw: outputs.append(data))
    return outputs


@pytest.mark.parametrize("mode", theme.MODES)
@pytest.mark.parametrize("palette", [theme.modality_colours, theme.emotion_colours])
def test_colours_stay_apart_for_every_eye_and_from_the_page(mode, palette):
    with theme.use(mode):
        colours, page = list(palette().values()), theme.page()
    assert min(contrast(colour, page) for colour in colours) >= 3
    for matrix in DEFICIENCIES.values():
        seen = [lab(np.array(matrix) @ linear(colour)) for colour in colours]
        pairs = itertools.combinations(seen, 2)
        assert min(np.linalg.norm(a - b) for a, b in pairs) > 8


def test_text_reads_on_its_page():
    for mode in theme.MODES:
        assert contrast(theme.INK[mode], theme.PAGE[mode]) > 7
        assert contrast(theme.FAINT[mode], theme.PAGE[mode]) > 4.5


def test_both_styles_and_layouts_are_shown_with_a_description_and_equal_bytes(shown):
    open_before = plt.get_fignums()
    for _ in range(2):
        assert line(1, alt="a <line>", caption="It rises & ends.") is None
    assert shown[0] == shown[1] and plt.get_fignums() == open_before
    assert shown[0]["text/plain"] == "Figure: a <line>"
    page = shown[0]["text/html"]
    light, dark = re.findall(
        r'<div class="only-(?:light|dark)">(.*?)</div>', page, re.S
    )
    names = r'"(\w+)" role="group" aria-label="a &lt;line&gt;".*? width="(\d+)pt"'
    for part, mode in ((light, "light"), (dark, "dark")):
        assert re.findall(names, part, re.S) == [("wide", "504"), ("narrow", "252")]
        assert part.count('<title>from 0 to 1, "up" &amp; on</title>') == 2
        assert part.count(">A text</text>") == 2
        with theme.use(mode):
            assert theme.accent() in part
    # Not a sibling of the drawings: the book's theme hides captions with an image.
    assert "</div></div><figcaption>It rises &amp; ends.</figcaption></figure>" in page


def test_a_figure_leaves_nothing_on_the_page_that_is_not_its_own(shown):
    line(1, alt="one")
    line(1, alt="two")
    pages = [output["text/html"] for output in shown]
    ids = [re.findall(r'\bid="([^"]*)"', page) for page in pages]
    assert len({*ids[0], *ids[1]}) == len(ids[0]) + len(ids[1])
    for page in pages:
        used = re.findall(r'(?:href="|url\()#([^")]*)', page)
        assert used and set(used) <= set(re.findall(r'\bid="([^"]*)"', page))
        assert page.count("<style") == 1 and "<?xml" not in page


def test_the_wide_light_figure_is_written_on_its_page(shown, tmp_path):
    line(1, alt="a line", file=tmp_path / "line.png")
    with Image.open(tmp_path / "line.png") as image:
        assert image.size == (1344, 192) and "Software" not in image.info
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_the_function_itself_and_what_it_takes_are_kept():
    taken = "(height, colour=None, *, alt, caption='', file=None) -> None"
    assert str(inspect.signature(line)) == taken
    assert line.__doc__ == "A line."
    with theme.use("light", "narrow"):
        assert line.draw(1).get_figwidth() == 3.5


def test_the_font_is_the_bundled_one():
    with theme.use("light"):
        for weight in ("normal", "bold"):
            path = findfont(FontProperties(weight=weight), fallback_to_default=False)
            assert Path(path) in FONT_FILES
    css = Path(__file__).parents[2] / "book" / "_static" / "book.css"
    named = re.findall(r'url\("fonts/([^"]+)"\)', css.read_text(encoding="utf-8"))
    assert named == [path.name for path in FONT_FILES]
    assert "SIL OPEN FONT LICENSE" in FONT_LICENCE.read_text(encoding="utf-8")


def test_long_titles_and_labels_stay_inside_a_narrow_figure():
    words = "share of worlds in which a pair is called present, by kind of world"
    with theme.use("light", "narrow"):
        figure, axes = plt.subplots()
        axes.set_title(words, loc="left")
        axes.set_xlabel(words)
        axes.set_yticks([0], ["a name that takes most of the room"])
        theme.keep_inside(figure)
        figure.draw_without_rendering()
    for text in (axes._left_title, axes.xaxis.label):
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= figure.bbox.width
        assert text.get_text().count("\n") >= 1
        assert " ".join(text.get_text().split()) == words
    plt.close(figure)


def test_style_is_left_as_it_was():
    before = plt.rcParams["text.color"]
    assert theme.mode() == "light"
    with theme.use("dark"):
        assert theme.mode() == "dark" and theme.ink() == theme.INK["dark"]
    assert plt.rcParams["text.color"] == before and theme.mode() == "light"


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="alt: a figure needs"):
        line(1, alt=" ")
    with (
        pytest.raises(ValueError, match="mode: 'sepia' is none of"),
        theme.use("sepia"),
    ):
        pass


def test_a_drawing_is_well_formed_and_says_nothing_twice():
    """Coordinates to a hundredth of a pixel, one font, and texts as they were."""
    with theme.use("light"):
        figure, axes = plt.subplots()
        axes.plot([0, 1, 2], [0.123456, 0.2, 1 / 3], gid=theme.named("a line"))
        axes.set_title("r = 0.12345 [0.1, 0.2]")
        text = theme.svg(figure, "alt 0.12345", "wide")
        plt.close(figure)
    drawing = ElementTree.fromstring(text)
    assert len([*drawing.iter("{http://www.w3.org/2000/svg}title")]) == 1
    assert text.count("font-family") == 1
    assert "rotate(-0" not in text and "\n " not in text
    assert 'aria-label="alt 0.12345"' in text and ">r = 0.12345 [0.1, 0.2]<" in text
    paths = "".join(re.findall(r' d="([^"]*)"', text))
    numbers = re.findall(r"-?\d+(?:\.\d+)?", paths)
    assert len(numbers) > 20 and all(
        re.fullmatch(r"-?\d+(\.\d\d?)?", n) for n in numbers
    )
    line = re.search(r'<title>a line</title>\s*<path d="M ([\d.]+) ([\d.]+)', text)
    x, y = axes.transData.transform((0, 0.123456))
    scale = 72 / figure.dpi
    expected = x * scale, (figure.bbox.height - y) * scale
    assert [float(each) for each in line.groups()] == pytest.approx(expected, abs=0.02)
