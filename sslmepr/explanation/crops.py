"""Where in the crop of a face or body an output looks: 3 x 3 regions are hidden.

A region of all frames of a clip is replaced by the same region of the average crop
(occlusion, Zeiler and Fergus 2014, Visualizing and understanding convolutional
networks), and the crops are read again by the encoder of images.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.encoders.image import ImageEncoder
from sslmepr.explanation.chain import Chain
from sslmepr.media.regions import crop_regions
from sslmepr.report.samples import read_pictures

SIDE = 3
"""Regions along a side; encoders keep as many places of a crop."""

HIDDEN = ("face", "body")


def read_crops(
    clip: pd.Series,
    folder: str | Path,
    regions: pd.DataFrame,
    encoder: ImageEncoder,
    frames: int,
) -> dict[str, np.ndarray]:
    """Crops of one clip in the size of the encoder, as extraction cut them.

    Parameters
    ----------
    clip : Series
        A row of a clip table.
    folder : path
        That `media` is relative to.
    regions : DataFrame
        ``regions.parquet`` of its corpus, of this clip.
    encoder : ImageEncoder
    frames : int
        Frames per clip.

    Returns
    -------
    dict of str to (frame, height, width, channel) uint8 ndarray
        Of `HIDDEN`, those that were found; empty if the recording cannot be read.
    """
    pictures = read_pictures(clip, folder, frames)
    if pictures is None:
        return {}
    crops = crop_regions(pictures.images, regions, mask_person=False)
    return {
        name: np.stack([encoder.prepare(each) for each in crops[name]])
        for name in HIDDEN
        if crops[name]
    }


def hide(crops: np.ndarray, average: np.ndarray) -> np.ndarray:
    """Crops as they are, and then with each region hidden, row by row.

    Parameters
    ----------
    crops : (frame, height, width, channel) uint8 ndarray
    average : (height, width, channel) uint8 ndarray

    Returns
    -------
    (1 + region, frame, height, width, channel) uint8 ndarray
    """
    hidden = np.repeat(crops[None], 1 + SIDE * SIDE, axis=0)
    height, width = average.shape[:2]
    rows = np.linspace(0, height, SIDE + 1).astype(int)
    columns = np.linspace(0, width, SIDE + 1).astype(int)
    for place in range(SIDE * SIDE):
        row, column = divmod(place, SIDE)
        part = np.s_[rows[row] : rows[row + 1], columns[column] : columns[column + 1]]
        hidden[1 + place][(slice(None), *part)] = average[part]
    return hidden


def hide_regions(
    chain: Chain,
    row: int,
    crops: dict[str, np.ndarray],
    average: dict[str, np.ndarray],
    encoder: ImageEncoder,
) -> pd.DataFrame:
    """What hiding a region takes from every output of one clip.

    Parameters
    ----------
    chain : Chain
    row : int
        The clip's place in the study.
    crops, average : dict
        Of :func:`read_crops`; the mean over frames and clips.
    encoder : ImageEncoder
        The one that made the features.

    Returns
    -------
    DataFrame
        clip_id, modality, row, column, target, attribution (output of the clip less
        that with the region hidden).
    """
    tables = []
    for modality, shown in crops.items():
        if modality not in chain.stage2 or modality not in average:
            continue
        variants = hide(shown, average[modality])
        flat = list(variants.reshape(-1, *shown.shape[1:]))
        features = encoder.encode(flat).reshape(*variants.shape[:2], -1)
        outputs = chain.replaced(np.full(len(variants), row), modality, list(features))
        places = np.repeat(np.arange(SIDE * SIDE), len(chain.targets))
        table = {
            "clip_id": chain.data.clips.table["clip_id"].iloc[row],
            "modality": modality,
            "row": places // SIDE,
            "column": places % SIDE,
            "target": np.tile(chain.targets, SIDE * SIDE),
            "attribution": (outputs[0] - outputs[1:]).ravel(),
        }
        tables.append(pd.DataFrame(table))
    columns = ["clip_id", "modality", "row", "column", "target", "attribution"]
    # Of the kinds of the others: tables of several clips are joined.
    kinds = {"row": int, "column": int, "attribution": np.float32}
    nothing = pd.DataFrame(columns=columns).astype(kinds)
    return pd.concat([nothing, *tables], ignore_index=True)
