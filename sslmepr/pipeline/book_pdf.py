"""The built book as one PDF, printed by Chromium from a single page.

Chapters are put one after the other into one page, so that links between them stay
alive and pages are numbered through. What only a screen can show goes: drawings for
dark or narrow pages, players, folded code, long tables that begin folded. A first print
tells on which page each chapter begins, which the second one has in its table of
contents.
"""

import html
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag

STYLE = "print.css"
"""Beside the book's sources."""

NOT_PRINTED = ("api.html", "gallery.html", "data-runs.html", "training-runs.html")
"""Pages that are long, or that repeat others."""

ON_SCREEN = (
    "script, .headerlink, .only-dark, svg.narrow, audio, input, button, iframe, "
    "details:has(.cell_input):not(:has(.cell_output)), .tag_hide-cell .cell_input, "
    "summary .expanded, .sd-container-fluid:has(.sd-card), .table-tools"
)
"""What goes: it cannot be used on paper."""

INSTALL = "pip install -c constraints.txt -e '.[pdf]'"
"""What installs the packages that print."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

OPTIONS = ["--no-sandbox", "--allow-file-access-from-files", "--disable-gpu"]
"""The page is ours and on this disk, and whoever prints it may be root."""

NARROWER = """() => document.querySelectorAll("article table").forEach(table => {
  const share = table.parentElement.clientWidth / table.scrollWidth;
  if (share < 1) table.style.zoom = share;
})"""
"""Makes tables that are wider than the paper as wide as it."""

READY = "() => window.MathJax.startup.promise.then(() => document.fonts.ready)"
COLUMN_PX = 642
"""Width of the text: 170 mm of A4, at 96 px an inch."""

MOST_ROWS = 25
"""Rows of a table that begins folded, or of several in tabs, which are printed."""

SECONDS = 600
"""Longest time that a print may take."""


class PrintError(RuntimeError):
    """The book cannot be printed."""


def print_book(site: Path, source: Path, target: Path) -> Path:
    """Print the chapters of a built book.

    Parameters
    ----------
    site : path
        The built book.
    source : path
        Sources of the book, which have the style sheet `STYLE`.
    target : path
        The PDF.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    PrintError
        If no book is built, or a package or Chromium is not installed.
    """
    if not (site / "search.html").is_file():
        raise PrintError(f"{site}: no book is built here; run `make book` first")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise PrintError(
            "Chromium is needed to print: for instance `apt-get install chromium`"
        )
    try:
        from playwright.sync_api import sync_playwright
        from pypdf import PdfReader
    except ImportError as error:
        raise PrintError(f"{error.name} is needed to print: {INSTALL}") from None
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sslmepr-") as folder:
        page_file = Path(folder, "book.html")
        page_file.write_text(one_page(site, source / STYLE), encoding="utf-8")
        with sync_playwright() as play:
            chromium = play.chromium.launch(executable_path=browser, args=OPTIONS)
            page = chromium.new_page(viewport={"width": COLUMN_PX, "height": 900})
            page.emulate_media(media="print")
            page.set_default_timeout(1000 * SECONDS)
            page.goto(page_file.as_uri())
            page.evaluate(READY)
            page.evaluate(NARROWER)
            how = {"prefer_css_page_size": True, "print_background": True}
            how |= {"outline": True, "tagged": True}
            page.pdf(path=target, **how)
            reader = PdfReader(target)
            starts = {
                name.removeprefix("/"): reader.get_destination_page_number(place) + 1
                for name, place in reader.named_destinations.items()
            }
            page.evaluate(
                "starts => document.querySelectorAll('.contents a').forEach(each =>"
                " each.lastChild.textContent = starts[each.hash.slice(1)] ?? '')",
                starts,
            )
            page.pdf(path=target, **how)
            chromium.close()
    return target


def one_page(site: Path, style: Path) -> str:
    """Title, contents and chapters of a built book as a single page of HTML.

    Parameters
    ----------
    site : path
    style : path
        Style sheet for paper.
    """
    menu = BeautifulSoup((site / "search.html").read_text("utf-8"), "html.parser")
    parts = list(_parts(menu))
    printed = {name for _, entries in parts for name, _ in entries}
    contents, chapters = [], []
    for caption, entries in parts:
        lines = "".join(
            f'<li><a href="#{_place(name)}"><span>{html.escape(title)}</span>'
            "<i></i><b></b></a></li>"
            for name, title in entries
        )
        contents.append(f"<h2>{html.escape(caption)}</h2><ul>{lines}</ul>")
        chapters += [_chapter(site, name, printed) for name, _ in entries]
    name = html.escape(menu.select_one(".logo__title").get_text(strip=True))
    title = html.escape(parts[0][1][0][1])
    sheets = [site / "_static" / "pygments.css", site / "_static" / "book.css", style]
    links = "".join(
        f'<link rel="stylesheet" href="{sheet.resolve().as_uri()}">' for sheet in sheets
    )
    mathjax = (site / "mathjax" / "tex-svg.js").resolve().as_uri()
    return (
        '<!DOCTYPE html><html lang="en" data-theme="light"><head>'
        f'<meta charset="utf-8"><title>{name}: {title}</title>{links}'
        '<script>window.MathJax = {options: {ignoreHtmlClass: "bd-article", '
        'processHtmlClass: "math"}}</script>'
        f'<script src="{mathjax}"></script></head>'
        f'<body><header class="cover"><p>{name}</p><h1>{title}</h1></header>'
        f'<nav class="contents"><h1>Contents</h1>{"".join(contents)}</nav>'
        f"{''.join(chapters)}</body></html>"
    )


def _parts(menu: BeautifulSoup) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Parts of the book with address and title of their chapters, in order."""
    nav = menu.select_one("nav.bd-links")
    caption = ""
    for each in nav.select("p.caption, ul.nav"):
        if each.name == "p":
            caption = each.get_text(" ", strip=True)
            continue
        links = each.select("li.toctree-l1 > a.reference.internal")
        entries = [(a["href"], " ".join(a.get_text().split())) for a in links]
        entries = [entry for entry in entries if entry[0] not in NOT_PRINTED]
        if entries:
            yield caption, entries


