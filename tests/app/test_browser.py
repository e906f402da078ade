"""The page in a real browser, against a server with tiny drawn models.

No test tolerates an error in the browser's console, a refusal by the content security
policy or a request to anywhere but the server.
"""

import os
import shutil
import time
from contextlib import suppress

import av
import pandas as pd
import psutil
import pytest
from recordings import write_sound, write_video

pytest.importorskip("gradio", reason="the app needs Gradio (extra `app`)")
from app_server import SECONDS, AppServer  # noqa: E402
from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from playwright.sync_api import expect, sync_playwright  # noqa: E402

from sslmepr.app.intake import MOST_BYTES, TOO_LARGE  # noqa: E402
from sslmepr.corpora.schema import COLUMNS, write_clips  # noqa: E402
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and "CI" not in os.environ, reason="there is no Chromium"
    ),
]

CUT_OFF = """[...document.querySelectorAll('main *')]
.filter(e => !e.closest('.scrolls, .tabs, svg'))
.filter(e => e.getBoundingClientRect().right > innerWidth + 1)
.map(e => e.outerHTML.slice(0, 100))"""
"""What stands outside of the window, where nothing scrolls."""

WAIT = 1000 * SECONDS
"""Milliseconds that anything may take, however busy the machine is."""
expect.set_options(timeout=WAIT)  # 5 seconds otherwise, whatever a page's own limit

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
COLOURED = ["color-contrast", "link-in-text-block"]
"""Rules of axe that depend on colours."""
FADED = "Promise.allSettled(document.getAnimations().map(each => each.finished))"
DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
PLAYED = "each => each.currentTime"
STORED = "[localStorage, sessionStorage].flatMap(each => Object.keys(each))"

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
    """Those of all tests of the app, one that is long enough for windows, and sound."""
    write_video(clips / "long.mp4", frames=LONG)
    write_sound(clips / "sound.wav", seconds=1)
    return clips


@pytest.fixture(scope="module")
def server(study, tmp_path_factory):
    made = AppServer(study, tmp_path_factory.mktemp("tmp"))
    yield made.wait()
    made.end()


@pytest.fixture(scope="module")
def camera(clips):
    """A drawn face as Chromium's camera takes it: pictures one after another, YUV."""
    with av.open(str(clips / "mute.mp4")) as file:
        pictures = [
            frame.reformat(format="yuv420p").to_ndarray().tobytes()
            for frame in file.decode(video=0)
        ]
    path = clips / "camera.y4m"
    head = b"YUV4MPEG2 W64 H64 F10:1 Ip A1:1 C420jpeg\n"
    path.write_bytes(head + b"".join(b"FRAME\n" + each for each in pictures))
    return path


@pytest.fixture(scope="module")
def browser(camera, recordings):
    options = [*OPTIONS, f"--use-file-for-fake-video-capture={camera}"]
    options.append(f"--use-file-for-fake-audio-capture={recordings / 'sound.wav'}")
    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=CHROMIUM, args=options)
        yield made
        made.close()


@pytest.fixture(scope="module")
def profile(browser):
    """One for all pages: none may see of another what a browser keeps."""
    made = browser.new_context(viewport={"width": 1280, "height": 900})
    made.set_default_timeout(WAIT)
    return made


@pytest.fixture
def visit(profile, server):
    """A function that opens the page."""
    wrong = []

    def open_page():
        page = profile.new_page()
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else 0)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda each: wrong.extend(_elsewhere(each.url, server)))
        page.goto(f"{server.address}/")
        expect(status_of(page)).to_contain_text("press Run")
        return page

    yield open_page
    wrong += [str(each) for each in profile.cookies()]
    for page in profile.pages:
        wrong += page.evaluate(STORED)
        page.close()
    assert wrong == []


def _elsewhere(url, server):
    own = url.startswith((f"{server.address}/", "data:", "blob:"))
    return [] if own else [url]


def status_of(page):
    """Screen readers read it aloud when it changes."""
    return page.locator("#status[role=status]")


def wait_for(page, text):
    expect(status_of(page)).to_contain_text(text)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def press(page, name):
    button(page, name).click()


def upload(page, *paths):
    many = "[multiple]" if len(paths) > 1 else ":not([multiple])"
    files = page.locator(f"input[data-testid=file-upload]{many}")
    files.set_input_files([str(path) for path in paths])
    wait_for(page, "Tick that the people in it agreed")


