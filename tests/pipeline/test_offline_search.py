"""The search page of a small book on a disk, read as a browser would."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from sslmepr.pipeline.offline_search import add_offline_search

SCRIPT = Path(__file__).parents[2] / "book" / "search.js"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")

# What Sphinx's script does: rank pages, then fetch the best to cut an excerpt.
TOOLS = """
const pages = ["api/a", "chapters/a", "method"];
const rank = (page) => Scorer.score([page, "", "", null, 10, ""]);
document.title = pages.sort((one, other) => rank(other) - rank(one)).join(" ");
fetch("chapters/a.html#part").then((found) => found.text()).then((text) => {
  document.body.insertAdjacentHTML("beforeend", text);
});
"""


@pytest.fixture
def html(tmp_path):
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "searchtools.js").write_text(TOOLS)
    tools = '<script src="_static/searchtools.js"></script>\n'
    (tmp_path / "search.html").write_text(f"<head></head>\n<body></body>\n{tools}")
    for page in ("chapters/a", "api/a", "method"):
        path = tmp_path / f"{page}.html"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"<nav>menu</nav><article class='bd-article'><h1>{page}</h1>"
            "<details>code</details><p>one &lt; two</p><pre>code</pre></article>"
        )
    return tmp_path


def test_texts_of_chapters_and_prose_are_put_before_the_script(html):
    add_offline_search(html, SCRIPT)
    first, _, rest = (html / "search.js").read_text().partition(";\n")
    texts = json.loads(first.removeprefix("const SEARCH_TEXTS = "))
    assert texts == {
        "chapters/a.html": "chapters/a one < two",
        "method.html": "method one < two",
    }
    assert rest.endswith(SCRIPT.read_text())
    lines = (html / "search.html").read_text().splitlines()
    assert lines.index('<script src="search.js"></script>') == len(lines) - 2


def test_a_page_without_the_search_of_sphinx_is_refused(html):
    (html / "search.html").write_text("<body></body>")
    with pytest.raises(ValueError, match="search.html: does not load searchtools.js"):
        add_offline_search(html, SCRIPT)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_chapters_rank_first_and_have_excerpts_on_a_disk(html):
    add_offline_search(html, SCRIPT)
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    words += [f"--user-data-dir={html / 'profile'}", "--virtual-time-budget=3000"]
    done = subprocess.run(
        [BROWSER, *words, (html / "search.html").as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "<title>chapters/a method api/a</title>" in done.stdout
    assert '<div role="main">chapters/a one &lt; two</div>' in done.stdout
