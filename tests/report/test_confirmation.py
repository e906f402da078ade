"""The chapter on the confirmation, from what is on record."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sslmepr.report.confirmation import (
    MARKED,
    answer,
    attempts_table,
    bounds_told,
    filled,
    new_people,
    with_outcomes,
    worlds_table,
)

PAGE = Path(__file__).parents[2] / "book" / "confirmation.md"


def log(*finished):
    count = len(finished)
    return pd.DataFrame(
        {
            "attempt": range(1, count + 1),
            "hash": [f"{place:064x}" for place in range(count)],
            "revision": ["abc"] * count,
            "begun": ["2026-11-29"] * count,
            "finished": finished,
        }
    )


@pytest.fixture
def tables():
    endpoints = pd.DataFrame(
        {
            "emotion": ["happiness", "sadness", "anger", "surprise"],
            "traits": ["all", "all", "agreeableness", "all"],
            "direction": ["positive", "negative", "negative", "none"],
            "r": [0.3, 0.1, -0.1, 0.01],
            "low": [0.2, 0.05, -0.2, -0.02],
            "high": [0.4, 0.15, 0.0, 0.04],
            "p_family": [0.001, 0.99, 0.06, 0.9],
            "verdict": ["present", "opposite", "undecided", "absent"],
            "planted": [0.31, -0.2, -0.1, 0.0],
            "covered": [True, False, True, True],
            "n": [1500] * 4,
            "n_speakers": [1100] * 4,
        }
    )
    worlds = pd.DataFrame(
        {
            "condition": ["planted", "planted", "unrelated"],
            "metric": ["covers_planted", "rmse", "largest_t_error"],
            "estimate": [0.95, 0.1, 0.06],
            "low": [0.94, 0.09, 0.03],
            "high": [0.96, 0.11, 0.1],
            "worlds": [200, 200, 200],
            "least": [0.93, np.nan, -np.inf],
            "most": [0.98, np.nan, 0.05],
            "verdict": ["met", np.nan, "undecided"],
        }
    )
    recognition = pd.DataFrame(
        {
            "people": ["known to development", "never seen before"],
            "metric": ["mWACC"] * 2,
            "estimate": [0.7, 0.65],
            "low": [0.6, 0.55],
            "high": [0.8, 0.75],
            "interval": ["expanded_percentile"] * 2,
        }
    )
    return {"endpoints": endpoints, "worlds": worlds, "recognition": recognition}


def test_the_answer_counts_endpoints_by_what_was_expected(tables):
    told = answer(log(True), True, 1, tables, "Others have more.").sentences
    endpoints, sure, unsaid = told
    assert endpoints.startswith("**Confirmatory.**")
    assert "1 attempt on record" in endpoints
    assert "4 as registered: 2 confirmed (happiness with all traits .30" in endpoints
    assert "surprise with all traits .01" in endpoints.split("refuted")[0]
    assert "1 refuted (sadness with all traits .10" in endpoints
    assert "1 undecided (anger with agreeableness" in endpoints
    assert "3 of the 4 intervals contain what was planted" in endpoints
    assert sure.startswith("**How sure.** Over 400 new worlds of this kind")
    assert "met: intervals that hold what was planted: 95.0 [94.0, 96.0] % in" in sure
    assert "some pair is called: 6.0 [3.0, 10.0] % in unrelated worlds)" in sure
    assert "root-mean-square" not in sure  # it has no bounds
    assert "Others have more. **Recognition**: new people are read no worse" in sure
    assert "a difference of −0.050 [−0.191, 0.091]" in sure
    assert unsaid.startswith("**What it does not say.**")


def test_new_people_who_are_read_worse_are_told(tables):
    narrow = tables["recognition"].assign(low=[0.69, 0.64], high=[0.71, 0.66])
    (told,) = new_people(narrow)
    assert "are read worse than" in told and "−0.050 [−0.064, −0.036]" in told
    assert new_people(narrow.head(1)) == []


def test_missed_and_undecided_bounds_are_named(tables):
    assert bounds_told(pd.DataFrame()) == ""
    assert bounds_told(tables["worlds"]).startswith(
        "; of 2 bounds on error rates, 0 are missed and 1 is undecided (worlds in which"
    )


def test_code_that_moved_on_is_exploratory(tables):
    state = answer(log(True, False), False, 1, tables).sentences[0]
    assert state.startswith("**Exploratory.**")
    assert "since attempt 1 (2 attempts on record)" in state


@pytest.mark.parametrize("attempts", [log(), log(False)])
def test_without_a_finished_attempt_nothing_is_confirmed(attempts):
    (sentence,) = answer(attempts, False, None, {}).sentences
    assert sentence.startswith("**Nothing is confirmed.**")
    text = filled(PAGE.read_text(), attempts, False, None, {})
    assert text.count("No attempt has been finished yet.") == 3


def test_every_marked_line_of_the_chapter_is_filled(tables):
    source = PAGE.read_text()
    marks = MARKED.findall(source)
    assert sorted(marks) == [
        *("answer", "attempts", "endpoints", "recognition", "worlds"),
    ]
    text = filled(source, log(True), True, 1, tables)
    assert not MARKED.search(text) and "% confirmation" not in text
    assert text.count('<table class="dataframe">') == 4
    tables_alone = [line for line in text.splitlines() if "<table" in line]
    assert len(tables_alone) == 4  # each in one line, without a blank one within it
    assert "1500 clips of 1100 people." in text
    assert text.startswith("# A test that was fixed first\n")


def test_a_line_that_names_something_else_is_an_error(tables):
    with pytest.raises(KeyError, match="nonsense"):
        filled("% confirmation: nonsense\n", log(True), True, 1, tables)


def test_bounds_are_written_as_they_were_fixed(tables):
    shown = worlds_table(tables["worlds"]).frame
    assert shown["has to lie in"].tolist() == ["0.93 to 0.98", "", "at most 0.05"]
    assert shown["verdict"].tolist() == ["met", "", "undecided"]


def test_the_log_tells_what_became_of_the_claims_of_each_attempt(tables):
    told = with_outcomes(log(True, False), [tables["endpoints"], None])
    shown = attempts_table(told).frame
    # As registered: happiness, which is present, and surprise, which is absent.
    assert shown["claims that came true"].tolist() == ["2 of 4", ""]
    assert shown["intervals that hold"].tolist() == ["3 of 4", ""]
    assert "claims that came true" not in attempts_table(log(True)).frame
