"""The book of the repository, where it has been built."""

from pathlib import Path

import pytest
from built_site import complaints, openings

SITE = Path(__file__).parents[1] / "site"
pytestmark = pytest.mark.skipif(
    not (SITE / "index.html").exists(), reason="no book is built"
)


def test_nothing_is_too_heavy_leads_nowhere_or_is_fetched():
    assert complaints(SITE) == []


def test_chapters_begin_with_an_answer_how_sure_it_is_and_what_is_unsaid():
    assert openings(SITE) == []


def test_readers_find_and_can_read_every_chapter():
    import site_in_browser

    site_in_browser.require_readable(SITE)
