"""The bibliography of the book."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[1] / "book" / "references.bib").read_text("utf-8")
ENTRIES = dict(re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", TEXT, re.MULTILINE | re.DOTALL))
UNKNOWN = {
    "costa1992",  # a manual, which has none
    "croon2002",  # a chapter of a book, which has none
    "shiota2006",  # not looked up where it could be checked
    "teijeiro2015",
}
"""References without an address to follow."""


def test_all_entries_are_read():
    assert len(ENTRIES) == TEXT.count("\n@") + TEXT.startswith("@") > 50


@pytest.mark.parametrize("name", ENTRIES)
def test_a_reference_can_be_followed(name):
    doi = re.search(r"^  doi +=  ?\{(.*)\}", ENTRIES[name], re.MULTILINE)
    address = re.search(r"https?://[^}\s]+", ENTRIES[name])
    assert (doi is None and address is None) == (name in UNKNOWN)
    if doi:
        assert re.fullmatch(r"10\.\d{4,5}/[^\s{}]+", doi[1])
