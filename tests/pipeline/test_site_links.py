import pytest

from sslmepr.pipeline.site_links import broken_links


@pytest.fixture
def site(tmp_path):
    (tmp_path / "chapters").mkdir()
    (tmp_path / "table.csv").write_text("a\n")
    (tmp_path / "chapters" / "b c.html").write_text(
        '<h1 id="a&amp;b">b</h1><a name="old"></a>'
    )
    (tmp_path / "index.html").write_text("<h1>front</h1>")
    return tmp_path


@pytest.mark.parametrize(
    "link",
    [
        "index.html",
        "#here",
        "chapters/b%20c.html#a&amp;b",
        "chapters/b%20c.html?q=1#old",
        "table.csv",
        "table.csv#row=3",
        "",
        ".",
        "https://example.org/nothing.html",
        "mailto:nobody@example.org",
        "data:text/csv;base64,YQ==",
    ],
)
def test_links_that_lead_somewhere_are_no_complaints(site, link):
    (site / "a.html").write_text(f'<p id="here"><a class="x" href="{link}">x</a></p>')
    assert broken_links(site) == []


@pytest.mark.parametrize(
    "link", ["nothing.html", "#nowhere", "index.html#here", "chapters", "b c.html"]
)
def test_links_that_lead_nowhere_are_named_with_their_page(site, link):
    page = site / "chapters" / "d.html"
    page.write_text(f"<p id='here'><a href='../{link}'>x</a></p>")
    if link.startswith("#"):
        page.write_text(f'<a href="{link}">x</a>')
    found = link if link.startswith("#") else f"../{link}"
    assert broken_links(site) == [f"chapters/d.html: {found}"]
