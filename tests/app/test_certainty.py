from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sslmepr.app.certainty import (
    Certainty,
    Nearness,
    ceilings,
    distances,
    usual_errors,
)
from sslmepr.app.report import joined
from sslmepr.corpora.schema import COLUMNS, write_clips
from sslmepr.features import FeatureStore, write_store
from sslmepr.labels import TARGET_COLUMNS
from sslmepr.training.batches import Standardisation, append_log_length

FEATURES = 3


@pytest.fixture
def statistics(rng):
    return Standardisation(
        rng.normal(0, 1, FEATURES + 1).astype(np.float32),
        rng.uniform(0.5, 2, FEATURES + 1).astype(np.float32),
    )


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def write(folder, rng, clips, modality="face"):
    """A store of clips of one to `len(clips)` steps; its sequences."""
    sequences = {
        clip: rng.normal(0, 2, (place + 1, FEATURES)).astype(np.float16)
        for place, clip in enumerate(clips)
    }
    write_store(folder, modality, sequences.items(), "noise", "0")
    return sequences


def models(statistics):
    return SimpleNamespace(unimodal={"face": SimpleNamespace(statistics=statistics)})


def by_hand(values, statistics):
    longer = append_log_length(values.astype(np.float32), len(values))
    return np.sqrt(np.mean(statistics.apply(longer) ** 2))


def test_distances_are_those_of_each_clip_alone(tmp_path, rng, statistics, monkeypatch):
    sequences = write(tmp_path, rng, list("abcde"))
    expected = [by_hand(each, statistics) for each in sequences.values()]
    store = FeatureStore.open(tmp_path, "face")
    for block in (2, 1000):
        monkeypatch.setattr("sslmepr.app.certainty.BLOCK_STEPS", block)
        np.testing.assert_allclose(distances(store, statistics), expected, rtol=1e-5)


def test_a_store_without_clips_has_no_distances(tmp_path, statistics):
    write_store(tmp_path, "face", [], "noise", "0", feature_count=FEATURES)
    assert len(distances(FeatureStore.open(tmp_path, "face"), statistics)) == 0


@pytest.fixture
def data_folder(tmp_path, settings, rng):
    """Corpora of four clips, of which the last is for dev, with features of faces."""
    roles, sequences = settings.roles, {}
    for corpus in (roles.emotion, roles.personality, roles.held_out):
        names = [f"{corpus}-{number}" for number in range(4)]
        table = pd.DataFrame({"clip_id": names, "speaker_id": names})
        table["split"] = [*["train"] * 3, "dev"]
        table = table.reindex(columns=list(COLUMNS))
        for columns in TARGET_COLUMNS.values():
            table[list(columns)] = 0.5
        write_clips(table, tmp_path / corpus / "corpus")
        sequences |= write(tmp_path / corpus / "features", rng, names)
    return tmp_path, sequences


def test_clips_that_nothing_was_trained_on_are_what_a_recording_is_compared_with(
    data_folder, settings, statistics, rng, tmp_path
):
    folder, sequences = data_folder
    nearness = Nearness.read(settings, models({"a": statistics}), folder)
    (mine,) = write(tmp_path / "mine", rng, ["recording"]).values()
    roles = settings.roles
    new = [
        by_hand(sequences[f"{corpus}-3"], statistics)
        for corpus in (roles.emotion, roles.personality)
    ]
    (row,) = nearness.table(tmp_path / "mine").itertuples()
    distance = by_hand(mine, statistics)
    assert row.distance == pytest.approx(distance, rel=1e-5)
    assert row.clips == 2 and row.modality == "face"
    assert row.median == pytest.approx(np.median(new), rel=1e-5)
    assert row.nearer == pytest.approx(np.mean(np.array(new) < distance))


def test_standardisation_is_pooled_over_corpora(tmp_path, rng, statistics):
    other = Standardisation(statistics.mean + 1, statistics.deviation * 2)
    both = models({"b": other, "a": statistics})
    (mine,) = write(tmp_path, rng, ["recording"]).values()
    table = Nearness(both, {"face": np.ones(3)}).table(tmp_path)
    expected = by_hand(mine, Standardisation.pooled([statistics, other]))
    assert table["distance"].item() == pytest.approx(expected, rel=1e-5)


