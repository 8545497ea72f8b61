"""Say how fast the machine could write tokens at best: a token's bytes and FLOPs over measured bandwidth and GEMM rate.

A step of the token loop reads the weights of the layers once for the whole batch and every trip's keys and values. It
cannot be faster than either; sampling, heads and norms are left out, which makes the limit rather too high.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from htp.language.depth import DepthModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from htp.language.model import LanguageModel

COPIED_BYTES = 256 << 20  # larger than any cache
GEMM = 1536  # rows and columns
TURNS = 7


@dataclass(frozen=True)
class Machine:
    """What the machine does at best."""

    bytes_per_s: float  # memory read and written
    flops_per_s: float  # of a large product of matrices in single precision


@dataclass(frozen=True)
class TokenCost:
    """What one step of the token loop needs."""

    weight_bytes: int  # read once a step
    cache_bytes: int  # keys and values of one trip
    flops: int  # of one trip

    @classmethod
    def of(cls, model: LanguageModel, length: int) -> TokenCost:
        """Count for a trip whose question and half of its answer have `length` tokens."""
        backbone = model.backbone
        embedding = cast("nn.Embedding", backbone.get_input_embeddings()).weight
        weights = [p for p in backbone.parameters() if p is not embedding]
        weights += model.depth.parameters() if isinstance(model, DepthModel) else []
        numbers, size = sum(p.numel() for p in weights), embedding.element_size()
        config = backbone.config
        head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        cache = 2 * config.num_hidden_layers * config.num_key_value_heads * head * length
        attention = 4 * config.num_hidden_layers * config.num_attention_heads * head * length
        return cls(numbers * size, cache * size, 2 * numbers + attention)

    def seconds(self, trips: int, machine: Machine) -> float:
        """Return the least time of a step for so many trips."""
        moved = (self.weight_bytes + trips * self.cache_bytes) / machine.bytes_per_s
        return max(moved, trips * self.flops / machine.flops_per_s)


def measure_machine(device: torch.device) -> Machine:
    """Measure how fast memory is copied and matrices are multiplied."""
    source = torch.ones(COPIED_BYTES // 4, device=device)
    target = torch.empty_like(source)
    copied_s = _fastest(lambda: target.copy_(source), device)
    one, two = torch.ones(GEMM, GEMM, device=device), torch.ones(GEMM, GEMM, device=device)
    multiplied_s = _fastest(lambda: one @ two, device)
    return Machine(2 * COPIED_BYTES / copied_s, 2 * GEMM**3 / multiplied_s)


def _fastest(run: Callable[[], object], device: torch.device) -> float:
    """Return the seconds of the fastest turn: what the machine can do, whatever else it does besides."""
    seconds = []
    for _ in range(TURNS):
        started = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return float(np.min(seconds))
