"""Tiny models of three modalities, every weight drawn, for tests of the app."""

import numpy as np
import torch
from drawn_calibration import calibrate

from sslmepr.corpora.feature_tables.sequences import table_revision
from sslmepr.encoders.image import EfficientNetLite0
from sslmepr.encoders.quality import REVISION
from sslmepr.encoders.speech import Egemaps
from sslmepr.encoders.text import LAYERS
from sslmepr.labels import FEATURE_COUNTS, QUALITY, SCORED_EMOTIONS
from sslmepr.models.crosstask import CrosstaskConfig, CrosstaskModel
from sslmepr.models.fusion import FusionConfig, FusionModel
from sslmepr.models.unimodal import UnimodalConfig
from sslmepr.training.batches import Standardisation
from sslmepr.training.checkpoints import save_checkpoint
from sslmepr.weights import MINILM_L6

ENCODERS = {
    "face": ("efficientnet_lite0", EfficientNetLite0.revision + REVISION),
    "audio": (Egemaps.name, Egemaps.revision + REVISION),
    "text": ("minilm_l6", f"{MINILM_L6.revision}+last{LAYERS}+clauses{REVISION}"),
}
AUS = ("AU01_r", "AU04_r", "AU12_r")
COLUMNS = (*AUS, *QUALITY["table"])
OPENFACE = ("openface", table_revision("2.2.0", COLUMNS))
SEEDS, PEOPLE = 2, 140


def _drawn(model):
    with torch.no_grad():
        for each in model.parameters():
            each.copy_(0.3 * torch.randn_like(each))
    return model.eval()


def draw_models(folder, encoders=ENCODERS):
    """Checkpoints of stages 2 and 3, every weight drawn."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    features = {
        name: (len(COLUMNS) if each == OPENFACE else FEATURE_COUNTS[each[0]]) + 1
        for name, each in encoders.items()
    }
    digests = {}
    for modality, width in features.items():
        shape = dict(features=width, hidden=8, block="transformer", layers=1)
        shape |= dict(state=8, heads=2, dropout=0.0)
        tasks = [UnimodalConfig(task, **shape) for task in ("emotion", "personality")]
        config = CrosstaskConfig(*tasks, hidden=8, layers=1, heads=2, dropout=0.0)
        statistics = {
            "a": Standardisation(
                rng.normal(0, 0.1, width).astype(np.float32),
                rng.uniform(0.5, 2, width).astype(np.float32),
            )
        }
        digests[f"crosstask/{modality}"] = save_checkpoint(
            _drawn(CrosstaskModel(config)),
            folder / "crosstask" / modality / "model",
            statistics,
            made_by=encoders[modality],
        )
    config = FusionConfig(dict.fromkeys(features, 16), 8, 2, 0.0, features=features)
    fused = {}
    for seed in range(SEEDS):
        fused[str(seed)] = save_checkpoint(
            _drawn(FusionModel(config)),
            folder / "fusion" / "multitask" / f"seed-{seed}",
            metrics={"thresholds": dict.fromkeys(SCORED_EMOTIONS, 0.45)},
            trained_on=digests,
            seeds=range(SEEDS),
        )
    calibrate(rng, fused, PEOPLE, folder / "fusion" / "multitask")
