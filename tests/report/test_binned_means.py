import numpy as np
import pandas as pd
import pytest

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.report.binned_means import binned_means

MODALITIES = ["face", "text"]


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    names = [*TRAITS, *(f"{m}_{e}" for m in MODALITIES for e in SCORED_EMOTIONS)]
    table = pd.DataFrame(rng.standard_normal((205, len(names))), columns=names)
    table["corpus"] = ["emotion"] * 5 + ["personality"] * 200
    table.loc[10:20, [name for name in names if name.startswith("text")]] = np.nan
    table["openness"] += 3 * table["face_anger"]
    return table


def test_bins_have_as_many_clips_and_the_means_of_their_clips(scores):
    found = binned_means(scores, "personality", MODALITIES)
    assert len(found) == 6 * 5 * 10 and (found["clips"] == 20).all()
    mine = scores[5:]
    parts = [(mine[f"{m}_anger"] - mine[f"{m}_anger"].mean()) for m in MODALITIES]
    parts = [part / np.sqrt((part**2).mean()) for part in parts]
    read = np.nanmean(parts, axis=0)
    read = (read - read.mean()) / read.std()
    order = np.argsort(read)
    openness = mine["openness"].to_numpy()
    openness = (openness - openness.mean()) / openness.std()
    pair = found[(found["emotion"] == "anger") & (found["trait"] == "openness")]
    rows = order.reshape(10, 20)
    np.testing.assert_allclose(pair["predicted"], read[rows].mean(1))
    np.testing.assert_allclose(pair["rated"], openness[rows].mean(1))
    assert pair["rated"].iloc[-1] > 0.5 > pair["rated"].iloc[0]


def test_a_clip_without_any_score_is_in_no_bin(scores):
    scores.loc[10:14, "face_anger"] = np.nan
    found = binned_means(scores, "personality", MODALITIES, bins=3)
    sizes = found[found["trait"] == "openness"].set_index("emotion")["clips"]
    assert sizes["anger"].tolist() == [65, 65, 65]
    assert sizes["fear"].tolist() == [67, 67, 66]
