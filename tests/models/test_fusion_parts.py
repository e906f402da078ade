"""The parts of the fusion model, worked out by hand."""

import torch
import torch.nn.functional as F

from sslmepr.models.fusion_parts import GraphAttention, GuideBank, Projector


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


def test_guide_bank_answers_to_its_own_embedding():
    torch.manual_seed(0)
    bank = GuideBank(7, 16)
    logits = bank(bank.embeddings.detach() * 3)
    torch.testing.assert_close(logits.diagonal(), torch.full((7,), 8.0))
    assert (logits.argmax(-1) == torch.arange(7)).all()


def test_projector_normalises():
    torch.manual_seed(0)
    out = Projector(5, 16, dropout=0.5).eval()(100 * torch.randn(4, 5))
    torch.testing.assert_close(out.mean(-1), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        out.var(-1, correction=0), torch.ones(4), rtol=1e-3, atol=0
    )
