import base64
import itertools
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from sslmepr.report import theme

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


def draw():
    figure, axes = plt.subplots(figsize=(2, 1))
    axes.plot([0, 1], color=theme.accent())
    return figure


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


def test_both_styles_are_shown_with_a_description_and_the_same_bytes():
    open_before = plt.get_fignums()
    first, second = (
        theme.show_both(draw, "a <line>", "It rises & ends.") for _ in range(2)
    )
    page = first._repr_html_()
    assert page == second._repr_html_()
    assert page.count('alt="a &lt;line&gt;"') == 2
    # Not a sibling of the images: the book's theme hides captions with their image.
    assert "</div><figcaption>It rises &amp; ends.</figcaption></figure>" in page
    images = dict(re.findall(r'class="only-(\w+)".*?base64,([^"]+)"', page))
    assert set(images) == set(theme.MODES) and images["light"] != images["dark"]
    for mode, image in images.items():
        decoded = base64.b64decode(image)
        assert decoded == first.images[mode]
        assert decoded.startswith(b"\x89PNG") and b"Software" not in decoded
    assert repr(first) == "Figure: a <line>"
    assert plt.get_fignums() == open_before


def test_images_are_saved_under_both_names(tmp_path):
    both = theme.show_both(draw, "a line")
    paths = both.save(tmp_path / "figures", "line")
    assert sorted(p.name for p in (tmp_path / "figures").iterdir()) == [
        "line-dark.png",
        "line-light.png",
    ]
    assert paths["dark"].read_bytes() == both.images["dark"]


def test_style_is_left_as_it_was():
    before = plt.rcParams["text.color"]
    assert theme.mode() == "light"
    with theme.use("dark"):
        assert theme.mode() == "dark" and theme.ink() == theme.INK["dark"]
    assert plt.rcParams["text.color"] == before and theme.mode() == "light"


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="alt: a figure needs"):
        theme.show_both(draw, " ")
    with (
        pytest.raises(ValueError, match="mode: 'sepia' is none of"),
        theme.use("sepia"),
    ):
        pass
