"""The page in a real browser, against a server with tiny drawn models.

No test tolerates an error in the browser's console, a refusal by the content security
policy or a request to anywhere but the server.
"""

import shutil

import pandas as pd
import pytest
from recordings import write_video

pytest.importorskip("gradio", reason="the app needs Gradio (extra `app`)")
from app_server import SECONDS, AppServer  # noqa: E402
from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from playwright.sync_api import expect, sync_playwright  # noqa: E402

from sslmepr.corpora.schema import COLUMNS, write_clips  # noqa: E402
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
]

WAIT = 1000 * SECONDS
"""Milliseconds that anything may take, however busy the machine is."""

OPTIONS = [
    "--no-sandbox",  # tests may run as root
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def study(project, settings):
    """The project with a held-out corpus of two drawn clips, for examples."""
    corpus = project / "data" / settings.roles.held_out / "corpus"
    (corpus / "media").mkdir(parents=True)
    names = ["one", "two"]
    table = pd.DataFrame({"clip_id": names, "speaker_id": names, "split": "test"})
    table = table.reindex(columns=list(COLUMNS))
    table["media"] = [f"media/{name}.mp4" for name in names]
    for place, name in enumerate(names):
        write_video(corpus / "media" / f"{name}.mp4")
        labels = [0.9 * (place == number) for number in range(len(EMOTION_COLUMNS))]
        table.loc[place, list(EMOTION_COLUMNS)] = labels
        table.loc[place, list(TRAIT_COLUMNS)] = 0.5
    write_clips(table, corpus)
    yield project
    shutil.rmtree(project / "data")


@pytest.fixture(scope="module")
def server(study, tmp_path_factory):
    made = AppServer(study, tmp_path_factory.mktemp("tmp"))
    yield made.wait()
    made.end()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield made
        made.close()


@pytest.fixture
def visit(browser, server):
    """A function that opens the page in a profile of its own."""
    wrong, opened = [], []

    def open_page(query=""):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(WAIT)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else 0)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda each: wrong.extend(_elsewhere(each.url, server)))
        page.goto(f"{server.address}/{query}")
        expect(status_of(page)).to_contain_text("press Run", timeout=WAIT)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert wrong == []


def _elsewhere(url, server):
    own = url.startswith((f"{server.address}/", "data:", "blob:"))
    return [] if own else [url]


def status_of(page):
    """Screen readers read it aloud when it changes."""
    return page.locator("#status[role=status]")


def serious(page):
    """Findings of axe that keep somebody from using the page.

    Colours of the page fade into each other; halfway, contrast is anything.
    """
    page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def require_usable(page):
    """No serious finding on a light and on a dark page, and nothing wider than 360 px.

    Gradio marks a dark page by this class, whatever made it one.
    """
    for dark in (False, True):
        page.evaluate(f"document.body.classList.toggle('dark', {str(dark).lower()})")
        assert serious(page) == [], "dark" if dark else "light"
    page.evaluate("document.body.classList.remove('dark')")
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 1280, "height": 900})


def test_the_page_before_anything_is_chosen(visit):
    page = visit()
    assert page.get_by_role("heading", level=1).count() == 1
    expect(page.get_by_role("note")).to_contain_text("means nothing")
    require_usable(page)


def test_the_system_s_dark_style_is_followed(visit):
    page = visit("?__theme=dark")
    assert "dark" in page.evaluate("document.body.className")
    assert serious(page) == []