def _place(address: str) -> str:
    """Where in the single page a place of the book is: its anchor."""
    page, _, place = address.partition("#")
    return f"{page.removesuffix('.html').replace('/', '-')}--{place}".rstrip("-")


def _chapter(site: Path, name: str, printed: set[str]) -> str:
    page = BeautifulSoup((site / name).read_text("utf-8"), "html.parser")
    article = page.select_one("article.bd-article")
    for each in article.select(ON_SCREEN):
        each.decompose()
    for player in article.select("video"):
        _show_poster(player)
    for each in article.select("details:not([open])"):
        _leave_out_long_tables(each)
    for each in article.select("details"):
        each["open"] = ""
    for each in article.select("[id]"):
        # Parts of a drawing refer to each other.
        if each.find_parent("svg") is None and each.name != "svg":
            each["id"] = _place(f"{name}#{each['id']}")
    for link in article.select("a[href]"):
        _lead(link, name, printed)
    for picture in article.select("img[src], svg image"):
        key = "src" if picture.name == "img" else "xlink:href"
        if not picture[key].startswith("data:"):
            picture[key] = (site / urljoin(name, picture[key])).resolve().as_uri()
    article["id"] = _place(name)
    return str(article)


def _leave_out_long_tables(details: Tag) -> None:
    """Say what there is to look up on a screen, in tables that begin folded."""
    for block in details.select(".tabs, table"):
        rows = len(block.select("tbody tr"))
        # Tabs go as one; those with pictures stay, but for long tables among them.
        if rows <= MOST_ROWS or block.decomposed or block.select_one("svg, img"):
            continue
        line = BeautifulSoup().new_tag("p")
        line.string = f"(In the book on a screen: {rows} rows of numbers.)"
        block.insert_before(line)
        block.decompose()


def _show_poster(player: Tag) -> None:
    picture = BeautifulSoup().new_tag("img", src=player.get("poster", ""), alt="")
    picture["class"] = "poster"
    player.replace_with(picture)


def _lead(link: Tag, name: str, printed: set[str]) -> None:
    """Make a link lead to its place on the single page, or to nothing."""
    address = urljoin(name, link["href"])
    if address.startswith(("http:", "https:", "mailto:")):
        return
    page = address.partition("#")[0]
    if page in printed:
        link["href"] = f"#{_place(address)}"
    else:
        del link["href"]
