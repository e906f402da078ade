"""A random study in the form in which stage 3 reads it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch

from sslmepr.models.fusion import FusionInput
from sslmepr.training.clips import StudyClips
from sslmepr.training.fusion_clips import FusionClips

ROLES = SimpleNamespace(roles=SimpleNamespace(emotion="MOSEI", personality="FIV2"))


def data_of(present, rng, labels=None):
    """A study of two corpora with face, text and audio; every fifth clip is in dev."""
    clips = len(present)
    names = ["MOSEI"] * (clips // 2) + ["FIV2"] * (clips - clips // 2)
    table = pd.DataFrame({"corpus": names, "split": "train"})
    table["split"] = np.where(np.arange(clips) % 5, "train", "dev")
    features = {
        name: torch.from_numpy(rng.standard_normal((clips, 3))).float()
        for name in ("face", "text", "audio")
    }
    logits = torch.from_numpy(rng.standard_normal((clips, 3, 7))).float()
    traits = torch.from_numpy(rng.random((clips, 3, 5))).float()
    outputs = FusionInput(features, logits, traits, torch.from_numpy(present), features)
    known = {
        "emotion": np.full((clips, 7), np.nan, np.float32),
        "personality": np.full((clips, 5), np.nan, np.float32),
    } | (labels or {})
    study = StudyClips(table, known, ["MOSEI", "FIV2"])
    return FusionClips(study, outputs, torch.device("cpu"))
