"""Stage 1's model: what comes out, and that it learns."""

from dataclasses import asdict

import pytest
import torch

from sslmepr.models.sequence import masked_mean
from sslmepr.models.unimodal import UnimodalConfig, UnimodalModel


def config(task="emotion", block="mamba", **changes):
    sizes = {"features": 6, "hidden": 16, "layers": 1, "state": 4, "heads": 2}
    return UnimodalConfig(task, block=block, **sizes | {"dropout": 0.1} | changes)


def batch(clips=16, steps=7):
    random = torch.Generator().manual_seed(1)
    values = torch.randn(clips, steps, 6, generator=random)
    lengths = torch.randint(1, steps + 1, (clips, 1), generator=random)
    return values, torch.arange(steps) < lengths


@pytest.mark.parametrize("task, targets", [("emotion", 7), ("personality", 5)])
def test_output(task, targets):
    torch.manual_seed(0)
    values, mask = batch()
    model = UnimodalModel(config(task)).eval()
    out = model(values, mask)
    assert out.sequence.shape == (16, 7, 16)
    assert out.output.shape == (16, targets) and out.output.dtype == torch.float32
    torch.testing.assert_close(out.embedding, masked_mean(out.sequence, mask))
    logits = model.head(out.embedding)
    expected = logits if task == "emotion" else 1 / (1 + (-logits).exp())
    torch.testing.assert_close(out.output, expected)


@pytest.mark.parametrize("block", ["mamba", "transformer"])
def test_clips_do_not_depend_on_their_company(block):
    torch.manual_seed(0)
    values, mask = batch()
    model = UnimodalModel(config(block=block)).eval()
    together = model(values, mask).output
    for clip in (0, 5):
        real = int(mask[clip].sum())
        alone = model(values[clip : clip + 1, :real], mask[clip : clip + 1, :real])
        torch.testing.assert_close(
            alone.output[0], together[clip], atol=1e-5, rtol=1e-4
        )


@pytest.mark.parametrize("task", ["emotion", "personality"])
@pytest.mark.parametrize("block", ["mamba", "transformer"])
def test_learns_a_few_clips_by_heart(task, block):
    torch.manual_seed(0)
    values, mask = batch()
    model = UnimodalModel(config(task, block, hidden=32, dropout=0.0))
    optimiser = torch.optim.Adam(model.parameters(), 5e-3)
    wanted = torch.rand(16, 7 if task == "emotion" else 5)
    wanted = wanted.round() if task == "emotion" else wanted
    losses = []
    for _ in range(60):
        output = model(values, mask).output
        output = output.sigmoid() if task == "emotion" else output
        losses.append((output - wanted).square().mean())
        optimiser.zero_grad()
        losses[-1].backward()
        optimiser.step()
    assert losses[-1] < 0.2 * losses[0]


def test_config_survives_json_and_names_a_wrong_task():
    assert UnimodalConfig(**asdict(config())) == config()
    with pytest.raises(ValueError, match="valence"):
        config("valence")


def test_a_clip_without_steps_is_an_error():
    values, mask = batch(clips=3)
    mask[1] = False
    with pytest.raises(ValueError, match=r"\[1\]"):
        UnimodalModel(config())(values, mask)
