"""A drawn study of four clips, of which it is known what is told."""

import numpy as np
import pandas as pd
import pytest
from recordings import write_video

from sslmepr.explanation import tour
from sslmepr.labels import EMOTIONS, SCORED_EMOTIONS, TRAITS

IDS = ["a", "b", "c", "d"]
MODELS = [
    ("unimodal", "face", "any", 0.1),
    ("unimodal", "text", "any", 0.2),
    ("crosstask", "face", "any", 0.3),
    ("crosstask", "text", "any", 0.4),
    ("stacking", "fused", "any", 0.5),
    ("fusion", "fused", "multitask", 0.6),
    ("fusion", "fused", "other", 0.9),
    ("linear", "face", "any", 0.9),
]


@pytest.fixture
def predictions():
    """Two seeds, 0.01 apart; clip d is happier and less open than the others."""
    rows = [
        (clip, *model[:3], seed, target, value + 0.02 * seed, 0.5 + 0.1 * place)
        for place, clip in enumerate(IDS)
        for *model, value in MODELS
        for seed in (0, 1)
        for target in (*EMOTIONS, *TRAITS)
    ]
    columns = ["clip_id", "stage", "modality", "variant", "seed", "target"]
    table = pd.DataFrame(rows, columns=[*columns, "predicted", "true"])
    noise = np.random.default_rng(0).normal(0, 0.001, len(table))
    last = table["clip_id"] == "d"
    table["predicted"] += noise
    table.loc[last & (table["target"] == "happiness"), "predicted"] += 0.2
    table.loc[last & (table["target"] == "openness"), "predicted"] -= 0.2
    return table


@pytest.fixture
def means(predictions):
    return tour.mean_over_seeds(predictions, "multitask")


def test_seeds_are_averaged_and_other_models_left_out(means):
    assert len(means) == len(IDS) * 6 * len([*EMOTIONS, *TRAITS])
    mine = means[(means["stage"] == "crosstask") & (means["modality"] == "text")]
    assert mine[mine["clip_id"] == "a"]["predicted"].to_numpy() == pytest.approx(
        0.41, abs=0.01
    )
    assert set(means["stage"]) == {"unimodal", "crosstask", "stacking", "fusion"}


@pytest.fixture
def shared(means):
    """Raters agree with the model on clip d, less on c and b, and on a not at all."""
    table = means.assign(true=0.5)
    for clip, sign, size in (
        ("d", 1, 0.4),
        ("c", 1, 0.2),
        ("b", 1, 0.1),
        ("a", -1, 0.4),
    ):
        here = table["clip_id"] == clip
        for target, way in (("happiness", 1), ("openness", -1)):
            mine = here & (table["target"] == target)
            table.loc[mine, "predicted"] = 0.6 + way * size
            table.loc[mine, "true"] = 0.5 + sign * way * size
    return table


def test_what_is_unusual_is_what_raters_find_so_too(shared):
    table = tour.agreed(shared)
    happy = np.array([0.4, 0.1, 0.2, 0.4])  # as predicted, and below as rated
    rated = np.array([-0.4, 0.1, 0.2, 0.4])
    apart = [(each - each.mean()) / each.std(ddof=1) for each in (happy, rated)]
    expected = np.where(apart[0] * apart[1] > 0, np.abs(apart).min(axis=0), 0)
    for target in ("happiness", "openness"):
        assert table[target].to_numpy() == pytest.approx(expected)
    assert (table[["sadness", "extraversion"]] == 0).all(axis=None)
    assert tour.told_pair(shared, "d") == ("happiness", "openness")


def test_the_clip_is_unusual_and_recognised_as_others_are(shared):
    clips = pd.DataFrame({"media": ["x", "x", "x", "x"]}, index=IDS)
    neutral = shared["target"] == "neutral"
    for clip, error in (("b", 0.1), ("c", 0.4), ("d", 0.7)):
        shared.loc[neutral & (shared["clip_id"] == clip), "true"] += error
    # By their errors the clips are b, c, d, a: c and d are in the middle.
    everything = set(IDS)
    assert tour.choose_clip(shared, clips, [everything, everything]) == "d"
    assert tour.choose_clip(shared, clips, [everything, {"a"}]) == "a"
    assert tour.choose_clip(shared, clips, [{"a", "d"}]) == "d"
    clips.loc["d", "media"] = None
    assert tour.choose_clip(shared, clips, [{"a", "d"}]) == "a"
    assert tour.choose_clip(shared, clips, [set()]) is None


