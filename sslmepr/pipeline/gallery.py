"""A page of a rendered book with all its figures, small, each with the way to it."""

import hashlib
import html as markup
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sslmepr.pipeline.site_weight import MEDIA

PAGE = "gallery.html"
PLACE = '<div class="gallery"></div>'
"""What the page has where the figures are to stand."""

_FIGURE = re.compile(r'<figure class="both-modes">.*?</figure>', re.DOTALL)
# The light one, on paper in either mode: two of each would be a tenth of the book.
_DRAWING = re.compile(r'<svg class="wide".*?</svg>', re.DOTALL)
_ALT = re.compile(r'aria-label="([^"]*)"')
_HEADING = re.compile(r"<h[1-6][^>]*>(.*?)</h[1-6]>", re.DOTALL)
_SECTION = re.compile(r'<section[^>]*\bid="([^"]+)"')
_ENTRY = re.compile(r'<a class="reference internal" href="([^"#]+\.html)"')


class PlacedFigure(NamedTuple):
    """A figure of a page: where it stands, what it shows, and its drawing."""

    section: str
    heading: str
    alt: str
    drawing: str


def figures_of(page: str) -> Iterator[PlacedFigure]:
    """The figures of a page, as they are drawn for light and wide pages.

    Parameters
    ----------
    page : str
        HTML.
    """
    for found in _FIGURE.finditer(page):
        before = page[: found.start()]
        drawing = _DRAWING.search(found[0])
        sections, headings = _SECTION.findall(before), _HEADING.findall(before)
        if drawing and sections and headings:
            alt = markup.unescape(_ALT.search(found[0])[1])
            yield PlacedFigure(sections[-1], _plain(headings[-1]), alt, drawing[0])


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
    content = figure.drawing.encode("utf-8")
    name = f"{MEDIA}/{hashlib.sha256(content).hexdigest()[:16]}.svg"
    (folder / MEDIA).mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    alt, words = markup.escape(figure.alt), markup.escape(figure.heading)
    picture = f'<img loading="lazy" src="{name}" alt="{alt}">'
    address = f"{page}#{figure.section}"
    return f'<li><a href="{address}">{picture}<span>{words}</span></a></li>\n'


def _plain(heading: str) -> str:
    """Words of a heading, without its number and the sign of its link."""
    text = re.sub(r'<span class="section-number">.*?</span>', "", heading)
    text = re.sub(r'<a class="headerlink".*?</a>', "", text, flags=re.DOTALL)
    return " ".join(markup.unescape(re.sub(r"<[^>]+>", "", text)).split())
