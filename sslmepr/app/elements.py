"""Pieces of a result as HTML, of which the page and the report both consist.

Figures and tables are those of the book. Whatever comes from a recording (words,
reasons) is escaped.
"""

import html
import re
from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.colors import to_hex

from sslmepr.report import theme
from sslmepr.report.tables import Table

Section = tuple[str, str, bool]
"""Id, HTML, and whether it holds pictures of people."""


def section(name: str, title: str, *parts: str, people: bool = False) -> Section:
    """Parts under a heading of level 2.

    Parameters
    ----------
    name : str
        Id, the same for every recording.
    title : str
    *parts : str
        HTML.
    people : bool
        Whether pictures of people are in it.
    """
    head = f'<h2 id="{name}-title">{html.escape(title)}</h2>'
    content = (
        f'<section aria-labelledby="{name}-title">{head}{"".join(parts)}</section>'
    )
    return name, content, people


def paragraph(text: str) -> str:
    """A sentence or more, escaped; a number and its % stay on one line."""
    whole = text.replace(" %", "\N{NO-BREAK SPACE}%")
    return f"<p>{html.escape(whole)}</p>"


def scrolling(table: Table) -> str:
    """A table that scrolls by itself where the page is narrow.

    Its note stands below and does not scroll, so that lines of it end on the page.
    """
    bare = Table(table.frame, table.caption)
    note = f'<p class="note">{html.escape(table.note)}</p>' if table.note else ""
    return scrolled(bare._repr_html_(), table.caption or "Table") + note


def scrolled(content: str, label: str) -> str:
    """HTML that scrolls by itself, also by keyboard, where the page is narrow."""
    return (
        '<div class="scrolls" tabindex="0" role="region" '
        f'aria-label="{html.escape(label)}">{content}</div>'
    )


def drawn(show, *arguments, alt: str, caption: str = "", mapped: bool = False) -> str:
    """A figure of the book as HTML, in every style and layout.

    Notebooks display figures; here is no notebook. Style sheets of the page and of the
    report (`sslmepr.app.style`) choose the drawing that fits.

    Parameters
    ----------
    show : callable
        Of `sslmepr.report.theme.both_modes`.
    *arguments
        Of the figure.
    alt, caption : str
        What it shows, in words; plain text below it.
    mapped : bool
        Whether a colour map is in it. Without one, the dark drawing is the light one
        in other colours, which takes no time.
    """
    drawings = {"light": [_drawing(show, arguments, alt, n) for n in theme.WIDTHS]}
    drawings["dark"] = (
        [_drawing(show, arguments, alt, n, "dark") for n in theme.WIDTHS]
        if mapped
        else [in_the_dark(each) for each in drawings["light"]]
    )
    parts = [
        f'<div class="only-{mode}">{"".join(each)}</div>'
        for mode, each in drawings.items()
    ]
    if caption:
        parts.append(f"<figcaption>{html.escape(caption)}</figcaption>")
    return f'<figure class="both-modes">{"".join(parts)}</figure>'


def _drawing(show, arguments, alt: str, layout: str, mode: str = "light") -> str:
    with theme.use(mode, layout):
        figure = show.draw(*arguments)
        drawing = theme.svg(figure, alt, layout)
        plt.close(figure)
    return drawing


def in_the_dark(drawing: str) -> str:
    """A drawing for light pages as it is on dark ones.

    Parameters
    ----------
    drawing : str
        Of `sslmepr.report.theme.svg`, all of whose colours are those of the theme.
    """
    dark = _COLOUR.sub(lambda found: _DARK.get(found[0], found[0]), drawing)
    return _ID.sub(r"\g<0>-dark", dark)  # both stand on one page


def _colours(mode: str) -> list[str]:
    with theme.use(mode):
        named = theme.modality_colours() | theme.emotion_colours()
        ends = [to_hex(theme.diverging()(each)) for each in (0.12, 0.88)]  # waterfall
    plain = (theme.RULE[mode], theme.FAINT[mode], theme.PAGE[mode])
    return [*plain, *named.values(), *ends]


_DARK = dict(zip(_colours("light"), _colours("dark"), strict=True))
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_ID = re.compile(r'(?<=\bid=")[^"]+|(?<=href="#)[^"]+|(?<=url\(#)[^)]+')


def key(of: str, styles: Mapping[str, str]) -> str:
    """What colours stand for: a square of each beside its meaning.

    Parameters
    ----------
    of : str
        What is coloured.
    styles : mapping of str to str
        Meaning to the style of its square.
    """
    parts = "".join(
        f'<span><span aria-hidden="true" style="{style}"></span>'
        f"{html.escape(name)}</span> "
        for name, style in styles.items()
    )
    return f'<p class="key">{html.escape(of)}: {parts}</p>'


def listed(names: list[str]) -> str:
    """Names in a row: ``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
