from pathlib import Path

import pytest

from sslmepr.pipeline import readme

README = Path(__file__).parents[2] / "README.md"


def test_findings_replace_what_stood_between_the_marks():
    text = f"# A\n\n{readme.BEGIN}\nold\n{readme.END}\n\nmore\n"
    new = readme.with_findings(text, "- new\n")
    assert new == f"# A\n\n{readme.BEGIN}\n- new\n\n{readme.END}\n\nmore\n"
    assert readme.with_findings(new, "- new\n") == new


@pytest.mark.parametrize("text", ["", readme.BEGIN, f"{readme.END}"])
def test_a_readme_without_marks_is_refused(text):
    with pytest.raises(readme.ReadmeError, match="README.md: no line"):
        readme.with_findings(text, "")


def test_the_readme_says_what_is_on_record(settings):
    """If this fails, results have changed: run `sslmepr readme`."""
    text = README.read_text("utf-8")
    found = readme.findings_on_record(settings, README.parent)
    assert readme.with_findings(text, found) == text


def test_it_is_written_in_place(settings, tmp_path, monkeypatch):
    path = tmp_path / "README.md"
    path.write_text(f"{readme.BEGIN}{readme.END}")
    monkeypatch.setattr(readme, "findings_on_record", lambda params: "- x\n")
    readme.write_readme(settings, path)
    assert path.read_text() == f"{readme.BEGIN}\n- x\n\n{readme.END}"
