"""The page of promises names tests that there are."""

from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
PROMISES = pd.read_csv(ROOT / "book" / "promises.csv")


@pytest.mark.parametrize("named", sorted(set(" ".join(PROMISES["tests"]).split())))
def test_a_promise_names_a_test(named):
    path, _, name = named.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_every_promise_says_what_was_tried_and_what_is_right():
    assert PROMISES.notna().all(axis=None)
    assert not PROMISES.duplicated(["promise", "tried"]).any()
