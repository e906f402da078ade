"""Stage 3's model: any subset of modalities, tasks and components."""

import json
import math
from dataclasses import asdict, replace
from itertools import combinations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from sslmepr.labels import MODEL_COMPONENTS, TASKS
from sslmepr.models.fusion import (
    FusionConfig,
    FusionInput,
    FusionModel,
    FusionOutput,
)

WIDTHS = {"face": 6, "audio": 4, "text": 5}
FEATURES = {"face": 7, "audio": 3, "text": 2}
CONFIG = FusionConfig(WIDTHS, hidden=16, heads=2, dropout=0.1, features=FEATURES)

EXPERTS = ("product_of_experts", "contrary_words", "expressiveness")


def model(without=(), experts=False, **changes):
    """Without product of experts, second forms and factor model unless asked for."""
    if not experts:
        without = (*without, *EXPERTS, "second_forms", "factor_model")
    torch.manual_seed(0)
    return FusionModel(replace(CONFIG, without=without, **changes))


def awake(net):
    """`net` with heads that have something to say, as after training."""
    for part in net.heads.values():
        torch.nn.init.normal_(part.weight)
        torch.nn.init.normal_(part.bias)
    return net


def with_probes(net):
    """`net` with co-trained probes that say something."""
    random = torch.Generator().manual_seed(9)
    for task, part in net.predict_projectors.items():
        targets = {"emotion": 7, "personality": 5}[task]
        for modality in part.probes:
            weights = torch.randn(targets, FEATURES[modality], generator=random)
            part.set_probe(modality, weights, torch.randn(targets, generator=random))
    return net


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

    embeddings, features = (
        {
            modality: draw(width).masked_fill(~present[:, place, None], fill)
            for place, (modality, width) in enumerate(widths.items())
        }
        for widths in (WIDTHS, FEATURES)
    )
    logits, scores = missing(draw(3, 7)), missing(draw(3, 5).sigmoid())
    return FusionInput(embeddings, logits, scores, present, features)


SUBSETS = [
    [*names, "factor_model"]
    for n in range(len(MODEL_COMPONENTS))
    for names in combinations(MODEL_COMPONENTS[:-1], n)  # but for the factor model
    if (set(EXPERTS) <= set(names) or "product_of_experts" not in names)
    and ("product_of_experts" in names or "predict_projector" not in names)
]


@pytest.mark.parametrize("without", SUBSETS, ids="-".join)
def test_every_ablation_trains(without):
    net = model(without, experts=True)
    out = net(batch())
    assert out.emotion_logits.shape == (16, 7) and out.trait_scores.shape == (16, 5)
    assert out.representation.shape == (16, 2, 16)
    assert out.graph_attention.shape == (16, 3, 3)
    assert out.query_attention.shape == (16, 2, 3)
    (out.emotion_logits.square().sum() + out.trait_scores.sum()).backward()
    for name, p in net.named_parameters():
        assert (p.grad is not None) == (".probes." not in name), name
        assert p.grad is None or p.grad.isfinite().all(), name


def test_a_product_of_experts_starts_at_late_fusion():
    """Where all modalities are present; absent ones leave more to the prior."""
    given = batch()._replace(present=torch.ones(16, 3, dtype=torch.bool))
    nets = model(experts=True).eval(), model().eval()
    for net in nets:
        for task, projector in net.predict_projectors.items():
            torch.manual_seed(len(task))
            torch.nn.init.normal_(projector.linear.weight)
            torch.nn.init.normal_(projector.linear.bias)
    for modality, width in FEATURES.items():
        nets[0].readings.set_quality(modality, torch.randn(1, width), torch.randn(1))
    torch.nn.init.normal_(nets[0].experts.prior)
    torch.nn.init.normal_(nets[0].experts.experts)
    found, plain = (net(given) for net in nets)
    for task in ("emotion", "personality"):
        torch.testing.assert_close(found.of(task), plain.of(task), atol=1e-4, rtol=1e-4)
    assert torch.equal(found.quality, torch.ones(16, 3))


