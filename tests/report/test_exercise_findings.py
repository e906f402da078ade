import pandas as pd

from sslmepr.association.sources import CROSS, DISJOINT
from sslmepr.report import exercise_findings as answers
from sslmepr.report.words import plain

NAMES = ["source", "world", "emotion", "trait", "planted", "rated", "r", "low", "high"]
NAMES += ["significant", "verdict"]
ROWS = [
    (CROSS, 0, "surprise", "openness", 0.3, 0.3, 0.28, 0.11, 0.45, True, "present"),
    (CROSS, 0, "anger", "openness", 0.0, 0.0, 0.2, 0.04, 0.36, True, "present"),
    (CROSS, 0, "fear", "openness", 0.0, 0.0, -0.05, -0.2, 0.1, False, "undecided"),
    (DISJOINT, 0, "anger", "openness", 0.0, 0.0, 0.3, 0.2, 0.4, True, None),
]
WORLD = pd.DataFrame(ROWS, columns=NAMES)


def test_a_pair_that_is_found_and_one_that_is_called():
    yes, others = answers.pair_answer(WORLD, "surprise", "openness").sentences
    assert yes == (
        "**Yes.** Planted were .30; found is surprise with openness at r = .28 "
        "[.11, .45]: *present*."
    )
    assert others == (
        "Of the 2 pairs that are not associated, 1 is called present, and 1 intervals "
        "hold 0."
    )


def test_a_pair_that_is_not_found_in_labels_that_are_not_the_truth():
    rated = WORLD.assign(rated=0.2, verdict="undecided")
    (told,) = answers.pair_answer(rated, "surprise", "openness").sentences
    assert told.startswith("**No.** Planted were .30 in people, .20 in the labels; ")


def test_sources_beside_each_other():
    one, other = answers.sources_answer(WORLD).sentences
    # sqrt((.02² + .2² + .05²) / 3)
    assert one.endswith(
        ": 1 of 2 pairs that are not associated are significant; the root-mean-square "
        "error is .12."
    )
    assert other.startswith(f"**{plain(DISJOINT).capitalize()}**: 1 of 1 pairs")


def test_what_raters_have_added():
    liked = WORLD.assign(emotion="happiness", planted=0.0, rated=[0.1, 0.18, 0.1, 0.1])
    told, beside = answers.labels_answer(liked, "happiness").sentences
    assert "with 2 of 3 traits, by r = −.05 to .28, though in people its" in told
    assert "correlation is .00. In the labels of these raters it is .10 to .18:" in told
    assert beside == "Of the 0 pairs of other emotions, 0 are called present."
    other = liked.head(1).assign(emotion="fear")
    _, beside = answers.labels_answer(pd.concat([liked, other]), "happiness").sentences
    assert "1 is called present; in 1 of these the labels do" in beside


def test_worlds_are_counted():
    other = WORLD.assign(world=1, verdict="undecided", r=0.1, low=0.0, high=0.2)
    both = pd.concat([WORLD, other])
    told, held = answers.worlds_answer(both, "surprise", "openness").sentences
    assert told == (
        "**In 1 of 2 worlds** surprise with openness is *present*; r lies between .10 "
        "and .28, .19 on average, where .30 was planted and the labels of these raters "
        "correlate by .30."
    )
    assert held == (
        "1 of 2 intervals hold the association of the labels; something that is not "
        "there is called in 1 of the worlds."
    )
