import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy import stats

from sslmepr.corpora.schema import write_clips
from sslmepr.features import write_store
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS
from sslmepr.training.unimodal import train_unimodal
from sslmepr.trials.blocks import summarise, try_blocks
from sslmepr.trials.params import Blocks

KINDS = ["transformer", "state_free"]
SECTION = {"kinds": KINDS, "seeds": [0, 1], "sequences": 20, "steps": 3}


def write_corpus(folder, name, count, emotions, traits):
    """Clips of face alone, their labels drawn; what the task lacks is missing."""
    rng = np.random.default_rng(len(name))
    table = pd.DataFrame({"clip_id": [f"{name}-{n}" for n in range(count)]})
    table["speaker_id"] = table["clip_id"]
    marks = np.arange(count) / count
    table["split"] = np.select([marks < 0.6, marks < 0.8], ["train", "dev"], "test")
    table["media"] = table["transcript"] = None
    table["start_seconds"] = table["end_seconds"] = np.nan
    present = (rng.random((count, 6)) < 0.4).astype(float)
    neutral = 1 - present.max(1, keepdims=True)
    drawn = np.hstack([neutral, present]), rng.random((count, 5))
    table[list(EMOTION_COLUMNS)] = drawn[0] if emotions else np.nan
    table[list(TRAIT_COLUMNS)] = drawn[1] if traits else np.nan
    write_clips(table, folder / name / "corpus")
    steps = [rng.standard_normal((3, 4)).astype(np.float32) for _ in range(count)]
    sequences = zip(table["clip_id"], steps, strict=True)
    write_store(folder / name / "features", "face", sequences, "drawn", "1", None)


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory, settings):
    folder, roles = tmp_path_factory.mktemp("data"), settings.roles
    write_corpus(folder, roles.emotion, 60, True, False)
    write_corpus(folder, roles.personality, 60, False, True)
    write_corpus(folder, roles.held_out, 10, True, True)
    return folder


def small(settings, workers=2):
    sizes = {"hidden": 8, "heads": 2, "state": 4, "epochs": 2, "refits": 2}
    compute = {"workers": workers, "device": "cpu"}
    return settings.model_copy(
        update={
            "modalities": ["face"],
            "compute": settings.compute.model_copy(update=compute),
            "unimodal": settings.unimodal.model_copy(update=sizes),
        }
    )


@pytest.fixture(scope="module")
def runs(settings, data_folder):
    return try_blocks(small(settings), Blocks(**SECTION), data_folder, progress=False)


def test_every_kind_is_trained_with_every_seed_on_every_task(runs):
    tasks = [("face", "emotion"), ("face", "personality"), ("drawn sequences", "order")]
    expected = [
        (*task, block, seed)
        for task in tasks
        for seed in (0, 1)
        for block in ("linear", *KINDS)
    ]
    columns = ["what", "task", "block", "seed"]
    assert list(runs[columns].itertuples(index=False, name=None)) == expected
    assert runs["value"].between(-1, 1).all()


def test_scores_are_those_of_stage_1(runs, settings, data_folder, tmp_path):
    params = small(settings)
    unimodal = params.unimodal.model_copy(update={"blocks": {"face": "state_free"}})
    own = params.model_copy(update={"unimodal": unimodal, "seed": 1})
    result = train_unimodal(own, "face", "emotion", tmp_path, data_folder, False)
    cells = runs.set_index(["what", "task", "block", "seed"])["value"]
    assert cells["face", "emotion", "state_free", 1] == result["dev_score"]
    assert cells["face", "emotion", "linear", 1] == result["linear_dev_score"]


def test_the_number_of_processes_changes_nothing(runs, settings, data_folder):
    again = try_blocks(
        small(settings, 1), Blocks(**SECTION), data_folder, progress=False
    )
    pd.testing.assert_frame_equal(again, runs)


def drawn_runs():
    values = {
        ("face", "emotion"): {"linear": (0.5, 0.5), "mamba": (0.7, 0.6)},
        ("text", "emotion"): {"linear": (0.6, 0.6), "mamba": (0.6, 0.6)},
        ("drawn sequences", "order"): {"linear": (0.5, 0.5), "mamba": (1.0, 0.9)},
    }
    for task in values.values():
        task["state_free"] = (0.55, 0.5)
    return pd.DataFrame(
        [
            (*cell, block, seed, value)
            for cell, blocks in values.items()
            for block, found in blocks.items()
            for seed, value in enumerate(found)
        ],
        columns=["what", "task", "block", "seed", "value"],
    )


def test_summary_by_hand():
    table = summarise(drawn_runs(), 0.9)
    cells = table.set_index(["what", "task", "block", "metric"]).sort_index()
    face = cells.loc[("face", "emotion", "mamba")]
    assert face["estimate"].to_dict() == pytest.approx(
        {"dev_score": 0.65, "over_linear": 0.15, "over_state_free": 0.125}
    )
    paired = stats.ttest_1samp([0.15, 0.1], 0).confidence_interval(0.9)
    assert face.loc["over_state_free", ["low", "high"]].tolist() == pytest.approx(
        [paired.low, paired.high]
    )
    mean = cells.loc[("mean over modalities", "emotion", "mamba", "over_linear")]
    over = stats.ttest_1samp([0.1, 0.05], 0).confidence_interval(0.9)
    assert mean[["estimate", "low", "high"]].tolist() == pytest.approx(
        [0.075, over.low, over.high]
    )
    assert (table["n"] == 2).all()
    # No block is compared with itself, and the mean excludes the order task.
    metrics = table.groupby("block")["metric"].unique().map(set).to_dict()
    assert metrics["linear"] == {"dev_score"}
    assert metrics["state_free"] == {"dev_score", "over_linear"}
    means = table[table["what"] == "mean over modalities"]
    assert set(means["task"]) == {"emotion"}


def test_no_comparison_with_the_published_block_where_it_is_absent():
    runs = drawn_runs()
    table = summarise(runs[runs["block"] != "state_free"], 0.9)
    assert set(table["metric"]) == {"dev_score", "over_linear"}


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"kinds": ["lstm"]}, "kinds.0"),
        ({"kinds": []}, "kinds"),
        ({"seeds": []}, "seeds"),
        ({"sequences": 21}, "sequences"),
        ({"sequences": 2}, "sequences"),
        ({"steps": 1}, "steps"),
    ],
)
def test_invalid_settings_are_an_error(change, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Blocks(**SECTION | change)
