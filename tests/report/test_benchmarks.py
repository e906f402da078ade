import pandas as pd

from sslmepr.report.benchmarks import verdict

COLUMNS = ["name", "what", "value", "unit", "bound", "met"]
ROWS = [
    ("step", "a step", 1.93, "times as fast", "≥ 2", False),
    ("book", "the book", 15.24, "seconds", "≤ 30", True),
    ("book", "the book", 0.29, "GiB", None, None),
    ("slope", "a slope", 1.2, None, "≤ 1.1", False),
    ("growth_training", "not measured", None, None, None, None),
]


def test_what_misses_its_bound_is_named_with_its_value():
    said = repr(verdict(pd.DataFrame(ROWS, columns=COLUMNS)))
    assert said == (
        "Bounds that are met: 1 of 3. Not met: a step: 1.93 times as fast (≥ 2); "
        "a slope: 1.2 (≤ 1.1). Not measured: growth_training."
    )


def test_where_all_is_well_nothing_else_is_said():
    table = pd.DataFrame(ROWS[1:3], columns=COLUMNS)
    assert repr(verdict(table)) == "Bounds that are met: 1 of 1."
