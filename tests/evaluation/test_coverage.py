"""Coverage for one person of the trained study, computed anew from its parts."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from sslmepr.evaluation.cells import measured_cells
from sslmepr.evaluation.coverage import (
    ALL_TARGETS,
    COLUMNS,
    _emotions,
    _traits,
    levels,
    person_coverage,
)
from sslmepr.evaluation.true_labels import read_true_clips
from sslmepr.labels import EMOTION_COLUMNS, SCORED_EMOTIONS, TRAIT_COLUMNS, TRAITS
from sslmepr.statistics.conformal import half_width
from sslmepr.training.calibration import Calibration, CalibrationClips
from sslmepr.training.new_clips import StudyModels


@pytest.fixture(scope="module")
def measured(trained, small_params):
    """(calibration, table) of the default variant."""
    data_folder, folder, _, _ = trained
    clips = read_true_clips(small_params, data_folder)
    cells = list(measured_cells(small_params, clips))
    return person_coverage(small_params, clips, cells, "multitask", folder, data_folder)


def as_new(trained, corpus, split):
    """Labels of clips, and their predictions by the models, as pandas reads them."""
    data_folder, folder, _, _ = trained
    table = pd.read_parquet(data_folder / corpus / "corpus" / "clips.parquet")
    table = table[table["split"] == split].reset_index(drop=True)
    models = StudyModels(folder, folder / "fusion" / "multitask", "cpu")
    features = data_folder / corpus / "features"
    predicted = models.predict(table["clip_id"].tolist(), features)
    return table, {task: values.mean(0) for task, values in predicted.items()}


def test_a_table_for_every_level_and_split(measured, small_params):
    _, table = measured
    assert list(table.columns) == COLUMNS
    assert levels(small_params) == [0.8, 0.95]
    shown = table.groupby(["corpus", "split", "nominal"])["metric"].unique()
    sets = {"coverage_present", "coverage_absent", "undecided"}
    found = {key: {*metrics} for key, metrics in shown.items()}
    # Six people of dev are enough for 80 %, not for 95 %.
    assert found == {
        ("personality", "dev", 0.8): {"half_width", "guess_half_width"},
        ("personality", "dev", 0.95): {"half_width", "guess_half_width"},
        ("personality", "test", 0.8): {"coverage", "interval_width"},
        ("joint", "all", 0.8): {"coverage", "interval_width"} | sets,
        ("joint", "all", 0.95): sets,
        ("emotion", "test", 0.8): sets,
        ("emotion", "test", 0.95): sets,
    }
    wide = table[table["metric"].str.endswith("half_width")]
    assert np.isinf(wide.loc[wide["nominal"] == 0.95, "estimate"]).all()
    undecided = table[(table["nominal"] == 0.95) & (table["metric"] == "undecided")]
    assert (undecided["estimate"] == 1).all()


def test_traits_are_covered_as_counted_by_hand(trained, measured):
    dev, predicted = as_new(trained, "personality", "dev")
    test, answers = as_new(trained, "personality", "test")
    _, table = measured
    mine = table[(table["corpus"] == "personality") & (table["nominal"] == 0.8)]
    mine = mine.set_index(["metric", "target"])
    held = {}
    for place, (name, column) in enumerate(zip(TRAITS, TRAIT_COLUMNS, strict=True)):
        true = dev[column].astype(np.float32)
        width = half_width(
            true, predicted["personality"][:, place], dev["speaker_id"], 0.8
        )
        assert mine.loc[("half_width", name), "estimate"] == pytest.approx(width)
        guess = answers["personality"][:, place]
        held[name] = (test[column] - guess).abs() <= width
        share = held[name].groupby(test["speaker_id"]).mean()
        row = mine.loc[("coverage", name)]
        assert row["estimate"] == pytest.approx(share.mean())
        assert (row["n"], row["n_speakers"]) == (len(test), len(share))
        ends = np.clip(guess + width, 0, 1) - np.clip(guess - width, 0, 1)
        mean = pd.Series(ends).groupby(test["speaker_id"]).mean().mean()
        assert mine.loc[("interval_width", name), "estimate"] == pytest.approx(mean)
    every = mine.loc[("coverage", ALL_TARGETS)]
    mean = pd.DataFrame(held).mean(axis=1).groupby(test["speaker_id"]).mean().mean()
    assert every["estimate"] == pytest.approx(mean) and every["targets"] == 5
    # Wilson (1927), with people as units.
    n, z = every["n_speakers"], norm.isf(0.025)
    middle = (mean + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z * np.sqrt(mean * (1 - mean) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    found = every[["low", "high"]].to_numpy(float)
    assert found == pytest.approx([middle - reach, middle + reach])


def test_emotions_are_covered_as_counted_by_hand(trained, measured):
    dev, predicted = as_new(trained, "emotion", "dev")
    test, answers = as_new(trained, "emotion", "test")
    _, table = measured
    mine = table[(table["corpus"] == "emotion") & (table["nominal"] == 0.8)]
    mine = mine.set_index(["metric", "target"])["estimate"]
    seen = 0
    for place, name in enumerate(SCORED_EMOTIONS, 1):
        column = EMOTION_COLUMNS[place]
        chance = {
            "dev": predicted["emotion"][:, place],
            "test": answers["emotion"][:, place],
        }
        without, shows = dev[column] == 0, test[column] > 0
        people = [dev.loc[rows, "speaker_id"].nunique() for rows in (without, ~without)]
        highest, lowest = np.inf, -np.inf
        if people[0] >= 4:
            highest = half_width(
                chance["dev"][without],
                np.zeros(without.sum()),
                dev.loc[without, "speaker_id"],
                0.8,
            )
        if people[1] >= 4:
            lowest = 1 - half_width(
                np.ones((~without).sum()),
                chance["dev"][~without],
                dev.loc[~without, "speaker_id"],
                0.8,
            )
        absent = chance["test"] <= highest
        present = chance["test"] >= lowest - 1e-12
        neither = ~absent & ~present
        nearer = np.full(len(test), True)
        if neither.any():
            nearer = chance["test"] - highest < lowest - chance["test"]
        absent, present = absent | neither & nearer, present | neither & ~nearer
        both = absent & present
        for metric, rows, held in (
            ("coverage_present", shows, present),
            ("coverage_absent", ~shows, absent),
            ("undecided", shows | ~shows, both),
        ):
            if rows.any():
                share = pd.Series(held)[rows].groupby(test["speaker_id"][rows]).mean()
                assert mine[metric, name] == pytest.approx(share.mean()), (metric, name)
                seen += 1
    assert seen == len(mine)


def test_a_hundred_people_are_covered_as_promised(small_params):
    """Calibrated on people who are drawn like those that are measured."""
    rng = np.random.default_rng(5)

    def drawn(people, clips):
        speakers = np.repeat(np.arange(people), clips)
        level = rng.normal(0, 0.1, (people, 5))[speakers]
        guess = rng.uniform(0.3, 0.7, (len(speakers), 5))
        true = guess + level + rng.normal(0, 0.05, guess.shape)
        shown = rng.random((len(speakers), 7)) < 0.3
        chance = 1 / (1 + np.exp(-rng.normal(1.2 * shown - 0.6, 1)))
        return speakers, {"personality": (true, guess), "emotion": (shown, chance)}

    speakers, known = drawn(200, 2)
    tasks = {
        task: CalibrationClips(
            "drawn", "dev", speakers.tolist(), true.tolist(), guess.tolist()
        )
        for task, (true, guess) in known.items()
    }
    calibration = Calibration(tasks, {})
    speakers, new = drawn(1000, 1)
    for measure, task in ((_traits, "personality"), (_emotions, "emotion")):
        rows = measure(*new[task], speakers, calibration, 0.8, small_params)
        shares = [row[2] for row in rows if row[0].startswith("coverage")]
        assert len(shares) == (6 if task == "personality" else 12)
        # The calibration has a standard error of about 0.03 to 0.04 of its own.
        assert np.mean(shares) == pytest.approx(0.8, abs=0.04)
        assert np.ptp(shares) < 0.2


def test_without_clips_outside_dev_only_widths_are_told(trained, small_params):
    data_folder, folder, _, _ = trained
    clips = read_true_clips(small_params, data_folder)
    cells = [c for c in measured_cells(small_params, clips) if c.split == "dev"]
    arguments = small_params, clips, cells
    calibration, table = person_coverage(
        *arguments, "emotion_only", folder, data_folder
    )
    assert table.empty and set(calibration.tasks) == {"emotion"}
    _, table = person_coverage(*arguments, "multitask", folder, data_folder)
    assert set(table["split"]) == {"dev"} and len(table) == 2 * 2 * 5
