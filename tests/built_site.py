"""What must hold of a built book, for the tests that have one."""

import re

from sslmepr.pipeline.book import external_resources
from sslmepr.pipeline.site_links import broken_links

SITE_MEGABYTES, PAGE_MEGABYTES = 40, 3


def complaints(site):
    """What is too heavy, leads nowhere or would be fetched from elsewhere."""
    sizes = {path: path.stat().st_size for path in site.rglob("*") if path.is_file()}
    found = [
        f"{path.name}: {size / 1e6:.1f} MB"
        for path, size in sizes.items()
        if path.suffix == ".html" and size > PAGE_MEGABYTES * 1e6
    ]
    total = sum(sizes.values()) / 1e6
    if total > SITE_MEGABYTES:
        found.append(f"the site: {total:.1f} MB")
    return [*found, *broken_links(site), *external_resources(site)]


FIRST_SCREEN = ("How sure.", "What it does not say.")
"""What follows the answer with which a chapter begins, in this order."""

OWN_ORDER = {"overview"}
"""The front page, which asks these questions in words of its own."""


def openings(site):
    """Chapters that do not begin with an answer, how sure it is, and what is unsaid."""
    found = []
    for page in sorted(site.glob("chapters/*.html")):
        if page.stem in OWN_ORDER:
            continue
        _, _, text = page.read_text(encoding="utf-8").partition("<article")
        first = re.split(r"<h2\b", text)[0]
        places = [first.find(words) for words in FIRST_SCREEN]
        code = first.find("above-input")
        if -1 in places or places != sorted(places):
            found.append(f"{page.stem}: no {' and '.join(FIRST_SCREEN)}")
        elif -1 < code < places[-1]:
            found.append(f"{page.stem}: code stands above the answer")
    return found
