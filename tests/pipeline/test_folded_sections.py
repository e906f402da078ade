import pytest

from sslmepr.pipeline.folded_sections import MARK, fold_sections, folded

HEADING = '<h2>Two<a class="headerlink" href="#two">#</a></h2>'
INNER = '<section id="in"><h3>In</h3><p>c</p></section>'
PAGE = (
    f'<section id="one"><h1>One</h1><p>a</p>{MARK}\n'
    f'<section id="two">\n<span id="label"></span>{HEADING}<p>b</p>{INNER}</section>\n'
    '<section id="three"><h2>Three</h2></section></section>'
)


def test_a_marked_section_is_opened_by_its_heading():
    assert folded(PAGE) == (
        '<section id="one"><h1>One</h1><p>a</p>\n'
        '<section id="two">\n<span id="label"></span><details class="section">'
        f"<summary><h2>Two</h2></summary><p>b</p>{INNER}</details></section>\n"
        '<section id="three"><h2>Three</h2></section></section>'
    )


def test_sections_one_after_the_other():
    """A mark stands at the end of the section before."""
    two = f'<section id="a"><h2>A</h2>x{MARK}</section><section id="b"><h2>B</h2>y'
    page = folded(f"<section><h1>T</h1>{MARK}{two}</section></section>")
    assert page.count('<details class="section">') == page.count("</details>") == 2
    assert "<summary><h2>A</h2></summary>x</details></section>" in page
    assert "<summary><h2>B</h2></summary>y</details></section></section>" in page


@pytest.mark.parametrize("text", [f"<section>{MARK}</section>", f"{MARK}<section><h2>"])
def test_a_mark_that_folds_nothing_is_refused(text, tmp_path):
    (tmp_path / "a.html").write_text(text)
    with pytest.raises(ValueError, match="a.html: "):
        fold_sections(tmp_path)


def test_pages_without_marks_stay_as_they_are(tmp_path):
    (tmp_path / "a.html").write_text("<section><h2>A</h2></section>")
    (tmp_path / "b.html").write_text(PAGE)
    fold_sections(tmp_path)
    assert (tmp_path / "a.html").read_text() == "<section><h2>A</h2></section>"
    assert (tmp_path / "b.html").read_text() == folded(PAGE)
