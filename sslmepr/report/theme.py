"""Style of all figures, for light and dark pages.

A figure is drawn twice, once in each style. The book's theme hides the classes
``only-dark`` or ``only-light``; the CSS beside the images does the same elsewhere.
Backgrounds are transparent, and equal figures have equal bytes.
"""

import base64
import html
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from IPython.display import display as show
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image

from sslmepr.labels import EMOTIONS, MODALITIES
from sslmepr.report.words import pretty as pretty

MODES = ("light", "dark")
PIXELS_PER_INCH = 160
SCREEN_PIXELS_PER_INCH = 96

PAGE = {"light": "#ffffff", "dark": "#121212"}
INK = {"light": "#222832", "dark": "#ced6dd"}
FAINT = {"light": "#6b7683", "dark": "#8b959f"}
RULE = {"light": "#d9dde2", "dark": "#343c47"}

# Chosen so that every pair stays apart in simulated protanopia, deuteranopia and
# tritanopia and every colour from its page (see the tests); shapes repeat the modality.
_MODALITY = {
    "light": ("#0072b2", "#00896a", "#b87a00", "#b0468c", "#86140c"),
    "dark": ("#4ea6e6", "#35c79e", "#e8b53d", "#e07fc0", "#bd482b"),
}
_EMOTION = {
    "light": (
        "#8f8a8b",
        "#e7524e",
        "#13400b",
        "#672e90",
        "#d07a00",
        "#4296da",
        "#7c3655",
    ),
    "dark": (
        "#f2ecec",
        "#b83e01",
        "#95c365",
        "#6868a8",
        "#e4c20e",
        "#46d1ff",
        "#ea7d98",
    ),
}
MARKERS = dict(zip(MODALITIES, ("o", "s", "^", "D", "P"), strict=True))
"""Modality to the marker that stands for it."""

_STYLE = """<style>
.both-modes{margin:0}.both-modes figcaption{font-size:.9em;margin-top:.4em;
text-align:left!important;color:inherit!important}
.both-modes img{background:none!important;padding:0!important;filter:none!important;
display:block;margin:0!important;max-width:100%;height:auto}
.both-modes img.only-dark{display:none}
html[data-theme="dark"] .both-modes img.only-dark,
body[data-jp-theme-light="false"] .both-modes img.only-dark{display:block}
body[data-jp-theme-light="false"] .both-modes img.only-light{display:none}
div.cell_output .text_html:has(.both-modes){background:none!important;
padding:0!important;color:inherit!important}
</style>"""


class BothModes:
    """A figure in both styles; notebooks show it, ``save`` writes its two files."""

    def __init__(self, light: bytes, dark: bytes, alt: str, caption: str | None):
        self.images = {"light": light, "dark": dark}
        self.alt, self.caption = alt, caption

    def save(self, folder: str | Path, stem: str) -> dict[str, Path]:
        """Write ``<stem>-light.png`` and ``<stem>-dark.png``; mode to path."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        paths = {mode: folder / f"{stem}-{mode}.png" for mode in MODES}
        for mode, path in paths.items():
            path.write_bytes(self.images[mode])
        return paths

    def on_page(self, mode: str) -> bytes:
        """The PNG of a mode on that mode's page colour, for places without a theme."""
        image = Image.open(io.BytesIO(self.images[mode])).convert("RGBA")
        page = Image.new("RGBA", image.size, PAGE[mode])
        buffer = io.BytesIO()
        Image.alpha_composite(page, image).convert("RGB").save(buffer, "PNG")
        return buffer.getvalue()

    def _repr_html_(self) -> str:
        images = "".join(
            f'<img class="only-{mode}" width="{_width(image)}" '
            f'alt="{html.escape(self.alt)}" '
            f'src="data:image/png;base64,{base64.b64encode(image).decode()}">'
            for mode, image in self.images.items()
        )
        caption = ""
        if self.caption:
            caption = f"<figcaption>{html.escape(self.caption)}</figcaption>"
        # The book hides a caption that stands beside a hidden image: keep them apart.
        figure = f"<div>{images}</div>{caption}"
        return f'{_STYLE}<figure class="both-modes">{figure}</figure>'

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"


def _width(png: bytes) -> int:
    """Width on the screen in px: from the header of a PNG drawn at our resolution."""
    pixels = int.from_bytes(png[16:20], "big")
    return round(pixels * SCREEN_PIXELS_PER_INCH / PIXELS_PER_INCH)


