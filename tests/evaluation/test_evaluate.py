"""Metrics of the trained study against scikit-learn and by hand."""

import json

import pandas as pd
import pytest

from sslmepr.evaluation import scores
from sslmepr.evaluation.evaluate import evaluate_study
from sslmepr.labels import EMOTIONS, SCORED_EMOTIONS, TASKS, TRAITS
from sslmepr.report import person_intervals
from sslmepr.report.overview import recognition
from sslmepr.training.clips import study_corpora


def test_evaluation_table(trained):
    metrics = trained[3]["metrics"]
    names = ["stage", "modality", "variant", "task"]
    models = set(metrics[names].itertuples(index=False, name=None))
    both = ("emotion", "personality")
    assert models == {
        *(("baseline", "any", "any", task) for task in both),
        *(
            (stage, modality, "any", task)
            for stage in ("linear", "unimodal", "crosstask")
            for modality in ("face", "text")
            for task in both
        ),
        *(
            (stage, "fused", "any", task)
            for stage in ("linear", "stacking")
            for task in both
        ),
        *(
            ("fusion", "fused", variant, task)
            for variant in ("multitask", "with_everything", "as_published")
            for task in both
        ),
        ("fusion", "fused", "emotion_only", "emotion"),
    }
    places = set(zip(metrics["corpus"], metrics["split"], metrics["task"], strict=True))
    assert places == {
        ("emotion", "dev", "emotion"),
        ("emotion", "test", "emotion"),
        ("joint", "all", "emotion"),
        ("personality", "dev", "personality"),
        ("personality", "test", "personality"),
        ("joint", "all", "personality"),
    }
    one = metrics[
        (metrics["stage"] == "fusion")
        & (metrics["variant"] == "multitask")
        & (metrics["metric"] == "CCC")
        & (metrics["target"] == "mean")
        & (metrics["split"] == "test")
    ].set_index("seed")["estimate"]
    assert sorted(one.index) == [-1, 0, 1]
    assert one[-1] == pytest.approx((one[0] + one[1]) / 2)


def test_constant_baseline_scores_at_chance(trained):
    metrics = trained[3]["metrics"]
    row = metrics[(metrics["stage"] == "baseline") & (metrics["seed"] == -1)]
    for metric, expected in {"mWACC": 0.5, "mAUC": 0.5}.items():
        found = row[(row["metric"] == metric)]["estimate"]
        assert found.to_numpy() == pytest.approx(expected)


def test_metric_agrees_with_the_written_predictions(trained):
    _, folder, _, evaluation = trained
    table = pd.read_parquet(folder / "evaluate" / "predictions.parquet")
    mine = table[
        (table["variant"] == "multitask")
        & (table["seed"] == 1)
        & (table["corpus"] == "joint")
    ]
    traits = mine[mine["target"].isin(TRAITS)]
    error = (traits["predicted"] - traits["true"]).abs().mean()
    emotions = mine[mine["target"] == SCORED_EMOTIONS[0]]
    present, decided = emotions["true"] > 0, emotions["decided"].astype(bool)
    metrics = evaluation["metrics"]
    row = metrics[
        (metrics["variant"] == "multitask")
        & (metrics["seed"] == 1)
        & (metrics["corpus"] == "joint")
    ].set_index(["metric", "target"])["estimate"]
    assert row["mACC", "mean"] == pytest.approx(1 - error)
    recall = (decided[present].mean() + (~decided[~present]).mean()) / 2
    assert row["WACC", SCORED_EMOTIONS[0]] == pytest.approx(recall)


def test_summary_is_json_with_intervals(trained):
    summary = json.loads(json.dumps(trained[3]["summary"], allow_nan=False))
    assert set(summary) == {"dev", "test", "held_out"}
    cell = summary["test"]["fusion"]["multitask"]["mWACC"]
    assert set(cell) == {"estimate", "low", "high", "n", "deviation_over_seeds"}