def test_a_journey_goes_from_stage_to_stage(means):
    table = tour.journey(means, "d", "happiness")
    assert table[["modality", "stage"]].to_numpy().tolist() == [
        ["face", "stage 1"],
        ["text", "stage 1"],
        ["face", "stage 2"],
        ["text", "stage 2"],
        ["fused", "late fusion"],
        ["fused", "stage 3"],
    ]
    expected = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) + 0.01
    assert table["predicted"].to_numpy() == pytest.approx(expected + 0.2, abs=0.01)
    assert table["usual"].to_numpy() == pytest.approx(expected + 0.05, abs=0.01)
    sentence = tour.journey_sentence(table, "happiness")
    assert sentence == (
        "**Happiness** (probability): at stage 1 from 0.31 (face) to 0.41 (text), at "
        "stage 2 from 0.51 (face) to 0.61 (text); late fusion 0.71, stage 3 0.81; "
        "raters say 0.80."
    )
    untold = tour.journey_sentence(table.assign(true=np.nan), "openness")
    assert untold.startswith("**Openness** (score)") and "raters" not in untold


def test_an_error_that_is_larger_than_nearly_all_is_called_one(means):
    # Errors in openness are .11, .01, .09 and, less .2, .39.
    assert tour.error_sentence(means, "d", "openness") == (
        "**the model is wrong**, by 0.39; 3 of the 4 clips have a smaller error"
    )
    assert tour.error_sentence(means, "b", "openness") == (
        "the model is off by 0.01; 0 of the 4 clips have a smaller error"
    )
    unknown = means.assign(true=np.nan)
    assert "nobody rated" in tour.error_sentence(unknown, "d", "openness")


def test_the_tour_begins_with_what_is_read_and_how_right_it_is(means):
    read, sure, unsaid = tour.tour_findings(means, "d", ("happiness", "openness"))
    assert (
        "12 numbers: a probability of each of 7 emotions, a score of each of 5" in read
    )
    assert "says happiness 0.81 (raters 0.80) and openness 0.41 (raters 0.80)," in read
    assert "In openness, **the model is wrong**, by 0.39; 3 of" in sure
    assert "raters" in unsaid
    unknown = means.assign(true=np.nan)
    assert "(raters" not in tour.tour_findings(unknown, "d", ("fear", "openness"))[0]


def test_the_place_is_told_with_its_interval_or_not_at_all():
    found = pd.DataFrame(
        {
            "emotion": ["fear", "anger"],
            "trait": ["openness", "openness"],
            "r": [0.123, np.nan],
            "low": [-0.1, np.nan],
            "high": [0.3, np.nan],
            "verdict": ["undecided", None],
            "n": 10,
            "n_speakers": 5,
        }
    )
    assert tour.place_sentence(found, "fear", "openness") == (
        "Of **fear and openness** the study estimates that labels correlate with r = "
        "0.12 [−0.10, 0.30]; the verdict is *undecided*, from 10 clips of 5 people."
    )
    for table, emotion in ((found, "anger"), (found, "sadness"), (found[:0], "fear")):
        assert "gives no association" in tour.place_sentence(table, emotion, "openness")


def test_crops_are_those_of_the_middle_frame(tmp_path):
    write_video(tmp_path / "a.mp4")
    clip = pd.Series({"media": "a.mp4", "start_seconds": np.nan, "end_seconds": np.nan})
    box = {"left": 16, "top": 0, "right": 48, "bottom": 32}
    rows = [
        {"frame": frame, "modality": name, "provenance": "detected", **box}
        for frame in range(3)
        for name in ("face", "scene")
    ]
    found = tour.crops(clip, tmp_path, pd.DataFrame(rows), 3, mask=True)
    assert list(found) == ["frame", "face", "scene"]
    assert found["frame"].shape == (64, 64, 3)
    assert found["face"].shape == (32, 32, 3)
    assert (found["face"] == found["frame"][:32, 16:48]).all()
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    assert tour.crops(clip, tmp_path, pd.DataFrame(rows), 3, mask=True) == {}


def test_steps_are_those_of_the_stores():
    class Store(dict):
        encoder = "minilm_l6"

    table = tour.steps_table({"text": Store(a=np.zeros((7, 384)))}, "a")
    assert table.to_numpy().tolist() == [["text", "minilm_l6", 7, 384]]


def test_pairs_are_of_the_scored_emotions(means):
    emotion, trait = tour.told_pair(means, "a")
    assert emotion in SCORED_EMOTIONS and trait in TRAITS
