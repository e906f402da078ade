"""What a browser, where there is one, makes of the book's scripts, tabs and videos."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from drawn_pairs import binned, halo, study
from drawn_scores import SETTINGS
from recordings import write_video

from sslmepr.association.preregistration import PRIMARY
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS
from sslmepr.report.downloads import Copyable
from sslmepr.report.explorer import explorer
from sslmepr.report.samples import video_players
from sslmepr.report.tables import Table
from sslmepr.report.tabs import Tabs

STATIC = Path(__file__).parents[1] / "book" / "_static"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here")


def page_after(shown, action, tmp_path, *options):
    """A page of what shows itself as HTML after `action`, a piece of JavaScript."""
    path = tmp_path / "chapter.html"
    path.write_text(
        f"<meta charset='utf-8'><div class='bd-article'>{shown._repr_html_()}</div>"
        f"<script>{(STATIC / 'tables.js').read_text()}</script><script>"
        f"document.addEventListener('DOMContentLoaded', () => {{{action}}})</script>"
    )
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", *options]
    done = subprocess.run(
        [BROWSER, *words, f"--user-data-dir={tmp_path / 'profile'}", path.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.split("<script>")[0]


def first_cells(page, shown=True):
    rows = re.findall(r"<tr([^>]*)><td[^>]*>([^<]*)", page)
    return [cell for mark, cell in rows if not (shown and "hidden" in mark)]


@pytest.fixture
def table():
    estimates = ["0.712 [0.690, 0.733]", "−0.5", "–", "< .001"] * 3
    return Table(pd.DataFrame({"name": list("abcdefghijkl"), "r": estimates}))


def test_a_click_on_a_head_sorts_by_number_and_a_second_one_turns_it(table, tmp_path):
    click = "const h = document.querySelectorAll('th button')[1]; h.click();"
    page = page_after(table, click, tmp_path)
    up = [*"bfj", *"dhl", *"aei", *"cgk"]  # what is missing comes last
    assert first_cells(page) == up
    assert 'aria-sort="ascending"' in page
    page = page_after(table, click + "h.click()", tmp_path)
    assert first_cells(page)[3:] == [*"aei", *"dhl", *"bfj"]


def test_a_filter_hides_rows_that_lack_a_word(table, tmp_path):
    fill = (
        "const f = document.querySelector('input'); f.value = '0.69 A';"
        "f.dispatchEvent(new Event('input'))"
    )
    page = page_after(table, fill, tmp_path)
    assert first_cells(page) == ["a"] and len(first_cells(page, shown=False)) == 12


def test_a_long_table_begins_with_its_first_rows(tmp_path):
    """Until all are asked for, or one is looked for; short ones are whole."""
    rows = [f"row {number}" for number in range(20)]
    many = Table(pd.DataFrame({"name": rows, "r": range(20)}))
    few = Table(pd.DataFrame({"name": rows[:15], "r": range(15)}))
    folded = '<table class="dataframe folded">'
    page = page_after(many, "", tmp_path)
    assert folded in page and "Show all 20 rows" in page
    page = page_after(few, "", tmp_path)
    assert folded not in page and "Show all" not in page
    click = "document.querySelector('[aria-expanded]').click();"
    page = page_after(many, click, tmp_path)
    assert folded not in page and 'aria-expanded="true"' in page
    assert "Show the first rows" in page
    assert folded in page_after(many, 2 * click, tmp_path)
    fill = (
        "const f = document.querySelector('input'); f.value = 'row 17';"
        "f.dispatchEvent(new Event('input'))"
    )
    page = page_after(many, fill, tmp_path)
    assert folded not in page and first_cells(page) == ["row 17"]


def test_what_is_downloaded_is_what_is_shown(table, tmp_path):
    """As CSV with quotes, and as a table with the rules of the APA manual."""
    catch = (
        "let text; window.Blob = function (parts) { text = parts.join('') };"
        "URL.createObjectURL = () => '#'; HTMLAnchorElement.prototype.click = () => 0;"
        "document.querySelector('input').value = 'a';"
        "document.querySelector('input').dispatchEvent(new Event('input'));"
        "const [csv] = document.querySelectorAll('.table-tools button'); csv.click();"
        "const pre = document.createElement('pre'); pre.textContent = text;"
        "const made = apaTable(document.querySelector('table'));"
        "document.querySelector('.bd-article').append(pre, made)"
    )
    page = page_after(table, catch, tmp_path)
    (text,) = re.findall(r"<pre>([^<]*)</pre>", page)
    assert text.lstrip("\ufeff").splitlines() == [
        '"Name","r"',
        '"a","0.712 [0.690, 0.733]"',
    ]
    made = page.rpartition("<table")[2]
    assert re.findall(r"<td[^>]*>([^<]*)", made) == ["Name", "r", "a"] + [
        "0.712 [0.690, 0.733]"
    ]
    assert made.count("border-top: 1px solid black") == 2  # the heads alone


def test_small_tables_have_no_filter_and_one_row_no_tools(tmp_path):
    for count, (filters, buttons) in {1: (0, 0), 2: (0, 2), 9: (1, 2)}.items():
        table = Table(pd.DataFrame({"x": range(count)}))
        page = page_after(table, "", tmp_path)
        tools = page.partition("table-tools")[2]
        assert (tools.count("<input"), tools.count("<button")) == (filters, buttons)


VISIBLE = (
    "const shown = () => [...document.querySelectorAll('.tabs > div')]"
    ".map((panel) => getComputedStyle(panel).display).join(' ');"
)


def test_one_tab_is_seen_at_a_time_and_all_without_style_sheets(tmp_path):
    panels = {name: Table(pd.DataFrame({"x": [1, 2]})) for name in ("one", "two")}
    page = page_after(
        Tabs("Corpus", panels),
        VISIBLE + "const said = [shown()];"
        "document.querySelectorAll('label')[1].click(); said.push(shown());"
        "document.querySelector('style').remove(); said.push(shown());"
        "document.title = said.join(', ')",
        tmp_path,
    )
    assert "<title>block none, none block, block block</title>" in page


def test_a_video_has_its_frame_and_its_words_where_no_server_is(tmp_path):
    write_video(tmp_path / "a.mp4")
    clip = {"clip_id": "a", "media": "a.mp4", "transcript": "so be it"}
    clip |= {"start_seconds": 0.25, "end_seconds": 0.5}
    clip |= dict.fromkeys((*EMOTION_COLUMNS, *TRAIT_COLUMNS), 0.5)
    page = page_after(
        video_players(pd.DataFrame([clip]), tmp_path),
        "const { track } = document.querySelector('track'); track.mode = 'showing';"
        "const poster = new Image();"
        "poster.src = document.querySelector('video').poster;"
        "const look = () => { const cue = track.cues?.[0]; if (!cue) return;"
        "document.title = [cue.startTime, cue.endTime, cue.text, poster.width] };"
        "setInterval(look, 20)",
        tmp_path,
        "--virtual-time-budget=20000",
    )
    assert "<title>0.25,0.5,so be it,64</title>" in page


@pytest.fixture(scope="module")
def pairs():
    _, known, table = study()
    none = pd.DataFrame(columns=PRIMARY)
    first = ("happiness", "extraversion")
    return explorer(table, known, SETTINGS, first, none, halo(), binned())


def choose(emotion, trait):
    return "".join(
        f"choices[{place}].value = '{value}';"
        f"choices[{place}].dispatchEvent(new Event('change'));"
        for place, value in enumerate((emotion, trait))
    )


CHOICES = "const choices = document.querySelectorAll('select');"


def read(page, name):
    return re.search(rf'class="{name}"[^>]*>(.*?)</p>', page, re.DOTALL)[1]


def test_the_pair_that_is_asked_for_is_shown_at_first(pairs, tmp_path):
    page = page_after(pairs, "", tmp_path)
    record = next(
        each
        for each in pairs.records()
        if (each["emotion"], each["trait"]) == pairs.first
    )
    for name in ("said", "report", "needed", "halo"):
        assert read(page, name) == record[name]
    assert not re.search(r'class="(choice|answer)" hidden', page)
    assert re.search(r'<details class="all">', page)  # folded


def test_a_choice_changes_answer_picture_and_sentence(pairs, tmp_path):
    page = page_after(pairs, CHOICES + choose("anger", "openness"), tmp_path)
    record = pairs.records()[0]
    for name in ("said", "report", "needed", "halo"):
        assert read(page, name) == record[name]
    dots = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', page)
    assert [[float(x), float(y)] for x, y in dots] == record["dots"]
    # In the records, below the drawing, and as its label.
    assert page.count(html.escape(record["dotted"], False)) == 3
    styles = {
        name: re.search(rf'class="{name}" style="([^"]*)"', page)[1]
        for name in ("estimate", "range")
    }
    scale = 50 / pairs.reach
    left = float(re.search(r"left: ([\d.]+)%", styles["estimate"])[1])
    assert left == pytest.approx(50 - 0.3 * scale)
    left = float(re.search(r"left: ([\d.]+)%", styles["range"])[1])
    width = float(re.search(r"width: ([\d.]+)%", styles["range"])[1])
    assert left == pytest.approx(50 + record["low"] * scale, abs=1e-3)
    assert left + width == pytest.approx(50 + record["high"] * scale, abs=1e-3)
    assert f'aria-label="{record["drawn"]}"' in page


def test_every_pair_can_be_chosen(pairs, tmp_path):
    walk = (
        CHOICES + "const said = []; for (const e of choices[0].options)"
        "for (const t of choices[1].options) {"
        "choices[0].value = e.value; choices[1].value = t.value;"
        "choices[1].dispatchEvent(new Event('change'));"
        "said.push(document.querySelector('.said').innerHTML) }"
        "document.title = JSON.stringify(said)"
    )
    page = page_after(pairs, walk, tmp_path)
    said = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", page)[1]))
    assert said == [each["said"] for each in pairs.records()]


def test_the_sentence_is_copied_with_its_italics(pairs, tmp_path):
    catch = (
        "document.execCommand = (what) => { const box = document.createElement('div');"
        "box.append(getSelection().getRangeAt(0).cloneContents());"
        "document.title = [what, box.innerHTML]; return true };"
        "const copy = document.querySelector('.copy'); copy.click();"
        "copy.dataset.told = copy.textContent"
    )
    page = page_after(pairs, catch, tmp_path)
    title = html.unescape(re.search(r"<title>(.*?)</title>", page)[1])
    report = next(each for each in pairs.records() if each["emotion"] == "happiness")
    assert title.startswith("copy,Happiness and extraversion were equivalent")
    assert "<em>r</em>" in title and "<em>r</em>" in report["report"]
    assert 'data-told="Copied"' in page


def test_a_paragraph_is_copied_whole(tmp_path):
    catch = (
        "document.execCommand = () => { document.title = getSelection(); return true };"
        "document.querySelector('.copyable button').click()"
    )
    page = page_after(Copyable("One & two."), catch, tmp_path)
    assert "<title>One &amp; two.</title>" in page and ">Copied</button>" in page


def test_on_a_phone_nothing_sticks_out(pairs, tmp_path):
    """In the book's column on a phone of 390 px."""
    measure = (
        "const box = document.querySelector('.bd-article'); box.style.width = '360px';"
        "const wide = [...box.querySelectorAll('.choice, .answer, .answer *')]"
        ".filter((each) => each.getBoundingClientRect().right >"
        " box.getBoundingClientRect().right + 1).map((each) => each.className);"
        "document.title = `wide: ${wide}`"
    )
    page = page_after(pairs, measure, tmp_path)
    assert "<title>wide: </title>" in page


@pytest.mark.parametrize(
    ("address", "opened"),
    [
        ("", [False, False]),
        ("#one", [True, False]),
        ("#inner", [False, True]),
        ("#nowhere", [False, False]),
    ],
)
def test_an_address_opens_the_section_that_it_leads_into(address, opened, tmp_path):
    section = '<details class="section"><summary><h2>A</h2></summary>{}</details>'
    path = tmp_path / "page.html"
    path.write_text(
        f"<section id='one'>{section.format('one')}</section><section id='two'>"
        f"{section.format('<p id=inner>two</p>')}</section>"
        f"<script>{(STATIC / 'sections.js').read_text()}</script>"
    )
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    done = subprocess.run(
        [
            *(BROWSER, *words, f"--user-data-dir={tmp_path / 'profile'}"),
            f"{path.as_uri()}{address}",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found = re.findall(r'<details class="section"( open="")?>', done.stdout)
    assert [bool(each) for each in found] == opened