def choose_own(page, *paths):
    """Recordings of one's own, with consent."""
    name = "several recordings" if len(paths) > 1 else "video file or camera"
    page.get_by_role("radio", name=name).check()
    upload(page, *paths)
    agree(page)


def agree(page):
    page.get_by_role("checkbox", name="agreed to this analysis").check()
    wait_for(page, "Ready: press Run")
    expect(button(page, "Run")).to_be_enabled()


def download(page, name):
    with page.expect_download() as waiting:
        button(page, name).click()
    return waiting.value


def serious(page, **options):
    """Findings of axe that keep somebody from using the page.

    Colours of the page fade into each other; halfway, contrast is anything.
    """
    page.evaluate(FADED)
    options |= {"resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def require_usable(page):
    """No serious finding on a light and on a dark page, and nothing wider than 360 px.

    A page is dark where the system is, and nothing but colours is different there.
    """
    assert serious(page) == []
    page.emulate_media(color_scheme="dark")
    expect(page.locator("body.dark")).to_have_count(1)
    assert serious(page, runOnly=COLOURED) == [], "dark"
    page.emulate_media(color_scheme="light")
    expect(page.locator("body.dark")).to_have_count(0)
    for width in (640, 360):  # a page of 1280 px at 200 %, and a telephone
        page.set_viewport_size({"width": width, "height": 740})
        page.evaluate(DRAWN)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CUT_OFF) == [], width
    page.set_viewport_size({"width": 1280, "height": 900})


def worker_of(server):
    """The process that analyses, which begins when a page stands there."""
    for _ in range(10 * SECONDS):
        for each in psutil.Process(server.process.pid).children():
            with suppress(psutil.Error):  # one that has just ended
                if "spawn_main" in str(each.cmdline()):
                    return each
        time.sleep(0.1)
    raise AssertionError("there is none")


def test_one_waits_for_another_and_an_analysis_can_be_cancelled(
    visit, server, recordings
):
    """First of all, so that the process which is killed has hardly begun."""
    page = visit()
    worker = worker_of(server)
    worker.suspend()  # whoever is slow: nothing is answered before it is cancelled
    other = visit()
    other.get_by_role("radio", name="sound or microphone").check()
    upload(other, recordings / "sound.wav")
    press(other, "Clear")
    wait_for(other, "Choose a recording")
    record_sound(other)
    agree(other)
    press(page, "Run")
    wait_for(page, "The analysis begins")
    press(other, "Run")
    wait_for(other, "One analysis comes first")
    press(page, "Cancel")
    wait_for(page, "Cancelled")
    wait_for(other, "Something was missing, see below")
    assert not worker.is_running()  # it was killed
    result = other.locator("#result")
    expect(result).to_contain_text("There are no pictures: only the sound was analysed")
    expect(result.locator("svg[aria-label^='The waveform']:visible")).to_have_count(1)
    assert page.locator("#result h2").count() == 0  # nobody else's page sees of it
    press(other, "Cancel")
    wait_for(other, "Nothing is running")


def record_sound(page):
    """A second of what the microphone hears."""
    press(page, "Record audio")
    press(page, "Record")
    expect(button(page, "Stop")).to_be_visible()  # as soon as it has begun
    page.wait_for_timeout(1000)
    press(page, "Stop")
    wait_for(page, "Tick that the people in it agreed")


def test_the_page_before_anything_is_chosen(visit):
    page = visit()
    assert page.get_by_role("heading", level=1).count() == 1
    expect(page.get_by_role("note")).to_contain_text("means nothing")
    require_usable(page)


FOCUSED = "e => e === document.activeElement"
SEEN = """e => [e, e.parentElement].map(each => getComputedStyle(each))
.some(each => each.outlineStyle !== 'none' || each.boxShadow !== 'none')"""


def tab_to(page, wanted, most=200):
    """Press Tab until the wanted element has the focus, and see that it is visible.

    It is compared as an element, never by its text: while nothing has the focus, the
    whole page has it, whose text holds every name.
    """
    expect(wanted).to_be_visible()
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted.evaluate(FOCUSED):
            assert wanted.evaluate(SEEN), f"{wanted}: no visible focus"
            return
    raise AssertionError(f"{wanted}: not reached by the keyboard")


