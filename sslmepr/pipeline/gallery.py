"""A page of a rendered book with all its figures, small, each with the way to it."""

import hashlib
import html as markup
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sslmepr.pipeline.site_weight import MEDIA

PAGE = "gallery.html"
PLACE = '<div class="gallery"></div>'
"""What the page has where the figures are to stand."""

_FIGURE = re.compile(
    r'<figure class="(?:both-modes|strip)".*?</figure>'
    r'|<img\b[^>]*\bclass="only-light[^>]*>',
    re.DOTALL,
)
# The light one, on paper in either mode: two of each would be a tenth of the book.
_DRAWING = re.compile(r'<svg class="wide".*?</svg>', re.DOTALL)
_ALT = re.compile(r'\b(?:aria-label|alt)="([^"]*)"')
_IMAGE = re.compile(r"<img\b[^>]*>")
_SOURCE = re.compile(r'\bsrc="([^"]*)"')
_CAPTION = re.compile(r"<figcaption>(.*?)</figcaption>", re.DOTALL)
_TAB = re.compile(r'<label for="[^"]*">(.*?)</label>')
_HEADING = re.compile(r"<h[1-6][^>]*>(.*?)</h[1-6]>", re.DOTALL)
_SECTION = re.compile(r'<section[^>]*\bid="([^"]+)"')
_ENTRY = re.compile(r'<a class="reference internal" href="([^"#]+\.html)"')


class PlacedFigure(NamedTuple):
    """A figure of a page: where it stands, its words, and its drawing or address."""

    section: str
    heading: str
    alt: str
    drawing: str


def figures_of(page: str) -> Iterator[PlacedFigure]:
    """The figures of a page, as they are drawn for light and wide pages.

    Of a strip of pictures the last one stands for all, which shows most; its tab and
    caption are the heading. Of pictures in two modes, it is the light one. Where the
    heading was that of a figure before, what the figure shows stands in its place.

    Parameters
    ----------
    page : str
        HTML.
    """
    sections, headings, tabs = (
        [*each.finditer(page)] for each in (_SECTION, _HEADING, _TAB)
    )
    known = set()
    for found in _FIGURE.finditer(page):
        section = _last_before(found.start(), sections)
        heading = _last_before(found.start(), headings)
        drawn = _DRAWING.search(found[0])
        shown = drawn[0] if drawn else (_IMAGE.findall(found[0]) or [""])[-1]
        if not (section and heading and shown):
            continue
        alt = markup.unescape(_ALT.search(shown)[1])
        if not drawn:
            if caption := _CAPTION.search(found[0]):
                tab = _last_before(found.start(), tabs)
                heading = f"{tab}: {caption[1]}" if tab else caption[1]
            shown = markup.unescape(_SOURCE.search(shown)[1])
        heading = _plain(heading)
        yield PlacedFigure(section, alt if heading in known else heading, alt, shown)
        known.add(heading)


def _last_before(place: int, found: list[re.Match]) -> str:
    return next((each[1] for each in reversed(found) if each.end() <= place), "")


def fill_gallery(folder: Path) -> None:
    """Put every figure of the book, small, on the page that has a place for them.

    Parameters
    ----------
    folder : path
        The rendered book. Nothing is done if it has no such page. Pages come in the
        order in which that page links to them.
    """
    target = folder / PAGE
    if not target.exists():
        return
    text = target.read_text(encoding="utf-8")
    parts = []
    for name in dict.fromkeys(_ENTRY.findall(text)):
        page = (folder / name).read_text(encoding="utf-8")
        cards = [_card(each, name, folder) for each in figures_of(page)]
        if cards:
            title = _plain(_HEADING.search(page, page.index("<article"))[1])
            parts.append(f"<h2>{markup.escape(title)}</h2>\n<ul>{''.join(cards)}</ul>")
    filled = PLACE.replace("></", f">{''.join(parts)}</")
    target.write_text(text.replace(PLACE, filled), encoding="utf-8")


def _card(figure: PlacedFigure, page: str, folder: Path) -> str:
    if figure.drawing.startswith("<svg"):
        content = figure.drawing.encode("utf-8")
        name = f"{MEDIA}/{hashlib.sha256(content).hexdigest()[:16]}.svg"
        (folder / MEDIA).mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    elif figure.drawing.startswith("data:"):
        name = figure.drawing
    else:
        name = posixpath.normpath(posixpath.join(page, "..", figure.drawing))
    alt, words = markup.escape(figure.alt), markup.escape(figure.heading)
    picture = f'<img loading="lazy" src="{name}" alt="{alt}">'
    address = f"{page}#{figure.section}"
    return f'<li><a href="{address}">{picture}<span>{words}</span></a></li>\n'


def _plain(heading: str) -> str:
    """Words of a heading, without its number and the sign of its link."""
    text = re.sub(r'<span class="section-number">.*?</span>', "", heading)
    text = re.sub(r'<a class="headerlink".*?</a>', "", text, flags=re.DOTALL)
    return " ".join(markup.unescape(re.sub(r"<[^>]+>", "", text)).split())
