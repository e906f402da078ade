"""How exactly an encoder computes: in half precision where that is what CUDA is for."""

import torch


def inference_precision(device: torch.device) -> torch.autocast:
    """A context for the forward pass of an encoder.

    On CUDA products are taken in half precision and what needs range (norms, softmax)
    in float32; on the CPU, where half precision is slower, everything is in float32.
    The features, which are stored in half precision, lose little.
    """
    return torch.autocast(device.type, torch.float16, enabled=device.type == "cuda")
