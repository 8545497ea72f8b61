"""Draw the numbers of each trip from a random stream of its own, which depends on the seed and its place alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

STREAM = 3  # of the four numbers 4 · seed + purpose; `htp.generate` uses the others


class Streams:
    """The random streams of B trips."""

    def __init__(self, seed: int, places: Iterable[int], device: torch.device) -> None:
        self.device = device
        self.streams = [
            np.random.Generator(np.random.Philox(key=np.array([4 * seed + STREAM, place], dtype=np.uint64)))
            for place in places
        ]

    def __len__(self) -> int:
        return len(self.streams)

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers, [B, *shape], each trip's the next of its own stream."""
        numbers = np.empty((len(self.streams), *shape), dtype=np.float32)
        for row, stream in enumerate(self.streams):
            numbers[row] = stream.standard_normal(shape, dtype=np.float32)
        return torch.from_numpy(numbers).to(self.device)
