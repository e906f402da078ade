"""Style sheets of the page and of the report: light and dark, wide and narrow."""

import base64
from functools import cache

from sslmepr.report import theme
from sslmepr.report.fonts import FONT, FONT_FILES

_MARGINS_PX = 80
_NARROW_PX = theme.PIXELS_PER_INCH * theme.WIDTHS["wide"] + _MARGINS_PX
"""Of a window. Gradio drops rules for containers."""


def _dark(within: str) -> str:
    return (
        f"{within} .both-modes .only-dark{{display:block}}"
        f"{within} .both-modes .only-light{{display:none}}"
    )


_UPRIGHT = {400: FONT_FILES[0], 700: FONT_FILES[3]}


@cache
def _faces() -> str:
    """The font itself: where it is not installed, legends would run into each other."""
    return "".join(
        f'@font-face{{font-family:"{FONT}";font-weight:{weight};src:url(data:font/ttf;'
        f"base64,{base64.b64encode(path.read_bytes()).decode()})}}\n"
        for weight, path in _UPRIGHT.items()
    )


FIGURES = f"""
.both-modes{{margin:0 0 1em;padding:0 1em}}
.both-modes svg{{height:auto;max-width:100%;overflow:visible;
font-family:"Source Sans Pro","Source Sans 3",Arial,"Liberation Sans",
sans-serif!important;
stroke-linejoin:round;stroke-linecap:butt}}
.both-modes figcaption{{font-size:.9em;margin-top:.4em}}
.both-modes .narrow,.both-modes .only-dark{{display:none}}
@media (max-width:{_NARROW_PX:g}px){{
.both-modes .wide{{display:none}}.both-modes .narrow{{display:block}}}}
"""

TABLES = """
.scrolls{overflow-x:auto;margin:0 0 1em}
.scrolls table{border-collapse:collapse;font-size:.92em;overflow-wrap:normal}
.scrolls caption{text-align:left;font-weight:600;padding:.3em 0}
.scrolls :is(caption,th,td){overflow-wrap:normal!important;word-break:normal!important}
.scrolls th,.scrolls td{padding:.25em .7em;border-bottom:1px solid #8886;
background:none}
.scrolls+.note{font-size:.9em;margin:-.6em 0 1em}
.scrolls .interval{white-space:nowrap}
"""

KEYS = """
.key>span{margin-right:.8em;white-space:nowrap}
.key>span>span{display:inline-block;width:.9em;height:.9em;margin-right:.3em;
border:1px solid #8886;vertical-align:-.1em}
"""

FRAMES = """
.enlargeable{display:flex;flex-wrap:wrap;gap:.4em;margin:0 0 1em}
.enlargeable summary{list-style:none;cursor:zoom-in;line-height:0}
.enlargeable summary::-webkit-details-marker{display:none}
.enlargeable img{height:4.5em;width:auto;margin:0}
.enlargeable details[open]{flex-basis:100%}
.enlargeable details[open] summary{cursor:zoom-out}
.enlargeable details[open] img{height:auto;max-height:85vh;max-width:100%}
"""

CONTENT = FIGURES + TABLES + KEYS + FRAMES

_PAGE = (
    CONTENT
    + _dark(".dark")
    + """
.notice{border-left:4px solid #b34700;padding:.6em 1em;margin:0 0 1em;
background:#b347001f}
.notice a{color:inherit!important;text-decoration:underline}
.result h2{font-size:1.25em;font-weight:600;margin:1.4em 0 .5em}
.result h3{font-size:1.05em;font-weight:600;margin:1em 0 .4em}
.result p{margin:0 0 .7em;max-width:70ch}
.old .result::before{content:"Of the recording before";display:block;
border:1px solid currentColor;padding:.3em .8em;margin:0 0 1em}
/* Gradio's own trimmer needs a server of others; start and end are fields here. */
button[aria-label^="Trim video"]{display:none}
#clock{flex-grow:0;text-align:right}
.gradio-container :focus-visible{
outline:2px solid currentColor!important;outline-offset:2px}
.gradio-container{overflow-wrap:anywhere}
.gradio-container main{width:100%!important;max-width:62rem!important;
margin:0 auto!important}
.gradio-container main :not(button){min-width:0}
.gradio-container main button{overflow-wrap:normal}
.gradio-container main video{max-height:20rem}
@media (prefers-reduced-motion:reduce){
*,*::before,*::after{animation:none!important;transition:none!important}}
"""
)

_INK, _PAPER = theme.INK, theme.PAGE

_REPORT = (
    CONTENT
    + f"""
body{{font:16px/1.5 "Source Sans 3","Source Sans Pro",system-ui,sans-serif;
max-width:46rem;margin:0 auto;padding:1rem;color:{_INK["light"]};
background:{_PAPER["light"]};overflow-wrap:anywhere}}
.notice{{border-left:4px solid #b34700;padding:.6em 1em;background:#b347001f}}
h1{{font-size:1.6em}}h2{{font-size:1.25em;margin-top:1.6em}}
"""
    + "@media (prefers-color-scheme:dark){"
    + f"body{{color:{_INK['dark']};background:{_PAPER['dark']}}}"
    + _dark("body")
    + "}"
)


def page() -> str:
    """Of the page; Gradio marks a dark one with the class ``dark``."""
    return _faces() + _PAGE


def report() -> str:
    """Of the report, which follows the reader's system."""
    return _faces() + _REPORT