def test_emotions_are_decided_by_the_rule_of_their_variant(trained):
    data_folder, folder, _, _ = trained
    table = pd.read_parquet(folder / "evaluate" / "predictions.parquet")
    table = table[table["target"].isin(SCORED_EMOTIONS)]
    published = table[table["variant"] == "as_published"]
    assert published["decided"].equals(
        (published["predicted"] >= 1 / 7).astype("boolean")
    )
    whole = pd.read_parquet(folder / "fusion" / "as_published" / "predictions.parquet")
    whole = whole[whole["target"].isin(EMOTIONS)]
    sums = whole.groupby(["seed", "corpus", "clip_id"])["predicted"].sum()
    assert sums.to_numpy() == pytest.approx(1, abs=1e-5)
    # Ours: present from the base rate among the training clips on.
    labels = pd.read_parquet(data_folder / "emotion" / "corpus" / "clips.parquet")
    labels = labels[labels["split"] == "train"]
    ours = table[table["variant"] == "multitask"]
    for target in SCORED_EMOTIONS:
        rate = (labels[f"emotion_{target}"] > 0).mean()
        mine = ours[ours["target"] == target]
        expected = (mine["predicted"] >= rate).astype("boolean")
        assert mine["decided"].equals(expected), target


def test_no_name_is_parsed(trained, small_params, tmp_path):
    """A variant is of stage fusion, however it is called: even as stage 2 might be."""
    data_folder, folder, _, evaluation = trained
    names = {"my-variant": "emotion_only", "face-crosstask": "as_published"}
    for stage in ("unimodal", "crosstask", "stacking"):
        (tmp_path / stage).symlink_to(folder / stage)
    for name, old in names.items():
        table = pd.read_parquet(folder / "fusion" / old / "predictions.parquet")
        target = tmp_path / "fusion" / name
        target.mkdir(parents=True)
        table.assign(variant=name).to_parquet(target / "predictions.parquet")
    variant = {name: small_params.variant[old] for name, old in names.items()}
    changes = {"variants": [*names], "variant": variant}
    params = small_params.model_copy(update=changes)
    found = evaluate_study(params, tmp_path, data_folder)
    metrics, before = found["metrics"], evaluation["metrics"]
    for name, old in names.items():
        mine = metrics[metrics["variant"] == name]
        assert set(mine["stage"]) == {"fusion"} and set(mine["modality"]) == {"fused"}
        same = before[before["variant"] == old].assign(variant=name)
        pd.testing.assert_frame_equal(
            mine.reset_index(drop=True), same.reset_index(drop=True)
        )
    summary = found["summary"]["test"]
    assert list(summary["fusion"]) == [*names]
    assert summary["crosstask"] == evaluation["summary"]["test"]["crosstask"]
    written = pd.read_parquet(tmp_path / "evaluate" / "predictions.parquet")
    stages = written.groupby("variant")["stage"].unique().map(list)
    assert stages["my-variant"] == stages["face-crosstask"] == ["fusion"]


def test_evaluation_is_deterministic(trained, small_params):
    data_folder, folder, _, evaluation = trained
    again = evaluate_study(small_params, folder, data_folder)
    pd.testing.assert_frame_equal(evaluation["metrics"], again["metrics"])


def test_while_developing_no_label_but_those_of_dev_is_read(
    trained, small_params, tmp_path, monkeypatch
):
    data_folder, folder, _, evaluation = trained
    evaluate = small_params.evaluate.model_copy(update={"shown": "dev"})
    params = small_params.model_copy(update={"evaluate": evaluate})
    monkeypatch.setattr("sslmepr.evaluation.evaluate.read_true_clips", None)
    found = evaluate_study(params, folder, data_folder, tmp_path, covered="multitask")
    metrics, everything = found["metrics"], evaluation["metrics"]
    assert set(metrics["split"]) == {"dev"} < set(everything["split"])
    expected = everything[everything["split"] == "dev"].reset_index(drop=True)
    keys = [*metrics.columns[: metrics.columns.get_loc("target") + 1]]
    pd.testing.assert_frame_equal(
        metrics.sort_values(keys, ignore_index=True),
        expected.sort_values(keys, ignore_index=True),
    )
    written = pd.read_parquet(tmp_path / "predictions.parquet")
    assert written.loc[written["split"] == "test", "true"].isna().all()
    assert written.loc[written["split"] == "dev", "true"].notna().any()
    assert set(found["coverage"]["split"]) <= {"dev"}
    assert person_intervals.kept(found["coverage"], evaluate.confidence)
    for task in TASKS:
        person_intervals.table(found["coverage"], task)._repr_html_()
    sentences = recognition(scores.of_corpora(metrics, study_corpora(params)))
    assert len(sentences) == 2
