"""The cells of an evaluation and the predictions that enter them."""

import numpy as np
import pandas as pd
import pytest

from sslmepr.evaluation.cells import (
    BASELINE,
    measured_cells,
    read_predictions,
    training_mean,
)
from sslmepr.labels import TARGETS, TASKS, Model
from sslmepr.params.study import Roles
from sslmepr.training.clips import StudyClips

NAN = np.nan
ROLES = Roles(emotion="a", personality="b", held_out="c")


@pytest.fixture
def params(small_params):
    changes = {"roles": ROLES, "modalities": ["face"], "variants": ["multitask"]}
    return small_params.model_copy(update=changes)


@pytest.fixture
def clips():
    """Two corpora with labels of one task; c, with those of both, is of two parts."""
    table = pd.DataFrame(
        [
            ("a", "a", "k", "p", "train"),
            ("a", "a", "l", "q", "train"),
            ("a", "a", "m", "r", "dev"),
            ("a", "a", "n", "s", "test"),
            ("b", "b", "k", "p", "train"),
            ("b", "b", "l", "q", "test"),
            ("c", "x", "k", "t", "test"),
            ("c", "y", "l", "u", "dev"),
            ("c", "y", "m", "u", "test"),
        ],
        columns=["corpus", "part", "clip_id", "speaker_id", "split"],
    )
    emotion, traits = np.full((9, 7), NAN), np.full((9, 5), NAN)
    emotion[[0, 1, 2, 3, 6, 7, 8]] = 0.0
    emotion[0, 2] = emotion[1, 2] = emotion[1, 3] = 0.4
    traits[[4, 5, 6, 8]] = 0.25
    traits[4] = [0.1, 0.2, 0.3, 0.4, 0.5]
    return StudyClips(table, {"emotion": emotion, "personality": traits}, [*"abc"])


def test_cells_are_corpora_parts_and_splits_with_labels(params, clips):
    found = [
        (cell.corpus, cell.split, cell.task, cell.rows.tolist())
        for cell in measured_cells(params, clips)
    ]
    assert found == [
        ("a", "dev", "emotion", [2]),
        ("a", "test", "emotion", [3]),
        ("c", "all", "emotion", [6, 7, 8]),
        ("x", "all", "emotion", [6]),
        ("y", "all", "emotion", [7, 8]),
        ("b", "test", "personality", [5]),
        ("c", "all", "personality", [6, 8]),
        ("x", "all", "personality", [6]),
        ("y", "all", "personality", [8]),
    ]


def test_clips_of_a_cell_are_grouped_by_speaker(params, clips):
    cells = {(c.corpus, c.task): c.speakers for c in measured_cells(params, clips)}
    speakers = cells["c", "emotion"]
    assert (speakers.n, speakers.n_clusters) == (3, 2)
    assert speakers.index.tolist() == [0, 1, 1]


def test_a_held_out_corpus_of_training_is_measured_by_split_alone(params, clips):
    roles = ROLES.model_copy(update={"held_out": "a"})
    params = params.model_copy(update={"roles": roles})
    found = [(c.corpus, c.split, c.task) for c in measured_cells(params, clips)]
    assert found == [
        ("a", "dev", "emotion"),
        ("a", "test", "emotion"),
        ("b", "test", "personality"),
    ]


def test_the_baseline_predicts_training_base_rates_and_means(params, clips):
    rates = training_mean(params, clips, "emotion")
    assert rates.tolist() == [0, 0, 1, 0.5, 0, 0, 0]
    means = training_mean(params, clips, "personality")
    assert means.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]


def test_predictions_are_read_in_the_order_of_the_clips(params, clips, tmp_path):
    """Written in another order, for two of the clips; clip k exists in all corpora."""
    drawn, rng = {}, np.random.default_rng(0)

    def write(folder, model, task, seeds=(0,)):
        parts = []
        for seed in seeds:
            values = rng.random((2, len(TARGETS[task])))
            drawn[model, task, seed] = values[::-1]
            for (corpus, clip), row in zip(("bk", "am"), values, strict=True):
                parts += [
                    (clip, corpus, *model, task, seed, target, value)
                    for target, value in zip(TARGETS[task], row, strict=True)
                ]
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        columns = ["clip_id", "corpus", *Model._fields, "task", "seed", "target"]
        table = pd.DataFrame(parts, columns=[*columns, "predicted"])
        file = tmp_path / folder / "predictions.parquet"
        if file.exists():
            table = pd.concat([pd.read_parquet(file), table])
        table.to_parquet(file)

    fused = Model("fusion", variant="multitask")
    for task in TASKS:
        write(f"unimodal/face-{task}", Model("unimodal", "face"), task)
        write(f"unimodal/face-{task}", Model("linear", "face"), task)
        write("crosstask/face", Model("crosstask", "face"), task)
        write(f"stacking/{task}", Model("stacking"), task)
        write("fusion/multitask", fused, task, seeds=(0, 4))
    found = read_predictions(params, tmp_path, clips)
    names = {"baseline", "linear", "unimodal", "crosstask", "stacking", "fusion"}
    assert {model.stage for model, _ in found} == names and len(found) == 12
    for (model, task), (rows, by_seed) in found.items():
        if model == BASELINE:
            assert rows.tolist() == list(range(9)) and list(by_seed) == [0]
            mean = training_mean(params, clips, task)
            assert (by_seed[0] == mean).all() and len(by_seed[0]) == 9
            continue
        assert rows.tolist() == [2, 4]
        assert list(by_seed) == ([0, 4] if model == fused else [0])
        for seed, values in by_seed.items():
            assert values.tolist() == drawn[model, task, seed].tolist()
