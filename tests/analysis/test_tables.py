import numpy as np
import pandas as pd
import pytest

from sslmepr.analysis.tables import (
    Table,
    interval,
    metric_table,
    number,
    text,
)


def test_numbers_and_intervals():
    assert number(-0.12345) == "−0.123" and number(-0.0001) == "0.000"
    assert number(np.nan) == "–"
    assert interval(0.7123, 0.69, 0.7333) == "0.712 [0.690, 0.733]"
    assert interval(0.5, np.nan, np.nan, digits=1) == "0.5"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (pd.NA, "–"),
        (True, "yes"),
        (np.float64(0.25), "0.250"),
        (7, "7"),
        ("emotional_stability", "Emotional stability"),
        ("face", "Face"),
        ("no_graph_attention", "no_graph_attention"),
    ],
)
def test_cells_are_written_for_readers(value, written):
    assert text(value) == written


def test_html_is_escaped_plain_and_repeatable():
    frame = pd.DataFrame({"a<b": ["x&y", "z"], "n": [1, 2]})
    html = Table(frame, "Two & two")._repr_html_()
    assert html == Table(frame.copy(), "Two & two")._repr_html_()
    assert html.startswith('<table class="dataframe"><caption>Two &amp; two</caption>')
    assert '<th style="text-align:left">a&lt;b</th>' in html
    assert '<td style="text-align:right">1</td>' in html
    assert repr(Table(frame)) == frame.to_string(index=False)


def test_metric_table_keeps_order_and_refuses_twins():
    rows = [("text", "CCC", 0.5, 0.4, 0.6), ("face", "CCC", 0.25, np.nan, np.nan)]
    table = pd.DataFrame(
        rows, columns=["modality", "metric", "estimate", "low", "high"]
    )
    shown = metric_table(table, "modality", digits=2).frame
    assert shown.to_numpy().tolist() == [
        ["text", "0.50 [0.40, 0.60]"],
        ["face", "0.25"],
    ]
    assert shown.columns.tolist() == ["Modality", "CCC"]
    with pytest.raises(ValueError, match="modality 'text' has CCC twice"):
        metric_table(pd.concat([table, table[:1]]), "modality")
