"""Numerical precision of encoders: half precision where the device supports it."""

import torch

MULTIPLIES_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")
"""Instructions of AMD and Intel, of Intel, and of ARM."""


def inference_precision(
    device: torch.device, on_cpu: torch.dtype = torch.float32
) -> torch.autocast:
    """A context for the forward pass of an encoder.

    Features are stored in half precision, so they lose little by it.

    Parameters
    ----------
    device : torch.device
        On CUDA, matrix products are computed in float16, norms and softmax in float32.
    on_cpu : torch.dtype
        Precision of matrix products on the CPU.

    Returns
    -------
    torch.autocast
    """
    dtype = torch.float16 if device.type == "cuda" else on_cpu
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def fast_cpu_dtype() -> torch.dtype:
    """The precision `on_cpu` for an encoder of large layers, whose products take long.

    A CPU that only imitates bfloat16 is slower in it than in float32. Encoders of small
    layers gain nothing anywhere.
    """
    able = torch.cpu.get_capabilities()
    native = any(able.get(name, False) for name in MULTIPLIES_BFLOAT16)
    if native and torch.backends.mkldnn.is_available():
        return torch.bfloat16
    return torch.float32
