import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, t
from sklearn.metrics import balanced_accuracy_score, f1_score

from sslmepr.evaluation.comparison import BASELINES, compare_variants, shown_clips
from sslmepr.labels import SCORED_EMOTIONS, TASKS, TRAITS

SETTINGS = {"reference": "multitask", "resamples": 300, "confidence": 0.95}
SETTINGS |= {"margin": 0.005, "seed": 0}


def predictions(rng, clips=60, noise=None, seeds=(0, 1), tasks=TASKS):
    """Predictions of the same truth by variants of differing noise."""
    truth = {name: (rng.random(clips) > 0.6).astype(float) for name in SCORED_EMOTIONS}
    truth |= {name: rng.random(clips) for name in TRAITS}
    targets = [*SCORED_EMOTIONS] * ("emotion" in tasks)
    targets += [*TRAITS] * ("personality" in tasks)
    parts = []
    for variant, size in (noise or {"multitask": 0.4, "worse": 0.9}).items():
        for seed in seeds:
            for name in targets:
                guess = truth[name] + size * rng.standard_normal(clips)
                part = {"variant": variant, "seed": seed, "target": name}
                part |= {"predicted": guess, "true": truth[name]}
                part["clip_id"] = [f"clip-{i:03}" for i in range(clips)]
                parts.append(pd.DataFrame(part))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(corpus="joint", split="test", decided=table["predicted"] >= 0.5)


def speakers(clips=60, per_speaker=3):
    ids = [f"clip-{i:03}" for i in range(clips)]
    return pd.Series([f"s{i // per_speaker}" for i in range(clips)], index=ids)


def test_estimates_equal_sklearn_averaged_over_emotions_and_seeds():
    table = predictions(np.random.default_rng(0))
    result = compare_variants(table, speakers(), **SETTINGS)
    result = result.set_index(["variant", "metric"])
    scores = {"mWACC": [], "mF1": []}
    worse = table[table["variant"] == "worse"]
    for (_, name), part in worse.groupby(["seed", "target"]):
        if name in SCORED_EMOTIONS:
            true, decided = part["true"] > 0, part["predicted"] >= 0.5
            scores["mWACC"].append(balanced_accuracy_score(true, decided))
            scores["mF1"].append(f1_score(true, decided, average="macro"))
    for metric, values in scores.items():
        assert result.loc[("worse", metric), "estimate"] == pytest.approx(
            np.mean(values)
        )
    traits = worse[worse["target"].isin(TRAITS)]
    error = (traits["predicted"] - traits["true"]).abs().mean()
    assert result.loc[("worse", "mACC"), "estimate"] == pytest.approx(1 - error)
    assert (result["n"] == 60).all() and (result["n_speakers"] == 20).all()


def test_a_worse_variant_differs_and_the_reference_does_not_from_itself():
    table = predictions(np.random.default_rng(1))
    result = compare_variants(table, speakers(), **SETTINGS)
    worse = result[result["variant"] == "worse"]
    assert (worse["verdict"] == "worse").all() and (worse["high"] < 0).all()
    own = result[result["variant"] == "multitask"]
    assert (own[["difference", "low", "high"]] == 0).all(axis=None)
    assert (own["verdict"] == "equivalent").all()
    assert (own["spread"] > 0).all() and (own["n_seeds"] == 2).all()


def test_equal_variants_differ_as_often_as_the_level_says():
    """Independent studies, one metric of each: binomial, with 5 % for each study."""
    studies, differs = 80, 0
    for seed in range(studies):
        noise = {"multitask": 0.6, "other": 0.6}
        rng = np.random.default_rng(seed)
        table = predictions(rng, noise=noise, seeds=(0,), tasks=("personality",))
        result = compare_variants(table, speakers(), **SETTINGS)
        result = result.set_index(["variant", "metric"])
        found = result.loc[("other", "mACC"), "verdict"]
        differs += found in ("better", "worse")
    low, high = binom.interval(0.998, studies, 0.05)
    assert low <= differs <= high


def test_an_interval_knows_that_other_seeds_would_give_another_difference():
    """Widened by the variance over seeds, by hand."""
    seeds = (0, 1, 2)
    table = predictions(np.random.default_rng(5), seeds=seeds, tasks=["personality"])
    every = compare_variants(table, speakers(), **SETTINGS)
    row = every.set_index(["variant", "metric"]).loc[("worse", "mACC")]
    each = [
        compare_variants(table[table["seed"] == seed], speakers(), **SETTINGS)
        .set_index(["variant", "metric"])
        .loc[("worse", "mACC"), "difference"]
        for seed in seeds
    ]
    # With other seeds than the reference, the interval is over speakers alone.
    renamed = table["seed"].where(table["variant"] == "worse", table["seed"] + 7)
    alone = compare_variants(table.assign(seed=renamed), speakers(), **SETTINGS)
    alone = alone.set_index(["variant", "metric"]).loc[("worse", "mACC")]
    assert row["difference"] == pytest.approx(np.mean(each))
    assert alone["difference"] == pytest.approx(row["difference"])
    of_seeds = np.var(each, ddof=1) / 3
    for end in ("low", "high"):
        half = alone[end] - alone["difference"]
        of_speakers = (half / t.ppf(0.975, 19)) ** 2
        total = of_speakers + of_seeds
        freedom = total**2 / (of_speakers**2 / 19 + of_seeds**2 / 2)
        expected = np.sign(half) * t.ppf(0.975, freedom) * np.sqrt(total)
        assert row[end] - row["difference"] == pytest.approx(expected)
        assert abs(expected) > abs(half)


