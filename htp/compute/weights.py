"""Keep the weights of a network in a quarter of their size: matrices as bytes, each row with a scale of its own.

The error of a weight is at most a 254th of the largest in its row; what that costs is in `docs/decisions.md`. What has
fewer than two dimensions, or few numbers, stays as it is. The file is plain safetensors: `NAME` in int8 beside
`NAME.scale` in float16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, save_file

from htp.files import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

SMALL = 4096  # numbers: fewer stay as they are
SCALE = ".scale"


def save_weights(state: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors by name; the file appears whole or not at all."""
    packed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        own = tensor.detach().cpu()
        if own.is_floating_point() and own.ndim > 1 and own.numel() >= SMALL:
            packed[name], packed[name + SCALE] = _as_bytes(own.float())
        else:
            packed[name] = (own.float() if own.is_floating_point() else own).contiguous()
    with replacing(path) as temporary:
        save_file(packed, temporary)


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read what `save_weights` wrote, floating numbers in float32; errors are those of `safetensors` and `OSError`."""
    packed = load_file(path)
    scales = {name for name in packed if name.endswith(SCALE) and name.removesuffix(SCALE) in packed}
    return {
        name: tensor.float() * _beside(packed[name + SCALE].float(), tensor) if name + SCALE in scales else tensor
        for name, tensor in packed.items()
        if name not in scales
    }


def _as_bytes(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """Return steps of -127 to 127 and what a step of each row is worth, [rows]."""
    scale = (tensor.flatten(1).abs().amax(dim=1) / 127.0).clamp_min(torch.finfo(torch.float16).tiny).half()
    return (tensor / _beside(scale.float(), tensor)).round().clamp(-127, 127).to(torch.int8), scale


def _beside(scale: Tensor, tensor: Tensor) -> Tensor:
    return scale.reshape(-1, *[1] * (tensor.ndim - 1))
