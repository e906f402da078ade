"""What a reader meets in a built book, opened from the disk in Chromium."""

import shutil

import pytest

pytest.importorskip("axe_playwright_python")
from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = ["--no-sandbox", "--disable-background-networking", "--no-first-run"]

QUESTIONS = {
    "which emotions go with which traits": "association",
    "halo effect": "association",
    "agreement with self-reports": "association",
    "how well are emotions recognised": "evaluate",
    "who is read worse": "evaluate",
    "calibration": "evaluate",
    "attention": "attention",
    "which words count": "attention",
    "false positives": "validity",
    "learning curves": "trials",
    "MELD": "real",
    "real people": "real",
    "how many clips do I need": "explorer",
    "APA table": "explorer",
    "reliability": "measurement",
    "missing modality": "features",
    "which components matter": "ablation",
    "is it reproducible": "reproducibility",
    "can I use my own videos": "your-own-data",
    "may I use it to judge applicants": "ethics",
    "how do I cite it": "how-to-cite",
    "how do I install and run it": "how-to-run",
    "many machines": "scaling",
    "exercises": "exercises",
    "how accurate is it": "evaluate",
    "is happiness related to extraversion": "association",
    "how long does a run take": "how-to-run",
    "do I need a GPU": "how-to-run",
    "windows": "how-to-run",
    "what is CCC": "glossary",
    "what is halo": "glossary",
}
"""What a reader would type, and the page that should come first."""

HIGHEST_PX = {1280: 6000, 390: 7000}
"""Width of a window to the height that a chapter may have before anything is opened."""

SHORT_PX = {"association": 4500}
"""Chapter to its height in a wide window, where that is less."""

LONG = ("api", "gallery", "glossary", "references", "data-runs", "training-runs")
"""Pages to look something up in, which may be longer."""


def chapters(site):
    """Pages of the book's chapters and prose, without library and single runs."""
    pages = [*site.glob("*.html"), *site.glob("chapters/*.html")]
    made = {"index", "search", "genindex", "py-modindex"}
    return sorted(page for page in pages if page.stem not in made)


def open_page(browser, wrong):
    """A page that notes what the console complains of and what it would fetch."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    local = ("file:", "data:", "blob:")
    page.on(
        "request",
        lambda each: None if each.url.startswith(local) else wrong.append(each.url),
    )
    return page


def first_answers(page, site):
    """Question to the page that the search names first."""
    found = {}
    for question in QUESTIONS:
        words = question.replace(" ", "+")
        page.goto(f"{(site / 'search.html').as_uri()}?q={words}")
        page.wait_for_function(
            "document.querySelector('#search-results .search-summary')?.textContent"
            ".match(/found|did not match/)"
        )
        links = page.locator("#search-results ul.search li a")
        first = links.first.get_attribute("href") if links.count() else ""
        found[question] = first.partition("?")[0].rpartition("/")[2].partition(".")[0]
    return found


def complaints(page, path):
    """What keeps somebody from reading a page, in both modes, and on a phone."""
    page.goto(path.as_uri())
    found = []
    for wide, highest in HIGHEST_PX.items():
        page.set_viewport_size({"width": wide, "height": 900})
        width, height = page.evaluate(
            "[document.documentElement.scrollWidth,"
            " document.querySelector('article').scrollHeight]"
        )
        if width > wide:
            found.append(f"{width} px wide in a window of {wide}")
        if wide == max(HIGHEST_PX):
            highest = SHORT_PX.get(path.stem, highest)
        if height > highest and path.stem not in LONG:
            found.append(f"{height} px high in a window of {wide}")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    hidden = page.evaluate(
        "[...document.querySelectorAll('figcaption')]"
        ".filter(each => getComputedStyle(each).display === 'none').length"
    )
    found += [f"{hidden} captions are hidden"] if hidden else []
    # Drawings have their alternative as an attribute; axe would look at every mark.
    page.evaluate(
        "document.querySelectorAll('.both-modes svg').forEach(d => d.replaceChildren())"
    )
    for mode, only in (("light", None), ("dark", ["color-contrast"])):
        page.evaluate(f"document.documentElement.dataset.theme = '{mode}'")
        page.evaluate("Promise.all(document.getAnimations().map(a => a.finished))")
        options = {"preload": False} | ({"runOnly": only} if only else {})
        result = Axe().run(page, options=options)
        found += [
            f"{mode}: {each['id']}: {node['html'][:160]}"
            for each in result.response["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]
    return found


def require_readable(site, names=None, right=26):
    """Search finds what is asked, and chapters (of these names) can be read by all.

    Of `QUESTIONS`, at least `right` find their chapter first: what chapters say, and so
    the order of pages that are nearly as good, follows the results.
    """
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    wrong = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        page = open_page(browser, wrong)
        found = first_answers(page, site)
        have = {path.stem for path in chapters(site)}
        wished = {each: name for each, name in QUESTIONS.items() if name in have}
        missed = {each: found[each] for each in wished if found[each] != wished[each]}
        assert len(wished) - len(missed) >= right, missed
        read = [each for each in chapters(site) if names is None or each.stem in names]
        assert names is None or len(read) == len(names)
        unreadable = {path.stem: complaints(page, path) for path in read}
        browser.close()
    assert {name: each for name, each in unreadable.items() if each} == {}
    assert wrong == []
