import numpy as np
import pandas as pd
import pytest

from sslmepr.association.study_associations import (
    Evaluated,
    resample,
    study_associations,
    study_tables,
    variant_predictions,
)
from sslmepr.labels import SCORED_EMOTIONS, TRAITS

NO_REFITS = pd.DataFrame(columns=["modality", "corpus", "clip_id", "refit"])


def predictions(rng, corpus, with_emotions, with_traits, clips=12):
    parts = []
    for targets, known in ((SCORED_EMOTIONS, with_emotions), (TRAITS, with_traits)):
        for target in targets:
            true = rng.random(clips) if known else np.full(clips, np.nan)
            parts.append(
                pd.DataFrame(
                    {
                        "clip_id": [f"{corpus}-{clip}" for clip in range(clips)],
                        "corpus": corpus,
                        "split": "test",
                        "stage": "fusion",
                        "modality": "fused",
                        "variant": "multitask",
                        "seed": 0,
                        "target": target,
                        "predicted": rng.random(clips),
                        "true": true,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def test_unknown_variant_lists_the_known():
    table = predictions(np.random.default_rng(0), "x", True, True)
    with pytest.raises(ValueError, match="variants: multitask"):
        variant_predictions(table, "nonsense", "x")


def test_every_corpus_gives_what_it_can(tiny):
    rng = np.random.default_rng(1)
    table = pd.concat(
        [predictions(rng, "a", True, False), predictions(rng, "b", False, True)]
    )
    speakers = {
        name: pd.Series(
            [f"s{clip % 6}" for clip in range(12)],
            index=[f"{name}-{clip}" for clip in range(12)],
        )
        for name in "ab"
    }
    evaluated = Evaluated(table, NO_REFITS)
    found, draws = study_associations(evaluated, speakers, "multitask", tiny)
    assert found.groupby(["corpus", "source"]).size().to_dict() == {
        ("a", "true_x_predicted"): 90,
        ("a", "predicted_x_predicted"): 90,
        ("b", "predicted_x_true"): 90,
        ("b", "predicted_x_predicted"): 90,
    }
    mine = table[(table.corpus == "a")].set_index(["target", "clip_id"])
    cell = found.query(
        "corpus == 'a' and source == 'true_x_predicted' and level == 'clip' "
        "and emotion == 'anger' and trait == 'openness'"
    )
    anger, openness = mine.loc["anger", "true"], mine.loc["openness", "predicted"]
    expected = np.corrcoef(anger, openness)[0, 1]
    assert cell["r"].item() == pytest.approx(expected)


def test_draws_are_those_of_every_table(tiny):
    table = predictions(np.random.default_rng(2), "a", True, False)
    names = [f"a-{clip}" for clip in range(12)]
    evaluated = Evaluated(table, NO_REFITS)
    speakers = {"a": pd.Series(names, names)}
    found, draws = study_associations(evaluated, speakers, "multitask", tiny)
    kinds = found[["corpus", "source"]].drop_duplicates()
    assert list(draws) == [*kinds.itertuples(index=False, name=None)]
    for corpus, source, tables in study_tables(evaluated, speakers, "multitask"):
        expected = resample(tables, tiny)
        assert len(expected) == 30 * 12  # each of few speakers left out once
        pd.testing.assert_frame_equal(draws[corpus, source], expected)


def test_two_speakers_are_left_out():
    table = predictions(np.random.default_rng(3), "a", True, True)
    names = [f"a-{clip}" for clip in range(12)]
    speakers = {"a": pd.Series([f"s{clip % 2}" for clip in range(12)], names)}
    found = study_tables(Evaluated(table, NO_REFITS), speakers, "multitask")
    assert not list(found)
