"""The search page of a small book on a disk, read as a browser would."""

import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

from sslmepr.pipeline.offline_search import add_offline_search

SCRIPT = Path(__file__).parents[2] / "book" / "search.js"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")

# What Sphinx's scripts have: a stemmer, an index, a ranking of their own that knows
# the library's pages, and a fetch of the best page to cut an excerpt.
TOOLS = """
class Stemmer { stemWord(word) { return word.replace(/s$/, ""); } }
const docnames = ["api/a", "chapters/a", "chapters/b", "method"];
const Search = {
  _index: { docnames, filenames: docnames, titles: docnames },
  _performSearch: () => [["chapters/b", "found twice"], ["api/a", "library"]],
};
document.addEventListener("DOMContentLoaded", () => {
  const query = new URLSearchParams(location.search).get("q");
  const found = Search._performSearch(query, new Set());
  document.title = found.map(([name]) => name).reverse().join(" ");
  fetch("chapters/a.html#part").then((page) => page.text()).then((text) => {
    document.body.insertAdjacentHTML("beforeend", text);
  });
});
"""
PAGES = {
    "chapters/a": "<h1>Associations</h1><h2>Halo of raters</h2><p>one &lt; two</p>",
    "chapters/b": "<h1>Trust</h1><p>Associations, halo, and much more of raters.</p>",
    "method": "<h1>Method</h1><p>Halo and more halo; a halo here.</p>",
    "api/a": "<h1>halo</h1>",
    "gallery": "<h1>Halo halo</h1>",
    "genindex": "<h1>Halo</h1>",
}


@pytest.fixture
def html(tmp_path):
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "searchtools.js").write_text(TOOLS)
    tools = '<script src="_static/searchtools.js"></script>\n'
    (tmp_path / "search.html").write_text(f"<head></head>\n<body></body>\n{tools}")
    for page, text in PAGES.items():
        path = tmp_path / f"{page}.html"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"<nav>menu</nav><article class='bd-article'>{text}<pre>code</pre>"
            "<details>code</details>"
            "<details class='section'><p>Folded.</p></details></article>"
        )
    return tmp_path


def test_texts_of_chapters_and_prose_are_put_before_the_script(html):
    add_offline_search(html, SCRIPT)
    first, _, rest = (html / "search.js").read_text().partition(";\n")
    texts = json.loads(first.removeprefix("const SEARCH_TEXTS = "))
    assert set(texts) == {
        f"{page}.html" for page in PAGES if page not in ("api/a", "gallery")
    }
    assert texts["chapters/a.html"] == [
        "Associations",
        "Halo of raters",
        "Associations Halo of raters one < two Folded.",
    ]
    assert rest.endswith(SCRIPT.read_text())
    lines = (html / "search.html").read_text().splitlines()
    assert lines.index('<script src="search.js"></script>') == len(lines) - 2


def test_a_page_without_the_search_of_sphinx_is_refused(html):
    (html / "search.html").write_text("<body></body>")
    with pytest.raises(ValueError, match="search.html: does not load searchtools.js"):
        add_offline_search(html, SCRIPT)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
@pytest.mark.parametrize(
    ("question", "expected"),
    [
        # A word in a heading counts more, the library comes last.
        ("What is the halo of raters?", "chapters/a chapters/b method api/a"),
        ("method", "method api/a"),
        # Pages need not have every word.
        ("trust unheard", "chapters/b api/a"),
        ("how do I", "api/a"),
    ],
)
def test_chapters_rank_by_what_is_asked_and_have_excerpts(html, question, expected):
    add_offline_search(html, SCRIPT)
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    words += [f"--user-data-dir={html / 'profile'}", "--virtual-time-budget=3000"]
    done = subprocess.run(
        [BROWSER, *words, f"{(html / 'search.html').as_uri()}?q={quote(question)}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert f"<title>{expected}</title>" in done.stdout
    assert '<div role="main">Associations Halo of raters one &lt; two' in done.stdout
