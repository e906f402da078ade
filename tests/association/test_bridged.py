"""Estimates with doubly labelled clips, side by side."""

import numpy as np
import pandas as pd
import pytest

from sslmepr import params as parameters
from sslmepr.association.bridged import bridged_associations, side_by_side
from sslmepr.association.cross_source import cross_source
from sslmepr.association.cross_table import CrossAssociations, cell_table
from sslmepr.association.prediction_powered import combined, prediction_powered
from sslmepr.association.scores import Scores
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.training.clips import StudyClips

SETTINGS = parameters.load()
SETTINGS = SETTINGS.model_copy(
    update={"association": SETTINGS.association.model_copy(update={"resamples": 200})}
)
CLIPS = 200


@pytest.fixture(scope="module")
def study():
    """Scores of three corpora, clips as training sees them, and all predictions."""
    rng = np.random.default_rng(0)
    joint = np.eye(11)
    joint[3, 6:] = joint[6:, 3] = 0.3
    scores, parts, labels = [], [], []
    roles = SETTINGS.roles
    names = (roles.emotion, roles.personality, roles.held_out)
    for place, name in enumerate(names):
        latents = rng.multivariate_normal(np.zeros(11), joint, CLIPS)
        both = np.hstack([latents[:, :6] > 0.5, latents[:, 6:]]).astype(float)
        values = latents[:, None] + 0.7 * rng.standard_normal((CLIPS, 3, 11))
        speakers = np.array([f"{place}-{n}" for n in range(CLIPS)])
        known = [both[:, :6], both[:, 6:], None][place]
        there = np.ones((CLIPS, 3), bool)
        scores.append(Scores(values[..., :6], values[..., 6:], there, speakers, known))
        clip_ids = [f"c{n}" for n in range(CLIPS)]
        parts.append(pd.DataFrame({"corpus": name, "part": name, "clip_id": clip_ids}))
        labels.append(both)
    table = pd.concat(parts, ignore_index=True)
    nothing = {"emotion": np.full((3 * CLIPS, 7), np.nan, np.float32)}
    nothing["personality"] = np.full((3 * CLIPS, 5), np.nan, np.float32)
    nothing["emotion"][:CLIPS] = 0
    nothing["personality"][CLIPS : 2 * CLIPS] = 0
    clips = StudyClips(table, nothing, list(names))
    found = cross_source(scores[0], scores[1], scores[2:])
    cells = cell_table(found, SETTINGS.association, SETTINGS.seed)
    crossed = CrossAssociations(cells, cells, found, scores)
    wide = pd.DataFrame(labels[2], columns=[*SCORED_EMOTIONS, *TRAITS])
    told = wide.assign(corpus=names[2], clip_id=[f"c{n}" for n in range(CLIPS)])
    predictions = told.melt(["corpus", "clip_id"], var_name="target", value_name="true")
    return crossed, predictions, clips, labels[2]


def test_three_estimates_of_each_pair_stand_together(study):
    crossed, predictions, clips, labels = study
    bridged = bridged_associations(crossed, predictions, clips, SETTINGS)
    assert bridged.refused == "" and len(bridged.table) == 90
    powered = prediction_powered(crossed.scores, labels)
    both = combined(crossed.estimate, powered)
    parts = bridged.table.groupby("source", sort=False)["r"]
    expected = [crossed.estimate, powered, both]
    for (_, values), each in zip(parts, expected, strict=True):
        np.testing.assert_allclose(values, each.associations.ravel())
    shown = side_by_side(bridged.table)
    assert shown["source"].tolist()[:3] == [
        *("cross_source", "prediction_powered", "combined")
    ]
    assert shown["trait"].tolist()[:4] == ["openness"] * 3 + ["conscientiousness"]
    (check,) = bridged.check.itertuples()
    change = crossed.estimate.associations - powered.associations
    assert check.assumption == "labels" and check.verdict == "holds"
    assert check.estimate == pytest.approx(np.sqrt((change**2).mean()))
    assert 0 < check.p <= 1
    width = bridged.table["high"] - bridged.table["low"]
    mean = width.groupby(bridged.table["source"]).mean()
    assert mean["combined"] < min(mean["cross_source"], mean["prediction_powered"])


def test_without_labels_of_both_kinds_it_says_why(study):
    crossed, predictions, clips, _ = study
    half = predictions[predictions["target"].isin(TRAITS)]
    table, refused, _ = bridged_associations(crossed, half, clips, SETTINGS)
    assert table.empty and refused.startswith("0 people have clips with both labels")
    table, refused, _ = bridged_associations(None, predictions, clips, SETTINGS)
    assert table.empty and "no scored corpus" in refused
    shown = side_by_side(table)
    assert shown.empty and {"emotion", "source", "r"} <= {*shown.columns}
