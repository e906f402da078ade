"""Where in the crop of a face or body an output looks: regions are hidden.

A region of all frames of a clip is replaced by the same region of the average crop
(occlusion, Zeiler and Fergus 2014, Visualizing and understanding convolutional
networks), and the crops are read again by the encoder of images.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.encoders.image import ImageEncoder
from sslmepr.explanation.chain import Chain
from sslmepr.media.regions import crop_regions
from sslmepr.report.samples import read_pictures

THIRDS = (0, 1 / 3, 2 / 3, 1)
"""Edges of regions along a side; encoders keep three places of a crop."""

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


def hide(
    crops: np.ndarray,
    average: np.ndarray,
    rows: Sequence[float] = THIRDS,
    columns: Sequence[float] = THIRDS,
) -> np.ndarray:
    """Crops as they are, and then with each region hidden, row by row.

    Parameters
    ----------
    crops : (frame, height, width, channel) uint8 ndarray
    average : (height, width, channel) uint8 ndarray
    rows, columns : sequence of float
        Edges of the regions, as shares of height and width.

    Returns
    -------
    (1 + region, frame, height, width, channel) uint8 ndarray
    """
    across, regions = len(columns) - 1, (len(rows) - 1) * (len(columns) - 1)
    hidden = np.repeat(crops[None], 1 + regions, axis=0)
    down, right = (
        (np.array(edges) * size).astype(int)
        for edges, size in zip((rows, columns), average.shape, strict=False)
    )
    for place in range(regions):
        row, column = divmod(place, across)
        part = np.s_[down[row] : down[row + 1], right[column] : right[column + 1]]
        hidden[1 + place][(slice(None), *part)] = average[part]
    return hidden


def hide_regions(
    chain: Chain,
    row: int,
    crops: dict[str, np.ndarray],
    average: dict[str, np.ndarray],
    encoder: ImageEncoder,
    rows: Sequence[float] = THIRDS,
    columns: Sequence[float] = THIRDS,
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
    rows, columns : sequence of float
        As for :func:`hide`.

    Returns
    -------
    DataFrame
        clip_id, modality, row, column, target, attribution (output of the clip less
        that with the region hidden).
    """
    tables, across = [], len(columns) - 1
    for modality, shown in crops.items():
        if modality not in chain.stage2 or modality not in average:
            continue
        variants = hide(shown, average[modality], rows, columns)
        flat = list(variants.reshape(-1, *shown.shape[1:]))
        features = encoder.encode(flat).reshape(*variants.shape[:2], -1)
        outputs = chain.replaced(np.full(len(variants), row), modality, list(features))
        regions = len(variants) - 1
        places = np.repeat(np.arange(regions), len(chain.targets))
        table = {
            "clip_id": chain.data.clips.table["clip_id"].iloc[row],
            "modality": modality,
            "row": places // across,
            "column": places % across,
            "target": np.tile(chain.targets, regions),
            "attribution": (outputs[0] - outputs[1:]).ravel(),
        }
        tables.append(pd.DataFrame(table))
    names = ["clip_id", "modality", "row", "column", "target", "attribution"]
    # Of the kinds of the others: tables of several clips are joined.
    kinds = {"row": int, "column": int, "attribution": np.float32}
    nothing = pd.DataFrame(columns=names).astype(kinds)
    return pd.concat([nothing, *tables], ignore_index=True)
