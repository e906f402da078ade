"""The published fusion network by hand."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from sslmepr.labels import OURS
from sslmepr.models.fusion import FusionConfig, FusionInput
from sslmepr.models.published import PUBLISHED_THRESHOLD, PublishedFusion

CONFIG = FusionConfig(
    {"face": 6, "text": 4},
    hidden=16,
    heads=2,
    dropout=0.1,
    without=OURS,
)


def model(config=CONFIG):
    torch.manual_seed(0)
    return PublishedFusion(config).eval()


def clips(present):
    random = torch.Generator().manual_seed(1)
    count = len(present)
    return FusionInput(
        {"face": torch.randn(count, 6, generator=random)}
        | {"text": torch.randn(count, 4, generator=random)},
        torch.randn(count, 2, 7, generator=random),
        torch.rand(count, 2, 5, generator=random),
        torch.tensor(present),
        {},
    )


def test_projector_by_hand():
    net, given = model(), clips([[True, True]] * 3)
    for modality, embedding in given.embeddings.items():
        projector = net.projectors[modality]
        linear, _, _, norm = projector.project
        inner = norm(linear(embedding).clamp(min=0))
        down, _, _, up = projector.adapter
        expected = projector.norm(inner + up(down(inner).clamp(min=0)))
        torch.testing.assert_close(projector(embedding), expected)


def test_output_by_hand():
    net, given = model(), clips([[True, True], [True, True], [False, True]])
    plain = net(given).representation
    found = net(given)
    for place, (task, said) in enumerate(
        [("emotion", given.emotion_logits), ("personality", given.trait_scores)]
    ):
        mean = torch.stack([said[0].mean(0), said[1].mean(0), said[2, 1]])
        projector = net.predict_projectors[task]
        read = plain[:, place] + mean @ projector.weight.T + projector.bias
        head = read @ net.heads[task].weight.T + net.heads[task].bias
        cosine = F.cosine_similarity(read[:, None], net.banks[task].embeddings, dim=-1)
        if task == "emotion":
            expected, output = (head + cosine) / 2, found.emotion_logits
        else:
            expected, output = (head.sigmoid() + cosine.sigmoid()) / 2, None
            output = found.trait_scores
        torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-5)


def test_an_absent_modality_has_no_influence_even_as_nan():
    given = clips([[False, True]] * 3)
    for part in (given.embeddings["face"], given.emotion_logits, given.trait_scores):
        part[:, 0] = float("nan") if part.ndim == 3 else part[:, 0]
    net = model()
    assert net(given).emotion_logits.isfinite().all()
    loss = net(given).emotion_logits.sum() + net(given).trait_scores.sum()
    loss.backward()
    trained = [p for p in net.parameters() if p.grad is not None]
    assert len(trained) > 20 and all(p.grad.isfinite().all() for p in trained)


def test_emotions_are_single_label():
    found = PublishedFusion.emotion_probabilities(torch.randn(9, 7))
    torch.testing.assert_close(found.sum(1), torch.ones(9))
    # If neutral is near 1, no other emotion reaches the threshold.
    sure = torch.tensor(
        [[1 - PUBLISHED_THRESHOLD + 1e-3] + [(PUBLISHED_THRESHOLD - 1e-3) / 6] * 6]
    )
    assert not (sure[:, 1:] >= PUBLISHED_THRESHOLD).any()


def test_the_scale_of_the_bank_is_not_learned():
    assert not any(
        p.requires_grad for n, p in model().named_parameters() if "log_scale" in n
    )


@pytest.mark.parametrize(
    "without", [(), ("guide_bank",), ("co_training", "task_query")]
)
def test_it_is_built_as_published_or_not_at_all(without):
    features = {"face": 3, "text": 2}
    with pytest.raises(ValueError, match="the published network is built whole"):
        model(replace(CONFIG, without=without, features=features))
