"""The stage-1 network: output, initialisation, gradients."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sslmepr.models.sequence import masked_mean, rise
from sslmepr.models.unimodal import (
    JITTER,
    REACH,
    SHARPNESS,
    SLOPE_SHARE,
    KernelMap,
    StepEvidence,
    UnimodalConfig,
    UnimodalModel,
    head,
    set_linear,
)
from sslmepr.training.probes import Linear


def config(task="emotion", block="mamba", **changes):
    sizes = {"features": 6, "hidden": 16, "layers": 1, "state": 4, "heads": 2}
    return UnimodalConfig(task, block=block, **sizes | {"dropout": 0.1} | changes)


def batch(clips=16, steps=7):
    random = torch.Generator().manual_seed(1)
    values = torch.randn(clips, steps, 6, generator=random)
    lengths = torch.randint(1, steps + 1, (clips, 1), generator=random)
    return values, torch.arange(steps) < lengths


def awake(model):
    """`model` whose every part has something to say, as after training."""
    for part in (model.evidence.level, model.evidence.slope, model.evidence.attend):
        torch.nn.init.normal_(part.weight)
    torch.nn.init.normal_(model.head[-1].weight)
    torch.nn.init.normal_(model.head[-1].bias)
    return model


@pytest.mark.parametrize("task, targets", [("emotion", 7), ("personality", 5)])
def test_output(task, targets):
    torch.manual_seed(0)
    values, mask = batch()
    model = awake(UnimodalModel(config(task)).eval())
    out = model(values, mask)
    assert out.sequence.shape == (16, 7, 16)
    assert out.logits.shape == (16, targets) and out.logits.dtype == torch.float32
    torch.testing.assert_close(out.embedding, masked_mean(out.sequence, mask))
    means = torch.stack([v[m].mean(0) for v, m in zip(values, mask, strict=True)])
    offset_logits = means @ model.probe.weight.T + model.probe.bias
    expected = correction(model, values, mask, out) + offset_logits
    torch.testing.assert_close(out.logits, expected)
    torch.testing.assert_close(out.predicted, 1 / (1 + (-expected).exp()))
    model.scale.fill_(0.25)
    expected = 0.25 * (expected - offset_logits) + offset_logits
    torch.testing.assert_close(model(values, mask).logits, expected)


def test_a_probe_with_peaks_reads_mean_and_largest_value():
    torch.manual_seed(0)
    values, mask = batch()
    model = UnimodalModel(config(peaks=True)).eval()  # no correction at the start
    clips = list(zip(values, mask, strict=True))
    mean = torch.stack([v[m].mean(0) for v, m in clips])
    largest = torch.stack([v[m].amax(0) for v, m in clips])
    expected = F.linear(
        torch.cat([mean, largest], 1), model.probe.weight, model.probe.bias
    )
    torch.testing.assert_close(model(values, mask).logits, expected)
    padded = values.masked_fill(~mask[..., None], 99.0)
    torch.testing.assert_close(model(padded, mask).logits, expected)


def kernel_map(width=3, landmarks=8):
    features = torch.randn(40, width, generator=torch.Generator().manual_seed(3))
    found = KernelMap(width, landmarks)
    found.choose(features * 5 + 2, seed=1)
    return found, features * 5 + 2


def test_products_of_a_kernel_map_are_the_kernel():
    """With every landmark, whatever the other clip is; up to what is added to it."""
    found, features = kernel_map()
    drawn = np.random.default_rng(1).permutation(40)[:8]
    standard = (features - features.mean(0)) / (features.std(0, correction=0) + 1e-6)
    squares = (standard[:, None] - standard[drawn]).square().sum(-1)
    expected = torch.exp(-REACH * squares / 3)
    mapped = found(features)
    torch.testing.assert_close(
        mapped @ mapped[drawn].T, expected, atol=30 * JITTER, rtol=0
    )


def test_a_linear_model_on_a_kernel_map_learns_what_no_linear_one_can():
    """That two features agree in sign, which neither of them says."""
    rng = np.random.default_rng(0)
    features = torch.from_numpy(rng.normal(size=(600, 2)).astype(np.float32))
    agree = (features[:, :1] * features[:, 1:] > 0).numpy().astype(float)
    found = KernelMap(2, 100)
    found.choose(features[:400], seed=0)
    right = []
    for values in (features, found(features)):
        values = values.numpy()
        known, others = values[:400], values[400:]
        model = Linear("emotion", known, agree[:400], known[:0], agree[:0])
        right.append(((model.predict(others) > 0.5) == agree[400:]).mean())
    assert right[0] < 0.65 and right[1] > 0.9


def test_a_probe_with_landmarks_reads_features_and_similarities():
    torch.manual_seed(0)
    values, mask = batch()
    model = UnimodalModel(config(landmarks=5)).eval()  # no correction at the start
    model.kernel.choose(torch.randn(9, 6), seed=0)
    mean = masked_mean(values.masked_fill(~mask[..., None], 0.0), mask)
    read = torch.cat([mean, model.kernel(mean)], 1)
    expected = F.linear(read, model.probe.weight, model.probe.bias)
    torch.testing.assert_close(model(values, mask).logits, expected)
    assert UnimodalModel(config()).kernel is None


def correction(model, values, mask, out):
    encoded = out.sequence - model.evidence.carried(values, mask)
    change = [encoded, encoded * rise(mask)[..., None]]
    change = torch.cat([masked_mean(each, mask) for each in change], -1)
    return model.head(change) + model.evidence(values, mask, encoded)


def test_evidence_of_steps_clip_by_clip():
    torch.manual_seed(0)
    values, mask = batch(clips=5)
    sequence = torch.randn(5, 7, 16)
    part = StepEvidence(6, 16, 3)
    level, slope, spread = torch.randn(3, 6), torch.randn(3, 6), torch.rand(3) + 0.5
    part.match(level, slope, spread, torch.zeros(0, 6))
    torch.nn.init.normal_(part.attend.weight)
    found = part(values, mask, sequence)
    for clip in range(5):
        x, h = values[clip][mask[clip]], sequence[clip][mask[clip]]
        said, count = x @ level.T, len(x)
        energy = 0.5 * ((said / spread) ** 2).sum(1)
        weights = (SHARPNESS * energy + h @ part.attend.weight[0]).softmax(0)
        moment = weights @ said - said.mean(0)
        rises = rise(torch.ones(1, count, dtype=torch.bool))[0]
        expected = moment + SLOPE_SHARE * (rises @ (x @ slope.T)) / count
        torch.testing.assert_close(found[clip], expected, atol=1e-5, rtol=1e-4)


def test_the_encoder_reads_evidence_and_time_and_stage_2_also_the_context():
    torch.manual_seed(0)
    values, mask = batch(clips=5)
    part, level, spread = StepEvidence(6, 16, 3), torch.randn(3, 6), torch.rand(3) + 0.5
    part.match(level, torch.randn(3, 6), spread, torch.eye(6)[:4])
    found = part.describe(values, mask)
    assert found.shape[-1] == part.width == 3 + 3 + 1
    said = values @ level.T / spread
    torch.testing.assert_close(found[..., :3], said, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found[..., 3:6], said**2, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found[..., 6], rise(mask))
    expected = values[..., :4] @ part.carry.weight[:, :4].T * mask[..., None]
    torch.testing.assert_close(part.carried(values, mask), expected)
    assert not part.context.weight.requires_grad and part.level.weight.requires_grad


def test_a_single_step_has_no_evidence_of_time():
    torch.manual_seed(0)
    part = StepEvidence(6, 16, 3)
    part.match(torch.randn(3, 6), torch.randn(3, 6), torch.ones(3), torch.eye(6))
    values, mask = torch.randn(4, 1, 6), torch.ones(4, 1, dtype=torch.bool)
    assert not part(values, mask, torch.randn(4, 1, 16)).any()


def test_head_starts_at_zero_and_learns():
    torch.manual_seed(0)
    part = head(6, 8, 5, dropout=0.5)
    said = part(torch.randn(4, 6))
    assert torch.equal(said, torch.zeros(4, 5))
    assert not [each for each in part if isinstance(each, torch.nn.ReLU)]
    said.sum().backward()
    assert part[-1].weight.grad.abs().max() > 0


@pytest.mark.parametrize("train", [False, True])
def test_initial_output_is_that_of_the_probe(train):
    torch.manual_seed(0)
    values, mask = batch()
    model = UnimodalModel(config()).train(train)
    expected = F.linear(masked_mean(values, mask), *model.probe.parameters())
    assert torch.equal(model(values, mask).logits, expected)


@pytest.mark.parametrize("task, targets", [("emotion", 7), ("personality", 5)])
def test_initial_output_is_that_of_a_linear_model(task, targets):
    rng = np.random.default_rng(0)
    values, mask = batch()
    pooled = masked_mean(values, mask).numpy()
    true = 0.5 + 0.1 * rng.standard_normal((16, targets))
    true = (true > 0.5) * 1.0 if task == "emotion" else true
    linear = Linear(task, pooled, true, pooled, true)
    torch.manual_seed(0)
    model = UnimodalModel(config(task)).eval()
    set_linear(model.probe, *map(torch.from_numpy, linear.probe()))
    expected = linear.predict(pooled)
    if task == "personality":
        # A sigmoid with the slope of the line at 0.5.
        expected = 1 / (1 + np.exp(4 * (0.5 - expected)))
    predicted = model(values, mask).predicted.detach().numpy()
    assert predicted == pytest.approx(expected, abs=1e-6)


def test_set_linear_copies_and_freezes():
    layer = torch.nn.Linear(3, 2)
    weights = torch.arange(6, dtype=torch.float64).reshape(2, 3)
    set_linear(layer, weights, torch.tensor([0.5, -1.0], dtype=torch.float64))
    said = layer(torch.tensor([[1.0, 10.0, 100.0]]))
    assert said.tolist() == [[210.5, 542.0]] and said.dtype == torch.float32
    assert not any(p.requires_grad for p in layer.parameters())
    weights.zero_()
    assert layer.weight[1, 2] == 5


def test_offset_logits_replace_the_probe():
    torch.manual_seed(0)
    values, mask = batch()
    model = awake(UnimodalModel(config()).eval())
    offset_logits = torch.randn(16, 7)
    own = model(values, mask)
    out = model(values, mask, offset_logits)
    expected = correction(model, values, mask, own) + offset_logits
    torch.testing.assert_close(out.logits, expected)
    assert torch.equal(out.embedding, own.embedding)
    with torch.no_grad():
        model.probe.weight.fill_(torch.nan)
    assert torch.equal(model(values, mask, offset_logits).logits, out.logits)


@pytest.mark.parametrize("block", ["mamba", "transformer"])
def test_padding_reaches_neither_logits_nor_gradients(block):
    torch.manual_seed(0)
    values, mask = batch()
    model = awake(UnimodalModel(config(block=block)).eval())
    results = []
    for fill in (0.0, 7.0, torch.nan, torch.inf):
        model.zero_grad()
        logits = model(values.masked_fill(~mask[..., None], fill), mask).logits
        logits.square().sum().backward()
        trained = [each for each in model.parameters() if each.requires_grad]
        results.append([logits.detach(), *(each.grad for each in trained)])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert a.isfinite().all() and torch.equal(a, b)


@pytest.mark.parametrize("block", ["mamba", "transformer"])
def test_clips_do_not_depend_on_their_batch(block):
    torch.manual_seed(0)
    values, mask = batch()
    model = awake(UnimodalModel(config(block=block)).eval())
    together = model(values, mask).logits
    for clip in (0, 5):
        real = int(mask[clip].sum())
        alone = model(values[clip : clip + 1, :real], mask[clip : clip + 1, :real])
        torch.testing.assert_close(
            alone.logits[0], together[clip], atol=1e-5, rtol=1e-4
        )


@pytest.mark.parametrize("task", ["emotion", "personality"])
@pytest.mark.parametrize("block", ["mamba", "transformer"])
def test_it_can_overfit_a_few_clips(task, block):
    torch.manual_seed(0)
    values, mask = batch()
    model = UnimodalModel(config(task, block, hidden=32, dropout=0.0))
    optimiser = torch.optim.Adam(model.parameters(), 5e-3)
    wanted = torch.rand(16, 7 if task == "emotion" else 5)
    wanted = wanted.round() if task == "emotion" else wanted
    losses = []
    for _ in range(60):
        predicted = model(values, mask).predicted
        losses.append((predicted - wanted).square().mean())
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
