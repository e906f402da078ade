import base64
import re

import pytest

from sslmepr.report.downloads import Copyable, Download, Downloads


def test_files_are_in_the_page():
    files = {
        "a.csv": Download("numbers & <more>", "x,ä\n1,−2\n"),
        "b.rtf": Download("table", "{\\rtf1 }"),
    }
    made = Downloads(files)
    items = re.findall(
        r'<li><a download="([^"]+)" href="data:([^;]+);charset=utf-8;base64,([^"]+)">'
        r"([^<]+)</a>: ([^<]+)</li>",
        made._repr_html_(),
    )
    assert [(name, kind) for name, kind, *_ in items] == [
        ("a.csv", "text/csv"),
        ("b.rtf", "application/rtf"),
    ]
    texts = [base64.b64decode(each[2]).decode() for each in items]
    assert texts == ["\ufeffx,ä\n1,−2\n", "{\\rtf1 }"]
    assert items[0][4] == "numbers &amp; &lt;more&gt;"
    assert repr(made) == "Downloads: a.csv, b.rtf"


@pytest.mark.parametrize("name", ["a.docx", "a"])
def test_other_kinds_of_files_are_refused(name):
    with pytest.raises(ValueError, match=f"{name}: its suffix is none of"):
        Downloads({name: Download("", "")})


def test_a_paragraph_has_its_button_behind_it():
    made = Copyable("r < .3 & more")
    assert repr(made) == "r < .3 & more"
    page = made._repr_html_()
    assert page.startswith('<div class="copyable"><p>r &lt; .3 &amp; more</p><button ')
    assert page.count('"') % 2 == 0 and "previousElementSibling" in page
