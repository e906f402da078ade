"""Answers of the front page against numbers that are written here."""

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslmepr.association.sources import CROSS, NOTED
from sslmepr.report import answers
from sslmepr.report.recorded_verdicts import rejected

COVERED = ["modality", "metric", "estimate", "low", "high", "baseline", "ceiling", "n"]
GAINS = ["component", "metric", "gain", "low", "high", "verdict"]
SIZE = pd.DataFrame(
    [("slope", 0.5, -0.25, 1.25)], columns=["metric", "estimate", "low", "high"]
)
SHARE = st.floats(0, 1)


def numbers(text):
    """Every number of a sentence, in order."""
    return [float(each) for each in re.findall(r"\d*\.?\d+", text)]


@given(st.lists(SHARE, min_size=10, max_size=10), st.integers(1, 5000))
def test_scores_stand_between_guessing_and_what_can_be_known(values, clips):
    rows = [
        ("fused", "mWACC", *values[:5], clips),
        ("fused", "CCC", *values[5:], clips),
        ("face", "mWACC", *values[5:], clips + 1),
    ]
    (told,) = answers.recognised(pd.DataFrame(rows, columns=COVERED))
    expected = [clips, *(round(100 * each) for each in values[:5])]
    expected += [*(round(each, 2) for each in values[5:8]), 0, round(values[9], 2)]
    assert numbers(told) == pytest.approx(expected, abs=1.01e-2)


def test_scores_of_people_who_were_made_later_stand_beside():
    rows = [("fused", name, *[0.7] * 5, 30) for name in ("mWACC", "CCC")]
    covered = pd.DataFrame(rows, columns=COVERED)
    later = pd.DataFrame(
        [("mWACC", 0.65, 0.62, 0.68), ("CCC", 0.61, 0.58, 0.63)],
        columns=["metric", "estimate", "low", "high"],
    )
    (told,) = answers.recognised(covered, later.assign(people="never seen before"))
    assert told.endswith(
        "In new people, made when the code was fixed: 65 % [62, 68] and .61 [.58, .63]."
    )
    for fewer in (later.head(1).assign(people="never seen before"), later.head(0)):
        assert answers.recognised(covered, fewer) == answers.recognised(covered)


def test_without_a_ceiling_scores_are_not_told():
    assert answers.recognised(pd.DataFrame(columns=COVERED)) == []


def test_who_needs_no_network_is_told():
    linear = [
        ("linear_fusion", "mWACC", 0.002, -0.014, 0.02, "undecided"),
        ("linear_fusion", "CCC", 0.033, 0.023, 0.043, "better"),
        ("co_training", "CCC", 0.9, 0.9, 0.9, "better"),
    ]
    (told,) = answers.simpler(pd.DataFrame(linear, columns=GAINS))
    assert told == (
        "**Do you need it?** In the simulated people, a plain linear fusion of the "
        "same features does as well, as far as can be told, for emotions (the model "
        "gains +.002 [−.014, .020] in "
        "balanced accuracy) and worse for traits (the model gains +.033 [.023, .043] "
        "in agreement)."
    )
    late = [("late_fusion", "CCC", -0.001, -0.004, 0.008, "equivalent")]
    (told,) = answers.simpler(pd.DataFrame(linear + late, columns=GAINS))
    assert told.endswith(
        "Late fusion (weighted modalities) does as well, as far as can be told."
    )
    late = [("late_fusion", "CCC", 0.1, 0.05, 0.15, "better")]
    (told,) = answers.simpler(pd.DataFrame(linear + late, columns=GAINS))
    assert "Late fusion" not in told
    assert answers.simpler(pd.DataFrame(columns=GAINS)) == []


def test_pairs_are_counted_by_what_was_planted():
    cells = pd.DataFrame(
        [
            ("fear", "emotional_stability", -0.3, -0.5, -0.4, -0.6, -0.2, True),
            ("anger", "openness", 0.3, 0.4, 0.2, 0.1, 0.3, True),
            ("anger", "extraversion", 0.3, 0.4, -0.3, -0.5, -0.1, True),
            ("sadness", "openness", 0.3, 0.4, 0.1, -0.1, 0.5, False),
            ("disgust", "openness", 0.0, 0.1, 0.2, 0.1, 0.3, True),
            ("surprise", "openness", 0.0, 0.1, 0.0, -0.1, 0.1, False),
        ],
        columns="emotion trait planted rated recovered low high significant".split(),
    )
    (told,) = answers.associations(cells, SIZE, pd.DataFrame())
    assert told == (
        "**It finds 2 of the 4 pairs of an emotion and a trait that were built into "
        "the simulated people, and reports 1 of the 2 others**, though no training "
        "clip carried both labels. "
        "Correlations come out at .50 [−.25, 1.25] times those of the labels; 2 of the "
        "4 intervals hold the truth (95 % are promised). A pair that is not found is "
        "undecided, not absent."
    )
    curve = pd.DataFrame(
        [("networks", 0.1, True), ("networks", 0.2, False), ("networks", None, False)]
        + [("probes", 0.1, True)],
        columns=["scores", "estimate", "significant"],
    )
    (told,) = answers.associations(cells, SIZE, curve)
    assert told.endswith("1 of 2 analyses of the paper's two claims are significant.")