def test_from_an_example_to_its_report_by_keyboard_alone(visit, browser):
    page = visit()
    second = page.get_by_role("radio", name="Drawn person 2")
    player = page.locator("video[aria-label^='Drawn person 1, who shows']")
    expect(player).to_have_count(1)
    tab_to(page, page.get_by_role("radio", name="drawn example"))
    tab_to(page, second)
    page.keyboard.press("Space")
    expect(second).to_be_checked()
    # Its player takes the place of the first one's, and whatever focus is in that.
    expect(page.locator("figcaption:visible")).to_contain_text("Drawn person 2")
    tab_to(page, button(page, "Run"))
    page.keyboard.press("Enter")
    wait_for(page, "Done in")
    result = page.locator("#result")
    expect(result).to_contain_text("Emotions and apparent traits")
    expect(result.get_by_role("table").first).to_contain_text("0.900")  # the truth
    expect(result).to_contain_text("Below 6 seconds there is no course in time")
    assert page.locator("#result svg:visible").count() >= 4
    frame = page.get_by_role("img", name="Frame 2 of 2").first
    tab_to(page, page.locator("summary").filter(has=frame))
    large = page.locator("details[open]").filter(has=frame)
    small = frame.bounding_box()["height"]
    page.keyboard.press("Enter")
    expect(large).to_have_count(1)
    assert frame.bounding_box()["height"] != small
    page.keyboard.press("Enter")
    expect(large).to_have_count(0)
    assert frame.bounding_box()["height"] == small
    tab_to(page, button(page, "Report (HTML)"))
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    require_usable(page)
    require_report(browser, waiting.value.path())
    words = page.get_by_role("textbox", name="What is said")
    words.fill("said by the second")
    page.get_by_role("textbox", name="End, in seconds").fill("1")
    expect(words).to_have_value("")
    wait_for(page, "What is said was cleared")
    words.fill("said by the second")
    # Another source marks what stands there as old at once.
    page.get_by_role("radio", name="Drawn person 1").check()
    expect(page.locator(".old .result")).to_be_visible()
    expect(words).to_have_value("")
    press(page, "Clear all")
    wait_for(page, "nothing is kept")
    expect(page.locator("#result h2")).to_have_count(0)
    expect(page.locator(".old")).to_have_count(0)


