"""Pseudo-labels must not destroy what each head knows of the other task's corpus."""

import drawn
import pandas as pd
import pytest

from sslmepr.learning.stages import train_crosstask, train_fusion, train_unimodal

WIDTHS = {"face": 32, "text": 32}


@pytest.fixture(scope="module")
def scores(tmp_path_factory, small_params, one_thread):
    """Cross-corpus scores with and without pseudo-labels, at a large corpus offset."""
    folder = tmp_path_factory.mktemp("offset")
    sizes = {"hidden": 32, "epochs": 6, "patience": 6, "learning_rate": 0.002}
    params = small_params.model_copy(
        update={
            name: getattr(small_params, name).model_copy(update=sizes)
            for name in ("unimodal", "crosstask")
        }
    )
    changes = {**sizes, "epochs": 15, "patience": 15, "seeds": [0]}
    fusion = params.fusion.model_copy(update=changes)
    params = params.model_copy(update={"fusion": fusion})
    truth = drawn.draw_study(params, folder, (240, 240, 120), WIDTHS, offset=1.0)
    runs = folder / "runs"
    for modality in WIDTHS:
        for task in ("emotion", "personality"):
            target = runs / "unimodal" / f"{modality}-{task}"
            train_unimodal(params, modality, task, target, folder, False)
        target = runs / "crosstask" / modality
        train_crosstask(params, modality, runs, target, folder, False)
    found = {}
    for variant in ("multitask", "no_co_training"):
        target = runs / "fusion" / variant
        train_fusion(params, variant, runs, target, folder, False)
        table = pd.read_parquet(target / "predictions.parquet")
        table = table[table["variant"] == variant]
        found[variant] = drawn.cross_corpus(params, truth, table)
    return found


@pytest.mark.parametrize("measure", ["auc", "ccc", "association"])
def test_no_collapse_under_a_corpus_offset(scores, measure):
    with_them = scores["multitask"][measure]
    without = scores["no_co_training"][measure]
    assert with_them > without - 0.03, scores


def test_heads_work_on_the_other_corpus(scores):
    assert scores["multitask"]["auc"] > 0.7, scores
    assert scores["multitask"]["ccc"] > 0.2, scores
    assert scores["multitask"]["association"] > 0.6, scores
