import re

import numpy as np
import pandas as pd
import pytest

from sslmepr.report.tables import (
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
        ("detected 1, full_frame 3", "detected 1, full frame 3"),
        ("null_joint-0019 of train_sent_emo.csv",) * 2,
    ],
)
def test_cells_are_written_for_readers(value, written):
    assert text(value) == written


def test_no_p_is_zero():
    assert text(0.0, "p") == text(0.0004, "p_corrected") == "< .001"
    assert text(0.0394, "p_family") == ".039"
    assert text(0.0, "power") == "0.000" and text(np.nan, "p") == "–"


def test_categories_are_written_in_the_words_of_their_column():
    frame = pd.DataFrame({"variant": ["no_graph_attention", "my_own"]})
    frame["corpus"], frame["task"] = "emotion", "emotion"
    page = Table(frame.assign(new=[True, False]))._repr_html_()
    cells = re.findall(r">([^<>]+)</t[hd]>", page)
    assert cells[:4] == ["Variant", "Corpus", "Task", "New"]
    assert cells[4:8] == [
        "Without graph attention",
        "Rated for emotions",
        "Emotions",
        "yes",
    ]
    assert cells[8] == "my_own" and cells[11:] == ["no"]


def test_html_is_escaped_plain_and_repeatable():
    frame = pd.DataFrame({"a<b": ["x&y", "z"], "n": [1, 2]})
    html = Table(frame, "Two & two")._repr_html_()
    assert html == Table(frame.copy(), "Two & two")._repr_html_()
    assert html.startswith('<table class="dataframe"><caption>Two &amp; two</caption>')
    assert '<th style="text-align:left">A&lt;b</th>' in html
    assert '<td style="text-align:right">1</td>' in html
    assert repr(Table(frame)) == frame.to_string(index=False)


def test_a_line_does_not_part_an_interval():
    page = Table(pd.DataFrame({"r": ["0.7 [0.6, 0.8]ᵗ", "[a, b]"]}))._repr_html_()
    assert '>0.7 <span class="interval">[0.6, 0.8]ᵗ</span><' in page
    assert ">[a, b]<" in page


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
    assert shown.columns.tolist() == ["modality", "CCC"]
    with pytest.raises(ValueError, match="modality 'text' has CCC twice"):
        metric_table(pd.concat([table, table[:1]]), "modality")


def test_the_kind_of_an_interval_is_marked_and_explained():
    rows = [
        ("text", "CCC", 0.5, 0.4, 0.6, "cluster_t"),
        ("face", "CCC", 0.25, np.nan, np.nan, "none"),
        ("body", "CCC", 0.3, 0.2, 0.4, "wilson"),
    ]
    columns = ["modality", "metric", "estimate", "low", "high", "interval"]
    table = metric_table(pd.DataFrame(rows, columns=columns), "modality", digits=1)
    written = table.frame["CCC"].tolist()
    assert written == ["0.5 [0.4, 0.6]ᵗ", "0.2", "0.3 [0.2, 0.4]ʷ"]
    note = (
        "[ ]ᵗ: Student's t over clusters; [ ]ʷ: Wilson's interval of a count; "
        "number alone: no interval is defined"
    )
    assert table.note == note
    foot = note.replace("'", "&#x27;")
    assert f'<tfoot><tr><td colspan="2">{foot}</td></tr></tfoot>' in table._repr_html_()
    one = pd.DataFrame(rows[:1], columns=columns)
    plain = metric_table(one.drop(columns="interval"), "modality")
    assert plain.note is None and "tfoot" not in plain._repr_html_()
