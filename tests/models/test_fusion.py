"""Stage 3's model: any subset of modalities, tasks and components."""

import json
from dataclasses import asdict, replace
from itertools import combinations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from sslmepr.models.fusion import (
    COMPONENTS,
    FusionConfig,
    FusionInput,
    FusionModel,
)

WIDTHS = {"face": 6, "audio": 4, "text": 5}
CONFIG = FusionConfig(WIDTHS, hidden=16, heads=2, dropout=0.1)


def model(**changes):
    torch.manual_seed(0)
    return FusionModel(replace(CONFIG, **changes))


def batch(present=None, clips=16, fill=0.0, seed=3):
    """Clips with `present` modalities (all, if none is given), `fill` elsewhere."""
    random = torch.Generator().manual_seed(seed)
    if present is None:
        present = torch.ones(clips, 3, dtype=torch.bool)
    present = torch.as_tensor(present)
    clips = len(present)

    def draw(*shape):
        return torch.randn(clips, *shape, generator=random)

    def missing(values):
        return values.masked_fill(~present[..., None], fill)

    embeddings = {
        modality: draw(width).masked_fill(~present[:, place, None], fill)
        for place, (modality, width) in enumerate(WIDTHS.items())
    }
    logits, scores = missing(draw(3, 7)), missing(draw(3, 5).sigmoid())
    return FusionInput(embeddings, logits, scores, present)


SUBSETS = [list(names) for n in range(5) for names in combinations(COMPONENTS, n)]


@pytest.mark.parametrize("without", SUBSETS, ids="-".join)
def test_every_ablation_trains(without):
    net = model(without=without)
    out = net(batch())
    assert out.emotion_logits.shape == (16, 7) and out.trait_scores.shape == (16, 5)
    assert out.representation.shape == (16, 2, 16)
    assert out.graph_attention.shape == (16, 3, 3)
    assert out.query_attention.shape == (16, 2, 3)
    (out.emotion_logits.square().sum() + out.trait_scores.sum()).backward()
    for name, p in net.named_parameters():
        assert p.grad is not None and p.grad.isfinite().all(), name


