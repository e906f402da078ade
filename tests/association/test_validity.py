"""The assessment of a held-out corpus whose truth is known."""

import numpy as np
import pandas as pd
import pytest

from sslmepr.association.grid import CELLS
from sslmepr.association.sources import BOTH_TRUE, DISJOINT, PREDICTED_EMOTION
from sslmepr.association.study_associations import Evaluated
from sslmepr.association.validity import assess
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.simulation.raters import rated_association
from sslmepr.simulation.world import make_world

CLIPS = 40
NO_REFITS = pd.DataFrame(columns=["modality", "corpus", "clip_id", "refit"])


@pytest.fixture
def world(tiny, tmp_path):
    """(predictions, data folder) of the held-out corpus, one clip per speaker."""
    name = tiny.roles.held_out
    folder = tmp_path / name / "corpus"
    folder.mkdir(parents=True)
    ids = [f"c{n:02}" for n in range(CLIPS)]
    clips = pd.DataFrame({"clip_id": ids, "speaker_id": ids})
    clips.to_parquet(folder / "clips.parquet")
    observer = pd.DataFrame(CELLS, columns=["emotion", "trait"])
    observer = observer.assign(channel="all", recovered=np.arange(30) / 100)
    other = observer.assign(channel="face", recovered=-1.0)
    observer = pd.concat([other, observer.iloc[::-1]])
    observer.to_csv(folder / "ideal_association.csv", index=False)
    rng = np.random.default_rng(0)
    parts = [
        pd.DataFrame(
            {
                "clip_id": ids,
                "target": target,
                "predicted": rng.random(CLIPS),
                "true": rng.random(CLIPS),
            }
        )
        for target in (*SCORED_EMOTIONS, *TRAITS)
    ]
    table = pd.concat(parts, ignore_index=True).assign(
        corpus=name,
        split="test",
        stage="fusion",
        modality="fused",
        variant="multitask",
        seed=0,
    )
    return table, tmp_path


def matrix(table, emotions, traits):
    wide = {
        name: table.pivot(index="clip_id", columns="target", values=name)
        for name in (emotions, traits)
    }
    both = np.corrcoef(
        wide[emotions][list(SCORED_EMOTIONS)].T, wide[traits][list(TRAITS)].T
    )
    return both[:6, 6:].ravel()


@pytest.mark.parametrize(
    ("source", "emotions"), [(BOTH_TRUE, "true"), (PREDICTED_EMOTION, "predicted")]
)
def test_what_is_recovered_is_beside_what_was_planted(tiny, world, source, emotions):
    table, folder = world
    result = assess(tiny, Evaluated(table, NO_REFITS), "multitask", source, folder)
    recovered = matrix(table, emotions, "true")
    assert result.found["r"].to_numpy() == pytest.approx(recovered)
    assert set(result.found["level"]) == {"clip"}
    planted = tiny.simulation.worlds[tiny.corpus[tiny.roles.held_out].world]
    expected = [planted.get(emotion, {}).get(trait, 0.0) for emotion, trait in CELLS]
    cells = result.comparison.set_index(["emotion", "trait"]).loc[CELLS]
    assert cells["planted"].tolist() == expected
    assert cells["recovered"].to_numpy() == pytest.approx(recovered)
    # Of the file's channels, the observer of all of them; its rows are in disorder.
    assert cells["observer"].tolist() == [n / 100 for n in range(30)]
    # The truth is that of the labels: here what raters see, with their halo.
    world = make_world("planted", tiny.simulation.worlds)
    rated = rated_association(world, tiny.simulation.raters).ravel()
    assert np.abs(rated - expected).max() > 0.1
    assert cells["rated"].to_numpy() == pytest.approx(rated)
    covered = (cells["low"] <= rated) & (rated <= cells["high"])
    assert cells["covered"].tolist() == covered.tolist()
    agreement = result.agreement.set_index("metric")["estimate"]
    error = np.sqrt(np.mean((recovered - rated) ** 2))
    assert agreement["rmse"] == pytest.approx(error)
    slope = recovered @ rated / np.square(rated).sum()
    assert agreement["slope"] == pytest.approx(slope)


def test_a_corpus_without_truth_cannot_be_assessed(settings):
    real = settings.for_study("real")
    name = real.roles.held_out
    assert real.corpus[name].source != "simulated"
    with pytest.raises(ValueError, match=f"corpus {name}: its true associations"):
        assess(real, Evaluated(None, None), "multitask", BOTH_TRUE)


def test_one_modality_cannot_be_divided(tiny, world):
    table, folder = world
    single = table.assign(stage="crosstask", modality="face", variant="any")
    with pytest.raises(ValueError, match="fewer than two modalities"):
        assess(tiny, Evaluated(single, NO_REFITS), "multitask", DISJOINT, folder)