def test_without_training_data_nothing_is_said_of_distances(
    settings, statistics, tmp_path
):
    nearness = Nearness.read(settings, models({"a": statistics}), tmp_path)
    table = nearness.table(tmp_path)
    assert table.empty
    content = joined([Certainty([], None, None, table).section()])
    assert "training data is not known" in content and "was not measured" in content


@pytest.mark.parametrize("distance, far", [(0.5, False), (9.0, True)])
def test_a_recording_unlike_the_training_is_told(
    tmp_path, rng, statistics, distance, far
):
    (mine,) = write(tmp_path, rng, ["recording"]).values()
    here = by_hand(mine, statistics)
    training = {"face": np.linspace(0, 2 * here if distance < 1 else 0.5 * here, 200)}
    table = Nearness(models({"a": statistics}), training).table(tmp_path)
    content = joined([Certainty([], None, None, table).section()])
    assert ("Unlike what the models were trained on in face" in content) is far
    assert ("In no modality" in content) is not far


def predictions(**changes):
    """Two seeds, two clips, one emotion and one trait of a held-out corpus."""
    rows = [
        (clip, seed, target, predicted, true)
        for clip, target, true, by_seed in (
            ("a", "anger", 1.0, (0.5, 0.7)),
            ("b", "anger", 0.0, (0.1, 0.3)),
            ("a", "openness", 0.4, (0.5, 0.5)),
            ("b", "openness", np.nan, (0.5, 0.5)),
        )
        for seed, predicted in enumerate(by_seed)
    ]
    columns = ["clip_id", "seed", "target", "predicted", "true"]
    table = pd.DataFrame(rows, columns=columns)
    known = {"stage": "fusion", "variant": "multitask", "corpus": "joint"}
    return table.assign(**(known | changes))


def test_usual_errors_are_those_of_the_mean_over_seeds(tmp_path):
    (tmp_path / "evaluate").mkdir()
    others = [predictions(**{name: "other"}) for name in ("stage", "variant", "corpus")]
    table = pd.concat([predictions(), *(each.assign(true=0) for each in others)])
    table.to_parquet(tmp_path / "evaluate" / "predictions.parquet")
    found = usual_errors(tmp_path, "multitask", "joint")
    # anger: 0.6 - 1 and 0.2 - 0; openness: 0.5 - 0.4 alone
    assert found.index.tolist() == ["anger", "openness"]
    assert found["clips"].tolist() == [2, 1]
    np.testing.assert_allclose(found["error"], [np.sqrt(0.1), 0.1])
    # the errors -0.4 and 0.2 are 0.3 from their mean
    np.testing.assert_allclose(found["difference"], [np.sqrt(2) * 0.3, 0], atol=1e-12)
    assert usual_errors(tmp_path, "none", "joint") is None
    assert usual_errors(tmp_path / "x", "multitask", "joint") is None


def test_the_usual_difference_is_that_of_pairs():
    """Of independent errors, over all pairs of two clips."""
    errors = np.random.default_rng(0).normal(0.3, 0.2, 2000)
    pairs = errors[:1000] - errors[1000:]
    expected = np.sqrt(2) * errors.std()
    assert np.sqrt(np.mean(pairs**2)) == pytest.approx(expected, rel=0.05)


def test_what_could_be_reached_at_most_is_told_where_it_is_known(tmp_path):
    metrics = pd.DataFrame(
        [["m", "WACC", "anger", 0.7, 0.6, 0.8, 30, 20]],
        columns=["variant", "metric", "target", "estimate", "low", "high"]
        + ["n", "n_speakers"],
    ).assign(interval="expanded_percentile")
    assert ceilings(tmp_path) is None
    folder = tmp_path / "evaluate"
    folder.mkdir()
    (folder / "covered.csv").write_text(
        "modality,metric,estimate,ceiling\nface,mWACC,0.5,0.6\nfused,mWACC,0.61,0.9\n"
    )
    found = ceilings(tmp_path)
    assert found["ceiling"].tolist() == [0.9]
    near = pd.DataFrame()
    page = joined([Certainty([], metrics, None, near, found).section()])
    assert "0.61 of 0.90 in balanced accuracy" in page
    assert "at most" not in joined([Certainty([], metrics, None, near).section()])
