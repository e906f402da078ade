"""Differences between models on the same clips, worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from sslmepr.evaluation.scores import LINEAR, LINEAR_FUSION
from sslmepr.evaluation.target_gains import target_gains
from sslmepr.labels import EMOTIONS, TRAITS

CLIPS = [f"c{place:02d}" for place in range(20)]
SPEAKERS = pd.DataFrame({"part": "vlogs", "clip_id": CLIPS})
SPEAKERS["speaker_id"] = [f"v{place // 2}" for place in range(20)]
TRUE = np.random.default_rng(0).uniform(0.2, 0.8, (20, 5))


def predicted(values, stage, modality, variant="any", seed=0, split="test", ids=CLIPS):
    """Long form of (clip, trait) predictions of `TRUE`."""
    table = pd.DataFrame({"clip_id": np.repeat(ids, 5), "target": [*TRAITS] * len(ids)})
    table["predicted"] = np.asarray(values).ravel()
    table["true"] = TRUE[: len(ids)].ravel()
    names = {"corpus": "vlogs", "split": split, "stage": stage, "modality": modality}
    return table.assign(
        **names, task="personality", variant=variant, seed=seed, decided=pd.NA
    )


def gains(*tables, clips=SPEAKERS):
    return target_gains(pd.concat(tables), clips, "multitask", 100, 0.95, 0)


def test_a_difference_is_that_of_the_scores_on_the_shared_clips():
    """Errors of .1 against errors of .3 for all clips, and of two seeds' mean."""
    found = gains(
        predicted(TRUE + 0.1, "fusion", "fused", "multitask", seed=0),
        predicted(TRUE + 0.2, "fusion", "fused", "multitask", seed=1),
        predicted(TRUE[:16] - 0.3, "unimodal", "face", ids=CLIPS[:16]),
        predicted(TRUE[:16] - 0.1, "linear", "face", ids=CLIPS[:16]),
        predicted(TRUE - 0.4, "linear", "fused"),
    )
    pairs = found[["model", "against"]].drop_duplicates().to_numpy().tolist()
    assert pairs == [
        ["multitask", "face"],
        ["face", LINEAR],
        ["multitask", LINEAR_FUSION],
    ]
    error = found[found["metric"].isin(("ACC", "mACC"))]
    expected = {"face": (0.85 - 0.7, 16), LINEAR: (0.7 - 0.9, 16)}
    expected[LINEAR_FUSION] = (0.85 - 0.6, 20)
    for against, part in error.groupby("against"):
        difference, count = expected[against]
        assert sorted(part["target"]) == sorted([*TRAITS, "mean"])
        for column in ("difference", "low", "high"):
            np.testing.assert_allclose(part[column], difference)
        assert set(part["n"]) == {count} and set(part["n_speakers"]) == {count // 2}
    np.testing.assert_allclose(
        found["difference"], found["estimate"] - found["reference"]
    )


def test_constants_and_clips_without_labels_are_left_out():
    constant = predicted(np.full((20, 5), 0.5), "unimodal", "audio")
    fused = predicted(TRUE, "fusion", "fused", "multitask")
    assert gains(fused, constant).empty
    unlabelled = predicted(TRUE, "unimodal", "face").assign(true=np.nan)
    assert gains(fused.assign(true=np.nan), unlabelled).empty
    trained = predicted(TRUE, "unimodal", "face", split="train")
    assert gains(fused.assign(split="train"), trained).empty


def test_clips_with_one_emotion_are_compared_by_its_f1():
    """Two emotions; fusion is right, the other always says the first."""
    shown = np.arange(20) % 2
    true = np.eye(7)[shown]

    def table(values, stage, modality, variant="any"):
        long = pd.DataFrame({"clip_id": np.repeat(CLIPS, 7)})
        long["target"] = [*EMOTIONS] * 20
        names = {"corpus": "vlogs", "split": "test", "task": "emotion", "seed": 0}
        names |= {"stage": stage, "modality": modality, "variant": variant}
        return long.assign(
            predicted=values.ravel(), true=true.ravel(), decided=False, **names
        )

    nearly = np.eye(7)[np.zeros(20, int)] + 0.01 * true  # no constant
    found = gains(
        table(true, "fusion", "fused", "multitask"), table(nearly, "unimodal", "text")
    ).set_index(["metric", "target"])
    # always `neutral`: its precision is a half, so that its F1 is 2/3, the other's 0
    first, second = ("class F1", EMOTIONS[0]), ("class F1", EMOTIONS[1])
    assert found.loc[first, "difference"] == pytest.approx(1 / 3)
    assert found.loc[second, "difference"] == pytest.approx(1)
    assert found.loc[("weighted F1", "mean"), "difference"] == pytest.approx(2 / 3)
    assert found.loc[("UAR", "mean"), "difference"] == pytest.approx(1 / 2)
    # emotions that no clip shows have no score
    assert np.isnan(found.loc[("class F1", "fear"), "difference"])
