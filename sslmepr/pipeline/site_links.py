"""Links of a rendered book that lead nowhere."""

import html
import os
import re
from pathlib import Path
from urllib.parse import unquote

_LINK = re.compile(r"""<a\b[^>]*?\bhref=["']([^"']*)["']""")
_ANCHOR = re.compile(r"""\b(?:id|name)=["']([^"']+)["']""")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def broken_links(site: Path) -> list[str]:
    """Links from page to page whose file or place does not exist.

    Parameters
    ----------
    site : path
        The rendered book. Addresses elsewhere are not followed.

    Returns
    -------
    list of str
        ``<page>: <link>``, sorted.
    """
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    places = {
        path: {html.unescape(name) for name in _ANCHOR.findall(text)}
        for path, text in pages.items()
    }
    broken = set()
    for page, text in pages.items():
        for link in set(_LINK.findall(text)):
            address = html.unescape(link)
            if _ELSEWHERE.match(address):
                continue
            file, _, place = address.partition("#")
            file, place = unquote(file.partition("?")[0]), unquote(place)
            target = Path(os.path.normpath(page.parent / file)) if file else page
            if target.is_dir():
                target /= "index.html"
            known = places.get(target)
            if not target.is_file() or (
                place and known is not None and place not in known
            ):
                broken.add(f"{page.relative_to(site).as_posix()}: {address}")
    return sorted(broken)
