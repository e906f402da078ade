"""Extraction of face, body and scene beside the usual way of doing it, one core each.

``python benchmarks/extraction.py`` renders clips in the size of the simulated corpora
and in that of common films, checks that both ways find the same boxes and features,
times them in turn and updates ``results/benchmarks.csv``. As many frames of a clip are
looked at as by default, and as in the paper.

The usual way decodes and converts every frame; then detector and preparation take one
sampled frame after the other, and the encoder, in float32, is called once for each kind
of region. Both ways have the same detector and the paper's encoder, CLIP ViT-B/32, with
the same random weights, which take as long as the published ones. Ours encodes in
bfloat16 where the processor multiplies it. It is measured with detection at full size,
and as it is by default, on frames reduced to at most 640 px, which moves boxes; small
frames are never reduced. How alike features of moved boxes are holds for these
weights only.
"""

import tempfile
from itertools import product
from pathlib import Path
from unittest.mock import patch

import numpy as np
import open_clip
import pandas as pd
import random_clip
import table
import timing
import torch

from sslmepr import params as parameters
from sslmepr.corpora.schema import read_clips
from sslmepr.encoders.image import ClipVitB32
from sslmepr.extraction.chunks import extract_chunk, one_thread
from sslmepr.extraction.shards import Job, read_findings, read_sequences
from sslmepr.labels import VISUAL_MODALITIES
from sslmepr.media import faces
from sslmepr.media.container import first_stream, open_media, origin_seconds
from sslmepr.media.faces import FaceDetector
from sslmepr.media.regions import crop_regions, find_regions
from sslmepr.params import Params
from sslmepr.simulation.corpus import build_simulated

CORPUS = "tiny_joint"
SIZES = (
    {"width": 320, "height": 256, "frames_per_second": 8},  # of the simulated corpora
    {"width": 1280, "height": 1024, "frames_per_second": 25},  # of common films
)
LOOKS = (
    {"clips": 8, "frames": 4},  # by default
    {"clips": 2, "frames": 30},  # in the paper
)
SIDES = ("left", "top", "right", "bottom")
ROUNDS = 3
USUAL, SAME, DEFAULT = "the usual way", "ours, same detection", "ours"
FULL_SIZE_PX = 10**6  # no frame is as large
ALIKE = 0.999
NAME = "extraction_usual"


def chosen(params: Params, size: dict, look: dict, weights: Path) -> Params:
    """`params` with few clips, of another size, and CLIP."""
    frame = params.simulation.frame.model_copy(update=size)
    simulation = params.simulation.model_copy(update={"frame": frame})
    clips = {"clips": look["clips"], "persons": look["clips"]}
    corpora = params.corpus | {CORPUS: params.corpus[CORPUS].model_copy(update=clips)}
    extract = params.extract.model_copy(
        update={
            "frames": look["frames"],
            "image_encoder": ClipVitB32.name,
            "checkpoint_dir": str(weights),
        }
    )
    changed = {"simulation": simulation, "corpus": corpora, "extract": extract}
    return params.model_copy(update=changed)