CHECKS = pd.DataFrame(
    [
        ("conditions", 0.0004, "fails", ""),
        ("joint", None, "fails", "labels determine each other"),
        ("labels", 0.3, "holds", ""),
    ],
    columns=["assumption", "p", "verdict", "reason"],
)
BROKEN = [
    "several ways to the same number disagree by more than chance (p < .001)",
    "labels determine each other",
]


def test_a_pair_is_no_more_believable_than_what_it_assumes():
    empty = pd.DataFrame()
    assert rejected(CHECKS.tail(1)) == rejected(empty) == []
    assert rejected(CHECKS) == BROKEN
    assert answers.how_sure(empty, empty, empty, None, 0.05) == []
    endpoints = pd.DataFrame(
        {
            "direction": ["positive", "negative", "none"],
            "verdict": ["present", "absent", "undecided"],
            "covered": [True, True, False],
        }
    )
    worlds = pd.DataFrame(
        [("planted", "power", 0.212, 200), ("planted", "rmse", 0.1, 200)],
        columns=["condition", "metric", "estimate", "worlds"],
    )
    drawn = pd.DataFrame(
        [("typical", 0.06), ("mild", 0.03), ("hard", 0.195)],
        columns=["condition", "estimate"],
    ).assign(source=CROSS, metric="familywise_error", strength=0.0)
    (told,) = answers.how_sure(CHECKS, endpoints, worlds, drawn, 0.05)
    assert "by claims fixed beforehand: of" in told
    (told,) = answers.how_sure(CHECKS, endpoints, worlds, drawn, 0.05, (4, 5))
    assert "by claims fixed beforehand (attempt 4 of 5): of" in told
    assert "No single pair" in told
    assert (
        "of 3 claims 1 came true, 1 stayed undecided, 1 proved wrong; 2 of 3 intervals "
        "hold what was planted." in told
    )
    assert "In such worlds it finds 21 % of the pairs." in told
    assert "6 % of worlds of the typical kind and in 20 % of the worst (*hard*)" in told


def metrics(corpus, metric, score):
    row = {"corpus": corpus, "metric": metric, "split": "test", "target": "mean"}
    row |= {"seed": -1, "variant": "multitask", "low": score - 0.1, "high": score + 0.1}
    return [
        row | {"stage": "fusion", "estimate": score},
        row | {"stage": "baseline", "estimate": 0.25, "variant": "any"},
    ]


def test_real_people_are_told_with_and_without_shared_videos():
    own = metrics("fiv2", "CCC", 0.37) + metrics("meld", "weighted F1", 0.55)
    by_video = pd.DataFrame(metrics("fiv2_by_video", "CCC", 0.33))
    gains = pd.DataFrame(
        [("audio", 0.011, -0.003, 0.024), ("text", 0.2, 0.1, 0.3)],
        columns=["against", "difference", "low", "high"],
    ).assign(
        corpus="fiv2", split="test", model="multitask", metric="CCC", target="mean"
    )
    (told,) = answers.real_scores(pd.DataFrame(own), by_video, gains)
    assert ".37 [.27, .47] (guessing: 0; above voice alone: +.011" in told
    assert "by .33 [.23, .43] where no clip of the same video" in told
    assert told.endswith("of .55 [.45, .65] (guessing: .25).")
    assert answers.real_scores(pd.DataFrame(), by_video, gains) == []
    columns = ["split", "method", "metric", "target", "estimate", "low", "high"]
    simple = [
        pd.DataFrame([("test", *told, "mean", 0.3, 0.2, 0.4)], columns=columns)
        for told in (("ridge on all", "CCC"), ("multinomial regression", "weighted F1"))
    ]
    (told,) = answers.real_scores(pd.DataFrame(own), by_video, gains, *simple)
    ridge = "ridge regression: .30 [.20, .40]"
    assert f"was learned from ({ridge}). Emotions" in told
    assert told.endswith("; linear model: .30 [.20, .40]).")
    other = [each.assign(split="dev") for each in simple]
    assert "ridge" not in answers.real_scores(
        pd.DataFrame(own), by_video, gains, *other
    )


def test_associations_of_real_people_are_refused_where_assumptions_break():
    assert answers.real_associations(CHECKS.tail(1), ["else"]) == ["else"]
    (told,) = answers.real_associations(CHECKS, ["else"])
    assert "cannot be said" in told and "; ".join(BROKEN) in told


def test_what_observers_noted_needs_no_model():
    rows = [
        ("happiness", trait, NOTED, r, r - 0.1, r + 0.1, 680)
        for trait, r in zip("abcd", (0.1, 0.3, 0.2, 0.4), strict=True)
    ]
    rows += [("happiness", "a", "predicted by the model", 0.9, 0.8, 1.0, 680)]
    columns = ["emotion", "trait", "source", "r", "low", "high", "n"]
    (told,) = answers.noted(pd.DataFrame(rows, columns=columns))
    assert "in d .40 [.30, .50], b .30 [.20, .40], c .20 [.10, .30] (the str" in told
    assert "(the strongest of 4 pairs; 680 clips)" in told
    assert answers.noted(pd.DataFrame()) == []