def require_report(browser, path):
    """A report opens by itself, as a file, and asks for nothing."""
    asked = []
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.on("request", lambda each: asked.append(each.url))
    page.on("console", lambda message: asked.append(message.text))
    copy = path.with_suffix(".html")
    shutil.copy(path, copy)
    page.goto(copy.as_uri())
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    # All of its fonts, whether or not they were needed so far; one refused would raise.
    loaded = "Promise.all([...document.fonts].map(face => face.load()))"
    assert page.evaluate(f"{loaded}.then(faces => faces.length)") == 2
    text = page.locator("body").inner_text()
    assert "means nothing" in text and "Pictures of people were left out" in text
    assert page.locator("img").count() == 0
    assert [each for each in asked if not each.startswith("data:")] == [copy.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert serious(page) == []
    page.close()


def test_own_recordings_need_consent_and_errors_are_told(visit, recordings):
    page = visit()
    page.get_by_role("radio", name="video file or camera").check()
    run, consent = button(page, "Run"), page.get_by_role("checkbox", name="agreed to")
    expect(run).to_be_disabled()
    choose_own(page, recordings / "broken.mp4")
    run.click()
    wait_for(page, "cannot be decoded")
    require_usable(page)
    # Other people have to agree again.
    press(page, "Clear all")
    wait_for(page, "nothing is kept")
    upload(page, recordings / "é 1.mp4")
    agree(page)
    press(page, "Clear")
    wait_for(page, "Choose a recording")
    expect(consent).not_to_be_checked()
    upload(page, recordings / "mute.mp4")
    expect(consent).not_to_be_checked()
    expect(run).to_be_disabled()
    # Gradio's own trimmer would ask a server of others.
    page.locator("video:visible").first.wait_for()
    expect(page.get_by_role("button", name="Trim video")).to_have_count(0)
    agree(page)
    page.get_by_role("textbox", name="Start, in seconds").fill("9")
    run.click()
    wait_for(page, "choose an earlier start")


def test_two_recordings_of_one_name_are_two_and_compared(visit, server, recordings):
    """As those of a camera are; only the first has windows, and sound."""
    names = [recordings / folder / "é 1.mp4" for folder in ("with", "without")]
    for path, source in zip(names, ("long.mp4", "mute.mp4"), strict=True):
        path.parent.mkdir()
        shutil.copy(recordings / source, path)
    page = visit()
    choose_own(page, names[0])
    press(page, "Run")
    wait_for(page, "Done in")
    result = page.locator("#result")
    expect(result).not_to_contain_text("no audio stream")
    expect(result).to_contain_text("Each window of 4 seconds")
    table = pd.read_csv(download(page, "Windows (CSV)").path())
    assert table["start"].tolist() == [0, 2]
    press(page, "Keep as A, to compare with the next recording")
    wait_for(page, "Kept as A")
    press(page, "Clear")
    wait_for(page, "Choose a recording")
    assert lying(server, "é 1.mp4") == 0  # it is shown no more
    choose_own(page, names[1])
    press(page, "Run")
    wait_for(page, "Something was missing, see below")
    expect(result).to_contain_text("no audio stream")
    expect(result).to_contain_text("Compared with the recording kept as A")
    expect(result).to_contain_text("ranks nobody")
    assert lying(server, "é 1.mp4") == 1
    page.get_by_role("radio", name="drawn example").check()
    expect(button(page, "Run")).to_be_enabled()
    expect(page.locator(".old .result")).to_be_visible()
    assert lying(server, "é 1.mp4") == 0
    assert serious(page) == []


def lying(server, name):
    """How many uploads of that name the server has."""
    return sum(each.name == name for each in server.files())


def test_several_recordings_and_one_that_is_none(visit, recordings):
    page = visit()
    names = ["é 1.mp4", "notes.mp4", "mute.mp4"]
    choose_own(page, *(recordings / name for name in names))
    press(page, "Run")
    wait_for(page, "Done: 2 of 3 recordings were read")
    result = page.locator("#result")
    for text in ("é 1.mp4", "This is not a recording", "no audio stream"):
        expect(result).to_contain_text(text)
    table = pd.read_csv(download(page, "Scores (CSV)").path())
    assert table["clip"].tolist() == names
    assert table["failed"].notna().tolist() == [False, True, False]


def test_a_camera_records_what_is_analysed_and_goes_with_the_page(visit, server):
    page = visit()
    page.get_by_role("radio", name="video file or camera").check()
    press(page, "Capture from camera")
    page.get_by_role("button", name="Click to Access Webcam").click()
    press(page, "start recording")
    shown = page.locator("video:visible")
    begin = shown.evaluate(PLAYED)
    for _ in range(10 * SECONDS):
        if shown.evaluate(PLAYED) > begin + 1.5:
            break
        page.wait_for_timeout(100)
    press(page, "start recording")  # it says Stop now
    page.locator("video:visible").first.wait_for()
    wait_for(page, "Tick that the people in it agreed")
    agree(page)
    # Nothing to be heard in noise, and no words to be left out, each once.
    page.get_by_role("textbox", name="What is said").fill("so")
    press(page, "Run")
    wait_for(page, "Done in")
    expect(button(page, "Report (HTML)")).to_be_visible()
    assert whole(server.files())
    page.close(run_before_unload=True)
    for _ in range(SECONDS):
        if not whole(server.files()):
            break
        time.sleep(1)
    assert whole(server.files()) == []


def test_what_the_browser_refuses_is_told_in_the_app_s_own_words(visit, recordings):
    page = visit()
    page.evaluate(
        "() => {navigator.mediaDevices.getUserMedia = () => "
        "Promise.reject(new DOMException('no', 'NotAllowedError'))}"
    )
    page.get_by_role("radio", name="video file or camera").check()
    press(page, "Capture from camera")
    page.get_by_role("button", name="Click to Access Webcam").click()
    wait_for(page, "The camera or the microphone was refused")
    large = recordings / "large.mp4"
    with large.open("wb") as file:
        file.truncate(MOST_BYTES + 2**20)
    press(page, "Upload file")
    field = page.locator("input[data-testid=file-upload]:not([multiple])")
    field.set_input_files(str(large))
    wait_for(page, TOO_LARGE)
    upload(page, recordings / "mute.mp4")  # it is still there to take another


def whole(files):
    """Without uploads that a page broke off, which are swept every now and then."""
    return [path for path in files if path.suffix]


def test_a_page_says_that_the_server_has_gone(browser, server):
    """Last of all, and not among those whose console stays empty."""
    page = browser.new_page()
    page.set_default_timeout(WAIT)
    page.goto(f"{server.address}/")
    wait_for(page, "press Run")
    # Each kind of component is fetched on its own: the button may still be on its way.
    expect(button(page, "Run")).to_be_enabled()
    assert server.end() == 130  # Ctrl-C
    assert [each.name for each in server.temporary.iterdir()] == ["log"]
    press(page, "Run")
    expect(page.get_by_text("Connection to the server was lost")).to_be_visible()
    page.close()
