"""The page in a real browser, against a server with tiny drawn models.

No test tolerates an error in the browser's console, a refusal by the content security
policy or a request to anywhere but the server.
"""

import shutil
import time

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
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
LONG = 70
"""Pictures of a recording of 7 seconds, which has windows."""


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
def recordings(clips):
    """Those of all tests of the app, and one that is long enough for windows."""
    write_video(clips / "long.mp4", frames=LONG)
    return clips


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


def wait_for(page, text):
    expect(status_of(page)).to_contain_text(text, timeout=WAIT)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def choose_own(page, *paths):
    several = len(paths) > 1
    name = "several recordings" if several else "video file or camera"
    page.get_by_role("radio", name=name).check()
    many = "[multiple]" if several else ":not([multiple])"
    files = page.locator(f"input[data-testid=file-upload]{many}")
    files.set_input_files([str(path) for path in paths])
    page.get_by_role("checkbox", name="agreed to this analysis").check()
    run = page.get_by_role("button", name="Run", exact=True)
    expect(run).to_be_enabled(timeout=WAIT)


def serious(page):
    """Findings of axe that keep somebody from using the page."""
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


def tab_to(page, matches, most=80):
    """Press Tab until what has the focus fits, and see that the focus can be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        name = page.evaluate(
            "(e => e.getAttribute('aria-label') || e.value || e.innerText || '')"
            "(document.activeElement)"
        )
        if matches in name:
            style = page.evaluate(
                "(e => [e, e.parentElement].map(x => getComputedStyle(x)).some(s => "
                "s.outlineStyle !== 'none' || s.boxShadow !== 'none'))"
                "(document.activeElement)"
            )
            assert style, f"{matches}: no visible focus"
            return
    raise AssertionError(f"{matches}: not reached by the keyboard")


def test_from_an_example_to_its_report_by_keyboard_alone(visit, server):
    page = visit()
    tab_to(page, "drawn example")
    tab_to(page, "Drawn person 1")
    page.keyboard.press("ArrowDown")
    tab_to(page, "Run")
    page.keyboard.press("Enter")
    wait_for(page, "Done in")
    result = page.locator("#result")
    expect(result).to_contain_text("Emotions and apparent traits")
    expect(result.get_by_role("table").first).to_contain_text("0.900")  # the truth
    expect(result).to_contain_text("Below 6 seconds there is no course in time")
    assert page.locator("#result svg:visible").count() >= 4
    tab_to(page, "Report (HTML)", 200)
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    text = waiting.value.path().read_text(encoding="utf-8")
    assert "means nothing" in text and "data:image/png" not in text
    require_usable(page)
    # A page of its own sees nothing of it.
    other = visit()
    assert other.locator("#result h2").count() == 0
    # Another source marks what stands there as old at once.
    page.get_by_role("radio", name="Drawn person 1").check()
    expect(page.locator(".old .result")).to_be_visible(timeout=WAIT)
    page.get_by_role("button", name="Clear", exact=True).click()
    wait_for(page, "nothing is kept")
    expect(page.locator("#result h2")).to_have_count(0)


def test_own_recordings_need_consent_and_errors_are_told(visit, recordings):
    page = visit()
    page.get_by_role("radio", name="video file or camera").check()
    run = page.get_by_role("button", name="Run", exact=True)
    expect(run).to_be_disabled(timeout=WAIT)
    choose_own(page, recordings / "broken.mp4")
    run.click()
    wait_for(page, "cannot be decoded")
    require_usable(page)


def test_two_recordings_are_compared_and_windows_shown(visit, recordings):
    page = visit()
    press(page, "Run")
    wait_for(page, "Done in")
    press(page, "Keep as A, to compare with the next recording")
    wait_for(page, "Kept as A")
    choose_own(page, recordings / "long.mp4")
    press(page, "Run")
    wait_for(page, "Done in")
    result = page.locator("#result")
    expect(result).to_contain_text("Compared with the recording kept as A")
    expect(result).to_contain_text("ranks nobody")
    expect(result).to_contain_text("Each window of 4 seconds")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Windows (CSV)").click()
    table = pd.read_csv(waiting.value.path())
    assert table["start"].tolist() == [0, 2]
    assert serious(page) == []


def test_several_recordings_and_one_that_is_none(visit, recordings):
    page = visit()
    names = ["é 1.mp4", "notes.mp4", "mute.mp4"]
    choose_own(page, *(recordings / name for name in names))
    press(page, "Run")
    wait_for(page, "Done: 2 of 3 recordings were read")
    result = page.locator("#result")
    for text in ("é 1.mp4", "This is not a recording", "no audio stream"):
        expect(result).to_contain_text(text)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Scores (CSV)").click()
    table = pd.read_csv(waiting.value.path())
    assert table["clip"].tolist() == names
    assert table["failed"].notna().tolist() == [False, True, False]


def test_an_analysis_can_be_cancelled(visit):
    page = visit()
    press(page, "Run")
    wait_for(page, "Step 2")
    press(page, "Cancel")
    wait_for(page, "Cancelled")
    press(page, "Run")
    wait_for(page, "Done in")


def test_a_camera_records_what_is_then_analysed(visit, server):
    page = visit()
    page.get_by_role("radio", name="video file or camera").check()
    page.get_by_role("button", name="Capture from camera").or_(
        page.get_by_role("button", name="Webcam")
    ).first.click()
    page.get_by_role("button", name="Click to Access Webcam").click()
    page.get_by_role("button", name="Record").click()
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Stop").click()
    press(page, "Run")
    wait_for(page, "Done in")


def test_leaving_the_page_leaves_no_file(visit, server, recordings):
    page = visit()
    choose_own(page, recordings / "mute.mp4")
    page.locator("video:visible").first.wait_for()
    assert server.files()
    page.close(run_before_unload=True)
    for _ in range(SECONDS):
        if not server.files():
            break
        server.process.poll()
        time.sleep(1)
    assert server.files() == []
