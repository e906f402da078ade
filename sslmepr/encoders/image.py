"""Crops of face, body and scene to one feature vector each.

A crop is squeezed to the encoder's square whatever its shape: cutting it to a square
would lose hands and surroundings, which are what body and scene are about.
"""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch.nn.functional import adaptive_avg_pool2d

from sslmepr.encoders.onnx_graph import MIDDLE_BLOCK, efficientnet_graph
from sslmepr.encoders.precision import fast_cpu_dtype, inference_precision
from sslmepr.media.faces import session_options
from sslmepr.weights import EFFICIENTNET_LITE0, HUB, WeightsError, file_digest

CPU_BATCH = 4
"""Crops per run on the CPU: more leave the cache of a core and are slower."""


SIDE_PX = 160
"""EfficientNet-Lite0 was trained at 224. Faces in small frames have half of that, and
at 160, still a multiple of its stride, it takes less than half the time."""


class ImageEncoder:
    """What image encoders share: squeezing, scaling, batches.

    Subclasses set ``name``, ``revision``, ``feature_count``, ``side_px``, ``mean`` and
    ``deviation`` (per channel, of pixel values 0..255), and give ``_forward``.
    """

    steps_per_second = None  # frames per clip and the clip's length decide it
    interpolation = cv2.INTER_LINEAR

    def prepare(self, crop: np.ndarray) -> np.ndarray:
        """A (height, width, channel) crop in the encoder's size, still uint8."""
        height, width = crop.shape[:2]
        if (height, width) == (self.side_px, self.side_px):
            return crop
        shrinks = height > self.side_px and width > self.side_px
        how = cv2.INTER_AREA if shrinks else self.interpolation
        return cv2.resize(crop, (self.side_px, self.side_px), interpolation=how)

    def encode(self, crops: list[np.ndarray], batch: int = 64) -> np.ndarray:
        """Encode crops of any size, equal ones once.

        Crops repeat where the whole frame stands in for face and body, and where a clip
        has fewer frames than are sampled.

        Parameters
        ----------
        crops : list of (height, width, channel) uint8 np.ndarray
            RGB.
        batch : int
            Crops per run.

        Returns
        -------
        (crop, feature) float32 np.ndarray
        """
        different: dict[bytes, np.ndarray] = {}
        keys = []
        for crop in crops:
            small = self.prepare(crop)
            keys.append(hashlib.sha256(np.ascontiguousarray(small)).digest())
            different.setdefault(keys[-1], small)
        places = {key: place for place, key in enumerate(different)}
        features = self._encode(list(different.values()), batch)
        return features[[places[key] for key in keys]]

    def _encode(self, crops: list[np.ndarray], batch: int) -> np.ndarray:
        features = np.zeros((len(crops), self.feature_count), np.float32)
        for begin in range(0, len(crops), batch):
            part = np.stack(crops[begin : begin + batch]).astype(np.float32)
            pixels = (part - self.mean) / self.deviation
            pixels = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), np.float32)
            # (crop, channel, height, width)
            features[begin : begin + batch] = self._forward(pixels)
        return features


class EfficientNetLite0(ImageEncoder):
    """The embedded encoder: middle layers of EfficientNet-Lite0, 1328 wide.

    Its last layer was trained to classify objects wherever they are, and is insensitive
    to details such as mouth or arms and to their place. So the last map of
    `MIDDLE_BLOCK` is averaged over three by three overlapping regions, as in a spatial
    pyramid (Lazebnik et al. 2006, doi:10.1109/CVPR.2006.68), and the last block's over
    the whole crop.
    """

    name = "efficientnet_lite0"
    revision = f"{EFFICIENTNET_LITE0.revision}+blocks10,15"
    feature_count = 9 * 112 + 320
    side_px = SIDE_PX
    mean, deviation = np.float32(127.0), np.float32(128.0)

    def __init__(self, device: torch.device):
        model = EfficientNet.from_name("efficientnet-lite0")
        state = torch.load(EFFICIENTNET_LITE0.verify(), weights_only=True)
        model.load_state_dict(state)
        self.torch_model = model.eval().to(device)
        self._device, self._session = device, None
        if device.type == "cpu":
            self._session = onnxruntime.InferenceSession(
                efficientnet_graph(model).SerializeToString(),
                session_options(),
                providers=["CPUExecutionProvider"],
            )

    def _forward(self, pixels: np.ndarray) -> np.ndarray:
        if self._session is None:
            return self.reference(pixels)
        parts = [pixels[i : i + CPU_BATCH] for i in range(0, len(pixels), CPU_BATCH)]
        runs = [self._session.run(None, {"image": part})[0] for part in parts]
        return np.concatenate(runs)

    @torch.inference_mode()
    def reference(self, pixels: np.ndarray) -> np.ndarray:
        """The same by torch: (crop, channel, height, width) to (crop, feature)."""
        model, values = self.torch_model, torch.from_numpy(pixels).to(self._device)
        with inference_precision(self._device):
            maps = model._swish(model._bn0(model._conv_stem(values)))
            for index, block in enumerate(model._blocks):
                maps = block(maps)
                if index == MIDDLE_BLOCK:
                    regions = adaptive_avg_pool2d(maps, 3).flatten(1)
            features = torch.cat([regions, maps.mean(dim=(2, 3))], 1)
        return features.float().cpu().numpy()


class ClipVitB32(ImageEncoder):
    """The paper's encoder: the image half of CLIP ViT-B/32 through open_clip.

    Most of its time goes into large products, which a CPU made for bfloat16 takes in a
    third of the time.
    """

    name = "clip_vit_b32"
    interpolation = cv2.INTER_CUBIC

    def __init__(self, device: torch.device, checkpoint_dir: str | Path | None):
        # slow to import, and needed by this encoder alone
        import open_clip

        hub = HUB[self.name]
        folder = hub.folder(self.name, checkpoint_dir)
        try:
            model = open_clip.create_model(
                f"local-dir:{folder}", require_pretrained=True
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise WeightsError(
                f"extract.image_encoder: cannot load {self.name} ({error}); "
                f"{hub.advice(self.name, checkpoint_dir)}"
            ) from error
        self._model, self._device = model.eval().to(device), device
        self._on_cpu = fast_cpu_dtype()
        if device.type == "cpu" and self._on_cpu != torch.float32:
            # once, where a context would convert all weights for every batch
            open_clip.convert_weights_to_lp(model, self._on_cpu)
            # blocks add to what this gives: in float32, or they would add up errors
            model.visual.ln_pre.register_forward_hook(lambda _, __, sums: sums.float())
        settings = open_clip.get_model_preprocess_cfg(model)
        size = settings["size"]
        self.side_px = size if isinstance(size, int) else size[0]
        self.mean = 255 * np.asarray(settings["mean"], np.float32)
        self.deviation = 255 * np.asarray(settings["std"], np.float32)
        self.feature_count = model.visual.output_dim
        self.revision = file_digest(folder / hub.weights)[:12]

    @torch.inference_mode()
    def _forward(self, pixels: np.ndarray) -> np.ndarray:
        values = torch.from_numpy(pixels).to(self._device)
        with inference_precision(self._device, self._on_cpu):
            features = self._model.encode_image(values)
        return features.float().cpu().numpy()


IMAGE_ENCODERS = {
    "efficientnet_lite0": lambda extract, device: EfficientNetLite0(device),
    "clip_vit_b32": lambda extract, device: ClipVitB32(device, extract.checkpoint_dir),
}
"""Encoder name to what loads it, given section ``extract`` and a device."""
