"""Projection of features to their first two principal components."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from sslmepr.features import FeatureStore
from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS


def project(values: np.ndarray, clip_ids: Sequence[str]) -> pd.DataFrame:
    """Principal components of one vector per clip.

    Parameters
    ----------
    values : (clip, feature) ndarray
        For example the mean over steps.
    clip_ids : (clip,) sequence of str

    Returns
    -------
    DataFrame
        clip_id, x, y.

    Raises
    ------
    ValueError
        If there are fewer than three clips, or a value is not finite.
    """
    if len(values) < 3:
        raise ValueError(f"a projection needs three clips, got {len(values)}")
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise ValueError(f"clip {clip_ids[int(bad.argmax())]}: a feature is not finite")
    pca = PCA(n_components=2, svd_solver="full")
    plane = pca.fit_transform(np.asarray(values, dtype=float))
    return pd.DataFrame({"clip_id": list(clip_ids), "x": plane[:, 0], "y": plane[:, 1]})


def project_modalities(
    stores: Mapping[str, FeatureStore], clips: pd.DataFrame
) -> pd.DataFrame:
    """Project the clips of a corpus, separately for each modality.

    Parameters
    ----------
    stores : mapping of str to FeatureStore
        Modality to its features, which are averaged over steps. Those with names have
        units of their own, and are scaled to unit variance.
    clips : DataFrame
        The clip table, for the strongest emotion of each clip.

    Returns
    -------
    DataFrame
        clip_id, x, y, modality, emotion.
    """
    strongest = clips.set_index("clip_id")[list(EMOTION_COLUMNS)].to_numpy().argmax(1)
    emotion = pd.Series(np.array(EMOTIONS)[strongest], index=clips["clip_id"])
    parts = []
    for modality, store in stores.items():
        means = np.stack([store[name].mean(axis=0) for name in store.clip_ids])
        if store.columns is not None:
            spread = means.std(axis=0)
            means = means / np.where(spread > 0, spread, 1.0)
        points = project(means, store.clip_ids)
        parts.append(
            points.assign(modality=modality, emotion=points["clip_id"].map(emotion))
        )
    return pd.concat(parts, ignore_index=True)
