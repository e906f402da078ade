"""Evidence of the ideal observer: its sum is the posterior of the simulation's own."""

import numpy as np
import pytest
from drawn_people import draw_into
from plain import plain

from sslmepr.explanation.observer_evidence import LOGIT_PER_PROBIT, observer_evidence
from sslmepr.params.simulation import Knobs
from sslmepr.simulation.channels import make_channels
from sslmepr.simulation.ideal_observer import Seen, observe_clips
from sslmepr.simulation.world import LATENTS


@pytest.fixture(name="plain")
def plain_params(tiny):
    """Parameters of a world without knobs, where all is linear and Gaussian."""
    return plain(tiny)


@pytest.fixture
def drawn(plain, tmp_path):
    return draw_into(tmp_path, plain)


@pytest.mark.parametrize("doses", [{}, {"reliability": 1, "missing": 0.8}])
def test_evidence_adds_up_to_the_posterior(plain, tmp_path, doses):
    simulation = plain.simulation.model_copy(update={"knobs": Knobs(**doses)})
    params = plain.model_copy(update={"simulation": simulation})
    name, draw, truth, folder = draw_into(tmp_path, params)
    found = observer_evidence(params, name, folder)
    posterior = observe_clips(
        draw.world,
        draw.channels,
        Seen(draw.controls, draw.circumstances, draw.domains),
        {each: domain.emotion_scale for each, domain in simulation.domains.items()},
        simulation.emotion_threshold,
        simulation.knobs,
        simulation.cue_frames,
    )
    total = found.evidence.groupby(["clip_id", "target"])["evidence"].sum().unstack()
    total = total.loc[truth["clip_id"], list(LATENTS)].to_numpy()
    unit = np.full(posterior.mean.shape, simulation.trait_scale)
    unit[:, :6] = LOGIT_PER_PROBIT / posterior.deviation[:, :6]
    np.testing.assert_allclose(total, posterior.mean * unit, atol=1e-6)
    quality = found.precision["quality"]
    assert quality.nunique() == (4 if doses else 1)
    assert doses or (quality == 1).all()
    sums = found.precision.groupby(["clip_id", "task"])["weight"].sum()
    assert sums.to_numpy() == pytest.approx(1)


def test_a_modality_that_is_seen_badly_has_less_weight_and_an_absent_one_none(
    plain, drawn
):
    name, _, truth, folder = drawn
    quality = np.where(np.arange(len(truth)) % 2 == 0, 0.1, 1.0)
    quality[1] = 0.0
    truth.assign(quality_face=quality).to_parquet(folder / "truth.parquet")
    found = observer_evidence(plain, name, folder).precision
    face = found[(found["modality"] == "face") & (found["task"] == "emotion")]
    face = face.set_index("clip_id").loc[truth["clip_id"]]
    assert face["quality"].to_numpy() == pytest.approx(quality)
    channels = make_channels(plain.simulation)
    scale = plain.simulation.domains[truth["domain"].iloc[0]].emotion_scale
    added = {
        each: (channel.loadings(scale)[:, :6] ** 2).sum()
        for each, channel in channels.items()
    }
    added["face"] *= 0.1
    assert face["weight"].iloc[0] == pytest.approx(added["face"] / sum(added.values()))
    assert face["weight"].iloc[1] == 0
    nothing = observer_evidence(plain, name, folder).evidence
    gone = nothing.query("clip_id == 'c1' and modality == 'face'")
    assert (gone["evidence"] == 0).all()


def test_nothing_is_planted_in_recordings(plain, tmp_path):
    assert observer_evidence(plain, "meld", tmp_path) is None
