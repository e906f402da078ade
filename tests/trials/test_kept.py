"""Tables that trials keep, and the code that they count by."""

import pandas as pd
import pytest

from sslmepr.trials import kept

TABLE = pd.DataFrame({"arm": ["a", "b"], "value": [0.1, 1 / 3]})


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library of three modules, of which the first imports the second."""
    sources = {
        "sslmepr/__init__.py": "",
        "sslmepr/trials/__init__.py": "",
        "sslmepr/trials/first.py": "import sslmepr.trials.second\nimport numpy",
        "sslmepr/trials/second.py": "def f():\n    from sslmepr.params import base",
        "sslmepr/trials/third.py": "from sslmepr.trials import first, second",
        "sslmepr/params/base.py": "",
        "other/second.py": "",
    }
    for name, source in sources.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    monkeypatch.setattr(kept, "LIBRARY", tmp_path / "sslmepr")
    kept.digest_of_code.cache_clear()
    yield tmp_path / "sslmepr"
    kept.digest_of_code.cache_clear()


def names(library, module):
    return [p.relative_to(library).as_posix() for p in kept.code_of(module)]


def test_code_that_counts_is_what_a_module_imports(library):
    assert names(library, "sslmepr.trials.first") == [
        "trials/first.py",
        "trials/second.py",
    ]
    assert names(library, "sslmepr.trials.third") == [
        "trials/__init__.py",
        *("trials/first.py", "trials/second.py", "trials/third.py"),
    ]
    assert names(library, "other.second") == []


@pytest.mark.parametrize(
    ("edited", "again"),
    [("trials/second.py", True), ("trials/third.py", False), ("params/base.py", False)],
)
def test_a_table_is_computed_again_if_code_that_counts_changes(
    library, tmp_path, edited, again
):
    def made():
        calls.append(edited)
        return TABLE

    calls = []
    for _ in range(2):
        found = kept.kept_table(tmp_path, "sslmepr.trials.first", [1, "x"], made)
        pd.testing.assert_frame_equal(found, TABLE)
    assert len(calls) == 1
    library.joinpath(edited).write_text("import scipy")
    kept.digest_of_code.cache_clear()
    kept.kept_table(tmp_path, "sslmepr.trials.first", [1, "x"], made)
    assert len(calls) == 1 + again


def test_a_table_is_computed_again_for_another_key(tmp_path):
    for place, key in enumerate(([1], [2], [1, {"a": 0}], [1, {"a": None}])):
        values = TABLE.assign(value=place)
        found = kept.kept_table(
            tmp_path, "sslmepr.trials.kept", key, lambda values=values: values
        )
        assert found["value"].eq(place).all()


def test_what_fails_keeps_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        kept.kept_table(tmp_path, "sslmepr.trials.kept", [], lambda: 1 / 0)
    assert not list(tmp_path.iterdir())


def test_learning_curves_count_by_what_learns_and_draws():
    found = {path.name for path in kept.code_of("sslmepr.trials.curves")}
    assert {"curves.py", "gradnorm.py", "drawn.py", "mixture.py"} <= found
    assert not {"power.py", "worlds.py", "search.py", "timing.py"} & found
