import pandas as pd

from sslmepr.association.grid import CELL, CELLS
from sslmepr.association.preregistration import PRIMARY
from sslmepr.association.sources import BRIDGED, CROSS, DISJOINT
from sslmepr.report.association_trust import (
    checks_shown,
    claims_table,
    counted_or_not,
    halo_dots,
    held_caption,
    in_short,
    overlap_dots,
    strength_dots,
    uncounted,
    unlike_corpora,
)

DRAWN = pd.DataFrame(
    [
        (CROSS, "480 clips", 0.0, "covers_planted", 0.951, 200),
        (CROSS, "480 clips", 0.3, "covers_planted", 0.96, 1100),
        (CROSS, "480 clips", 0.0, "familywise_error", 0.06, 200),
        (CROSS, "480 clips", 0.0, "largest_t_error", 0.5, 200),
        (CROSS, "480 clips", 0.3, "familywise_error", 0.7, 1100),
        (CROSS, "halo", 0.0, "familywise_error", 0.08, 200),
        (CROSS, "unlike domains", 0.0, "covers_planted", 0.92, 200),
        (CROSS, "unlike domains", 0.3, "covers_planted", 0.93, 100),
        (CROSS, "unlike domains", 0.0, "familywise_error", 0.2, 200),
        (DISJOINT, "480 clips", 0.0, "covers_planted", 0.61, 200),
        (DISJOINT, "480 clips", 0.3, "covers_planted", 0.41, 100),
    ],
    columns=["source", "condition", "strength", "metric", "estimate", "worlds"],
)
STRENGTHS = pd.DataFrame(
    [
        ("emotion", "personality", 0.84, 0.72, 0.97),
        ("emotion", "joint", 1.15, 0.99, 1.33),
        ("personality", "emotion", 1.2, 1.1, 1.3),
    ],
    columns=["task", "corpus", "cue_strength", "low", "high"],
)


def test_cues_of_unequal_strength_are_told():
    (told,) = unlike_corpora(STRENGTHS, DRAWN)
    assert (
        "emotions change scores .84 [.72, .97] times as much in the corpus rated for "
        "traits; traits change scores 1.20 [1.10, 1.30] times as much in the corpus "
        "rated for emotions as in"
    ) in told
    assert "hold the truth in 92 to 93 % of the pairs" in told
    assert "called present in 20 % of those" in told
    others = DRAWN[DRAWN["condition"] != "unlike domains"]
    (short,) = unlike_corpora(STRENGTHS, others)
    assert told.startswith(short) and short.endswith("as their covariances tell them.")
    assert unlike_corpora(STRENGTHS.iloc[1:2], DRAWN) == []
    assert unlike_corpora(pd.DataFrame(), DRAWN) == []


def test_the_answer_stands_above_the_matrix_in_one_sentence():
    verdict = ["present"] * 5 + ["absent"] + ["undecided"] * 24
    cells = pd.DataFrame(CELLS, columns=CELL).assign(verdict=verdict, low=0.1, high=0.4)
    cells["r"] = [0.2, -0.35, 0.3, 0.25, 0.22, *[0.0] * 25]
    told = in_short(cells, False)
    assert told.startswith(
        "**Answer**: 5 of 30 pairs of an emotion and a trait go together (the "
        "strongest: anger with conscientiousness, −.35 [.10, .40]; anger with extra"
    )
    assert told.endswith("1 are too weak to matter, and 24 are undecided.")
    assert told.count("[") == 4
    doubtful = in_short(cells, True, "20 of 30 pairs")
    assert doubtful.startswith("**Not to be relied on, since the data contradict")
    assert "not so, 5 of 30 pairs of an emotion and a trait would go" in doubtful
    assert doubtful.endswith("here: intervals hold it in 20 of 30 pairs.")
    assert "(" not in in_short(cells.assign(verdict="undecided"), False)


def test_what_was_not_counted_is_not_said_to_be(tmp_path):
    told = uncounted(DRAWN)
    assert "was not counted; those of disjoint modalities" in told
    assert told.endswith("hold it in 41 to 61 % of the pairs, by kind of drawn world.")
    file = tmp_path / "bridge.csv"
    assert counted_or_not(file, BRIDGED).endswith("such worlds are not on record.")
    DRAWN.assign(source=BRIDGED).to_csv(file, index=False)
    told = counted_or_not(file, BRIDGED)
    assert told.startswith("In 1,900 drawn worlds intervals of estimates *with doubly")
    assert "hold the truth in 41 to 96 % of the pairs" in told


