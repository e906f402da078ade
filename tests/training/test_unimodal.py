"""Stage 1 where features are out of the ordinary."""

import drawn
import numpy as np
import pandas as pd
import pytest

from sslmepr.features import FeatureStore, write_store
from sslmepr.training.crosstask import train_crosstask
from sslmepr.training.unimodal import train_unimodal

COUNTS, WIDTHS = (40, 40, 10), {"face": 6}


@pytest.fixture(params=[0.0, 0.7], ids=["zero", "constant"])
def alike(request, tmp_path, small_params, one_thread):
    """A study in which all clips are equally long and all steps alike."""
    drawn.draw_study(small_params, tmp_path, COUNTS, WIDTHS)
    for corpus in ("emotion", "personality", "joint"):
        folder = tmp_path / corpus / "features"
        store = FeatureStore.open(folder, "face")
        steps = np.full((4, WIDTHS["face"]), request.param, np.float32)
        same = [(name, steps) for name in store.clip_ids]
        write_store(folder, "face", same, "drawn", "1")
    return small_params, tmp_path


def test_clips_that_are_all_alike_are_all_predicted_alike(alike):
    params, data = alike
    runs = data / "runs"
    for task in ("emotion", "personality"):
        target = runs / "unimodal" / f"face-{task}"
        train_unimodal(params, "face", task, target, data, False)
    train_crosstask(params, "face", runs, runs / "crosstask" / "face", data, False)
    table = pd.read_parquet(runs / "crosstask" / "face" / "predictions.parquet")
    assert np.isfinite(table["predicted"]).all()
    # Out-of-fold predictions of training clips differ by the base rates of their folds.
    of_new = table[table["corpus"] == "joint"].groupby("target")["predicted"]
    assert (of_new.max() - of_new.min()).max() < 1e-5