def test_what_is_kept_of_a_product_of_experts_is_blended_with_late_fusion():
    """In logits: 1 is the product of experts, 0 late fusion with its corrections."""
    given, net = batch(), model(experts=True).eval()
    torch.nn.init.normal_(net.experts.usual)
    for task, projector in net.predict_projectors.items():
        torch.nn.init.normal_(projector.linear.weight)
        torch.nn.init.normal_(net.heads[task].weight)
    found = {}
    for kept in (0.0, 0.25, 1.0):
        net.weighing.fill_(kept)
        found[kept] = net(given).emotion_logits
    torch.testing.assert_close(found[0.25], 0.75 * found[0.0] + 0.25 * found[1.0])
    assert not torch.allclose(found[0.0], found[1.0], atol=0.1)
    net.experts = None
    torch.testing.assert_close(net(given).emotion_logits, found[0.0])


def test_a_factor_model_says_nothing_until_it_is_set():
    given, net = batch(), awake(model(experts=True)).eval()
    assert not net.factored(given)
    before = net(given)
    net.factors = None
    for task in TASKS:
        assert torch.equal(before.of(task), net(given).of(task))


def test_a_factor_model_is_believed_in_part():
    """In logits, with the corrections of heads; ``neutral`` is no factor of it."""
    net, clips = awake(model(experts=True)).eval(), batch()
    net.factors.awake = True
    said = {"emotion": torch.randn(16, 7), "personality": torch.randn(16, 5)}
    given = clips._replace(factored=said)
    found = {}
    for believed in (0.0, 0.25, 1.0):
        net.believing.fill_(believed)
        out = net(given)
        found[believed] = {
            "emotion": out.emotion_logits,
            "personality": torch.logit(out.trait_scores),
        }
    for place, task in enumerate(TASKS):
        start, mixed, whole = (each[task] for each in found.values())
        torch.testing.assert_close(mixed, 0.75 * start + 0.25 * whole)
        correction = net.heads[task](out.representation[:, place])
        correction = (correction + net.banks[task](out.representation[:, place])) / 2
        skipped = int(task == "emotion")
        torch.testing.assert_close(
            whole[:, skipped:],
            (said[task] + correction)[:, skipped:],
            atol=1e-4,
            rtol=1e-4,
        )
        torch.testing.assert_close(whole[:, :skipped], start[:, :skipped])


def test_what_a_factor_model_said_before_is_not_asked_again(monkeypatch):
    net, said = model(experts=True).eval(), {"emotion": torch.zeros(16, 7)}
    net.factors.awake = True
    monkeypatch.setattr(net.factors, "forward", lambda _: said)
    assert net.factored(batch()) is said
    other = {"emotion": torch.ones(16, 7)}
    assert net.factored(batch()._replace(factored=other)) is other
    few = batch()._replace(factored=other).at(torch.tensor([3, 1]))
    assert few.factored["emotion"].shape == (2, 7)


def test_no_unit_has_a_kink():
    """At a kink, a rounding error decides whether a silent unit begins to learn."""
    kinks = torch.nn.ReLU, torch.nn.LeakyReLU
    assert not [each for each in model().modules() if isinstance(each, kinks)]


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


@pytest.mark.parametrize("without", SUBSETS[:6], ids="-".join)
def test_absent_modalities_reach_neither_outputs_nor_gradients(without):
    present = [[True, False, True], [False, True, False], [True, True, True]]
    net = awake(with_probes(model(without=without)).eval())
    results = []
    for fill in (0.0, 9.0, float("nan"), float("inf")):
        given = batch(present, fill=fill)
        inputs = [*given.embeddings.values(), given.emotion_logits, given.trait_scores]
        inputs = inputs[:3] if "predict_projector" in without else inputs
        inputs += list(given.features.values()) * net.co_trained
        for values in inputs:
            values.requires_grad_()
        out = net(given)
        net.zero_grad()
        (out.emotion_logits.sum() + out.trait_scores.square().sum()).backward()
        learned = [each for each in net.parameters() if each.requires_grad]
        grads = [each.grad for each in (*learned, *inputs)]
        read = [part.centred_logits(given) for part in net.predict_projectors.values()]
        results.append([*out, *read, *grads])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert a.isfinite().all() and torch.equal(a, b)


