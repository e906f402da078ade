"""Stage 2's model: frozen stage 1, both outputs, padding."""

import json
from dataclasses import asdict, replace

import pytest
import torch
import torch.nn.functional as F

from sslmepr.models.crosstask import CrosstaskConfig, CrosstaskModel
from sslmepr.models.unimodal import UnimodalConfig

FIRST = UnimodalConfig("emotion", 6, 16, "mamba", 1, state=4, heads=2, dropout=0.2)
OTHER = replace(FIRST, task="personality", hidden=8, block="transformer")
CONFIG = CrosstaskConfig(FIRST, OTHER, hidden=12, layers=2, heads=3, dropout=0.1)


def batch(clips=16, steps=6):
    random = torch.Generator().manual_seed(2)
    values = torch.randn(clips, steps, 6, generator=random)
    lengths = torch.randint(1, steps + 1, (clips, 1), generator=random)
    return values, torch.arange(steps) < lengths


def model(config=CONFIG):
    torch.manual_seed(0)
    return CrosstaskModel(config).freeze_encoders()


def awake(net, *heads):
    """`net` with heads that have something to say, as after training."""
    for part in heads or (net.emotion_head, net.trait_head):
        torch.nn.init.normal_(part[-1].weight)
        torch.nn.init.normal_(part[-1].bias)
    return net


def offset_logits():
    random = torch.Generator().manual_seed(4)
    sizes = {"emotion": 7, "personality": 5}
    return {t: torch.randn(16, n, generator=random) for t, n in sizes.items()}


def test_output():
    out = model().eval()(*batch())
    assert out.emotion_embedding.shape == out.personality_embedding.shape == (16, 12)
    assert out.emotion_logits.shape == (16, 7) and out.trait_scores.shape == (16, 5)
    assert ((out.trait_scores > 0) & (out.trait_scores < 1)).all()


@pytest.mark.parametrize("train", [False, True])
def test_initial_output_is_that_of_stage_1(train):
    net = model()
    awake(net, net.emotion_encoder.head, net.personality_encoder.head)
    net.train(train)
    for given in ({}, offset_logits(), {"personality": offset_logits()["personality"]}):
        out = net(*batch(), given)
        first = net.emotion_encoder(*batch(), given.get("emotion"))
        other = net.personality_encoder(*batch(), given.get("personality"))
        assert torch.equal(out.emotion_logits, first.logits)
        assert torch.equal(out.trait_scores, other.predicted)


def test_heads_correct_the_logits_of_stage_1():
    net = awake(model().eval())
    awake(net, net.emotion_encoder.head, net.personality_encoder.head)
    given = offset_logits()
    out = net(*batch(), given)
    both = torch.cat([out.emotion_embedding, out.personality_embedding], 1)
    first = net.emotion_encoder
    logits = first(*batch(), given["emotion"]).logits
    torch.testing.assert_close(out.emotion_logits, logits + net.emotion_head(both))
    first = net.personality_encoder
    logits = first(*batch(), given["personality"]).logits + net.trait_head(both)
    torch.testing.assert_close(out.trait_scores, 1 / (1 + (-logits).exp()))


def test_offset_logits_replace_the_probes_and_not_the_embeddings():
    net = awake(model().eval())
    own, out = net(*batch()), net(*batch(), offset_logits())
    assert torch.equal(out.emotion_embedding, own.emotion_embedding)
    assert torch.equal(out.personality_embedding, own.personality_embedding)
    for encoder in (net.emotion_encoder, net.personality_encoder):
        torch.nn.init.constant_(encoder.probe.weight, torch.nan)
    for a, b in zip(net(*batch(), offset_logits()), out, strict=True):
        assert torch.equal(a, b)


def test_each_task_depends_on_the_other():
    net = model().eval()
    before = net(*batch())
    with torch.no_grad():
        for p in net.personality_encoder.encoder.project.parameters():
            p.add_(0.5 * torch.randn_like(p))
    after = net(*batch())
    assert (before.emotion_embedding - after.emotion_embedding).abs().max() > 1e-3


def test_frozen_encoders_have_no_gradient_and_no_dropout():
    net = model()
    awake(net, net.emotion_encoder.head).train()
    values, mask = batch()
    first, second = (net.emotion_encoder(values, mask).logits for _ in range(2))
    assert torch.equal(first, second)
    out = net(values, mask)
    (out.emotion_logits.sum() + out.trait_scores.sum()).backward()
    for name, p in net.named_parameters():
        if "_encoder." in name:
            assert p.grad is None
        else:
            assert p.grad is not None and p.grad.isfinite().all(), name
    net.eval().train()
    assert net.to_emotion.training and not net.emotion_encoder.training


@pytest.mark.parametrize("fill", [0.0, 3.0, float("nan")])
def test_padding_changes_nothing(fill):
    net = awake(model().eval())
    values, mask = batch(steps=6)
    alone = net(values, mask)
    values = values.masked_fill(~mask[..., None], fill)
    longer = net(F.pad(values, (0, 0, 0, 3), value=fill), F.pad(mask, (0, 3)))
    for a, b in zip(alone, longer, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


def test_it_can_overfit_a_few_clips():
    net = model(replace(CONFIG, hidden=24, dropout=0.0))
    values, mask = batch()
    traits, emotions = torch.rand(16, 5), torch.rand(16, 7).round()
    parameters = [p for p in net.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(parameters, 5e-3)
    losses = []
    for _ in range(60):
        out = net(values, mask)
        loss = F.binary_cross_entropy_with_logits(out.emotion_logits, emotions)
        losses.append(loss + (out.trait_scores - traits).abs().mean())
        optimiser.zero_grad()
        losses[-1].backward()
        optimiser.step()
    assert losses[-1] < 0.4 * losses[0]


def test_autocast():
    net = model().train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(*batch())
    assert out.emotion_logits.dtype == out.trait_scores.dtype == torch.float32
    assert all(tensor.isfinite().all() for tensor in out)


def test_config_survives_json():
    again = CrosstaskConfig(**json.loads(json.dumps(asdict(CONFIG))))
    assert again == CONFIG


@pytest.mark.parametrize(
    "change, message",
    [
        ({"emotion": OTHER}, "emotion"),
        ({"personality": replace(OTHER, features=5)}, "features"),
        ({"heads": 5}, "heads=5"),
    ],
)
def test_config_errors_name_the_field(change, message):
    with pytest.raises(ValueError, match=message):
        replace(CONFIG, **change)