def show_both(
    draw: Callable[[], Figure], alt: str, caption: str | None = None
) -> BothModes:
    """Draw a figure in both styles.

    Parameters
    ----------
    draw : callable
        Takes nothing and returns a matplotlib Figure (or Axes); called once in each
        style.
    alt : str
        What the figure shows, in words, for readers who do not see it.
    caption : str, optional
        Plain text below the figure.

    Returns
    -------
    BothModes
        Shown by a notebook when it is the last thing in a cell.

    Raises
    ------
    ValueError
        If `alt` is empty.
    """
    if not alt.strip():
        raise ValueError("alt: a figure needs a description in words")
    images = {}
    for mode in MODES:
        with use(mode):
            drawn = draw()
            figure = drawn if isinstance(drawn, Figure) else drawn.get_figure()
            images[mode] = png(figure)
            plt.close(figure)
    return BothModes(images["light"], images["dark"], alt, caption)


def display(draw: Callable[[], Figure], alt: str, caption: str | None = None) -> None:
    """Show a figure in both styles from anywhere in a cell; see :func:`show_both`."""
    show(show_both(draw, alt, caption))


def png(figure: Figure) -> bytes:
    """A figure as PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format="png",
        dpi=PIXELS_PER_INCH,
        bbox_inches="tight",
        pad_inches=0.05,
        transparent=True,
        metadata={"Software": None},
    )
    return buffer.getvalue()


@contextmanager
def use(mode: str) -> Iterator[None]:
    """Draw in one style: ``with theme.use("dark"): ...``.

    Raises
    ------
    ValueError
        If there is no such mode.
    """
    if mode not in MODES:
        raise ValueError(f"mode: {mode!r} is none of {', '.join(MODES)}")
    with mpl.rc_context({**mpl.rcParamsDefault, **_settings(mode)}):
        yield


def _settings(mode: str) -> dict:
    ink, rule = INK[mode], RULE[mode]
    return {
        "backend": mpl.get_backend(),
        "figure.facecolor": PAGE[mode],
        "axes.facecolor": PAGE[mode],
        "figure.constrained_layout.use": True,
        "text.color": ink,
        "axes.labelcolor": ink,
        "axes.titlecolor": ink,
        "axes.edgecolor": FAINT[mode],
        "xtick.color": FAINT[mode],
        "ytick.color": FAINT[mode],
        "xtick.labelcolor": ink,
        "ytick.labelcolor": ink,
        "grid.color": rule,
        "grid.linewidth": 0.8,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 10.5,
        "axes.titleweight": "bold",
        "axes.labelsize": 10,
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "xtick.labelsize": 9.5,
        "ytick.labelsize": 9.5,
        "legend.frameon": False,
        "legend.fontsize": 9.5,
        "lines.linewidth": 1.8,
    }


def mode() -> str:
    """The style in use: dark if :func:`use` says so, light otherwise."""
    return "dark" if mpl.rcParams["figure.facecolor"] == PAGE["dark"] else "light"


def ink() -> str:
    """Colour of text."""
    return INK[mode()]


def faint() -> str:
    """Colour of what should stay behind: axes, notes, reference lines."""
    return FAINT[mode()]


def page() -> str:
    """Colour of the page."""
    return PAGE[mode()]


def modality_colours() -> dict[str, str]:
    """Modality to its colour; ``fused`` has the colour of text."""
    colours = dict(zip(MODALITIES, _MODALITY[mode()], strict=True))
    return colours | {"fused": ink()}


def emotion_colours() -> dict[str, str]:
    """Emotion to its colour."""
    return dict(zip(EMOTIONS, _EMOTION[mode()], strict=True))


def accent() -> str:
    """Colour of the one thing a figure is about."""
    return _MODALITY[mode()][0]


def diverging() -> LinearSegmentedColormap:
    """Blue for negative, orange for positive, fading into the page at zero."""
    ends = {
        "light": ("#08519c", "#6baed6", "#f4f5f7", "#f5a25d", "#b34700"),
        "dark": ("#7cc0f5", "#3576b0", "#23272e", "#b5611f", "#ffae6b"),
    }
    return LinearSegmentedColormap.from_list(f"diverging_{mode()}", ends[mode()])


def sequential() -> LinearSegmentedColormap:
    """From the page to blue, for weights and shares."""
    ends = {
        "light": ("#f4f5f7", "#6baed6", "#08519c"),
        "dark": ("#23272e", "#3576b0", "#9fd3fb"),
    }
    return LinearSegmentedColormap.from_list(f"sequential_{mode()}", ends[mode()])


def gradient() -> LinearSegmentedColormap:
    """For points: both ends stand out from the page."""
    ends = {"light": ("#8fbcdc", "#0b3c6f"), "dark": ("#2f6593", "#def0fd")}
    return LinearSegmentedColormap.from_list(f"gradient_{mode()}", ends[mode()])
