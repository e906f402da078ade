"""The book of the repository, where it has been built."""

from pathlib import Path

import pytest
from built_site import BROWSER, QUESTIONS, complaints, first_results

SITE = Path(__file__).parents[1] / "site"

pytestmark = pytest.mark.skipif(
    not (SITE / "index.html").exists(), reason="the book has not been built"
)


def test_nothing_is_too_heavy_leads_nowhere_or_is_fetched():
    assert complaints(SITE) == []


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_search_finds_the_page_first_that_answers(tmp_path):
    found = first_results(SITE, tmp_path)
    wrong = {q: page for q, page in found.items() if page != QUESTIONS[q]}
    assert not wrong and len(found) >= 20
