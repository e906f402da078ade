import numpy as np
import pandas as pd
import pytest

from sslmepr.association.by_corpora import EVERY, UNSCALED
from sslmepr.association.domain_scales import DomainScales
from sslmepr.association.sources import CROSS
from sslmepr.report.known_truth import (
    cells_held,
    claims_held,
    miss_explained,
    scales_explained,
    truths,
)

TRUTH = pd.DataFrame(
    [
        ("happiness", "openness", 0.2),
        ("happiness", "extraversion", 0.4),
        ("sadness", "openness", -0.3),
        ("sadness", "extraversion", -0.1),
    ],
    columns=["emotion", "trait", "rated"],
)
PRIMARY = pd.DataFrame(
    [
        ("happiness", "all", "positive", 0.2, 0.35),
        ("sadness", "all", "negative", -0.1, 0.1),
        ("sadness", "extraversion", "negative", -0.2, 0.1),
        ("happiness", "openness, extraversion", "none", 0.0, 0.1),
    ],
    columns=["emotion", "traits", "direction", "low", "high"],
)
CELLS = pd.DataFrame(
    [
        ("fear", "openness", 0.3, 0.4, 0.2, 0.1, 0.3),
        ("anger", "openness", -0.3, -0.4, -0.3, -0.5, -0.1),
        ("sadness", "openness", 0.0, 0.1, 0.3, 0.2, 0.4),
        ("disgust", "openness", 0.0, 0.1, None, None, None),
    ],
    columns=["emotion", "trait", "planted", "rated", "recovered", "low", "high"],
)


def test_the_truth_of_an_endpoint_is_the_mean_over_its_traits():
    assert truths(PRIMARY, TRUTH).tolist() == pytest.approx([0.3, -0.2, -0.1, 0.3])


def test_intervals_of_claims_are_held_against_the_truth():
    (told,) = claims_held(PRIMARY, TRUTH)
    assert "happiness .30, which the interval [.20, .35] holds" in told
    assert "sadness −.20, which the interval [−.10, .10] misses" in told
    assert told.endswith("Of all 4 endpoints, intervals hold the truth in 2.")
    assert claims_held(PRIMARY.head(0), TRUTH) == []


def test_pairs_that_were_built_in_are_counted_apart():
    assert cells_held(CELLS) == (
        "1 of the 2 pairs that were built in and 0 of the 1 others (the others miss "
        "it, 1 of them too weak: fear with openness, .20 where the truth is .40; "
        "sadness with openness, .30 where the truth is .10)"
    )
    assert "(the others are too weak: fear" in cells_held(CELLS.head(2))
    far = CELLS.iloc[[0]].assign(recovered=0.0, low=-0.1, high=0.1)
    told = cells_held(pd.concat([CELLS, CELLS.iloc[[0]], far]))
    assert "too weak: furthest off, fear with openness, .00 where" in told
    assert told.count("where the truth is") == 3
    assert cells_held(CELLS.iloc[1:2]) == "1 of the 1 pairs that were built in"
    assert cells_held(CELLS.assign(planted=0)) == "1 of 3 pairs"


def test_a_miss_is_set_against_what_drawn_worlds_lead_to_expect():
    """Happiness is .30, sadness -.20; of .8 of that, .10 and .06 are missing."""
    rows = [(CROSS, "mild world", 0.3, "slope", 0.8), (CROSS, "480", 0.3, "slope", 0.9)]
    columns = ["source", "condition", "strength", "metric", "estimate"]
    drawn = pd.DataFrame(rows, columns=columns)
    primary = PRIMARY.assign(r=[0.14, -0.22, 0.0, 0.0])
    half = 1.959964 * 0.05
    primary["low"], primary["high"] = primary["r"] - half, primary["r"] + half
    rows = [
        ("happiness", "all", "all", "probes", 0.14),
        ("happiness", "without text", "all", "probes", 0.1),
        ("happiness", "without audio", "all", "probes", 0.2),
        ("happiness", "without face", "all", "networks", 0.5),
        ("happiness", "without face", "held-out corpus", "probes", 0.5),
        ("happiness", "without face", "all", "probes", None),
    ]
    columns = ["emotion", "modalities", "corpora", "scores", "estimate"]
    curve = pd.DataFrame(rows, columns=columns)
    whole, happy, sad = miss_explained(primary, TRUTH, drawn, curve)
    assert "(*mild world*), associations already come out at .80 of their" in whole
    assert happy == (
        "**Happiness**, mean over the five traits: .30 is true, .24 is then to be "
        "expected, and .14 was found, 2.0 standard errors too weak. Without one "
        "modality each, it is .10 (without text) to .20 (without audio), so that no "
        "single one makes it too weak."
    )
    assert sad.endswith("and −.22 was found, 1.2 standard errors stronger.")
    assert miss_explained(primary, TRUTH, drawn.iloc[1:], curve) == []
    assert miss_explained(primary.iloc[2:], TRUTH, drawn, curve) == []


def test_scales_are_told_by_side_and_corpus():
    """Of emotions, of the second corpus; of traits, of the first."""
    ways = pd.DataFrame(
        {
            "covariances": [EVERY, "films", "blogs", UNSCALED],
            "slope": [0.7, 0.73, 0.74, 0.55],
            "held": [28, 26, 29, 25],
            "pairs": 30,
        }
    )
    ones = np.ones(3)
    values = [[ones, [0.7, 0.8, 0.9]], [[0.5, 1.2, 0.6], ones]]
    scales = DomainScales(np.array(values), {})
    carried, alone = scales_explained(ways, scales, ["films", "blogs"])
    assert (
        "scores of emotions carry 70 to 90 % (median 80 %) of them in the corpus "
        "*blogs* and scores of traits carry 50 to 120 % (median 60 %) of them in the "
        "corpus *films*" in carried
    )
    assert "have .70 of the size of the truth, and .55 if scales are taken" in carried
    assert carried.endswith("hold it in 28 and in 25 of 30 pairs.")
    assert alone.endswith("is: *films* .73; *blogs* .74.")
    few = ways[ways["covariances"].isin([EVERY, "blogs", UNSCALED])]
    assert scales_explained(few, scales, ["films", "blogs"])[1].endswith("*blogs* .74.")
    assert scales_explained(ways.iloc[:3], scales, ["films", "blogs"]) == []
