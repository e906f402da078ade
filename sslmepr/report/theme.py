"""Style of all figures, for light and dark pages, wide and narrow ones.

A figure is drawn as SVG in each style and layout, and CSS shows the one that fits. The
book's theme hides the classes ``only-dark`` or ``only-light``; the rules beside the
drawings do the same elsewhere. Backgrounds are transparent, and equal figures have
equal bytes.
"""

import html
import inspect
import io
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from sslmepr.labels import EMOTIONS, MODALITIES
from sslmepr.report.fonts import FONT, FONT_FILES
from sslmepr.report.words import pretty as pretty

for _path in FONT_FILES:
    fontManager.addfont(_path)

MODES = ("light", "dark")
PIXELS_PER_INCH = 96
"""Of CSS, so that 1 pt of a figure is 4/3 px on the page."""
WIDTHS = {"wide": 7.0, "narrow": 3.5}
"""Layout to width in inches: 672 px fit the book's column (676 to 790 px from a window
of 1280 px on), and 336 px that of a phone (358 px of 390)."""

NARROW_BELOW_PX = 560
"""Width of the column in which the narrow layout is shown. At this one, the wide layout
is shrunk to five sixths, and its smallest text has 10 px."""

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
ROUNDS = 4
"""In which lines are broken, at most."""

MARKERS = dict(zip(MODALITIES, ("o", "s", "^", "D", "P"), strict=True))
"""Modality to the marker that stands for it."""

_PLACES = re.compile(r' (?:d|x|y|x[12]|y[12]|transform|points)="[^"]*"')
_DECIMALS = re.compile(r"-?\d+\.\d{3,}(?![\de])")

_STYLE = f"""<style>
.both-modes{{margin:0;padding:0!important;container-type:inline-size}}
.both-modes figcaption{{font-size:.9em;margin-top:.4em;
text-align:left!important;color:inherit!important}}
.both-modes svg{{height:auto;max-width:100%;overflow:visible;
stroke-linejoin:round;stroke-linecap:butt}}
.both-modes .narrow,.both-modes .only-dark{{display:none}}
html[data-theme="dark"] .both-modes .only-dark,
body[data-jp-theme-light="false"] .both-modes .only-dark{{display:block}}
html[data-theme="dark"] .both-modes .only-light,
body[data-jp-theme-light="false"] .both-modes .only-light{{display:none}}
@container (width < {NARROW_BELOW_PX}px){{
.both-modes .wide{{display:none}}.both-modes .narrow{{display:block}}}}
div.cell_output .text_html:has(.both-modes){{background:none!important;
padding:0!important;color:inherit!important}}
</style>"""


def both_modes(draw: Callable[..., Figure]) -> Callable[..., None]:
    """Make a function that draws a figure show it, in every style and layout.

    Parameters
    ----------
    draw : callable
        Returns a matplotlib Figure; called once in each style and layout.

    Returns
    -------
    callable
        Takes what `draw` takes, and by keyword: ``alt``, what the figure shows, in
        words, for readers who do not see it (ValueError if it is empty); ``caption``,
        plain text below the figure; ``file``, a path to which the wide figure is
        written as PNG on a light page. `draw` itself is its attribute ``draw``.
    """

    @wraps(draw)
    def shown(*args, alt: str, caption: str = "", file: Path | None = None, **kwargs):
        if not alt.strip():
            raise ValueError("alt: a figure needs a description in words")
        parts = []
        for mode in MODES:
            drawings = []
            for layout in WIDTHS:
                with use(mode, layout):
                    figure = draw(*args, **kwargs)
                    if layout == "narrow":
                        keep_inside(figure)
                    drawings.append(svg(figure, alt, layout))
                    if file and (mode, layout) == ("light", "wide"):
                        figure.savefig(
                            file, dpi=2 * PIXELS_PER_INCH, metadata={"Software": None}
                        )
                    plt.close(figure)
            parts.append(f'<div class="only-{mode}">{"".join(drawings)}</div>')
        # Within an element of their own, since the book's theme hides captions beside
        # drawings of the other mode.
        page = f"<div>{''.join(parts)}</div>"
        if caption:
            page += f"<figcaption>{html.escape(caption)}</figcaption>"
        page = f'{_STYLE}<figure class="both-modes">{page}</figure>'
        display({"text/html": page, "text/plain": f"Figure: {alt}"}, raw=True)

    added = list(inspect.signature(shown, follow_wrapped=False).parameters.values())
    added = [each for each in added if each.kind is each.KEYWORD_ONLY]
    taken = [*inspect.signature(draw).parameters.values(), *added]
    shown.__signature__ = inspect.Signature(taken, return_annotation=None)
    shown.draw = draw
    return shown


