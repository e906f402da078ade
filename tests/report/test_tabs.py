import re

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import HTML, display

from sslmepr.report.tables import Table
from sslmepr.report.tabs import Folded, Tabs


def test_panels_are_chosen_by_radio_buttons_of_one_group():
    table = Table(pd.DataFrame({"clips": [3]}))
    page = Tabs("Corpus <x>", {"A & b": table, "C": table})._repr_html_()
    assert "<legend>Corpus &lt;x&gt;</legend>" in page
    buttons = re.findall(
        r'<input type="radio" name="(\w+)" id="([\w-]+)"( checked)?>'
        r'<label for="([\w-]+)">([^<]*)</label><div>(.*?)</div>',
        page,
    )
    groups, ids, checked, targets, labels, panels = zip(*buttons, strict=True)
    assert len(set(groups)) == 1 and ids == targets and len(set(ids)) == 2
    assert checked == (" checked", "") and labels == ("A &amp; b", "C")
    assert panels == (table._repr_html_(),) * 2


def test_equal_tabs_are_equal_and_others_have_another_group():
    def group(*labels):
        table = Table(pd.DataFrame({"clips": [3]}))
        page = Tabs("Corpus", dict.fromkeys(labels, table))._repr_html_()
        return re.search('name="([^"]*)"', page)[1]

    assert group("a", "b") == group("a", "b") != group("a", "c")


@pytest.fixture
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_a_panel_holds_what_is_displayed_meanwhile(shell, capsys):
    tabs = Tabs("Corpus")
    with tabs.panel("one"):
        display(HTML("<b>1</b>"))
        display(HTML("<b>2</b>"))
    assert tabs.panels == {"one": "<b>1</b><b>2</b>"}
    assert capsys.readouterr().out == "" and repr(tabs) == "Tabs: one"


def test_what_is_folded_stands_behind_its_summary():
    table = Table(pd.DataFrame({"clips": [3]}))
    page = Folded("Clips & speakers", table)._repr_html_()
    assert page.startswith("<details><summary>Clips &amp; speakers</summary>")
    assert table._repr_html_() in page and "<details open" not in page
    assert repr(Folded("Clips", table)).startswith("Clips: ")
