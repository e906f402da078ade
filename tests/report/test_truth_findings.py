import numpy as np
import pandas as pd
import pytest

from sslmepr.report import truth_findings


@pytest.fixture
def scores():
    rows = [
        ("glasses", "with", "CCC", 0.7, 0.6, 0.8, 20, 0.1, -0.1, 0.3),
        ("skin", "dark", "mWACC", 0.6, 0.55, 0.65, 30, -0.1, -0.15, -0.05),
        ("skin", "light", "mWACC", 0.7, 0.6, 0.8, 30, 0.1, 0.02, 0.18),
        ("skin", "medium", "mWACC", 0.6, 0.5, 0.7, 30, 0.0, -0.1, 0.1),
        ("skin", "dark", "CCC", 0.7, 0.6, 0.8, 30, 0.0, -0.1, 0.1),
    ]
    columns = ["attribute", "group", "metric", "estimate", "low", "high", "n"]
    return pd.DataFrame(rows, columns=[*columns, "difference", "lowest", "highest"])


def test_groups_have_words_in_a_set_order(scores):
    table = truth_findings.named_groups(scores)
    assert table["people"].tolist() == [
        "lighter skin",
        "medium skin",
        "darker skin",
        "darker skin",
        "with glasses",
    ]


def test_who_is_read_worse_is_told_with_what_chance_gives(scores):
    table = truth_findings.named_groups(scores)
    told = truth_findings.group_findings(table, 0.95)
    assert told == [
        "**Who is read worse**: of 5 comparisons of a group with all other people, 2 "
        "differ by more than their interval, where chance alone gives about 0.3; read "
        "worse are: darker skin (mWACC −0.10 [−0.15, −0.05]).",
        "**What it does not say**: drawn people differ in fewer ways than people do, "
        "and their cues are drawn alike; a disadvantage seen here (darker skin) is no "
        "evidence about people.",
    ]
    # People without glasses are all others of those with: the same comparison.
    without = table.iloc[[-1]].assign(group="without", people="without glasses")
    assert truth_findings.group_findings(pd.concat([table, without]), 0.95) == told
    nobody = table.assign(lowest=-1.0, highest=1.0)
    told, limits = truth_findings.group_findings(nobody, 0.9)
    assert "0 differ" in told and told.endswith("nobody is surely read worse.")
    assert limits.endswith("that nobody is read worse is no evidence about people.")
    assert truth_findings.group_findings(table.assign(lowest=np.nan), 0.9) == []


def test_an_interval_that_ends_at_0_as_written_shows_no_difference():
    ends = pd.DataFrame(
        {"lowest": [-0.1, -0.1, 0.006, 0.004], "highest": [-0.006, -0.001, 0.1, 0.1]}
    )
    assert truth_findings.differs(ends).tolist() == [-1, 0, 1, 0]


def test_a_row_for_each_group_of_people(scores):
    table = truth_findings.group_table(truth_findings.named_groups(scores))
    assert table.fillna("").to_numpy().tolist() == [
        ["Lighter skin", 30, "0.70 [0.60, 0.80]", "+0.10 [0.02, 0.18]", "", ""],
        ["Medium skin", 30, "0.60 [0.50, 0.70]", "0.00 [−0.10, 0.10]", "", ""],
        [
            *("Darker skin", 30, "0.60 [0.55, 0.65]", "−0.10 [−0.15, −0.05]"),
            *("0.70 [0.60, 0.80]", "0.00 [−0.10, 0.10]"),
        ],
        ["With glasses", 20, "", "", "0.70 [0.60, 0.80]", "+0.10 [−0.10, 0.30]"],
    ]


def test_confusions_are_told_by_their_share():
    rows = [
        ("fear", "fear", 6, 0.6),
        ("fear", "surprise", 3, 0.3),
        ("fear", "anger", 1, 0.1),
        ("sadness", "sadness", 1, 0.5),
        ("sadness", "neutral", 1, 0.5),
    ]
    table = pd.DataFrame(rows, columns=["true", "predicted", "clips", "share"])
    assert truth_findings.confusion_findings(table) == [
        "The emotion with the strongest label gets most probability in 58 % of 12 "
        "clips. Most often taken: sadness for neutral (50 % of 2), fear for surprise "
        "(30 % of 10), fear for anger (10 % of 10)."
    ]
    assert truth_findings.confusion_findings(table[:0]) == []