def test_an_absent_modality_equals_a_model_without_it():
    net = awake(with_probes(model()).eval())
    for part in net.predict_projectors.values():
        part.centre(batch())
    pair = {"widths": {"face": 6, "text": 5}, "features": {"face": 7, "text": 2}}
    fewer = model(**pair).eval()
    weights = {k: v for k, v in net.state_dict().items() if "audio" not in k}
    for task, targets in (("emotion", 7), ("personality", 5)):
        name = f"predict_projectors.{task}"
        parts = weights[f"{name}.linear.weight"].split(targets, dim=1)
        weights[f"{name}.linear.weight"] = torch.cat([parts[0], parts[2]], dim=1)
    fewer.load_state_dict(weights)
    given = batch([[True, False, True]] * 4)
    kept = FusionInput(
        {m: given.embeddings[m] for m in ("face", "text")},
        given.emotion_logits[:, [0, 2]],
        given.trait_scores[:, [0, 2]],
        given.present[:, [0, 2]],
        {m: given.features[m] for m in ("face", "text")},
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
    learned = [p for p in net.parameters() if p.requires_grad]
    assert all(p.grad is not None for p in learned)


def two_witnesses():
    """Two clips with face and text; the second has no face, only NaN in its place."""
    logits = torch.zeros(2, 2, 7)
    logits[0, 0, 1], logits[0, 1, 1], logits[1, 1, 2] = 2.0, 0.5, -30.0
    scores = torch.full((2, 2, 5), 0.5)
    scores[0, 0, 0], scores[0, 1, 0], scores[1, 1, 4] = 0.75, 0.2, 1.0
    present = torch.tensor([[True, True], [False, True]])
    logits[1, 0], scores[1, 0] = torch.nan, torch.nan
    embeddings = {"face": torch.ones(2, 6), "text": torch.ones(2, 5)}
    return FusionInput(embeddings, logits, scores, present, {})


def test_predict_projector_has_a_weight_per_modality():
    net = model(
        widths={"face": 6, "text": 5}, without=("guide_bank", "co_training")
    ).eval()
    emotion, traits = torch.zeros(7, 14), torch.zeros(5, 10)
    emotion[1, 1], emotion[1, 8], emotion[3, 9] = 1.5, 4.0, -0.25
    traits[0, 0], traits[0, 5], traits[2, 9] = 1.0, 2.0, 0.125
    net.predict_projectors["emotion"].set_linear(emotion, torch.full((7,), 0.5))
    net.predict_projectors["personality"].set_linear(traits, torch.zeros(5))
    out = net(two_witnesses())
    expected = torch.full((2, 7), 0.5)
    expected[0, 1], expected[1, 3] = 1.5 * 2 + 4 * 0.5 + 0.5, 0.25 * 8 + 0.5
    assert torch.equal(out.emotion_logits, expected)
    expected = torch.full((2, 5), 0.5)
    # Odds of 3 x (1/4)^2, and a logit of 8 / 8.
    expected[0, 0], expected[1, 2] = 3 / 19, 1 / (1 + math.exp(-1))
    torch.testing.assert_close(out.trait_scores, expected)


@pytest.mark.parametrize("train", [False, True])
def test_initial_output_is_that_of_the_stacking_regression(train):
    net = with_probes(model(without=("guide_bank",))).train(train)
    given, random = batch(), torch.Generator().manual_seed(6)
    logits = {}
    for task, targets in (("emotion", 7), ("personality", 5)):
        weights = torch.randn(targets, 3 * targets, generator=random)
        bias = torch.randn(targets, generator=random)
        net.predict_projectors[task].set_linear(weights, bias)
        read = net.predict_projectors[task].centred_logits(given)
        logits[task] = F.linear(read, weights, bias)
    out = net(given)
    assert torch.equal(out.emotion_logits, logits["emotion"])
    assert torch.equal(out.trait_scores, logits["personality"].sigmoid())


def test_mean_of_head_and_guide_bank_is_added_to_the_predict_projector():
    net, given = awake(model().eval()), batch()
    out = net(given)
    for place, task in enumerate(("emotion", "personality")):
        found = out.representation[:, place]
        logits = net.predict_projectors[task](given)
        logits = logits + (net.heads[task](found) + net.banks[task](found)) / 2
        expected = logits if task == "emotion" else logits.sigmoid()
        torch.testing.assert_close([*out][place], expected)


def test_a_predict_projector_is_frozen_once_set():
    net = model()
    for task, targets in (("emotion", 7), ("personality", 5)):
        weights = torch.ones(targets, 3 * targets, dtype=torch.float64)
        net.predict_projectors[task].set_linear(weights, torch.zeros(targets))
    out = net(batch())
    (out.emotion_logits.sum() + out.trait_scores.sum()).backward()
    for name, p in net.named_parameters():
        assert (p.grad is None) == ("predict_projectors" in name), name


def test_co_trained_probes_add_to_the_unimodal_logits():
    given, plain = batch([[True, True, False]] * 4), model(without=("co_training",))
    net = with_probes(model())
    assert net.co_trained and not plain.co_trained
    for task, targets in (("emotion", 7), ("personality", 5)):
        part = net.predict_projectors[task]
        added = torch.zeros(4, 3, targets)
        for place, modality in enumerate(("face", "audio")):
            added[:, place] = part.probes[modality](given.features[modality])
        own = plain.predict_projectors[task].centred_logits(given)
        expected = own + added.flatten(1)
        torch.testing.assert_close(part.centred_logits(given), expected)


def test_input_at_some_clips():
    given = batch()
    some = given.at(torch.tensor([4, 1]))
    assert torch.equal(some.features["audio"], given.features["audio"][[4, 1]])
    assert torch.equal(some.embeddings["text"], given.embeddings["text"][[4, 1]])
    for name in ("emotion_logits", "trait_scores", "present"):
        assert torch.equal(getattr(some, name), getattr(given, name)[[4, 1]])


def test_only_heads_beside_a_predict_projector_start_at_zero():
    assert not any(p.any() for p in model().heads.parameters())
    heads = model(without=("predict_projector",)).heads
    assert all(part.weight.all() for part in heads.values())


@pytest.mark.parametrize(
    "without, shapes",
    [
        ((), [(16, 16)]),
        (("task_query",), [(16, 16)]),
        (("task_query", "graph_attention"), [(16, 8)] * 3),
    ],
)
def test_gradients_of_both_tasks_reach_the_last_shared_matrices(without, shapes):
    net = awake(model(without=without))
    shared = net.last_shared_matrices()
    assert [tuple(each.shape) for each in shared] == shapes
    out = net(batch())
    for loss in (out.emotion_logits.sum(), out.trait_scores.sum()):
        grads = torch.autograd.grad(loss, shared, retain_graph=True)
        assert all(grad.isfinite().all() and grad.any() for grad in grads)


@pytest.mark.parametrize("without", SUBSETS[:6], ids="-".join)
def test_it_can_overfit_a_few_clips(without):
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
        ({"features": {"face": 7}}, "features: co_training and .* found face"),
        ({"heads": 3}, "heads=3"),
        ({"without": ["predict_projector"]}, "product_of_experts: needs the predict"),
        ({"without": ["product_of_experts"]}, "contrary_words: needs the product"),
        (
            {"without": ["product_of_experts", "contrary_words"]},
            "expressiveness: needs the product",
        ),
    ],
)
def test_config_errors_name_the_field(change, message):
    with pytest.raises(ValueError, match=message):
        replace(CONFIG, **change)


def test_predictions_are_probabilities_and_scores_of_the_tasks():
    logits, scores = torch.tensor([[0.0, 2.0]]), torch.tensor([[0.25]])
    output = FusionOutput(logits, scores, None, None, None, None)
    expected = {
        "emotion": [[0.5, pytest.approx(1 / (1 + math.exp(-2.0)))]],
        "personality": [[0.25]],
    }
    for tasks in (("emotion", "personality"), ("emotion",), ("personality",)):
        answers = model(tasks=tasks).predicted(output)
        found = {task: values.tolist() for task, values in answers.items()}
        assert found == {task: expected[task] for task in tasks}
    assert output.of("emotion") is logits and output.of("personality") is scores
