"""Tables in which no modality stands on both sides."""

import numpy as np
import pandas as pd
import pytest

from sslmepr.association.correlation import association
from sslmepr.association.disjoint_modalities import disjoint_tables, divided_tables
from sslmepr.association.sources import DISJOINT
from sslmepr.labels import SCORED_EMOTIONS, TARGETS, TRAITS
from sslmepr.training.probes import Linear

SETTINGS = {"resamples": 200, "confidence": 0.95, "correction": "fdr_bh", "alpha": 0.05}


def predictions(evidence):
    """Stage-2 predictions from modality to logits (clip, emotion and trait)."""
    targets = [*TARGETS["emotion"], *TRAITS]
    parts = [
        pd.DataFrame(1 / (1 + np.exp(-values)), columns=targets)
        .rename_axis("clip_id")
        .rename(index="clip-{}".format)
        .melt(var_name="target", value_name="predicted", ignore_index=False)
        .reset_index()
        .assign(stage="crosstask", modality=modality, split="test")
        for modality, values in evidence.items()
    ]
    return pd.concat(parts, ignore_index=True)


def speakers(count):
    return pd.Series(
        [f"s{n}" for n in range(count)], [f"clip-{n}" for n in range(count)]
    )


def refits(evidence):
    """A table of refits from a list of modality to logits."""
    targets = [*TARGETS["emotion"], *TRAITS]
    parts = [
        pd.DataFrame(values, columns=targets).assign(
            clip_id=[f"clip-{n}" for n in range(len(values))],
            modality=modality,
            refit=number,
        )
        for number, refit in enumerate(evidence)
        for modality, values in refit.items()
    ]
    columns = ["clip_id", "modality", "refit", *targets]
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame([], columns=columns)
    )


NONE = refits([])


def draw(rng, clips, modalities, shared=0.0):
    """Evidence of unrelated emotions and traits; `shared` errors in each modality."""
    evidence = {}
    for name in modalities:
        values = rng.standard_normal((clips, 12))
        evidence[name] = values + shared * rng.standard_normal((clips, 1))
    return evidence


def test_every_split_is_a_row_and_no_modality_is_on_both_sides():
    rng = np.random.default_rng(0)
    evidence = draw(rng, 6, ["face", "audio", "text"])
    table, others = disjoint_tables(predictions(evidence), NONE, speakers(6))
    assert len(table) == 6 * (2**3 - 2) and others == []
    # The fourth division: face against audio and text.
    first = table.iloc[2 * 6 : 3 * 6]
    happy = 1 + SCORED_EMOTIONS.index("happiness")
    expected = evidence["face"][:, happy]
    np.testing.assert_allclose(
        first["emotion_happiness"], expected - expected.mean(), atol=1e-6
    )
    expected = evidence["audio"][:, 7] + evidence["text"][:, 7]
    np.testing.assert_allclose(
        first["trait_openness"], expected - expected.mean(), atol=1e-6
    )


def test_clips_that_lack_a_modality_or_trained_the_predictors_are_left_out():
    table = predictions(draw(np.random.default_rng(1), 5, ["face", "text"]))
    lost = (table["modality"] == "text") & (table["clip_id"] == "clip-2")
    training = table["clip_id"] == "clip-1"
    table.loc[training, "split"] = "train"
    found = disjoint_tables(table[~lost], NONE, speakers(5)).table
    assert set(found["clip_id"]) == {"clip-0", "clip-3", "clip-4"}
    table["split"] = "train"
    assert disjoint_tables(table, NONE, speakers(5)) is None


def test_one_modality_cannot_be_divided():
    table = predictions(draw(np.random.default_rng(1), 5, ["text"]))
    assert disjoint_tables(table, NONE, speakers(5)) is None


@pytest.mark.parametrize("seed", range(3))
def test_errors_that_a_modality_shares_make_no_association(seed):
    """Where one table of all modalities finds every cell, disjoint ones find none."""
    rng = np.random.default_rng(seed)
    evidence = draw(rng, 200, ["face", "audio", "text"], shared=1.5)
    table = disjoint_tables(predictions(evidence), NONE, speakers(200)).table
    found = association(table, DISJOINT, **SETTINGS, seed=0, levels=("clip",))
    assert found["significant"].mean() <= 0.05
    assert (found["n"] == 200).all() and (found["n_speakers"] == 200).all()
    total = sum(evidence.values())
    naive = np.corrcoef(total[:, 1:], rowvar=False)[:6, 6:]
    assert (np.abs(naive) > 0.4).all()