def every_frame(path: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """All frames of a film as RGB, when each is first shown, and when the last ends."""
    with open_media(path) as container:
        stream = first_stream(container, "video", path)
        start = origin_seconds(container)
        frames = list(container.decode(stream))
        images = np.stack([frame.to_ndarray(format="rgb24") for frame in frames])
        seconds = np.array([frame.time - start for frame in frames])
        return images, seconds, float(stream.duration * stream.time_base)


class Usual:
    """Extraction as it is usually written."""

    def __init__(self, params: Params):
        self.extract = params.extract
        self.detector = FaceDetector(self.extract.detector_threshold)
        folder = self.extract.checkpoint_dir
        self.encoder = ClipVitB32(torch.device("cpu"), folder)
        self.model = open_clip.create_model(
            f"local-dir:{folder}/{ClipVitB32.name}", require_pretrained=True
        ).eval()

    def clip(self, path: Path) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
        """Regions, and modality to features (frame, feature)."""
        images, seconds, end = every_frame(path)
        count = self.extract.frames
        targets = (np.arange(count) + 0.5) * end / count
        images = images[np.searchsorted(seconds, targets, "right") - 1]
        found = [self.detector.detect(image[None])[0] for image in images]
        regions = find_regions(images, found)
        crops = crop_regions(images, regions, self.extract.mask_person)
        return regions, {name: self.encode(crops[name]) for name in VISUAL_MODALITIES}

    @torch.inference_mode()
    def encode(self, crops: list[np.ndarray]) -> np.ndarray:
        """Crops of one kind to (crop, feature)."""
        encoder, pixels = self.encoder, []
        for crop in crops:
            values = encoder.prepare(crop).astype(np.float32)
            values = (values - encoder.mean) / encoder.deviation
            pixels.append(values.transpose(2, 0, 1))
        return self.model.encode_image(torch.from_numpy(np.stack(pixels))).numpy()


class Ours:
    """Extraction as the compendium does it: one chunk of clips, one shard."""

    def __init__(self, params: Params, clips: pd.DataFrame, folder: Path, side: int):
        wanted = ["clip_id", "media", "start_seconds", "end_seconds", "transcript"]
        rows = clips[wanted].astype(object).where(clips[wanted].notna(), None)
        rows["modalities"] = [list(VISUAL_MODALITIES)] * len(rows)
        shard = folder / f"{side}.safetensors"
        records = tuple(rows.to_dict("records"))
        self.job = Job(records, folder, params.extract, "cpu", shard)
        self.side = side

    def run(self) -> None:
        with patch.object(faces, "MAX_SIDE_PX", self.side):
            extract_chunk(self.job)

    def found(self) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
        """Regions and features of all clips."""
        shard = self.job.shard
        features = {
            name: np.concatenate([values for _, values in read_sequences(shard, name)])
            for name in VISUAL_MODALITIES
        }
        return pd.DataFrame(read_findings(shard).regions), features


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (box, side) in pairs."""
    shared = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = shared.clip(0).prod(1)
    areas = [(each[:, 2:] - each[:, :2]).prod(1) for each in (a, b)]
    return shared / (areas[0] + areas[1] - shared)


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(1) / lengths


def agreement(what: str, found, expected, bounded: bool, size: str) -> list[dict]:
    """Smallest and mean overlap of faces' boxes, and cosine of features.

    Raises
    ------
    SystemExit
        If these are to be the same and are not: then times say nothing.
    """
    regions, features = found
    usual, expected_features = expected
    boxes = [each[each["modality"] == "face"][list(SIDES)] for each in (regions, usual)]
    boxes = overlap(*(each.to_numpy(np.float64) for each in boxes))
    both = [
        np.concatenate(list(each.values())) for each in (features, expected_features)
    ]
    alike = cosine(*both)
    rows = []
    for name, values in (
        ("boxes of faces, intersection over union", boxes),
        ("features, cosine", alike),
    ):
        for kind, value in (("smallest", values.min()), ("mean", values.mean())):
            label = f"{what}, against {USUAL}, {size}, {name}, {kind}"
            bound = f"≥ {ALIKE}" if bounded and kind == "smallest" else None
            if bound and not value >= ALIKE:  # so that NaN fails too
                raise SystemExit(f"{label}: {value}")
            rows.append(table.row(NAME, label, [float(value)], "", bound, 5))
    return rows


def measure(params: Params, folder: Path, size: str) -> list[dict]:
    """Agreement, then clips per second in turn."""
    clips = read_clips(folder)
    usual = Usual(params)
    frame = params.simulation.frame
    ours = {SAME: Ours(params, clips, folder, FULL_SIZE_PX)}
    if max(frame.width, frame.height) > faces.MAX_SIDE_PX:
        ours[DEFAULT] = Ours(params, clips, folder, faces.MAX_SIDE_PX)
    expected: list = []

    def usual_run():
        with patch.object(faces, "MAX_SIDE_PX", FULL_SIZE_PX):
            expected[:] = [usual.clip(folder / media) for media in clips["media"]]

    runs = {USUAL: usual_run} | {what: each.run for what, each in ours.items()}
    rows = []
    for run in runs.values():
        run()
    together = pd.concat([regions for regions, _ in expected])
    features = {
        modality: np.concatenate([found[modality] for _, found in expected])
        for modality in VISUAL_MODALITIES
    }
    for what, each in ours.items():
        rows += agreement(what, each.found(), (together, features), what == SAME, size)
    with timing.others_busy(rows, NAME, f"extraction, {size}"):
        times = timing.in_turn(runs, ROUNDS)
    for what, each in times.items():
        speeds = [len(clips) / seconds for seconds in each]
        rows.append(table.row(NAME, f"{what}, {size}", speeds, "clips per second"))
    for what in ours:
        bound = "≥ 2" if what == SAME else "≥ 3"
        values = timing.times_as_fast(times[what], times[USUAL])
        label = f"{what}, against {USUAL}, {size}"
        rows.append(table.row(NAME, label, values, "times as fast", bound))
    return rows


def main() -> None:
    """Render, measure and merge into the table."""
    torch.manual_seed(0)
    rows = []
    with tempfile.TemporaryDirectory() as weights, one_thread():
        random_clip.write(Path(weights))
        for size, look in product(SIZES, LOOKS):
            params = chosen(parameters.load(), size, look, Path(weights))
            label = "{width}×{height} px, {frames} frames".format(**size, **look)
            with tempfile.TemporaryDirectory() as folder:
                build_simulated(CORPUS, params, folder)
                rows += measure(params, Path(folder), label)
    table.merge(rows)


if __name__ == "__main__":
    main()
