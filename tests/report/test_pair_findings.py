import numpy as np
import pandas as pd
import pytest
from drawn_pairs import study
from drawn_scores import SETTINGS
from scipy import stats

from sslmepr.association.cross_table import unidentified
from sslmepr.association.planning import deciding
from sslmepr.association.preregistration import PRIMARY
from sslmepr.association.sources import CROSS
from sslmepr.report.pair_findings import (
    all_pairs,
    explorer_findings,
    refusal,
    study_pairs,
    told_pairs,
)

NONE = pd.DataFrame(columns=PRIMARY)
HALO = pd.DataFrame(
    [
        ("anger", "openness", 0.534),
        ("disgust", "conscientiousness", np.inf),
        ("fear", "openness", 0.0),
    ],
    columns=["emotion", "trait", "robustness"],
)

DRAWN = pd.DataFrame(
    [("covers_planted", 0.3, 0.95, 30), ("familywise_error", 0.0, 0.05, 10)],
    columns=["metric", "strength", "estimate", "worlds"],
).assign(source=CROSS, condition="typical")
"""Summary of drawn worlds."""


@pytest.fixture(scope="module")
def found():
    return study()


@pytest.fixture(scope="module")
def told(found):
    _, known, pairs = found
    told = told_pairs(pairs, known, SETTINGS, NONE, HALO)
    return told.set_index(["emotion", "trait"])


def test_a_study_is_refused_with_its_reason(found):
    assert refusal(found[0]) == ""
    assert refusal(unidentified("one modality")) == "one modality"


def test_a_doubt_stands_with_every_verdict_and_report(found):
    _, known, pairs = found
    told = told_pairs(pairs, known, SETTINGS, NONE, HALO, "Doubtful, p < .001.")
    assert told["said"].str.endswith(" Doubtful, p &lt; .001.").all()
    assert told["report"].str.endswith(" Doubtful, <em>p</em> &lt; .001.").all()


@pytest.mark.parametrize("verdict", ["holds", "fails"])
def test_the_explorer_begins_with_answer_certainty_and_limits(found, verdict):
    _, known, pairs = found
    checks = pd.DataFrame(
        [("labels", 0.004, verdict, "")],
        columns=["assumption", "p", "verdict", "reason"],
    )
    told = explorer_findings(pairs, known, SETTINGS, "", checks, DRAWN).sentences
    answer, sure, unsaid = told
    doubted = answer.startswith("**Not to be relied on")
    assert doubted == ("neither on the paper's" in sure) == (verdict == "fails")
    assert "**2 of 30 pairs are associated**" in answer
    assert "**5 of 30 pairs are undecided**" in answer
    assert sure.startswith("**How sure.** ") and sure.count("**") == 2
    assert "In 30 drawn worlds whose truth is known" in sure
    assert unsaid.startswith("**What it does not say.** Correlations are those")
    (only,) = explorer_findings(pairs, known, SETTINGS, "x", checks, DRAWN).sentences
    assert only == "**No verdict.** X."


class TestStudyPairs:
    def test_every_verdict_has_its_sentence(self, found):
        _, known, pairs = found
        sentences = study_pairs(pairs, known, SETTINGS).sentences
        assert sentences[0] == (
            "**2 of 30 pairs are associated**: anger with openness (−.30); disgust "
            "with conscientiousness (.20)."
        )
        assert sentences[1].startswith(
            "**23 of 30 pairs are surely smaller than ±.10**"
        )
        assert sentences[1].endswith("and 11 more.")
        needed = deciding(known, SETTINGS, 0.8)
        times = needed.loc[needed["emotion"] == "surprise", "times"].median()
        assert sentences[2] == (
            "**5 of 30 pairs are undecided** after 1,200 clips of 600 people; the "
            f"typical one would take {times:.0f} times as many to be decided, present "
            "or absent."
        )

    def test_where_all_is_decided_no_clips_are_asked_for(self, found):
        _, known, pairs = found
        decided = pairs.assign(verdict="absent")
        last = study_pairs(decided, known, SETTINGS).sentences[-1]
        assert last.endswith("after 1,200 clips of 600 people.")
        assert study_pairs(decided, known, SETTINGS).sentences[0] == (
            "**0 of 30 pairs are associated**."
        )

    def test_what_is_not_identified_has_no_verdict(self, found):
        _, known, pairs = found
        (only,) = study_pairs(
            pairs.head(0), known.head(0), SETTINGS, "one modality"
        ).sentences
        assert only == "**No verdict.** One modality."