def test_what_all_modalities_say_is_found():
    rng = np.random.default_rng(4)
    truth = rng.standard_normal((300, 1))
    evidence = {n: e + truth for n, e in draw(rng, 300, ["face", "text"]).items()}
    table = disjoint_tables(predictions(evidence), NONE, speakers(300)).table
    found = association(table, DISJOINT, **SETTINGS, seed=0, levels=("clip",))
    # Each side is the truth with noise of the same size: r = 1 / (1 + 1).
    assert found["r"].mean() == pytest.approx(0.5, abs=0.05)
    assert found["significant"].all()


def test_refits_are_divided_as_the_predictions_are():
    rng = np.random.default_rng(6)
    evidence = [draw(rng, 8, ["face", "text"]) for _ in range(3)]
    written = refits(evidence[1:]).sample(frac=1, random_state=0)
    table, others = disjoint_tables(predictions(evidence[0]), written, speakers(8))
    for given, found in zip(evidence[1:], others, strict=True):
        expected = disjoint_tables(predictions(given), NONE, speakers(8)).table
        pd.testing.assert_frame_equal(found, expected)
    assert list(table["clip_id"]) == list(others[0]["clip_id"])


def few_clips(rng, clips, maps):
    """Unrelated emotions and traits, and three modalities that also show looks."""
    emotion, trait = rng.standard_normal((clips, 7)), rng.standard_normal((clips, 5))
    looks = rng.standard_normal((clips, 10))
    features = {
        name: np.hstack([emotion, trait, 2 * looks]) @ mixing
        + 2 * rng.standard_normal((clips, 22))
        for name, mixing in maps.items()
    }
    return features, emotion, trait


def test_chance_of_the_training_clips_makes_no_association():
    """In worlds where nothing is related, but modalities share a person's looks."""
    plain, informed = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        maps = {n: rng.standard_normal((22, 22)) for n in ("face", "body", "scene")}
        training = {
            "emotion": few_clips(rng, 80, maps)[:2],
            "personality": few_clips(rng, 80, maps)[::2],
        }
        features = few_clips(rng, 240, maps)[0]
        first = {name: np.zeros((240, 12)) for name in maps}
        again = [{name: np.zeros((240, 12)) for name in maps} for _ in range(20)]
        for task, side in (("emotion", slice(7)), ("personality", slice(7, 12))):
            given, true = training[task]
            scale = 0.3 + 0.1 * true if task == "personality" else true > 0.5
            for name in maps:
                model = Linear(task, given[name], 1.0 * scale, [], [])
                drawn = model.refitted(range(80), 20, seed)
                probes = [model.probe(), *drawn]
                for each, (weights, bias) in zip([first, *again], probes, strict=True):
                    each[name][:, side] = features[name] @ weights.T + bias
        tables = disjoint_tables(predictions(first), refits(again), speakers(240))
        for shares, others in ((plain, []), (informed, tables.refits)):
            found = association(
                tables.table,
                DISJOINT,
                **SETTINGS,
                seed=0,
                levels=("clip",),
                refits=others,
            )
            shares.append(found["significant"].mean())
    assert np.mean(plain) > 0.1
    assert np.mean(informed) <= 0.05


def test_arrays_give_the_tables_of_predictions():
    rng = np.random.default_rng(4)
    count, modalities = 7, ("face", "audio", "text")
    evidence = {m: rng.normal(0, 8, (count, 12)) for m in modalities}  # some are cut
    again = [{m: rng.normal(0, 8, (count, 12)) for m in modalities} for _ in range(2)]
    expected = disjoint_tables(predictions(evidence), refits(again), speakers(count))
    found = divided_tables(
        np.stack([evidence[m][:, 1:] for m in modalities]),
        np.stack([[each[m][:, 1:] for m in modalities] for each in again]),
        [f"clip-{n}" for n in range(count)],
        [f"s{n}" for n in range(count)],
    )
    pd.testing.assert_frame_equal(found.table, expected.table)
    for mine, theirs in zip(found.refits, expected.refits, strict=True):
        pd.testing.assert_frame_equal(mine, theirs)
