"""The parts of the fusion model, worked out by hand."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sslmepr.models.fusion import FusionInput
from sslmepr.models.fusion_parts import (
    QUICK,
    GraphAttention,
    GuideBank,
    PredictProjector,
    ProductOfExperts,
    Projector,
    QueryReading,
    Readings,
    mixed,
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


def experts_of(**parts):
    """Experts for 3 emotions and 2 traits, with something to say, and 5 clips."""
    torch.manual_seed(0)
    experts = ProductOfExperts(5, 3, 3, **parts)
    for each in experts.parameters():
        nn.init.normal_(each, std=0.3)
    readings, terms = torch.randn(5, 3), torch.randn(5, 3, 5)
    present = torch.ones(5, 3, dtype=torch.bool)
    present[1, 0] = present[2, :2] = False
    return experts, readings, terms, present


def by_hand(experts, readings, terms, present, signs=None, shown=1.0):
    """Mean, sharpness and log evidence of one clip by numpy, `signs` on modality 2."""
    arrays = {n: p.detach().double().numpy() for n, p in experts.named_parameters()}
    prior, factor = arrays["prior"] @ arrays["prior"].T, arrays["experts"]
    start = prior + (factor @ factor.swapaxes(1, 2)).sum(0)
    precision, evidence = prior, np.zeros(5)
    for place in np.flatnonzero(present):
        q = np.exp(QUICK * arrays["trust"][place] * readings[place].item())
        q *= np.exp(arrays["usual"][place])
        scale = np.array([shown] * 3 + [1.0] * 2)
        if signs is not None and place == 2:
            scale[:3] *= signs
        evidence = evidence + q * scale * (start @ terms[place].double().numpy())
        one = factor[place] @ factor[place].T
        precision = precision + q * scale[:, None] * one * scale
    mean = np.linalg.solve(precision, evidence)
    ratio = np.linalg.inv(start).diagonal() / np.linalg.inv(precision).diagonal()
    support = evidence @ mean / 2 - np.linalg.slogdet(precision)[1] / 2
    return mean, np.sqrt(ratio), support


def test_a_product_of_experts_is_the_posterior_by_hand():
    experts, readings, terms, present = experts_of()
    found = experts(readings, terms, present)
    assert torch.equal(found.weights, torch.ones(5, 1))
    for clip in range(5):
        mean, sharpness, _ = by_hand(
            experts, readings[clip], terms[clip], present[clip].numpy()
        )
        assert found.mean[clip, 0].tolist() == pytest.approx(mean, abs=1e-3)
        assert found.sharpness[clip, 0].tolist() == pytest.approx(sharpness, rel=1e-3)


def test_contrary_words_and_expressiveness_by_hand():
    """Two hypotheses; the extraversion of the first solution sets kappa in both."""
    experts, readings, terms, present = experts_of(contrary=2, extraversion=4)
    log_odds = torch.randn(5)
    found = experts(readings, terms, present, log_odds)
    signs = 1.0, 1 - QUICK * experts.reversal.item()
    share = np.exp(experts.log_share.item())
    slope, shift = experts.odds.tolist()
    for clip in range(5):
        given = readings[clip], terms[clip], present[clip].numpy()
        odds = slope * log_odds[clip].item() + shift

        def solve(shown, given=given, odds=odds):
            both = [by_hand(experts, *given, sign, shown) for sign in signs]
            gap = odds + share * (both[1][2] - both[0][2])
            contrary = 1 / (1 + np.exp(-gap))
            return both, np.array([1 - contrary, contrary])

        both, weights = solve(1.0)
        known = weights @ [each[0][4] for each in both]
        shown = np.exp(QUICK * experts.moderation.item() * np.clip(known, -2, 2))
        both, weights = solve(shown)
        assert found.weights[clip].tolist() == pytest.approx(weights, abs=1e-3)
        for hypothesis, (mean, sharpness, _) in enumerate(both):
            mine = found.mean[clip, hypothesis], found.sharpness[clip, hypothesis]
            assert mine[0].tolist() == pytest.approx(mean, abs=2e-3)
            assert mine[1].tolist() == pytest.approx(sharpness, rel=2e-3)


def test_experts_start_at_the_sum_of_terms():
    _, readings, terms, present = experts_of()
    plain = ProductOfExperts(5, 3, 3)
    whole = ProductOfExperts(5, 3, 3, contrary=1, extraversion=4)
    odds = torch.randn(5)
    found, mixture = (
        plain(readings, terms, present),
        whole(readings, terms, present, odds),
    )
    for hypothesis in range(2):
        mean = mixture.mean[:, hypothesis]
        torch.testing.assert_close(mean, found.mean[:, 0])
    torch.testing.assert_close(found.mean[0, 0], terms[0].sum(0), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.sharpness[0, 0], torch.ones(5))
    torch.testing.assert_close(mixture.weights[:, 1], odds.sigmoid())
    assert torch.equal(found.quality, present.float())
    # Of equal experts with precision 1/4 each and a prior of 1: two of three are left.
    expected = terms[1, 1:].sum(0) * 1.75 / 1.5
    torch.testing.assert_close(found.mean[1, 0], expected, atol=1e-5, rtol=1e-5)
    ratio = torch.full((5,), (1.5 / 1.75) ** 0.5)
    torch.testing.assert_close(found.sharpness[1, 0], ratio)


def test_what_is_absent_changes_no_product():
    experts, readings, terms, present = experts_of(contrary=0, extraversion=3)
    odds = torch.zeros(5)
    before = experts(readings, terms, present, odds)
    terms = terms.masked_fill(~present[..., None], 5.0)
    changed = experts(readings.masked_fill(~present, 7.0), terms, present, odds)
    for first, second in zip(before, changed, strict=True):
        torch.testing.assert_close(first, second)


def test_contrary_words_need_their_odds():
    experts, readings, terms, present = experts_of(contrary=0)
    with pytest.raises(ValueError, match="log odds"):
        experts(readings, terms, present)


def test_logits_of_a_mean_probability():
    logits = torch.tensor([[[0.0, 30.0], [2.0, -30.0]]])
    weights = torch.tensor([[0.25, 0.75]])
    found = mixed(logits, weights)[0].sigmoid()
    expected = 0.25 * 0.5 + 0.75 / (1 + np.exp(-2.0))
    assert found.tolist() == pytest.approx([expected, 0.25])
    torch.testing.assert_close(mixed(logits[:, :1], weights[:, :1]), logits[:, 0])


def test_readings_say_nothing_until_they_are_set():
    given = SimpleNamespace(
        features={"text": torch.randn(3, 2), "audio": torch.randn(3, 4)},
        present=torch.tensor([[True, True], [True, False], [False, True]]),
    )
    readings = Readings({"text": 2, "audio": 4})
    quality, odds = readings(given)
    assert quality.eq(0).all() and odds.eq(0).all()
    readings.set_quality("text", torch.tensor([[1.0, -2.0]]), torch.tensor([0.5]))
    readings.set_contrary(torch.ones(1, 4), torch.tensor([1.0]), -3.0)
    given.features["audio"][1] = torch.nan  # absent: never used
    quality, odds = readings(given)
    first = given.features["text"] @ torch.tensor([1.0, -2.0]) + 0.5
    torch.testing.assert_close(quality[:2, 0], first[:2])
    assert quality[2, 0] == 0 and quality[:, 1].eq(0).all()
    said = given.features["audio"].sum(1) + 1
    torch.testing.assert_close(odds, torch.tensor([said[0], -3.0, said[2]]))
    assert not any(each.requires_grad for each in readings.parameters())
    del given.features["audio"]
    given.present = given.present[:, :1]
    assert Readings({"text": 2})(given)[1] is None
