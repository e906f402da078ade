"""The share of its corrections that a network keeps."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from tiny_fusion import ROLES, data_of

from sslmepr.labels import OURS, TASKS
from sslmepr.models.fusion import FusionConfig, FusionModel
from sslmepr.training.corrections import (
    Kept,
    added_shares,
    choose_believing,
    choose_shares,
)
from sslmepr.training.fusion_clips import FusionClips

CLIPS = 200


def study(emotion=0.25, trait=0.5):
    """All clips of a corpus alike: a share of them shows every emotion."""
    emotions = np.zeros((CLIPS, 7), np.float32)
    emotions[: CLIPS // 2][np.arange(CLIPS // 2) % 100 < 100 * emotion] = 1.0
    emotions[CLIPS // 2 :] = np.nan
    traits = np.full((CLIPS, 5), trait, np.float32)
    traits[: CLIPS // 2] = np.nan
    labels = {"emotion": emotions, "personality": traits}
    present = np.ones((CLIPS, 3), bool)
    return data_of(present, np.random.default_rng(0), labels)


def model(emotion, trait, without=(), keep=()):
    """Late fusion says 0, and heads correct it by a constant."""
    widths = {"face": 3, "text": 3, "audio": 3}
    out = tuple({*OURS, "guide_bank", *without} - set(keep))
    net = FusionModel(FusionConfig(widths, 8, 2, 0.0, without=out, features=widths))
    for each in net.predict_projectors.values():
        torch.nn.init.zeros_(each.linear.weight)
        torch.nn.init.zeros_(each.linear.bias)
    for task, bias in (("emotion", emotion), ("personality", trait)):
        torch.nn.init.zeros_(net.heads[task].weight)
        torch.nn.init.constant_(net.heads[task].bias, bias)
    return net


def test_the_share_that_is_best_on_dev_is_kept():
    data = study(trait=1 / (1 + np.exp(-1.5)))
    known = data.clips.labels["emotion"][data.rows("MOSEI", "dev")]
    best = np.log((known > 0).mean() / (known == 0).mean())
    net = model(2 * best, 2.0)
    found = choose_shares(ROLES, data, net)
    # The likelihood is largest where the constant is the log odds of the labels, the
    # absolute error where it is the logit of the score, 1.5.
    assert found == {
        "emotion": Kept(0.5, None, None),
        "personality": Kept(0.75, None, None),
    }
    assert net.shares.tolist() == [0.5, 0.75]
    output = net(data.batch(data.rows("FIV2")).inputs)
    assert output.emotion_logits[0, 0].item() == pytest.approx(best, rel=1e-5)
    assert output.trait_scores[0, 0].item() == pytest.approx(1 / (1 + np.exp(-1.5)))


def test_a_harmful_correction_is_left_out():
    found = choose_shares(ROLES, study(emotion=0.5), model(1e-2, -2.0))
    assert found["personality"] == Kept(0.0, None, None)


@pytest.mark.parametrize("kept", [0.0, 0.25, 1.0])
def test_the_product_of_experts_is_kept_as_far_as_it_is_right_on_dev(kept):
    """It is blended with late fusion, which says 1.5 of every trait of every clip.

    With the prior I, experts I / 2 and the quality 1/2 of all three modalities, the
    product of experts says 1.75 q / (1 + 0.75 q) = 7/11 of that.
    """
    right = 1.5 * (1 + kept * (7 / 11 - 1))
    data = study(trait=1 / (1 + np.exp(-right)))
    inputs = data.batch(np.arange(CLIPS)).inputs
    scores = torch.full_like(inputs.trait_scores, 1 / (1 + np.exp(-1.5)))
    data = FusionClips(
        data.clips, inputs._replace(trait_scores=scores), torch.device("cpu")
    )
    net = model(0.0, 0.0, keep=["product_of_experts"])
    with torch.no_grad():
        net.experts.usual.fill_(np.log(0.5))
        projector = net.predict_projectors["personality"]
        projector.linear.weight.copy_(torch.eye(5).repeat(1, 3) / 3)
    found = choose_shares(ROLES, data, net)
    assert found["personality"] == Kept(0.0, kept, None)
    output = net(data.batch(data.rows("FIV2")).inputs)
    assert torch.logit(output.trait_scores).flatten().tolist() == pytest.approx(
        [right] * output.trait_scores.numel(), abs=1e-4
    )


@pytest.mark.parametrize("kept", [0.0, 0.5, 1.0])
def test_a_factor_model_is_believed_as_far_as_it_is_right_on_dev(kept):
    """Late fusion says 0 of every trait, the factor model 2."""
    data = study(trait=1 / (1 + np.exp(-2 * kept)))
    net = model(0.0, 0.0, keep=["factor_model"])
    net.factors.awake = True
    said = {
        "emotion": torch.zeros(CLIPS, 7),
        "personality": torch.full((CLIPS, 5), 2.0),
    }
    inputs = data.batch(np.arange(CLIPS)).inputs._replace(factored=said)
    data = FusionClips(data.clips, inputs, torch.device("cpu"))
    choose_believing(ROLES, data, net)
    # Of what an emotion says either way, nothing is believed.
    assert net.believing.tolist() == [0.0, kept]
    found = choose_shares(ROLES, data, net)
    assert found == {
        "emotion": Kept(0.0, None, 0.0),
        "personality": Kept(0.0, None, kept),
    }
    output = net(data.batch(data.rows("FIV2")).inputs)
    assert torch.logit(output.trait_scores).flatten().tolist() == pytest.approx(
        [2 * kept] * output.trait_scores.numel(), abs=1e-4
    )


def test_without_labels_on_dev_a_factor_model_is_not_believed():
    unlabelled = data_of(np.ones((CLIPS, 3), bool), np.random.default_rng(0))
    net = model(0.0, 0.0, keep=["factor_model"])
    choose_believing(ROLES, unlabelled, net)
    assert net.believing.tolist() == [0.0, 0.0]


def test_what_cannot_be_chosen_is_whole():
    network = model(1.0, 1.0, without=["predict_projector"])
    whole = dict.fromkeys(TASKS, Kept(1.0, None, None))
    assert choose_shares(ROLES, study(), network) == whole
    unlabelled = data_of(np.ones((CLIPS, 3), bool), np.random.default_rng(0))
    network = model(1.0, 1.0)
    assert choose_shares(ROLES, unlabelled, network) == whole
    assert network.shares.tolist() == [1.0, 1.0]


def test_what_is_added_to_late_fusion_by_hand():
    """A guide adds to late fusion what it says itself: half of the variance."""
    given = np.random.default_rng(0).standard_normal((CLIPS, 3, 7)).astype(np.float32)
    data = study()
    inputs = data.batch(np.arange(CLIPS)).inputs._replace(
        emotion_logits=torch.from_numpy(given)
    )
    data = FusionClips(data.clips, inputs, torch.device("cpu"))
    net = model(0.0, 1.0)
    start = net.predict_projectors
    net.predict_projectors = copy.deepcopy(start)
    with torch.no_grad():
        start["emotion"].linear.weight.copy_(torch.eye(7).repeat(1, 3))
        # Twice of late fusion: as much is added as was there.
        net.predict_projectors["emotion"].linear.weight.copy_(
            2 * torch.eye(7).repeat(1, 3)
        )
    found = added_shares(ROLES, data, net, start)
    assert found["emotion"] == pytest.approx(0.5, abs=1e-6)
    assert found["personality"] == 0.0  # a constant has no variance
    assert added_shares(ROLES, data, start_of(net), start)["emotion"] is None


def start_of(net):
    """The same network without predict projectors."""
    config = dataclasses.replace(net.config, without=(*OURS, "predict_projector"))
    return FusionModel(config)