def test_only_common_clips_and_tasks_are_compared():
    table = predictions(np.random.default_rng(2))
    emotional = table["target"].isin(SCORED_EMOTIONS)
    lost = table["clip_id"].eq("clip-000") & table["variant"].eq("worse")
    table = table[(emotional | table["variant"].eq("multitask")) & ~lost]
    result = compare_variants(table, speakers(), **SETTINGS)
    worse = result[result["variant"] == "worse"]
    assert set(worse["metric"]) == {"mWACC", "mF1"} and (worse["n"] == 59).all()


def test_decisions_are_taken_as_they_are():
    table = predictions(np.random.default_rng(3), tasks=("emotion",), seeds=(0,))
    never = compare_variants(table.assign(decided=False), speakers(), **SETTINGS)
    assert never["estimate"].iloc[0] == pytest.approx(0.5)
    decided = table.assign(decided=table["true"] > 0)
    perfect = compare_variants(decided, speakers(), **SETTINGS)
    assert (perfect["estimate"] == 1).all()


def test_without_predictions_there_are_no_rows():
    table = predictions(np.random.default_rng(0))
    some = compare_variants(table, speakers(), **SETTINGS)
    none = compare_variants(table.head(0), speakers(), **SETTINGS)
    assert none.empty and list(none) == list(some)


def test_bad_input_is_named():
    table = predictions(np.random.default_rng(4))
    with pytest.raises(ValueError, match="no variant 'full'"):
        compare_variants(table, speakers(), **SETTINGS | {"reference": "full"})
    with pytest.raises(ValueError, match="no speaker for clip clip-030"):
        compare_variants(table, speakers()[:30], **SETTINGS)
    two = pd.concat([table, table.assign(split="dev")])
    with pytest.raises(ValueError, match="several values of split"):
        compare_variants(two, speakers(), **SETTINGS)


def showing(params, what):
    evaluate = params.evaluate.model_copy(update={"shown": what})
    return params.model_copy(update={"evaluate": evaluate})


def test_variants_are_compared_on_the_held_out_corpus(trained, small_params):
    folder, runs, *_ = trained
    table = pd.read_parquet(runs / "evaluate" / "predictions.parquet")
    chosen, speakers = shown_clips(table, showing(small_params, "held_out"), folder)
    expected = table[(table["stage"] == "fusion") & (table["corpus"] == "joint")]
    models = chosen[~chosen["variant"].isin(BASELINES.values())].reset_index(drop=True)
    expected = expected.drop(columns="corpus").reset_index(drop=True)
    pd.testing.assert_frame_equal(models, expected)
    assert set(speakers.index) == set(expected["clip_id"])


@pytest.mark.parametrize("tested", [True, False])
def test_where_it_has_no_labels_test_clips_stand_for_it_or_else_dev(
    trained, small_params, tested
):
    folder, runs, *_ = trained
    table = pd.read_parquet(runs / "evaluate" / "predictions.parquet")
    table.loc[table["corpus"] == "joint", "true"] = np.nan
    if not tested:  # in one of the corpora
        own = (table["corpus"] == "emotion") & (table["split"] == "test")
        table.loc[own, "true"] = np.nan
    found, speakers = shown_clips(table, showing(small_params, "held_out"), folder)
    assert set(found["split"]) == {"test" if tested else "dev"}
    assert found["true"].notna().all() and set(found["task"]) == set(TASKS)
    assert set(found["clip_id"]) <= set(speakers.index)


@pytest.mark.parametrize("stage", BASELINES)
def test_baselines_stand_at_every_seed_of_the_models(trained, small_params, stage):
    folder, runs, *_ = trained
    table = pd.read_parquet(runs / "evaluate" / "predictions.parquet")
    chosen, _ = shown_clips(table, showing(small_params, "held_out"), folder)
    expected = table[(table["stage"] == stage) & (table["modality"] == "fused")]
    expected = expected[expected["corpus"] == "joint"]["predicted"].to_numpy()
    found = chosen[chosen["variant"] == BASELINES[stage]]
    assert set(found["seed"]) == set(small_params.fusion.seeds) and len(expected)
    for _, mine in found.groupby("seed"):
        assert (mine["predicted"].to_numpy() == expected).all()


def test_while_developing_variants_are_compared_on_dev(trained, small_params):
    folder, runs, *_ = trained
    table = pd.read_parquet(runs / "evaluate" / "predictions.parquet")
    chosen, speakers = shown_clips(table, showing(small_params, "dev"), folder)
    assert set(chosen["split"]) == {"dev"} and chosen["true"].notna().all()
    corpora = chosen["clip_id"].str.partition("-")[0]
    emotions = chosen["target"].isin(SCORED_EMOTIONS)
    assert set(corpora[emotions]) == {"emotion"}
    assert set(corpora[chosen["target"].isin(TRAITS)]) == {"personality"}
    found = compare_variants(chosen, speakers, **SETTINGS)
    assert set(found["metric"]) == {"mWACC", "mF1", "mACC", "CCC"}
    assert (found["n_speakers"] < found["n"]).all()
