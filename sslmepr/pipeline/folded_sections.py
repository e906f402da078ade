"""Sections of a rendered page that begin folded: their heading opens them.

An author marks a section by `MARK` on a line of its own before the heading. The script
``sections.js`` of the book opens a section that an address leads into.
"""

import re
from pathlib import Path

MARK = '<div class="fold"></div>'

_START = re.compile(
    r'(<section\b[^>]*>\s*(?:<span id="[^"]*"></span>\s*)*)(<h\d.*?</h\d>)', re.DOTALL
)
_EDGE = re.compile(r"<section\b|</section>")
_LINK = re.compile(r'<a class="headerlink".*?</a>', re.DOTALL)


def fold_sections(folder: Path) -> None:
    """Fold the marked sections of all pages in a folder.

    Parameters
    ----------
    folder : path
        The rendered book.

    Raises
    ------
    ValueError
        If no section follows a mark.
    """
    for page in folder.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if MARK in text:
            try:
                page.write_text(folded(text), encoding="utf-8")
            except ValueError as error:
                raise ValueError(f"{page}: {error}") from None


def folded(page: str) -> str:
    """A page with its marked sections folded.

    Parameters
    ----------
    page : str
        HTML.

    Raises
    ------
    ValueError
        If no section follows a mark.
    """
    while MARK in page:
        before, _, after = page.partition(MARK)
        start = _START.search(after)
        if start is None:
            raise ValueError("no section follows a mark that folds it")
        end = _end_of_section(after, start.end())
        # A button may not hold a link: the heading's own goes.
        summary = f"<summary>{_LINK.sub('', start[2])}</summary>"
        body = f'<details class="section">{summary}{after[start.end() : end]}</details>'
        page = f"{before}{after[: start.start()]}{start[1]}{body}{after[end:]}"
    return page


def _end_of_section(text: str, place: int) -> int:
    """Where the section ends that is open at a place."""
    depth = 1
    for edge in _EDGE.finditer(text, place):
        depth += -1 if edge[0].startswith("</") else 1
        if not depth:
            return edge.start()
    raise ValueError("a section does not end")