class TestToldPairs:
    def test_verdicts_in_words(self, told):
        said = told["said"]
        assert said["anger", "openness"] == (
            "<strong>Present</strong>: more anger goes with less openness."
        )
        assert "more disgust goes with more" in said["disgust", "conscientiousness"]
        assert said["fear", "openness"] == (
            "<strong>Absent</strong>: fear and openness go together less than ±.10, "
            "surely."
        )
        assert said["surprise", "emotional_stability"] == (
            "<strong>Undecided</strong>: these clips do not tell whether surprise goes "
            "with emotional stability."
        )

    def test_halo_that_would_explain_a_pair(self, told):
        anger = told.loc[("anger", "openness"), "halo"]
        assert "correlate with anger by at least .53 to explain" in anger
        assert told.loc[("disgust", "conscientiousness"), "halo"].startswith("Not even")
        assert told.loc[("fear", "openness"), "halo"].startswith("Its interval holds 0")
        assert told.loc[("fear", "extraversion"), "halo"] == ""

    def test_sentences_to_report(self, told):
        low, high = stats.t.interval(0.95, 599, 0.2, 0.03)
        assert told.loc[("disgust", "conscientiousness"), "report"] == (
            "Disgust was positively associated with conscientiousness, <em>r</em> = "
            f".20, 95% CI [{low:.2f}, {high:.2f}], <em>p</em><sub>adj</sub> &lt; .001 "
            "(corrected for 30 tests by the Benjamini–Hochberg procedure); "
            "<em>N</em> = 1,200 clips of 600 people."
        ).replace("0.", ".")
        anger = told.loc[("anger", "openness"), "report"]
        assert anger.startswith("Anger was negatively associated with openness, ")
        fear = told.loc[("fear", "openness"), "report"]
        low, high = stats.t.interval(0.9, 599, 0, 0.03)
        assert fear.startswith(
            "Fear and openness were equivalent to unrelated, <em>r</em> = .00, 90% CI "
            f"[−{-low:.2f}, {high:.2f}], two one-sided tests against ±.10, ".replace(
                "0.", "."
            )
        )
        surprise = told.loc[("surprise", "openness"), "report"]
        assert "remained undecided, <em>r</em> = .00, 95% CI [−.39, .39]" in surprise
        p = stats.t.sf(0.5, 599)
        assert f"±.10, <em>p</em> = {p:.3f}; ".replace("0.", ".") in surprise

    def test_clips_that_decide_are_those_of_the_plan(self, found, told):
        needed = deciding(found[1], SETTINGS, 0.8)
        mine = needed[
            (needed["emotion"] == "surprise") & (needed["trait"] == "openness")
        ]
        sentence = told.loc[("surprise", "openness"), "needed"]
        for row in mine.itertuples():
            assert f"{row.clips:,} clips of {row.speakers:,} people" in sentence
        assert "(rated for emotions)" in sentence and "80 %" in sentence
        assert told.loc[("anger", "openness"), "needed"].startswith("Decided")
        assert told.loc[("fear", "openness"), "needed"].startswith("Decided")


def test_the_table_names_the_clips_of_what_is_open_alone(found):
    _, known, pairs = found
    shown = all_pairs(pairs, known, SETTINGS, NONE)
    assert len(shown) == 30
    open_ = shown["verdict"] == "undecided"
    assert (shown["clips to decide"].notna() == open_).all() and open_.sum() == 5
    needed = deciding(known, SETTINGS, 0.8)
    clips = needed.groupby(["emotion", "trait"])["clips"].sum()
    expected = f"{clips['surprise', 'openness']:,}"
    assert shown.loc[25, "clips to decide"] == expected
    assert shown.loc[0, "r [interval]"].startswith("−.30 [−.36")
    assert shown.loc[[0, 29], "p_corrected"].tolist() == ["< .001", "1.000"]


def registered(verdict):
    """Surprise with openness as one of two endpoints, the other a mean of traits."""
    row = {"emotion": "surprise", "traits": "openness", "direction": "positive"}
    row |= {"p_family": 0.042, "verdict": verdict}
    other = row | {"traits": "all", "verdict": "absent"}
    return pd.DataFrame([row, other]).reindex(columns=PRIMARY)


def test_a_registered_pair_has_two_verdicts_and_the_reason(found):
    _, known, pairs = found
    cell = ("surprise", "openness")
    keys = ["emotion", "trait"]
    other = told_pairs(pairs, known, SETTINGS, registered("present"), HALO)
    other = other.set_index(keys)
    said = other.loc[cell, "said"]
    assert said.startswith("<strong>Undecided</strong>: these clips do not tell")
    assert "one of 2 endpoints registered beforehand: <strong>present</strong>" in said
    assert "(p = .042, one-sided, corrected for the 2)" in said
    assert "Both are right: 2 tests" in said and "than 30 without" in said
    assert (other["said"].str.contains("endpoint")).sum() == 1
    same = told_pairs(pairs, known, SETTINGS, registered("undecided"), HALO)
    same = same.set_index(keys)
    assert "endpoints" in same.loc[cell, "said"]
    assert "Both are right" not in same.loc[cell, "said"]


def test_the_table_has_verdicts_of_endpoints_where_there_are_any(found):
    _, known, pairs = found
    assert "endpoint" not in all_pairs(pairs, known, SETTINGS, NONE)
    shown = all_pairs(pairs, known, SETTINGS, registered("present"))
    assert shown.loc[25, "endpoint"] == "present"
    assert shown["endpoint"].notna().sum() == 1
