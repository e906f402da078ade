import numpy as np
import pandas as pd
import pytest

from sslmepr.association.disjoint_modalities import disjoint_tables
from sslmepr.association.sources import BOTH_PREDICTED, DISJOINT
from sslmepr.labels import EMOTIONS, MODALITIES, SCORED_EMOTIONS, TRAITS
from sslmepr.simulation.world import WorldError
from sslmepr.training.probes import Linear
from sslmepr.trials import power
from sslmepr.trials.drawn import draw_study, signed_world
from sslmepr.trials.params import Power
from sslmepr.trials.power import GROUP, try_power

TINY = Power(
    world="planted",
    features=8,
    strengths=[0.0, 0.3],
    worlds=2,
    clips=[60, 80],
    clips_per_speaker=[1, 2],
)


def small(settings, workers=2):
    return settings.model_copy(
        update={
            "compute": settings.compute.model_copy(update={"workers": workers}),
            "unimodal": settings.unimodal.model_copy(update={"refits": 3}),
            "association": settings.association.model_copy(update={"resamples": 50}),
        }
    )


@pytest.fixture(scope="module")
def cells(settings):
    return try_power(small(settings), TINY, progress=False)


def test_one_number_is_varied_at_a_time_and_the_first_kept(cells):
    found = cells.groupby([*GROUP, "world"], sort=False).size().reset_index()
    assert (found[0] == 30).all() and len(found) == 2 * 3 * 2 * 2
    sizes = found[["clips", "clips_per_speaker"]].drop_duplicates()
    assert sizes.to_numpy().tolist() == [[60, 1], [80, 1], [60, 2]]
    planted = cells.groupby("strength")["planted"].agg(lambda r: sorted(set(abs(r))))
    assert planted.to_dict() == {0.0: [0.0], 0.3: [0.0, 0.3]}


def test_worlds_differ(cells):
    r = cells.pivot_table(
        index=["emotion", "trait"],
        columns=["source", "strength", "clips", "clips_per_speaker", "world"],
        values="recovered",
    )
    assert r.T.drop_duplicates().shape[0] == r.shape[1]


def test_the_number_of_processes_changes_nothing(cells, settings):
    again = try_power(small(settings, workers=1), TINY, progress=False)
    pd.testing.assert_frame_equal(cells, again, check_exact=True)


def test_impossible_worlds_are_an_error(settings):
    strong = TINY.model_copy(update={"strengths": [0.9]})
    with pytest.raises(WorldError, match="planted at 0.9"):
        try_power(small(settings, 1), strong, progress=False)


def test_both_analyses_equal_those_of_the_pipeline(settings):
    """Against regressions fitted here, and the tables made from predictions."""
    params = small(settings)
    world = signed_world(settings.simulation, "planted", 0.3)
    study = draw_study(settings.simulation, world, 60, 2, 8, 0.0, 0).standardised()
    found = power._readings(params, study)
    unseen, parts, sums = study.held_out, [], 0
    for modality in MODALITIES:
        logits = []
        for task in ("emotion", "personality"):
            source, features = study[task], study[task].features[modality]
            true = source.emotions if task == "emotion" else source.traits
            train, dev = source.split == "train", source.split == "dev"
            model = Linear(task, features[train], true[train], features[dev], true[dev])
            weights, bias = model.probe()
            logits.append(unseen.features[modality] @ weights.T + bias)
        logits = np.hstack(logits)
        sums = sums + logits[:, 1:]
        wide = pd.DataFrame(1 / (1 + np.exp(-logits)), columns=[*EMOTIONS, *TRAITS])
        long = wide.assign(clip_id=unseen.clip_ids).melt(
            "clip_id", var_name="target", value_name="predicted"
        )
        parts.append(long.assign(stage="crosstask", modality=modality, split="test"))
    none = pd.DataFrame(
        columns=["modality", "clip_id", "refit", *SCORED_EMOTIONS, *TRAITS]
    )
    speakers = pd.Series(unseen.speaker_ids, unseen.clip_ids)
    expected = disjoint_tables(pd.concat(parts), none, speakers).table
    values = list(expected.columns[2:])
    mine = found[DISJOINT]
    assert mine.table[["clip_id", "speaker_id"]].equals(
        expected[["clip_id", "speaker_id"]]
    )
    assert mine.table[values].to_numpy() == pytest.approx(
        expected[values].to_numpy(), abs=1e-6
    )
    assert len(mine.refits) == 3
    assert found[BOTH_PREDICTED].table[values].to_numpy() == pytest.approx(
        sums, abs=1e-6
    )
    assert found[BOTH_PREDICTED].refits == []
