"""The table of measurements; its scripts are no package."""

import ast
import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def table(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    import table

    monkeypatch.setattr(table, "RESULTS", tmp_path / "results" / "benchmarks.csv")
    return table


@pytest.mark.parametrize(
    ("value", "bound", "expected"),
    [
        (1.97, "≥ 2", False),
        (2.0, "≥ 2", True),
        (1.45, "≤ 1.25", False),
        (1e-5, "≤ 0.00001", True),
        (3.0, None, None),
        (3.0, float("nan"), None),
        (float("nan"), "≤ 1", None),
    ],
)
def test_whether_a_bound_is_met(table, value, bound, expected):
    assert table.met(value, bound) is expected


@pytest.mark.parametrize("bound", ["< 2", "2", "≤ two"])
def test_a_bound_that_cannot_be_read(table, bound):
    with pytest.raises(ValueError, match="bound '|could not convert"):
        table.met(1.0, bound)


def test_merging_replaces_names_works_out_bounds_and_names_what_is_absent(
    table, monkeypatch
):
    monkeypatch.setattr(table, "NAMES", ("book", "repro", "tests"))
    book = [
        table.row("book", "building", [31.0, 29.0, 40.0], "seconds", "≤ 30"),
        table.row("book", "building", [0.5], "GiB"),
    ]
    table.merge(book)
    table.merge([table.row("tests", "all", [500.0], "seconds", "≤ 600")])
    found = pd.read_csv(table.RESULTS)
    assert list(found) == table.COLUMNS
    assert found["name"].tolist() == ["book", "book", "tests", "repro"]
    assert found["met"].dropna().to_dict() == {0: False, 2: True}
    absent = found.iloc[3]
    assert absent["what"] == "not measured" and pd.isna(absent["value"])
    assert found["runs"].tolist()[:3] == [3, 1, 1]
    table.merge([table.row("repro", "all", [900.0], "seconds", "≤ 1200")])
    again = pd.read_csv(table.RESULTS)
    assert again["name"].tolist() == ["book", "book", "tests", "repro"]
    assert again["met"].dropna().to_dict() == {0: False, 2: True, 3: True}


def test_the_recorded_table_says_of_every_bound_whether_it_is_met(table):
    recorded = pd.read_csv(FOLDER.parent / "results" / "benchmarks.csv")
    for row in recorded.itertuples():
        expected = table.met(row.value, row.bound)
        assert pd.isna(row.met) if expected is None else row.met == expected
    assert set(table.NAMES) <= set(recorded["name"])


def test_every_measurement_of_the_scripts_is_among_the_names(table):
    """By reading them: two name their measurements in a dictionary."""
    for script, variable, prefix in (
        ("whole_house", "MEASUREMENTS", ""),
        ("growth", "STAGES", "growth_"),
    ):
        tree = ast.parse((FOLDER / f"{script}.py").read_text(encoding="utf-8"))
        named = [
            [ast.literal_eval(key) for key in node.value.keys]
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            and ast.unparse(getattr(node, "target", None) or node.targets[0])
            == variable
        ]
        assert {f"{prefix}{name}" for name in named[0]} <= set(table.NAMES)


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.py")), ids=lambda p: p.stem)
def test_scripts_import_what_there_is(script, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    runpy.run_path(str(script), run_name="not main")


def test_every_script_is_run_by_the_target_or_by_another():
    made = (FOLDER.parent / "Makefile").read_text(encoding="utf-8")
    made += (FOLDER / "whole_house.py").read_text(encoding="utf-8")
    made += "table.py timing.py random_clip.py app_browser.py"  # what the scripts share
    for script in FOLDER.glob("*.py"):
        assert script.name in made
