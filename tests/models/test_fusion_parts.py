"""The parts of the fusion model, worked out by hand."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sslmepr.models.fusion import FusionInput
from sslmepr.models.fusion_parts import (
    GraphAttention,
    GuideBank,
    PredictProjector,
    ProductOfExperts,
    Projector,
    QueryReading,
)


def test_graph_attention():
    torch.manual_seed(0)
    graph, nodes = GraphAttention(8), torch.randn(1, 3, 8)
    out, attention = graph(nodes, torch.tensor([[True, True, False]]))
    moved = nodes[0] @ graph.weight.weight.T
    scores = [
        F.leaky_relu(graph.receive(moved[0]) + graph.send(moved[j]), 0.2).exp().item()
        for j in range(2)
    ]
    share = scores[0] / sum(scores)
    expected = torch.tensor([share, 1 - share, 0.0])
    torch.testing.assert_close(attention[0, 0], expected, atol=1e-6, rtol=1e-5)
    expected = F.elu(share * moved[0] + (1 - share) * moved[1])
    torch.testing.assert_close(out[0, 0], expected, atol=1e-6, rtol=1e-5)


def test_query_reading_equals_multi_head_attention():
    torch.manual_seed(0)
    reading = QueryReading(12, 3)
    nn.init.normal_(reading.in_proj_bias)
    nn.init.normal_(reading.out_proj.bias)
    queries, nodes = torch.randn(2, 12), torch.randn(6, 5, 12)
    present = torch.rand(6, 5) > 0.4
    present[:, 0] = True
    each = queries.expand(6, -1, -1)
    expected = reading(each, nodes, nodes, key_padding_mask=~present)
    found = reading.read(queries, nodes, present)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    assert not found[1].mT[~present].any()
    torch.testing.assert_close(found[1].sum(-1), torch.ones(6, 2))
    read, shares = reading.read(queries, nodes[:0], present[:0])
    assert read.shape == (0, 2, 12) and shares.shape == (0, 2, 5)


def test_guide_bank_is_largest_for_its_own_embedding():
    torch.manual_seed(0)
    bank = GuideBank(7, 16)
    logits = bank(bank.embeddings.detach() * 3)
    torch.testing.assert_close(logits.diagonal(), torch.ones(7))
    assert (logits.argmax(-1) == torch.arange(7)).all()


def test_projector_normalises():
    torch.manual_seed(0)
    out = Projector(5, 16, dropout=0.5).eval()(100 * torch.randn(4, 5))
    torch.testing.assert_close(out.mean(-1), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        out.var(-1, correction=0), torch.ones(4), rtol=1e-3, atol=0
    )


def two_clips():
    """Two modalities; the second clip lacks the first, with NaN in its place."""
    logits = torch.zeros(2, 2, 7)
    logits[0, 0, 1], logits[0, 1, 1], logits[1, 1, 2] = 2.0, 0.5, -30.0
    scores = torch.full((2, 2, 5), 0.5)
    scores[0, 0, 0], scores[0, 1, 0], scores[1, 1, 4] = 0.75, 0.2, 1.0
    logits[1, 0], scores[1, 0] = torch.nan, torch.nan
    present = torch.tensor([[True, True], [False, True]])
    return FusionInput({}, logits, scores, present, {})


def test_centred_logits_by_hand():
    given = two_clips()
    emotion, traits = torch.zeros(2, 14), torch.zeros(2, 10)
    emotion[0, 1], emotion[0, 8], emotion[1, 9] = 2.0, 0.5, -8.0
    assert torch.equal(PredictProjector("emotion", 2).centred_logits(given), emotion)
    # Odds of 3 to 1 and 1 to 4; certainty is clipped to a logit of 8.
    traits[0, 0], traits[0, 5], traits[1, 9] = math.log(3), -math.log(4), 8.0
    found = PredictProjector("personality", 2).centred_logits(given)
    torch.testing.assert_close(found, traits)


def test_probes_are_zero_until_they_are_set():
    given = two_clips()._replace(
        features={"face": torch.ones(2, 3), "text": torch.ones(2, 4)}
    )
    co_trained = PredictProjector("emotion", 2, {"face": 3, "text": 4})
    plain = PredictProjector("emotion", 2).centred_logits(given)
    assert torch.equal(co_trained.centred_logits(given), plain)
    weights = torch.zeros(7, 3)
    weights[5, 1] = 0.5
    co_trained.set_probe("face", weights, torch.full((7,), 0.25))
    expected = plain.clone()
    expected[0, :7] += 0.25  # the second clip has no face
    expected[0, 5] += 0.5
    torch.testing.assert_close(co_trained.centred_logits(given), expected)


def test_an_absent_modality_has_the_mean_logit():
    projector, given = PredictProjector("emotion", 2), two_clips()
    projector.centre(given)
    # Means over clips and present modalities: two of one clip, one of the other.
    mean = torch.zeros(7)
    mean[1], mean[2] = (2 + 0.5) / 3, -8 / 3
    torch.testing.assert_close(projector.mean, mean)
    expected = torch.zeros(2, 2, 7)  # (clip, modality, target)
    expected[0, 0, 1], expected[0, 1, 1], expected[1, 1, 1] = 2, 0.5, 0
    expected[1, 1, 2] = -8
    expected -= mean
    expected[1, 0] = 0
    torch.testing.assert_close(projector.centred_logits(given), expected.flatten(1))


def test_terms_of_modalities_add_up_to_the_logits():
    torch.manual_seed(0)
    projector, given = PredictProjector("emotion", 2), two_clips()
    nn.init.normal_(projector.linear.weight)
    projector.centre(given)
    terms = projector.terms(given)
    assert terms.shape == (2, 2, 7) and not terms[1, 0].any()
    expected = projector(given)
    torch.testing.assert_close(terms.sum(1) + projector.linear.bias, expected)


def experts_of(seed=0):
    torch.manual_seed(seed)
    experts = ProductOfExperts(4, 3, 8)
    for each in experts.parameters():
        nn.init.normal_(each, std=0.5)
    nodes, terms = torch.randn(5, 3, 8), torch.randn(5, 3, 4)
    present = torch.ones(5, 3, dtype=torch.bool)
    present[1, 0] = present[2, :2] = False
    return experts, nodes, terms, present


def test_a_product_of_experts_is_the_posterior_by_hand():
    experts, nodes, terms, present = experts_of()
    mean, sharpness, quality = experts(nodes, terms, present)
    arrays = [each.detach().double().numpy() for each in experts.parameters()]
    weight, usual, prior, factor = arrays
    start = prior @ prior.T + (factor @ factor.swapaxes(1, 2)).sum(0)
    for clip in range(5):
        precision, evidence = prior @ prior.T, np.zeros(4)
        for place in range(3):
            q = np.exp(nodes[clip, place].double().numpy() @ weight[place])
            q *= np.exp(usual[place]) * bool(present[clip, place])
            assert quality[clip, place].item() == pytest.approx(q, rel=1e-5)
            precision = precision + q * factor[place] @ factor[place].T
            evidence += q * terms[clip, place].double().numpy()
        expected = np.linalg.solve(precision, start @ evidence)
        assert mean[clip].detach().numpy() == pytest.approx(expected, abs=1e-3)
        ratio = np.linalg.inv(start).diagonal() / np.linalg.inv(precision).diagonal()
        assert sharpness[clip].detach().numpy() == pytest.approx(
            np.sqrt(ratio), rel=1e-3
        )


def test_experts_start_at_the_sum_of_terms():
    _, nodes, terms, present = experts_of()
    mean, sharpness, quality = ProductOfExperts(4, 3, 8)(nodes, terms, present)
    torch.testing.assert_close(mean[0], terms[0].sum(0), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(sharpness[0], torch.ones(4))
    assert torch.equal(quality, present.float())
    # Of equal experts with precision 1/4 each and a prior of 1: two of three are left.
    expected = terms[1, 1:].sum(0) * 1.75 / 1.5
    torch.testing.assert_close(mean[1], expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(sharpness[1], torch.full((4,), (1.5 / 1.75) ** 0.5))


def test_what_is_absent_changes_no_product():
    experts, nodes, terms, present = experts_of()
    before = experts(nodes, terms, present)
    nodes[2, 0], terms[2, 1] = 7.0, 0.0
    changed = experts(nodes, terms.masked_fill(~present[..., None], 5.0), present)
    for first, second in zip(before, changed, strict=True):
        torch.testing.assert_close(first, second)
