import re
import shutil

import pytest
from bs4 import BeautifulSoup

from sslmepr.pipeline import book_pdf

NAV = """
<p class="logo__title">A book</p>
<nav class="bd-links">
<ul class="nav"><li class="toctree-l1">
  <a class="reference internal" href="chapters/front.html">Front</a></li></ul>
<p class="caption"><span>Part one</span></p>
<ul class="nav"><li class="toctree-l1">
  <a class="reference internal" href="prose.html"> 1. Prose &amp; more</a>
  <ul><li class="toctree-l2"><a class="reference internal" href="x.html">x</a></li></ul>
</li></ul>
<p class="caption"><span>Reference</span></p>
<ul class="nav"><li class="toctree-l1">
  <a class="reference internal" href="api.html">API</a></li></ul>
</nav>
"""
FRONT = """
<nav>menu</nav><article class="bd-article"><section id="front">
<h1>Front<a class="headerlink" href="#front">#</a></h1>
<a href="../prose.html#part">on</a> <a href="../api.html">library</a>
<a href="https://example.org">elsewhere</a> <a href="#front">up</a>
<div class="only-dark">dark</div><svg class="narrow"></svg>
<svg class="wide"><defs id="d"></defs></svg>
<details class="hide"><summary>How</summary><div class="cell_input">code</div></details>
<details><summary>Answer</summary><div class="cell_output">yes</div></details>
<video poster="../_media/a.jpg"></video><audio></audio>
<svg class="wide"><image xlink:href="../_media/c.png"></image></svg>
<img src="../_media/b.png"><img src="data:image/png;base64,xyz">
</section></article>
"""
PROSE = """
<article class="bd-article"><section id="prose"><h1>Prose</h1>
<section id="part"><h2>Part</h2>Text.</section></section></article>
"""


@pytest.fixture
def site(tmp_path):
    site = tmp_path / "site"
    pages = {"search": NAV, "chapters/front": FRONT, "prose": PROSE, "api": PROSE}
    for name, text in pages.items():
        path = site / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<body>{text}</body>")
    (site / "mathjax").mkdir()
    (site / "mathjax" / "tex-svg.js").write_text(
        "window.MathJax.startup = {promise: Promise.resolve()}"
    )
    (tmp_path / book_pdf.STYLE).write_text(
        "@page { size: A4 }\narticle {break-before: page}"
    )
    return site


@pytest.fixture
def page(site, tmp_path):
    text = book_pdf.one_page(site, tmp_path / book_pdf.STYLE)
    return BeautifulSoup(text, "html.parser")


def test_chapters_stand_in_the_order_of_the_menu(page):
    assert page.title.text == "A book: Front"
    assert [each["id"] for each in page.select("article")] == [
        "chapters-front",
        "prose",
    ]
    shown = [each.text for each in page.select(".contents h2, .contents a span")]
    assert shown == ["", "Front", "Part one", "1. Prose & more"]


def test_links_lead_to_their_place_on_the_page_or_nowhere(page):
    links = {each.text: each.get("href") for each in page.select("article a")}
    assert links == {
        "on": "#prose--part",
        "library": None,
        "elsewhere": "https://example.org",
        "up": "#chapters-front--front",
    }
    places = {each["id"] for each in page.select("[id]")}
    inner = re.findall(r'href="#([^"]+)"', str(page))
    assert set(inner) <= places


def test_what_only_a_screen_shows_is_gone_and_what_is_folded_is_open(page):
    text = str(page.select_one("article"))
    for gone in ("menu", "dark", "narrow", "code", "<audio", "<video", "headerlink"):
        assert gone not in text
    assert [each.has_attr("open") for each in page.select("details")] == [True]
    assert page.select_one("svg.wide defs")["id"] == "d"


def test_long_tables_are_printed_only_where_they_are_open_on_a_screen(tmp_path, site):
    def table(rows):
        return f"<table><tbody>{'<tr><td>x</td></tr>' * rows}</tbody></table>"

    text = (
        f"<details>{table(26)}</details><details>{table(25)}</details>{table(30)}"
        f'<details><div class="tabs">{table(20)}{table(7)}</div></details>'
        f'<details><div class="tabs">{table(3)}<svg></svg>{table(28)}</div></details>'
    )
    (site / "prose.html").write_text(f'<article class="bd-article">{text}</article>')
    page = book_pdf.one_page(site, tmp_path / book_pdf.STYLE)
    prose = BeautifulSoup(page, "html.parser").select("article")[1]
    left = [len(each.select("tr")) for each in prose.select("table")]
    assert left == [25, 30, 3]
    lines = [each.text for each in prose.select("details > p, .tabs > p")]
    assert lines == [
        f"(In the book on a screen: {rows} rows of numbers.)" for rows in (26, 27, 28)
    ]


def test_pictures_are_found_from_wherever_the_page_lies(page, site):
    sources = [each["src"] for each in page.select("article img")]
    inner = page.select_one("svg image")["xlink:href"]
    assert inner == (site / "_media" / "c.png").as_uri()
    media = (site / "_media").as_uri()
    assert sources == [f"{media}/a.jpg", f"{media}/b.png", "data:image/png;base64,xyz"]


def test_what_is_missing_is_said(tmp_path, site, monkeypatch):
    with pytest.raises(book_pdf.PrintError, match="no book is built here"):
        book_pdf.print_book(tmp_path / "no", tmp_path, tmp_path / "book.pdf")
    monkeypatch.setattr(book_pdf.shutil, "which", lambda name: None)
    with pytest.raises(book_pdf.PrintError, match="Chromium is needed"):
        book_pdf.print_book(site, tmp_path, tmp_path / "book.pdf")


@pytest.mark.skipif(
    not any(map(shutil.which, book_pdf.BROWSERS)), reason="no Chromium here"
)
def test_contents_say_on_which_page_a_chapter_begins(site, tmp_path):
    pytest.importorskip("playwright")
    pypdf = pytest.importorskip("pypdf")
    target = book_pdf.print_book(site, tmp_path, tmp_path / "new" / "book.pdf")
    pages = [each.extract_text() for each in pypdf.PdfReader(target).pages]
    starts = [
        next(n for n, text in enumerate(pages, 1) if words in text)
        for words in ("elsewhere", "Text.")
    ]
    assert starts == sorted(set(starts))
    contents = next(text for text in pages if "Contents" in text)
    assert [int(each) for each in re.findall(r"(\d+)\s*$", contents, re.MULTILINE)] == (
        starts
    )
