import torch

from sslmepr.training.fusion_clips import join_modalities


def outputs(*values):
    """Outputs of stage 2 for some clips, of which each holds one number."""
    widths = {
        "emotion_embedding": 2,
        "personality_embedding": 1,
        "emotion_logits": 7,
        "trait_scores": 5,
        "features": 4,
    }
    clips = torch.tensor(values)[:, None]
    return {
        name: clips + 10.0 * place + torch.zeros(len(values), width)
        for place, (name, width) in enumerate(widths.items())
    }


def test_outputs_of_stage_2_stand_at_their_clips_and_modalities():
    sizes = {"face": (3, 4), "text": (3, 4)}
    parts = [
        ("text", torch.tensor([2, 0]), outputs(1.0, 2.0)),
        ("text", torch.tensor([3]), outputs(3.0)),
    ]
    found = join_modalities(4, sizes, parts)
    assert found.present.tolist() == [
        [False, True],
        [False, False],
        [False, True],
        [False, True],
    ]
    assert found.embeddings["text"].tolist() == [
        [2, 2, 12],
        [0, 0, 0],
        [1, 1, 11],
        [3, 3, 13],
    ]
    assert found.emotion_logits[:, 1, 6].tolist() == [22, 0, 21, 23]
    assert found.trait_scores[:, 1, 4].tolist() == [32, 0, 31, 33]
    assert found.features["text"][:, 3].tolist() == [42, 0, 41, 43]
    assert found.embeddings["face"].shape == (4, 3)
    assert found.features["face"].shape == (4, 4)
    for absent in (found.embeddings["face"], found.emotion_logits[:, 0]):
        assert not absent.any()
