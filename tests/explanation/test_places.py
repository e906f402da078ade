"""Where evidence is planted in a clip, and whether an attribution is there."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from drawn_people import draw_into
from plain import plain

from sslmepr.explanation.observer_evidence import LOGIT_PER_PROBIT, observer_evidence
from sslmepr.explanation.places import (
    PARTS_OF_FACE,
    Planted,
    moment_game,
    part_game,
    planted_places,
)
from sslmepr.labels import SCORED_EMOTIONS
from sslmepr.params.simulation import Knobs
from sslmepr.simulation.ideal_observer import Seen, observe_clips


def observed(draw, controls, simulation):
    """Posterior mean of the emotions of the clips, by the simulation's own observer."""
    scales = {name: each.emotion_scale for name, each in simulation.domains.items()}
    seen = Seen(controls, draw.circumstances, draw.domains)
    threshold, frames = simulation.emotion_threshold, simulation.cue_frames
    given = draw.world, draw.channels, seen, scales, threshold, simulation.knobs
    return observe_clips(*given, frames).mean


@pytest.fixture
def knobbed(tiny):
    knobs = Knobs(burst=0.7, reliability=0.5, incongruence=1, missing=0.3)
    changes = {"knobs": knobs, "raters": None, "cue_frames": 4}
    simulation = tiny.simulation.model_copy(update=changes)
    return tiny.model_copy(update={"simulation": simulation})


def test_what_is_planted_is_what_was_drawn(knobbed, tmp_path):
    name, draw, truth, folder = draw_into(tmp_path, knobbed)
    found = planted_places(knobbed, name, folder)
    latents = truth[[f"latent_{each}" for each in SCORED_EMOTIONS]].to_numpy()
    strongest = np.array(SCORED_EMOTIONS)[latents.argmax(1)]
    assert found.clips["target"].tolist() == strongest.tolist()
    assert found.clips["contrary"].tolist() == draw.circumstances.contrary.tolist()
    assert found.clips["onset"].tolist() == draw.circumstances.onset.tolist()
    assert set(found.moments["modality"]) == {"face", "body", "audio"}
    # The evidence of all moments together is that of the clip.
    told = observer_evidence(knobbed, name, folder).evidence
    told = told.set_index(["clip_id", "modality", "target"])["evidence"]
    mean = found.moments.groupby(["clip_id", "modality"])["evidence"].mean()
    targets = found.clips["target"]
    expected = [told[clip, channel, targets[clip]] for clip, channel in mean.index]
    zero = mean.to_numpy() == 0
    ratio = np.array(expected)[~zero] / mean.to_numpy()[~zero]
    by_clip = (
        pd.Series(ratio).groupby(mean.index[~zero].get_level_values(0)).agg(np.ptp)
    )
    assert by_clip.max() < 1e-6
    assert (ratio > LOGIT_PER_PROBIT).all()
    assert zero.any() and (np.array(expected)[zero] == 0).all()


def test_parts_of_the_face_hold_the_evidence_of_their_controls(tiny, tmp_path):
    params = plain(tiny)
    name, draw, _, folder = draw_into(tmp_path, params)
    found = planted_places(params, name, folder)
    assert found.clips["onset"].isna().all() and not found.clips["contrary"].any()
    assert found.moments.empty
    assert set(found.parts["part"]) == set(PARTS_OF_FACE)
    # The posterior mean is linear in the controls: those of the mouth become average.
    channel = draw.channels["face"]
    own = [channel.controls.index(each) for each in PARTS_OF_FACE["mouth"]]
    average = np.array([channel.offset(domain)[own] for domain in draw.domains])
    without = {key: each.copy() for key, each in draw.controls.items()}
    without["face"][:, 0, own] = average
    means = (
        observed(draw, each, params.simulation) for each in (draw.controls, without)
    )
    moved = np.subtract(*means)
    places = [SCORED_EMOTIONS.index(each) for each in found.clips["target"]]
    mouth = found.parts[found.parts["part"] == "mouth"]["evidence"].to_numpy()
    np.testing.assert_allclose(mouth, moved[range(len(moved)), places], atol=1e-6)


def test_real_corpora_have_nothing_planted(tmp_path):
    given = SimpleNamespace(corpus={"real": object()})
    assert planted_places(given, "real", tmp_path) is None


def test_corpora_of_other_parameters_have_nothing_planted(knobbed, tmp_path):
    name, _, truth, folder = draw_into(tmp_path, knobbed)
    simulation = knobbed.simulation.model_copy(update={"seed": 1})
    other = knobbed.model_copy(update={"simulation": simulation})
    assert planted_places(other, name, folder) is None
    truth[:-1].to_parquet(folder / "truth.parquet")
    assert planted_places(knobbed, name, folder) is None


def planted():
    clips = pd.DataFrame(
        {"target": ["anger", "fear"], "contrary": [False, True], "onset": [1, 0]},
        index=pd.Index(["a", "b"], name="clip_id"),
    )
    moments = pd.DataFrame(
        [(c, "audio", m, e) for c in "ab" for m, e in enumerate((0.0, 2.0))],
        columns=["clip_id", "modality", "moment", "evidence"],
    )
    parts = pd.DataFrame(
        [
            (clip, part, float(part == most))
            for clip, most in (("a", "mouth"), ("b", "brows and eyes"))
            for part in PARTS_OF_FACE
        ],
        columns=["clip_id", "part", "evidence"],
    )
    return Planted(clips, moments, parts)


def test_a_step_hits_if_it_lies_in_the_moment_of_the_burst():
    steps = pd.DataFrame(
        [
            *[("a", "audio", step, value) for step, value in enumerate((0, 0, 0, 5))],
            *[("b", "audio", step, value) for step, value in enumerate((0, 0, 0, 5))],
            ("b", "text", 0, 1.0),
        ],
        columns=["clip_id", "modality", "step", "attribution"],
    )
    found = moment_game(steps, planted())
    # Of four steps, the first two lie in the first of two moments.
    assert found.values.tolist() == [
        ["a", "audio", 1.0, 1.0, 0.5],
        ["b", "audio", 0.0, 0.0, 0.5],
    ]


def test_a_part_hits_if_hiding_it_takes_most_from_the_planted_emotion():
    effects = pd.DataFrame(
        [
            (clip, part, target, float(part == "mouth") * (target != "happiness"))
            for clip in "ab"
            for part in PARTS_OF_FACE
            for target in ("anger", "fear", "happiness")
        ],
        columns=["clip_id", "part", "target", "attribution"],
    )
    found = part_game(effects, planted())
    assert found[["clip_id", "what", "hit"]].values.tolist() == [
        ["a", "mouth", 1.0],
        ["b", "brows and eyes", 0.0],
    ]
    assert found["chance"].tolist() == pytest.approx([0.33, 0.44])
