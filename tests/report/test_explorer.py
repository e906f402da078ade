"""The page as it is; `test_page_scripts.py` has what a browser makes of it."""

import json
import re

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from drawn_pairs import binned, halo, study
from drawn_scores import SETTINGS

from sslmepr.association.preregistration import PRIMARY
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.report.chapter_tables import Message
from sslmepr.report.explorer import SCRIPT, explorer

FIRST = ("happiness", "extraversion")
NONE = pd.DataFrame(columns=PRIMARY)


@pytest.fixture(scope="module")
def made():
    _, known, pairs = study()
    return explorer(pairs, known, SETTINGS, FIRST, NONE, halo(), binned())


@pytest.fixture(scope="module")
def page(made):
    return BeautifulSoup(made._repr_html_(), "html.parser")


def test_there_is_a_record_for_each_pair(made, page):
    records = json.loads(page.select_one("script.pairs").string.replace("<\\/", "</"))
    assert records == made.records() and len(records) == 30
    anger = records[0]
    assert (anger["emotion"], anger["trait"], anger["r"]) == ("anger", "openness", -0.3)
    assert anger["drawn"].startswith(
        "Correlation of anger with openness: −.30, interval from −.36 to −.24;"
    )
    assert len(json.dumps(records)) < 60_000


def test_means_of_a_pair_are_drawn_on_one_scale(made):
    anger, other = made.records()[:2]
    dots = anger["dots"]
    assert len(dots) == 10 and anger["halo"].startswith("Halo (raters who like")
    # The largest means, .9 and .45, lie at 1 of 1.1 from the middle.
    assert dots[0] == [pytest.approx(150 - 150 / 1.1, abs=0.06)] + [
        pytest.approx(65 - 65 / 1.1, abs=0.06)
    ]
    assert [y for _, y in other["dots"]] == [65] * 10
    assert "least to the most anger" in anger["dotted"]
    assert "mean openness, from +0.45 to −0.45 standard" in anger["dotted"]


def test_choices_have_labels_and_begin_with_the_pair_that_is_asked_for(page):
    labels = page.select("label")
    assert [each.contents[0].strip() for each in labels] == ["Emotion", "Trait"]
    options = [[each["value"] for each in label.select("option")] for label in labels]
    assert options == [list(SCORED_EMOTIONS), list(TRAITS)]
    assert [each["value"] for each in page.select("option[selected]")] == list(FIRST)


def test_without_the_script_all_pairs_stand_there(page):
    for name in ("choice", "answer"):
        assert page.select_one(f".{name}").has_attr("hidden")
    table = page.select_one("details[open] table")
    assert len(table.select("tbody tr")) == 30
    assert "All 30 pairs" in page.select_one("summary").text


def test_the_scale_reaches_beyond_the_longest_interval_and_shades_the_effect(
    made, page
):
    _, _, pairs = study()
    longest = pairs[["low", "high"]].abs().max(axis=None)
    assert made.reach - 0.1 <= longest <= made.reach == 0.4
    small = page.select_one(".small")["style"]
    assert small == "left:37.5%;width:25%"  # .1 of .4 on both sides of the middle
    ticks = [tick.text for tick in page.select(".tick")]
    assert ticks == ["−.40", "−.10", "0", ".10", ".40"]


def test_ticks_that_would_touch_on_a_phone_are_left_out():
    _, known, pairs = study()
    wide = pairs.assign(high=0.95)
    wide = explorer(wide, known, SETTINGS, FIRST, NONE, halo(), binned())
    ticks = re.findall(r'class="tick"[^>]*>([^<]*)', wide._repr_html_())
    assert ticks == ["−1.00", "−.10", ".10", "1.00"]


def test_no_style_of_the_picture_is_one_of_the_table(page):
    style = page.select_one("style").string
    drawn = {name for part in page.select(".scale > *") for name in part["class"]}
    shown = {name for part in page.select("table *") for name in part.get("class", [])}
    assert drawn and shown and not drawn & shown
    assert all(f".explorer .scale>.{name}{{" in style for name in drawn)


def test_nothing_is_fetched(made):
    page = made._repr_html_()
    assert not re.search(r"https?:|src=|import|fetch|XMLHttp", page)
    assert page.count(SCRIPT.read_text(encoding="utf-8")) == 1
    assert "</" not in SCRIPT.read_text(encoding="utf-8")


def test_an_unknown_pair_is_refused(made):
    _, known, pairs = study()
    with pytest.raises(ValueError, match="first: joy with openness is no pair"):
        wrong = ("joy", "openness")
        explorer(pairs, known, SETTINGS, wrong, NONE, halo(), binned())


def test_without_pairs_there_is_a_sentence():
    _, known, pairs = study()
    nothing = pairs.head(0), known.head(0)
    made = explorer(*nothing, SETTINGS, FIRST, NONE, halo(), binned().head(0))
    assert isinstance(made, Message) and made.text == "There is no pair to explore."
