"""Search in a book that lies on a disk: chapters first, with excerpts."""

import json
import re
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from sslmepr.pipeline.gallery import PAGE as GALLERY

SCRIPT = "search.js"
"""Beside the book's sources; the texts of its pages are put before it."""

TOOLS = "searchtools.js"
_DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
NO_TEXT = ("script", "style", "pre", "details:not(.section)", "video")
NO_TEXT += (".headerlink", ".section-number", ".table-tools")


def add_offline_search(html: Path, script: Path) -> None:
    """Give the search page of a built book our ranking, and excerpts to show.

    Sphinx fetches each page that it found to cut an excerpt, which browsers refuse to
    pages on a disk. Texts of the library's pages and of single runs are left out: they
    are long, and their titles say what they are. The gallery repeats headings.

    Parameters
    ----------
    html : path
        The built book.
    script : path
        What the search page loads before Sphinx's own script.

    Raises
    ------
    ValueError
        If the search page does not load Sphinx's script.
    """
    texts = {
        path.relative_to(html).as_posix(): _text_of(path)
        for path in [
            *sorted(html.glob("*.html")),
            *sorted(html.glob("chapters/*.html")),
        ]
        if path.name != GALLERY
    }
    written = json.dumps({page: text for page, text in texts.items() if text})
    content = f"const SEARCH_TEXTS = {written};\n\n{script.read_text('utf-8')}"
    (html / SCRIPT).write_text(content, encoding="utf-8")
    page = html / "search.html"
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    places = [place for place, line in enumerate(lines) if TOOLS in line]
    if not places:
        raise ValueError(f"{page}: does not load {TOOLS}")
    lines.insert(places[0], f'<script src="{SCRIPT}"></script>\n')
    page.write_text("".join(lines), encoding="utf-8")


def _text_of(page: Path) -> list[str]:
    """Title, headings and all words of a page, without code and what is only seen."""
    # Drawings are most of a page, and say nothing that is searched for.
    text = _DRAWING.sub("", page.read_text(encoding="utf-8"))
    article = BeautifulSoup(text, "html.parser").select_one("article.bd-article")
    if article is None:
        return []
    for part in article.select(", ".join(NO_TEXT)):
        part.decompose()
    heads = [_words(head) for head in article.select("h1, h2, h3")]
    return [" ".join(heads[:1]), " ".join(heads[1:]), _words(article)]


def _words(part: Tag) -> str:
    return " ".join(part.get_text(" ").split())
