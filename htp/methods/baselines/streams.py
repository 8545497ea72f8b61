"""Draw the numbers of each trip from a random stream of its own, which depends on the seed and its place alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from htp.compute.random_streams import BASELINES, stream_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor


class Streams:
    """The random streams of B trips."""

    def __init__(self, seed: int, places: Iterable[int], device: torch.device) -> None:
        self.device = device
        self.streams = [stream_of((seed, place), BASELINES) for place in places]

    def __len__(self) -> int:
        return len(self.streams)

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers, [B, *shape], each trip's the next of its own stream."""
        numbers = np.empty((len(self.streams), *shape), dtype=np.float32)
        for row, stream in enumerate(self.streams):
            numbers[row] = stream.standard_normal(shape, dtype=np.float32)
        return torch.from_numpy(numbers).to(self.device)