@given(
    present=st.lists(
        st.lists(st.booleans(), min_size=3, max_size=3).filter(any),
        min_size=1,
        max_size=4,
    ),
    without=st.sampled_from([(), ("graph_attention",), ("task_query",)]),
    train=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_attention_sums_to_one_over_present_modalities(present, without, train):
    given = batch(present)
    out = model(without=without).train(train)(given)
    there = given.present.float()
    torch.testing.assert_close(out.graph_attention.sum(-1), there)
    torch.testing.assert_close(out.query_attention.sum(-1), torch.ones(len(there), 2))
    assert (out.graph_attention >= 0).all() and (out.query_attention >= 0).all()
    assert (out.graph_attention.sum(1)[there == 0] == 0).all()
    assert (out.query_attention.sum(1)[there == 0] == 0).all()


@pytest.mark.parametrize("without", SUBSETS[:5], ids="-".join)
def test_missing_modalities_leak_neither_into_results_nor_gradients(without):
    present = [[True, False, True], [False, True, False], [True, True, True]]
    net = model(without=without).eval()
    results = []
    for fill in (0.0, 9.0, float("nan"), float("inf")):
        given = batch(present, fill=fill)
        for embedding in given.embeddings.values():
            embedding.requires_grad_()
        out = net(given)
        net.zero_grad()
        (out.emotion_logits.sum() + out.trait_scores.square().sum()).backward()
        grads = [p.grad for p in net.parameters()]
        grads += [e.grad for e in given.embeddings.values()]
        results.append([*out, *grads])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert a.isfinite().all() and torch.equal(a, b)


def test_a_missing_modality_is_as_if_the_model_had_none():
    net = model().eval()
    fewer = model(widths={"face": 6, "text": 5}).eval()
    weights = {k: v for k, v in net.state_dict().items() if "audio" not in k}
    fewer.load_state_dict(weights)
    given = batch([[True, False, True]] * 4)
    kept = FusionInput(
        {m: given.embeddings[m] for m in ("face", "text")},
        given.emotion_logits[:, [0, 2]],
        given.trait_scores[:, [0, 2]],
        given.present[:, [0, 2]],
    )
    many, few = net(given), fewer(kept)
    torch.testing.assert_close(many.emotion_logits, few.emotion_logits)
    torch.testing.assert_close(many.trait_scores, few.trait_scores)
    torch.testing.assert_close(many.query_attention[..., [0, 2]], few.query_attention)


def test_clips_without_any_modality_are_named():
    with pytest.raises(ValueError, match=r"clips \[1, 2\]"):
        model()(batch([[True, True, True], [False] * 3, [False] * 3]))


@pytest.mark.parametrize("tasks", [("emotion",), ("personality",)])
def test_single_task(tasks):
    net = model(tasks=tasks)
    out = net(batch())
    outputs = {"emotion": out.emotion_logits, "personality": out.trait_scores}
    assert [task for task, values in outputs.items() if values is not None] == [*tasks]
    assert out.query_attention.shape == (16, 1, 3)
    outputs[tasks[0]].sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_predict_projector_reads_the_mean_over_present_modalities():
    net = model(without=("graph_attention", "task_query")).eval()
    given = batch([[True, False, True]])
    representation = net(given).representation[0, 0]
    mean = (given.emotion_logits[0, 0] + given.emotion_logits[0, 2]) / 2
    nodes = [net.projectors[m](given.embeddings[m])[0] for m in ("face", "text")]
    expected = sum(nodes) / 2 + net.predict_projectors["emotion"](mean)
    torch.testing.assert_close(representation, expected)


def test_shared_parameters_receive_gradients_from_both_tasks():
    net = model()
    shared = net.shared_parameters()
    out = net(batch())
    for loss in (out.emotion_logits.sum(), out.trait_scores.sum()):
        grads = torch.autograd.grad(loss, shared, retain_graph=True)
        assert all(grad.isfinite().all() for grad in grads)
    own = {id(p) for p in net.parameters()} - {id(p) for p in shared}
    assert len(own) + len(shared) == len(list(net.parameters()))


@pytest.mark.parametrize("without", SUBSETS[:5], ids="-".join)
def test_learns_a_few_clips_by_heart(without):
    net = model(without=without, dropout=0.0, hidden=32)
    random = torch.Generator().manual_seed(5)
    emotions = torch.rand(16, 7, generator=random).round()
    traits = torch.rand(16, 5, generator=random)
    given = batch()
    optimiser = torch.optim.Adam(net.parameters(), 5e-3)
    losses = []
    for _ in range(60):
        out = net(given)
        loss = F.binary_cross_entropy_with_logits(out.emotion_logits, emotions)
        losses.append(loss + (out.trait_scores - traits).abs().mean())
        optimiser.zero_grad()
        losses[-1].backward()
        optimiser.step()
    assert losses[-1] < 0.25 * losses[0]


def test_same_seed_same_model():
    first, second = model().eval(), model().eval()
    assert torch.equal(first(batch()).emotion_logits, second(batch()).emotion_logits)


def test_autocast():
    net = model().train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(batch())
    assert all(t.dtype == torch.float32 and t.isfinite().all() for t in out)


def test_config_survives_json():
    config = replace(CONFIG, tasks=["emotion"], without=["guide_bank"])
    assert FusionConfig(**json.loads(json.dumps(asdict(config)))) == config


@pytest.mark.parametrize(
    "change, message",
    [
        ({"without": ["gradnorm"]}, "gradnorm"),
        ({"tasks": ["valence"]}, "valence"),
        ({"tasks": []}, "tasks"),
        ({"widths": {}}, "widths"),
        ({"heads": 3}, "heads=3"),
    ],
)
def test_config_names_what_does_not_fit(change, message):
    with pytest.raises(ValueError, match=message):
        replace(CONFIG, **change)
