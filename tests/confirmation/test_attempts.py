"""The log of attempts, and what it says of today's code."""

import pandas as pd
import pytest
from frozen_repository import commit, make_repository

from sslmepr.confirmation.attempts import (
    COLUMNS,
    FOLDER,
    LOG,
    TABLES,
    enter,
    keep,
    read_log,
    require_grown,
    results_of,
    standing,
)
from sslmepr.confirmation.frozen import FrozenError, seed_of

FIRST, SECOND = "0000000a" + "f" * 56, "0000000b" + "f" * 56


def tables(value=0.25):
    return {
        name: pd.DataFrame({"metric": [name], "estimate": [value], "verdict": [""]})
        for name in TABLES
    }


def test_an_attempt_is_entered_once(tmp_path):
    assert read_log(tmp_path).empty
    assert enter(tmp_path, FIRST, "abc")
    before = (tmp_path / LOG).read_text()
    assert not enter(tmp_path, FIRST, "def")
    assert (tmp_path / LOG).read_text() == before
    assert enter(tmp_path, SECOND, "def")
    assert (tmp_path / LOG).read_text().startswith(before)
    log = read_log(tmp_path)
    assert tuple(log.columns) == COLUMNS
    assert log["attempt"].tolist() == [1, 2]
    assert log["seed"].tolist() == [10, 11] == [seed_of(FIRST), seed_of(SECOND)]
    assert log["revision"].tolist() == ["abc", "def"]


def test_a_revision_of_digits_stays_text(tmp_path):
    enter(tmp_path, "1" * 64, "000000000012")
    assert not enter(tmp_path, "1" * 64, "000000000012")
    log = read_log(tmp_path)
    assert log.loc[0, "hash"] == "1" * 64 and log.loc[0, "revision"] == "000000000012"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("attempt,hash\n1,a\n", "columns"),
        (f"{','.join(COLUMNS)}\n2,a,1,b,2026-01-01\n", "numbered"),
        (f"{','.join(COLUMNS)}\n1,a,1,b,2026-01-01\n2,a,1,b,2026-01-01\n", "twice"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path, text, message):
    (tmp_path / LOG).write_text(text)
    with pytest.raises(FrozenError, match=message):
        read_log(tmp_path)


def test_the_committed_log_may_only_grow(tmp_path):
    make_repository(tmp_path)
    require_grown(root=tmp_path)  # none is committed
    folder = tmp_path / FOLDER
    enter(folder, FIRST, "abc")
    require_grown(root=tmp_path)
    commit(tmp_path)
    enter(folder, SECOND, "def")
    require_grown(root=tmp_path)
    text = (folder / LOG).read_text()
    (folder / LOG).write_text(text.replace("abc", "xyz"))
    with pytest.raises(FrozenError, match="only grows"):
        require_grown(root=tmp_path)
    (folder / LOG).unlink()
    with pytest.raises(FrozenError, match="only grows"):
        require_grown(root=tmp_path)


def test_results_are_kept_and_compared(tmp_path):
    assert results_of(tmp_path, FIRST) is None
    assert keep(tmp_path, FIRST, tables()) == []
    read = results_of(tmp_path, FIRST)
    assert {name: each["estimate"].tolist() for name, each in read.items()} == {
        name: [0.25] for name in TABLES
    }
    assert keep(tmp_path, FIRST, tables(0.25 + 1e-9)) == []
    other = tables() | {"worlds": tables(0.26)["worlds"]}
    assert keep(tmp_path, FIRST, other) == ["worlds"]
    assert results_of(tmp_path, FIRST)["worlds"]["estimate"].tolist() == [0.25]


def test_an_attempt_that_lacks_a_table_was_not_finished(tmp_path):
    keep(tmp_path, FIRST, tables())
    (tmp_path / FIRST[:12] / "worlds.csv").unlink()
    assert results_of(tmp_path, FIRST) is None
    assert keep(tmp_path, FIRST, tables()) == []
    assert results_of(tmp_path, FIRST) is not None


def test_nothing_is_confirmed_before_an_attempt_is_finished(tmp_path):
    for finished in ([], [False]):
        found = standing(tmp_path, FIRST)
        assert found.attempts["finished"].tolist() == finished
        assert (found.current, found.number, found.tables) == (False, None, {})
        enter(tmp_path, FIRST, "abc")


def test_results_stand_for_their_own_code_alone(tmp_path):
    enter(tmp_path, FIRST, "abc")
    keep(tmp_path, FIRST, tables(0.1))
    found = standing(tmp_path, FIRST)
    assert found.current and found.number == 1
    moved = standing(tmp_path, SECOND)
    assert not moved.current and moved.number == 1
    pd.testing.assert_frame_equal(moved.tables["worlds"], found.tables["worlds"])


def test_the_last_finished_attempt_is_shown_unless_one_is_of_this_code(tmp_path):
    for mark, value in ((FIRST, 0.1), (SECOND, 0.2)):
        enter(tmp_path, mark, "abc")
        keep(tmp_path, mark, tables(value))
    enter(tmp_path, "c" * 64, "abc")  # not finished
    first, other = standing(tmp_path, FIRST), standing(tmp_path, "d" * 64)
    assert (first.current, first.number) == (True, 1)
    assert first.tables["worlds"]["estimate"].tolist() == [0.1]
    assert (other.current, other.number) == (False, 2)
    assert other.tables["worlds"]["estimate"].tolist() == [0.2]
    assert other.attempts["finished"].tolist() == [True, True, False]
