import numpy as np
import pandas as pd
import pytest
import torch

from sslmepr.explanation.attribution import attribute
from sslmepr.labels import EMOTIONS, TARGETS, TRAITS
from sslmepr.models.fusion import FusionConfig, FusionInput, FusionModel

WIDTHS = {"face": 8, "audio": 8, "text": 4}
FEATURES = {"face": 3, "audio": 2, "text": 5}
CLIPS = ["a", "b", "c"]


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
    draw = torch.Generator().manual_seed(1)
    present = torch.ones(3, 3, dtype=torch.bool)
    present[1, 1] = False
    embeddings, features = (
        {name: torch.randn(3, width, generator=draw) for name, width in widths.items()}
        for widths in (WIDTHS, FEATURES)
    )
    embeddings["audio"][1] = features["audio"][1] = torch.nan
    logits = torch.randn(3, 3, 7, generator=draw)
    scores = torch.rand(3, 3, 5, generator=draw)
    return FusionInput(embeddings, logits, scores, present, features)


def near(given):
    """A baseline close by, on a path without the kinks near zero."""
    return {
        name: torch.nan_to_num(values)[0] + 0.05
        for name, values in given.embeddings.items()
    }


def test_attributions_sum_to_the_difference_of_outputs(model, given):
    result = attribute(model, given, CLIPS, steps=200, baseline=near(given))
    outputs = result.outputs
    assert (
        len(outputs) == 18
        and outputs["output"].sub(outputs["baseline"]).abs().max() > 0.1
    )
    assert outputs["gap"].abs().max() < 0.01
    total = result.values.groupby(["clip_id", "target"])["attribution"].sum()
    expected = outputs.set_index(["clip_id", "target"])["attributed"]
    pd.testing.assert_series_equal(
        total.sort_index(), expected.sort_index(), check_names=False, rtol=1e-4
    )


def test_outputs_are_those_of_the_model(model, given):
    outputs = attribute(model, given, CLIPS, steps=2).outputs
    with torch.no_grad():
        said = model(given)
    best = said.emotion_logits.max(dim=1)
    first = outputs.iloc[:3]
    assert first["target"].tolist() == [EMOTIONS[i] for i in best.indices]
    np.testing.assert_allclose(first["output"], best.values, rtol=1e-5)
    openness = outputs.loc[outputs["target"] == "openness", "output"]
    np.testing.assert_allclose(openness, said.trait_scores[:, 0], rtol=1e-5)
    assert list(dict.fromkeys(outputs["target"][3:])) == list(TRAITS)


def test_absent_modalities_have_no_rows_and_nothing_is_undefined(model, given):
    values = attribute(model, given, CLIPS, ["anger", "openness"], steps=4).values
    assert values["attribution"].notna().all()
    lost = (values["clip_id"] == "b") & (values["modality"] == "audio")
    assert not lost.any()
    whole = values[(values["clip_id"] == "a") & (values["target"] == "anger")]
    sizes = whole.groupby(["modality", "pathway", "half"]).size()
    assert sizes["face", "embedding", "emotion"] == 4
    assert sizes["text", "embedding", "personality"] == 2
    assert sizes["audio", "prediction", "emotion"] == 7
    assert sizes["audio", "prediction", "personality"] == 5
    assert sizes["text", "feature", "emotion"] == 1
    assert ("text", "feature", "personality") not in sizes


def test_bins_keep_the_sums(model, given):
    fine = attribute(model, given, CLIPS, ["anger"], steps=4).values
    coarse = attribute(model, given, CLIPS, ["anger"], steps=4, bins=3).values
    keys = ["clip_id", "modality", "pathway", "half"]
    sums = [table.groupby(keys)["attribution"].sum() for table in (fine, coarse)]
    pd.testing.assert_series_equal(*sums, rtol=1e-4, atol=1e-6)
    face = coarse.query("modality == 'face' and pathway == 'embedding'")
    assert face["index"].max() == 2


def test_a_model_in_training_mode_is_left_so_and_explained_without_dropout(
    model, given
):
    calm = attribute(model, given, CLIPS, steps=3).values
    busy = attribute(model.train(), given, CLIPS, steps=3).values
    assert model.training
    pd.testing.assert_frame_equal(calm, busy)


def test_bad_arguments_are_named(model, given):
    with pytest.raises(ValueError, match="targets: the model predicts no 'joy'"):
        attribute(model, given, CLIPS, ["joy"])
    with pytest.raises(ValueError, match="2 clip ids for 3 clips"):
        attribute(model, given, CLIPS[:2])