def test_a_check_that_holds_is_not_called_so():
    checks = pd.DataFrame(
        {
            "assumption": ["covariances", "corpora", "labels", "joint"],
            "p": [0.01, 0.9, 0.1, float("nan")],
            "verdict": ["fails", "holds", "holds", "holds"],
        }
    )
    table = checks_shown(checks)
    shown = table["verdict"].tolist()
    assert shown == ["fails", "not rejected", "not rejected", "holds"]
    assert table["p"].dropna().tolist() == [".010", ".900", ".100"]
    assert table["assumption"][0] == "one joint law: covariances of scores"
    assert checks_shown(pd.DataFrame()).empty


def test_captions_tell_the_coverage_of_their_intervals():
    held = "{} hold the correlation of the labels in {} % of the pairs"
    assert held.format("three sources", "92 to 96") in held_caption(DRAWN)
    disjoint = held.format("disjoint modalities", "41 to 61")
    assert disjoint in held_caption(DRAWN, DISJOINT)


def test_claims_stand_beside_the_verdict_of_each_study():
    rows = [
        ("happiness", "all", 0.21, 0.09, 0.32, "present"),
        ("happiness", "extraversion", 0.5, 0.4, 0.6, "present"),
        ("sadness", "all", -0.11, -0.29, 0.06, "undecided"),
    ]
    found = pd.DataFrame(
        rows, columns=["emotion", "traits", "r", "low", "high", "verdict"]
    )
    claims = {"happiness": 1, "sadness": -1}
    none = pd.DataFrame(columns=PRIMARY)
    studies = {"simulated": found, "real": none}
    table = claims_table(claims, studies)
    assert table["claim of the paper"].tolist() == [
        "happiness with higher scores",
        "sadness with lower scores",
    ]
    assert table["simulated"].tolist() == [
        "confirmed, .21 [.09, .32]",
        "not confirmed, −.11 [−.29, .06]",
    ]
    assert set(table["real"]) == {"no verdict: not identified"}
    truth = pd.DataFrame({"emotion": [*claims], "rated": [0.42, -0.34]})
    table = claims_table(claims, studies, studies, truth)
    assert table["simulated"].tolist() == [
        ".21 [.09, .32], which would confirm it if the assumptions held",
        "−.11 [−.29, .06], too uncertain even if the assumptions held",
    ]
    assert set(table["real"]) == {"no verdict: not identified"}
    assert table.iloc[:, -1].tolist() == [".42", "−.34"]
    against = claims_table(claims, {"x": found.assign(verdict="opposite")})
    assert against["x"][0] == "refuted, .21 [.09, .32]"


def test_pairs_that_some_halo_explains_are_drawn_from_the_least_robust():
    pairs = pd.DataFrame(
        {
            "emotion": ["anger", "fear", "happiness"],
            "trait": ["openness", "openness", "emotional_stability"],
            "robustness": [float("inf"), 0.0, 0.3],
        }
    )
    dots = halo_dots(pairs)
    assert dots["name"].tolist() == [
        "Happiness × emotional stability",
        "Anger × openness",
    ]
    assert dots["estimate"].tolist() == dots["high"].tolist() == [0.3, 1.0]
    assert dots["low"].tolist() == [0.0, 0.0]


def test_false_alarms_by_overlap_of_cues():
    rows = [
        (DISJOINT, "cues overlap by 30 degrees", 0.0, "familywise_error", 1.0, 200),
        (DISJOINT, "480 clips", 0.0, "familywise_error", 0.9, 200),
    ]
    more = pd.DataFrame(rows, columns=list(DRAWN))
    dots = overlap_dots(pd.concat([more, DRAWN]).assign(low=0.0, high=1.0))
    assert dots[["name", "group", "estimate"]].to_numpy().tolist() == [
        ["cues apart", "disjoint modalities", 0.9],
        ["cues apart", "three sources", 0.06],
        ["overlap by 30°", "disjoint modalities", 1.0],
    ]


def test_strengths_are_named_by_what_they_are_of():
    missing = STRENGTHS.assign(cue_strength=[0.84, float("nan"), 1.2])
    dots = strength_dots(missing)
    assert dots["name"].tolist() == [
        "Emotions, rated for traits",
        "Traits, rated for emotions",
    ]
    assert dots["estimate"].tolist() == [0.84, 1.2]
    assert strength_dots(pd.DataFrame()).empty
