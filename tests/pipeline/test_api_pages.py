import textwrap
from pathlib import Path

import pytest

from sslmepr.pipeline.api_pages import api_pages, module_lines, write_api_pages


def lines_of(source):
    return module_lines(textwrap.dedent(source), "pack.sub.thing")


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_page_for_each_package_without_private_modules(tmp_path):
    package = tmp_path / "pack"
    for name in ("__init__", "b", "a", "_hidden", "__main__", "sub/__init__", "sub/c"):
        write(package / f"{name}.py")
    write(package / "empty" / "__init__.py")
    assert api_pages(package) == {
        "pack": ["pack.a", "pack.b"],
        "pack.sub": ["pack.sub.c"],
    }


def test_pages_are_written_from_source_that_is_never_run(tmp_path):
    package = tmp_path / "pack"
    write(package / "__init__.py")
    write(package / "a.py", '"""What a is."""\nraise SystemExit\n')
    write_api_pages(package, tmp_path / "api")
    text = (tmp_path / "api" / "pack.rst").read_text()
    assert text.startswith("pack\n====\n")
    assert "What a is." in text


def test_every_line_of_a_method_is_indented():
    lines = lines_of('''
        class Thing:
            """It."""
            def do(self):
                """Do it.

                Raises
                ------
                ValueError
                    If it is long enough to be told
                    in two lines.
                """
        ''')
    assert [line for line in lines if "two lines" in line] == [
        "          in two lines."  # three for the class and the method each, and four
    ]


def test_functions_have_signatures_and_private_ones_are_left_out():
    lines = lines_of('''
        """Head."""
        def seen(a: int, *, b="x") -> str:
            """Do it.

            Parameters
            ----------
            a : int
                Steps.
            """
        def _private():
            """No."""
        def undocumented():
            pass
        ''')
    assert lines[:4] == ["thing", "-----", "", ".. py:module:: pack.sub.thing"]
    assert ".. py:function:: seen(a: int, *, b='x') -> str" in lines
    assert any(":Parameters:" in line and "**a**" in line for line in lines)
    text = "\n".join(lines)
    assert "_private" not in text and "undocumented" not in text


def test_classes_have_what_they_are_called_with_and_their_methods():
    lines = lines_of('''
        @dataclass(frozen=True)
        class Point:
            """A point."""
            x: float
            y: float = 0.0
            def far(self, limit: float) -> bool:
                """Whether it is far."""
            @classmethod
            def of(cls, text):
                """From text."""
            @cached_property
            def norm(self):
                """Its length."""
        class Net(Module):
            """A net."""
            def __init__(self, width: int):
                self.width = width
        ''')
    assert ".. py:class:: Point(x: float, y: float = 0.0)" in lines
    assert "   .. py:method:: far(limit: float) -> bool" in lines
    assert "   .. py:classmethod:: of(text)" in lines
    assert "   .. py:property:: norm" in lines
    assert ".. py:class:: Net(width: int)" in lines


def test_constants_with_a_docstring_are_data():
    lines = lines_of('''
        RATE_HZ = 16000
        """Samples per second."""
        OTHER = 1
        ''')
    assert lines[lines.index(".. py:data:: RATE_HZ") + 2] == "   Samples per second."
    assert not any("OTHER" in line for line in lines)


def test_bars_and_footnotes_do_not_disturb_the_markup():
    lines = lines_of('''
        """The sum of |w - t| and ``|x|``, see [1]_.

        References
        ----------
        .. [1] A paper.
        """
        ''')
    text = "\n".join(lines)
    assert r"\|w - t\| and ``|x|``" in text
    assert "[#pack-sub-thing-1]_" in text
    assert ".. [#pack-sub-thing-1] A paper." in text


def test_a_module_that_is_no_python_is_named():
    with pytest.raises(SyntaxError, match="pack.sub.thing"):
        lines_of("def broken(:")
