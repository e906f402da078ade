"""CenterFace (Xu et al. 2019, arXiv:1911.03599) through onnxruntime."""

import cv2
import numpy as np
import onnx
import onnxruntime

from sslmepr.weights import CENTERFACE

GRID_PX = 32
"""The network halves its input five times."""

STRIDE_PX = 4
"""Pixels between neighbouring cells of the heat map."""

MAX_SIDE_PX = 640
"""Larger frames are reduced first: a face that is lost by this is too small to use."""

OVERLAP = 0.3


def symbolic_model() -> onnx.ModelProto:
    """CenterFace with any batch, height and width.

    As published the model declares an input of 10 x 3 x 32 x 32, and its weights as
    further inputs, which keeps onnxruntime from folding and rearranging them.
    """
    model = onnx.load(str(CENTERFACE.verify()))
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 4)
    for prefix, values in (("", model.graph.input), ("cell_", model.graph.output)):
        for value in values:
            batch, _, height, width = value.type.tensor_type.shape.dim
            batch.dim_param = "batch"
            height.dim_param = f"{prefix}height"
            width.dim_param = f"{prefix}width"
    return model


def session_options(threads: int = 1) -> onnxruntime.SessionOptions:
    """Options of a session that keeps to `threads` cores."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options


class FaceDetector:
    """Faces in images.

    Parameters
    ----------
    threshold : float
        Smallest score of a face, 0..1.
    threads : int
        Cores used.
    """

    def __init__(self, threshold: float = 0.5, threads: int = 1):
        self.threshold = threshold
        self._session = onnxruntime.InferenceSession(
            symbolic_model().SerializeToString(),
            session_options(threads),
            providers=["CPUExecutionProvider"],
        )
        self._input = self._session.get_inputs()[0].name

    def detect(self, images: np.ndarray) -> list[np.ndarray]:
        """Find the faces of each image.

        Several in one run would leave the cache of a core, and be slower.

        Parameters
        ----------
        images : (frame, height, width, channel) uint8 np.ndarray
            RGB.

        Returns
        -------
        list of (face, 5) float32 np.ndarray
            Left, top, right, bottom in pixels of the input image, and the score;
            best first.
        """
        found = []
        for image in images:
            pixels, scale = _prepare(image)
            heat, size, offset = self._session.run(None, {self._input: pixels})[:3]
            faces = self._decode(heat[0, 0], size[0], offset[0])
            faces[:, :4] /= scale
            found.append(_clip(faces, *image.shape[:2]))
        return found

    def _decode(self, heat, size, offset) -> np.ndarray:
        """Boxes (face, 5) from the (row, column) maps of one image; section 3.1."""
        rows, columns = np.nonzero(heat > self.threshold)
        scores = heat[rows, columns]
        height, width = np.exp(size[:, rows, columns]) * STRIDE_PX
        y = (rows + offset[0, rows, columns] + 0.5) * STRIDE_PX
        x = (columns + offset[1, rows, columns] + 0.5) * STRIDE_PX
        corners = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
        faces = np.stack([*corners, scores], axis=1).astype(np.float32)
        return suppress(faces, OVERLAP)


def suppress(faces: np.ndarray, overlap: float) -> np.ndarray:
    """Drop every box that overlaps a better one (non-maximum suppression).

    Parameters
    ----------
    faces : (face, 5) np.ndarray
        Left, top, right, bottom, score.
    overlap : float
        Largest intersection over union of two boxes that are kept.

    Returns
    -------
    (face, 5) np.ndarray
        Best first.
    """
    left = faces[np.argsort(-faces[:, 4], kind="stable")]
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        sides = np.minimum(best[2:4], left[:, 2:4]) - np.maximum(best[:2], left[:, :2])
        shared = sides.clip(0).prod(axis=1)
        areas = np.prod(left[:, 2:4] - left[:, :2], axis=1)
        union = np.prod(best[2:4] - best[:2]) + areas - shared
        left = left[shared <= overlap * union]
    return np.array(kept, faces.dtype).reshape(-1, 5)


def _prepare(image: np.ndarray) -> tuple[np.ndarray, float]:
    """(1, channel, height, width), reduced if large, padded to the grid."""
    height, width = image.shape[:2]
    scale = min(1.0, MAX_SIDE_PX / max(height, width))
    if scale < 1.0:
        height, width = round(height * scale), round(width * scale)
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    padded = (-(-height // GRID_PX) * GRID_PX, -(-width // GRID_PX) * GRID_PX)
    pixels = np.zeros((1, 3, *padded), np.float32)
    pixels[0, :, :height, :width] = image.transpose(2, 0, 1)
    return pixels, scale


def _clip(faces: np.ndarray, height: int, width: int) -> np.ndarray:
    faces[:, 0:4:2] = faces[:, 0:4:2].clip(0, width)
    faces[:, 1:4:2] = faces[:, 1:4:2].clip(0, height)
    return faces[(faces[:, 2] > faces[:, 0]) & (faces[:, 3] > faces[:, 1])]