def keep_inside(figure: Figure) -> None:
    """Break titles and labels of panels into lines where they would leave the figure.

    How much room they have depends on the names beside the panels; and panels move when
    a line gets shorter, so that it may take more than one round.
    """
    texts = [
        (axes, text, text.get_text().split("\n"))
        for axes in figure.axes
        for text in (axes.xaxis.label, axes._left_title)
    ]
    for _ in range(ROUNDS):
        figure.draw_without_rendering()
        inside = True
        for axes, text, lines in texts:
            panel, width = axes.get_window_extent(), text.get_window_extent().width
            room = figure.bbox.width - panel.x0
            if text is axes.xaxis.label:
                room = 2 * min(panel.x0 + panel.width / 2, room - panel.width / 2)
            if width > room:
                inside = False
                longest = max(map(len, text.get_text().split("\n")))
                letters = max(1, int(longest * room / width))
                text.set_text("\n".join(textwrap.fill(x, letters) for x in lines))
        if inside:
            return


def named(words: str) -> str:
    """Id for an artist (``gid``) that :func:`svg` turns into a title in words.

    Browsers show a title when the pointer is on the artist, and screen readers read it.
    """
    return f"title:{words}"


def svg(figure: Figure, alt: str, layout: str) -> str:
    """A figure as an element of a page; the same figure gives the same text.

    Texts stay texts, and artists with an id from :func:`named` have titles.
    """
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": f"{alt}{layout}{mode()}"}):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # Rules of a style element would hold for the whole page; ids are the same in all.
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.DOTALL)
    text, titles = re.subn(
        r"<g id=(['\"])title:(.*?)\1>", r'<g role="img"><title>\2</title>', text
    )
    text = re.sub(r"<g id=[^>]*/>", "", text)
    text = re.sub(r"<g id=[^>]*>", "<g>", text)
    role = "group" if titles else "img"
    names = f'class="{layout}" role="{role}" aria-label="{html.escape(alt)}"'
    font = f"style=\"font-family: '{FONT}', sans-serif\""
    return _shorter(text).replace("<svg", f"<svg {names} {font}", 1)


def _shorter(text: str) -> str:
    """The same drawing in fewer bytes, of which a page of figures has many."""
    # The font, once for the whole drawing; what turns nothing; what indents.
    text = re.sub(r" font-family: [^;\"]*;?", "", text)
    text = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", text)
    text = re.sub(r"\n +", "\n", text)
    return _PLACES.sub(lambda found: _DECIMALS.sub(_rounded, found[0]), text)


def _rounded(number: re.Match) -> str:
    """A coordinate to a hundredth of a pixel."""
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


@contextmanager
def use(mode: str, layout: str = "wide") -> Iterator[None]:
    """Draw in one style and layout: ``with theme.use("dark"): ...``.

    Raises
    ------
    ValueError
        If there is no such mode.
    """
    if mode not in MODES:
        raise ValueError(f"mode: {mode!r} is none of {', '.join(MODES)}")
    with mpl.rc_context({**mpl.rcParamsDefault, **_settings(mode, WIDTHS[layout])}):
        yield


def _settings(mode: str, width: float) -> dict:
    ink, rule = INK[mode], RULE[mode]
    return {
        "backend": mpl.get_backend(),
        "figure.facecolor": PAGE[mode],
        "axes.facecolor": PAGE[mode],
        "figure.constrained_layout.use": True,
        "figure.dpi": PIXELS_PER_INCH,
        "figure.figsize": (width, 0.6 * width),
        "svg.fonttype": "none",
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
        "font.family": [FONT, "DejaVu Sans", "sans-serif"],
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


def width() -> float:
    """Width of the layout in use, in inches."""
    return mpl.rcParams["figure.figsize"][0]


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


def greys() -> LinearSegmentedColormap:
    """Grey for either sign, for numbers that are shown but not to be relied on."""
    ends = {"light": ("#b9c0c8", "#f4f5f7", "#b9c0c8")}
    ends["dark"] = ("#5a626c", "#23272e", "#5a626c")
    return LinearSegmentedColormap.from_list(f"greys_{mode()}", ends[mode()])


def sequential() -> LinearSegmentedColormap:
    """From the page to blue, for weights and shares."""
    ends = {
        "light": ("#f4f5f7", "#6baed6", "#08519c"),
        "dark": ("#23272e", "#3576b0", "#9fd3fb"),
    }
    return LinearSegmentedColormap.from_list(f"sequential_{mode()}", ends[mode()])
