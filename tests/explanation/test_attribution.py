import numpy as np
import pandas as pd
import pytest
import torch

from sslmepr.explanation.attribution import attribute, average_clip
from sslmepr.labels import MODEL_COMPONENTS, TARGETS
from sslmepr.models.fusion import FusionConfig, FusionInput, FusionModel

WIDTHS = {"face": 8, "audio": 8, "text": 4}
FEATURES = {"face": 3, "audio": 2, "text": 5}
CLIPS = ["a", "b", "c"]
NAMES = [name for names in TARGETS.values() for name in names]


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = FusionConfig(WIDTHS, hidden=16, heads=2, dropout=0.5, features=FEATURES)
    net = FusionModel(config)
    for part in net.predict_projectors.values():
        for modality, width in FEATURES.items():
            weights = torch.randn(len(TARGETS[part.task]), width)
            part.set_probe(modality, weights, torch.zeros(len(weights)))
    return net.eval()


@pytest.fixture
def given():
    """Three clips; the second has no audio, only NaN in its place."""
    return drawn(3, 1, {1: 1})


def drawn(count, seed, absent=()):
    """Random inputs; `absent` maps clips to the place of the modality they lack."""
    draw = torch.Generator().manual_seed(seed)
    present = torch.ones(count, 3, dtype=torch.bool)
    embeddings, features = (
        {
            name: torch.randn(count, width, generator=draw)
            for name, width in widths.items()
        }
        for widths in (WIDTHS, FEATURES)
    )
    for clip, place in dict(absent).items():
        present[clip, place] = False
        name = list(WIDTHS)[place]
        embeddings[name][clip] = features[name][clip] = torch.nan
    logits = torch.randn(count, 3, 7, generator=draw)
    scores = torch.rand(count, 3, 5, generator=draw)
    return FusionInput(embeddings, logits, scores, present, features)


def near(given):
    """A baseline close by, on a path without the kinks near zero."""
    first = given.at(torch.tensor([0]))
    return first._replace(
        embeddings={name: each + 0.05 for name, each in first.embeddings.items()}
    )


def test_attributions_sum_to_the_difference_of_outputs(model, given):
    result = attribute(model, given, CLIPS, near(given), steps=200)
    outputs = result.outputs
    assert len(outputs) == 36
    assert outputs["output"].sub(outputs["baseline"]).abs().max() > 0.1
    assert outputs["gap"].abs().max() < 0.01
    total = result.values.groupby(["clip_id", "target"])["attribution"].sum()
    expected = outputs.set_index(["clip_id", "target"])["attributed"]
    pd.testing.assert_series_equal(
        total.sort_index(), expected.sort_index(), check_names=False, rtol=1e-4
    )


def test_a_linear_model_has_the_attributions_of_its_weights():
    """Weight times difference to the average, in closed form, for every modality."""
    without = [name for name in MODEL_COMPONENTS if name != "predict_projector"]
    config = FusionConfig(WIDTHS, 16, 2, 0.0, without=without)
    torch.manual_seed(2)
    net = FusionModel(config).eval()
    weights = torch.randn(7, 21)
    net.predict_projectors["emotion"].set_linear(weights, torch.randn(7))
    training, given = drawn(50, 3), drawn(3, 4)
    result = attribute(net, given, CLIPS, average_clip(training), ["fear"], steps=3)
    moved = given.emotion_logits - training.emotion_logits.mean(0)
    expected = torch.einsum("cmi,mi->cm", moved, weights[3].view(3, 7))
    found = result.values.query("pathway == 'prediction' and half == 'emotion'")
    found = found.pivot(index="clip_id", columns="modality", values="attribution")
    np.testing.assert_allclose(found[list(WIDTHS)], expected, rtol=1e-4, atol=1e-5)
    rest = result.values.query("pathway != 'prediction' or half != 'emotion'")
    assert (rest["attribution"] == 0).all()
    with torch.no_grad():
        usual = net(training).emotion_logits[:, 3].mean()
    np.testing.assert_allclose(result.outputs["baseline"], float(usual), rtol=1e-4)
    assert result.outputs["gap"].abs().max() < 1e-5


def test_the_average_clip_is_averaged_over_those_that_have_a_modality():
    training = drawn(4, 5, {0: 1, 2: 1, 3: 0})
    mean = average_clip(training)
    face, audio = [0, 1, 2], [1, 3]
    for field in ("embeddings", "features"):
        mine, all_clips = getattr(mean, field), getattr(training, field)
        for name, rows in (("face", face), ("audio", audio), ("text", [0, 1, 2, 3])):
            expected = all_clips[name][rows].mean(0)
            torch.testing.assert_close(mine[name][0], expected)
    torch.testing.assert_close(
        mean.emotion_logits[0, 1], training.emotion_logits[audio, 1].mean(0)
    )
    scores = training.trait_scores[face, 0].logit().mean(0).sigmoid()
    torch.testing.assert_close(mean.trait_scores[0, 0], scores)
    assert mean.present.tolist() == [[True, True, True]]


def test_a_modality_that_no_clip_has_is_neutral():
    training = drawn(2, 6, {0: 2, 1: 2})
    mean = average_clip(training)
    assert mean.present.tolist() == [[True, True, False]]
    assert (mean.embeddings["text"] == 0).all() and (
        mean.emotion_logits[0, 2] == 0
    ).all()
    assert (mean.trait_scores[0, 2] == 0.5).all()


def test_outputs_are_those_of_the_model(model, given):
    outputs = attribute(model, given, CLIPS, near(given), steps=2).outputs
    with torch.no_grad():
        said = model(given)
    both = torch.cat([said.emotion_logits, said.trait_scores], 1)
    assert outputs["target"].unique().tolist() == NAMES
    np.testing.assert_allclose(outputs["output"], both.T.flatten(), rtol=1e-5)


def test_absent_modalities_have_no_rows_and_nothing_is_undefined(model, given):
    values = attribute(
        model, given, CLIPS, near(given), ["anger", "openness"], steps=4
    ).values
    assert values["attribution"].notna().all()
    lost = (values["clip_id"] == "b") & (values["modality"] == "audio")
    assert not lost.any()
    whole = values[(values["clip_id"] == "a") & (values["target"] == "anger")]
    found = set(zip(whole["modality"], whole["pathway"], whole["half"], strict=True))
    halves = ("emotion", "personality")
    assert found == {
        (name, *rest)
        for name in WIDTHS
        for rest in [
            *(("embedding", half) for half in halves),
            *(("prediction", half) for half in halves),
            ("feature", "emotion"),
        ]
    }


def test_a_model_in_training_mode_is_left_so_and_explained_without_dropout(
    model, given
):
    calm = attribute(model, given, CLIPS, near(given), steps=3).values
    busy = attribute(model.train(), given, CLIPS, near(given), steps=3).values
    assert model.training
    pd.testing.assert_frame_equal(calm, busy)


def test_bad_arguments_are_named(model, given):
    with pytest.raises(ValueError, match="targets: the model predicts no 'joy'"):
        attribute(model, given, CLIPS, near(given), ["joy"])
    with pytest.raises(ValueError, match="2 clip ids for 3 clips"):
        attribute(model, given, CLIPS[:2], near(given))
