"""EfficientNet-Lite as an ONNX graph.

On a core without the newest vector instructions onnxruntime runs these small depthwise
convolutions about five times as fast as torch does, so on the CPU the encoder runs
there. The torch model remains the reference, and is what runs on CUDA.
"""

import numpy as np
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import nn

OPSET = 17
IR_VERSION = 8

MIDDLE_BLOCK = 10
"""The last block at a sixteenth of the crop's width: the last map with enough
resolution to locate parts of objects."""


class _Graph:
    """Nodes and weights collected in the order in which they compute."""

    def __init__(self):
        self.nodes, self.weights = [], []

    def add(self, kind: str, inputs: list[str], **attributes) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values) -> str:
        name = f"weight_{len(self.weights)}"
        values = np.ascontiguousarray(values, dtype=np.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def convolve(self, x: str, convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> str:
        """A convolution with the normalisation that follows it folded in."""
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        kernel = convolution.weight * scale[:, None, None, None]
        bias = norm.bias - norm.running_mean * scale
        left, right, top, bottom = _padding(convolution)
        return self.add(
            "Conv",
            [x, self.constant(kernel.numpy()), self.constant(bias.numpy())],
            strides=list(convolution.stride),
            group=convolution.groups,
            pads=[top, left, bottom, right],
        )

    def relu6(self, x: str) -> str:
        return self.add("Clip", [x, self.constant(0.0), self.constant(6.0)])


def _padding(convolution: nn.Conv2d) -> tuple[int, int, int, int]:
    """Left, right, top, bottom: TensorFlow pads more on the right and below."""
    padding = convolution.static_padding
    if isinstance(padding, nn.ZeroPad2d):
        return padding.padding
    return 0, 0, 0, 0


def _block(graph: _Graph, block: nn.Module, x: str) -> str:
    """Inverted bottleneck (Sandler et al. 2018, figure 4d) without squeezing."""
    inner = x
    if block._block_args.expand_ratio != 1:
        inner = graph.relu6(graph.convolve(inner, block._expand_conv, block._bn0))
    inner = graph.relu6(graph.convolve(inner, block._depthwise_conv, block._bn1))
    inner = graph.convolve(inner, block._project_conv, block._bn2)
    same = block._block_args.input_filters == block._block_args.output_filters
    if block.id_skip and block._block_args.stride == 1 and same:
        inner = graph.add("Add", [inner, x])
    return inner


@torch.no_grad()
def efficientnet_graph(model: nn.Module) -> ModelProto:
    """Blocks of an EfficientNet-Lite0 and the averages of two of their maps.

    Parameters
    ----------
    model : efficientnet_lite_pytorch.EfficientNet
        In evaluation mode, on the CPU.

    Returns
    -------
    ModelProto
        ``image`` (crop, channel, height, width) to ``feature`` (crop, feature).
    """
    graph = _Graph()
    x = graph.relu6(graph.convolve("image", model._conv_stem, model._bn0))
    for index, block in enumerate(model._blocks):
        x = _block(graph, block, x)
        if index == MIDDLE_BLOCK:
            # a map of ten by ten
            regions = graph.add("AveragePool", [x], kernel_shape=[4, 4], strides=[3, 3])
            regions = graph.add("Flatten", [regions])
    whole = graph.add("Flatten", [graph.add("GlobalAveragePool", [x])])
    graph.nodes.append(
        helper.make_node("Concat", [regions, whole], ["feature"], axis=1)
    )
    image = helper.make_tensor_value_info(
        "image", TensorProto.FLOAT, ["crop", 3, "height", "width"]
    )
    feature = helper.make_tensor_value_info(
        "feature", TensorProto.FLOAT, ["crop", "width of the features"]
    )
    return helper.make_model(
        helper.make_graph(
            graph.nodes, "efficientnet_lite", [image], [feature], graph.weights
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
