"""All stages on corpora of which some training clips are text alone."""

from pathlib import Path

import drawn
import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from sslmepr.corpora.schema import read_clips, write_clips
from sslmepr.features import FeatureStore, write_store
from sslmepr.training import unimodal
from sslmepr.training.all_stages import train_study
from sslmepr.training.batches import ModalityClips
from sslmepr.training.checkpoints import load_checkpoint
from sslmepr.training.clips import read_study_clips
from sslmepr.training.predictions import dev_score
from sslmepr.training.unimodal import train_unimodal

COUNTS, WIDTHS = (80, 80, 20), {"face": 6, "text": 5}
CORPORA = ("emotion", "personality")


def alone(table):
    """Every third training clip."""
    return (table["split"] == "train") & (np.arange(len(table)) % 3 == 0)


def mark(folder, keep):
    """Take the media of some clips, or these clips, and their faces away."""
    for name in CORPORA:
        table = read_clips(folder / name / "corpus")
        chosen = alone(table)
        table["media"] = table["media"].astype(object).mask(~chosen, "a.mp4")
        if not keep:
            table = table[~chosen].reset_index(drop=True)
        write_clips(table, folder / name / "corpus")
        features, ids = folder / name / "features", set(table["clip_id"])
        with_face = ids & set(table["clip_id"][table["media"].notna()])
        for modality, wanted in {"face": with_face, "text": ids}.items():
            store = FeatureStore.open(features, modality)
            kept = [(n, store[n]) for n in store.clip_ids if n in wanted]
            write_store(features, modality, kept, "drawn", "1")


@pytest.fixture(scope="module")
def settings(small_params):
    fusion = small_params.fusion.model_copy(update={"seeds": [0]})
    return small_params.model_copy(
        update={"fusion": fusion, "variants": ["multitask", "with_everything"]}
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory, settings, one_thread):
    data = tmp_path_factory.mktemp("data")
    drawn.draw_study(settings, data, COUNTS, WIDTHS)
    mark(data, keep=True)
    runs = tmp_path_factory.mktemp("runs")
    return data, runs, train_study(settings, runs, data, progress=False)


def predictions(folder):
    return pd.read_parquet(Path(folder, "predictions.parquet"))


def test_models_of_text_learn_from_them_and_others_do_not(trained):
    data, _, results = trained
    for task in CORPORA:
        table = read_clips(data / task / "corpus")
        train = (table["split"] == "train").sum()
        for modality, count in {
            "text": train,
            "face": train - alone(table).sum(),
        }.items():
            found = results["unimodal"][f"{modality}-{task}"]["clips"]["train"]
            assert found == results["crosstask"][modality]["clips"][task] == count


def test_fusion_neither_learns_from_them_nor_predicts_them(trained):
    data, runs, _ = trained
    for name in ("stacking/emotion", "stacking/personality", "fusion/multitask"):
        told = predictions(runs / name)
        for corpus in CORPORA:
            table = read_clips(data / corpus / "corpus")
            ids = table["clip_id"][table["media"].notna()]
            assert set(told.loc[told["corpus"] == corpus, "clip_id"]) == set(ids)


def test_emotions_are_as_common_as_in_the_other_clips(trained):
    data, runs, _ = trained
    table = read_clips(data / "emotion" / "corpus")
    others = table[(table["split"] == "train") & ~alone(table)]
    share = (others["emotion_anger"] > 0).mean()
    for name in ("unimodal/text-emotion/model", "fusion/multitask/seed-0"):
        thresholds = load_checkpoint(runs / name).metrics["thresholds"]
        assert thresholds["anger"] == pytest.approx(share)


def test_faces_are_read_as_without_them(trained, tmp_path, settings):
    _, runs, _ = trained
    drawn.draw_study(settings, tmp_path / "data", COUNTS, WIDTHS)
    mark(tmp_path / "data", keep=False)
    run = tmp_path / "run"
    train_unimodal(settings, "face", "emotion", run, tmp_path / "data", progress=False)
    expected = predictions(run)
    found = predictions(runs / "unimodal" / "face-emotion")
    pd.testing.assert_frame_equal(found, expected)


def test_a_probe_with_peaks_is_trained_stored_and_read(settings, trained, tmp_path):
    """Its predictions are those of the probe on means and largest values."""
    data, _, _ = trained
    peaks = settings.unimodal.model_copy(update={"peaks": ["text"], "epochs": 1})
    params = settings.model_copy(update={"unimodal": peaks})
    train_unimodal(params, "text", "emotion", tmp_path, data, progress=False)
    model = load_checkpoint(tmp_path / "model").model
    assert model.config.peaks
    width = model.config.features
    assert model.probe.weight.shape[1] == 2 * width
    assert model.probe.weight[:, width:].abs().max() > 0
    clips = read_study_clips(params, data)
    read = ModalityClips(clips, "text", data)
    rows = read.present(clips.rows("emotion", "dev"))
    logits = F.linear(
        torch.from_numpy(read.summary(rows, True)).float(),
        model.probe.weight,
        model.probe.bias,
    )
    told = predictions(tmp_path)
    linear = told[(told["stage"] == "linear") & (told["split"] == "dev")]
    linear = linear[linear["corpus"] == "emotion"]
    expected = logits.sigmoid().detach().numpy().ravel()
    np.testing.assert_allclose(linear["predicted"], expected, atol=1e-5)


@pytest.mark.parametrize("better", [True, False])
def test_a_kernel_is_used_where_it_predicts_dev_better(
    settings, trained, tmp_path, monkeypatch, better
):
    """The linear model stays the baseline; and where it is better, nothing changes."""
    data, runs, _ = trained
    wished = settings.unimodal.model_copy(update={"landmarks": {"text": 7}})
    params = settings.model_copy(update={"unimodal": wished})
    scores = iter([0.0, float(better)])  # linear first, then the kernel; then any
    monkeypatch.setattr(
        unimodal, "dev_score", lambda *given: next(scores, dev_score(*given))
    )
    result = train_unimodal(params, "text", "emotion", tmp_path, data, progress=False)
    stored = load_checkpoint(tmp_path / "model").model
    assert result["landmarks"] == stored.config.landmarks == 7 * better
    told, plain = predictions(tmp_path), predictions(runs / "unimodal/text-emotion")
    if not better:
        pd.testing.assert_frame_equal(told, plain)
        return
    found, expected = (each[each["stage"] == "linear"] for each in (told, plain))
    pd.testing.assert_frame_equal(found, expected)
    read = ModalityClips(read_study_clips(params, data), "text", data)
    train = read.labelled_rows("emotion", "emotion", "train")
    chosen = np.random.default_rng(params.seed).permutation(len(train))[:7]
    pooled = torch.from_numpy(read.summary(train, False))
    mapped = stored.kernel(pooled)
    # A landmark is nobody's neighbour more than its own: the kernel there is 1.
    own = mapped[chosen].square().sum(1)
    torch.testing.assert_close(own, torch.ones(7), atol=1e-3, rtol=0)
    assert stored.probe.weight[:, pooled.shape[1] :].abs().max() > 0
