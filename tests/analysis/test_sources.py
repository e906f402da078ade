import numpy as np
import pandas as pd
import pytest

from sslmepr import params
from sslmepr.analysis.sources import (
    Evaluated,
    available_sources,
    study_associations,
    variant_predictions,
)
from sslmepr.labels import SCORED_EMOTIONS, TRAITS


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
                        "variant": "multitask",
                        "seed": 0,
                        "target": target,
                        "predicted": rng.random(clips),
                        "true": true,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(
    ("with_emotions", "with_traits", "expected"),
    [
        (True, False, ["true_x_predicted", "predicted_x_predicted"]),
        (False, True, ["predicted_x_true", "predicted_x_predicted"]),
        (False, False, ["predicted_x_predicted"]),
    ],
)
def test_labels_decide_which_sources_there_are(with_emotions, with_traits, expected):
    table = predictions(np.random.default_rng(0), "x", with_emotions, with_traits)
    assert available_sources(table) == expected


def test_unknown_variant_lists_the_known():
    table = predictions(np.random.default_rng(0), "x", True, True)
    with pytest.raises(ValueError, match="variants: multitask"):
        variant_predictions(table, "nonsense", "x")


def test_every_corpus_gives_what_it_can(pytestconfig):
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
    settings = params.load(pytestconfig.rootpath / "params.yaml").for_study("tiny")
    refits = pd.DataFrame(columns=["modality", "corpus", "clip_id", "refit"])
    evaluated = Evaluated(table, refits)
    found = study_associations(evaluated, speakers, "multitask", settings)
    assert found.groupby(["corpus", "source"]).size().to_dict() == {
        ("a", "true_x_predicted"): 180,
        ("a", "predicted_x_predicted"): 180,
        ("b", "predicted_x_true"): 180,
        ("b", "predicted_x_predicted"): 180,
    }
    mine = table[(table.corpus == "a")].set_index(["target", "clip_id"])
    cell = found.query(
        "corpus == 'a' and source == 'true_x_predicted' and level == 'clip' "
        "and emotion == 'anger' and trait == 'openness'"
    ).set_index("halo")
    anger, openness = mine.loc["anger", "true"], mine.loc["openness", "predicted"]
    expected = np.corrcoef(anger, openness)[0, 1]
    assert cell.loc[False, "r"] == pytest.approx(expected)
    others = np.mean([mine.loc[name, "predicted"] for name in TRAITS[1:]], axis=0)
    left = [y - np.polyval(np.polyfit(others, y, 1), others) for y in (anger, openness)]
    assert cell.loc[True, "r"] == pytest.approx(np.corrcoef(*left)[0, 1])
