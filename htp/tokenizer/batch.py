"""Put trips of different lengths into one padded batch, with masks that say what is real."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from htp.compute.length_batches import length_batches
from htp.compute.ragged import Ragged
from htp.tokenizer.features import Samples, anchors_of
from htp.trips import POINTS_PER_PATTERN

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class DecoderInputs:
    """What the decoder is told besides the patterns: the roads and how far and how long the trip goes."""

    roads: Tensor  # [B, R] road_id
    mask: Tensor  # [B, R] bool
    start_m: Tensor  # [B, R] where each road starts on its route
    length_m: Tensor  # [B, R]
    total_m: Tensor  # [B] length of the route
    distance_m: Tensor  # [B] first to last point, along the route
    interval_s: Tensor  # [B]
    points: Tensor  # [B] number of points T
    anchors: Tensor  # [B, P] place in the route of the road each pattern ends on
    first_m: Tensor | None = None  # [B] where the first point lies, NaN where the decoder says; None: it always does

    def to(self, device: torch.device | str) -> DecoderInputs:
        """Return the same on a device."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: t.to(device) for name, t in tensors.items() if t is not None})

    @property
    def point_mask(self) -> Tensor:
        """Which of the T points, padded to whole patterns, are real, [B, 8P] bool."""
        places = torch.arange(self.anchors.shape[1] * POINTS_PER_PATTERN, device=self.points.device)
        return places[None] < self.points[:, None]

    @property
    def pattern_mask(self) -> Tensor:
        """Which patterns are real, [B, P] bool."""
        return self.point_mask[:, ::POINTS_PER_PATTERN]


@dataclass(frozen=True)
class Batch:
    """Trips as the tokenizer is trained on them."""

    inputs: Tensor  # [B, 8P, F]
    along_m: Tensor  # [B, 8P]
    offset_m: Tensor  # [B, 8P, 2]
    routes: DecoderInputs

    def to(self, device: torch.device | str) -> Batch:
        """Return the same on a device."""
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))


def pad(flat: NDArray[Any], first: NDArray[np.int64], rows: NDArray[np.int64], width: int) -> Tensor:
    """Gather the pieces `first[row]:first[row + 1]` of a flat array into a tensor [rows, width, ...], zeros behind."""
    return torch.from_numpy(Ragged(flat, first).pad(width, rows))


class Batches:
    """Serve padded batches of samples, trips of similar length together."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.anchors, self.first_pattern = anchors_of(samples)
        self.total_m = Ragged(samples.road_length_m, samples.first_road).sum()
        first, last = samples.first_point[:-1], samples.first_point[1:] - 1
        self.distance_m = samples.along_m[last] - samples.along_m[first]
        self.points = samples.points

    def epoch(self, batch_size: int, generator: np.random.Generator | None) -> list[NDArray[np.int64]]:
        """Return the rows of each batch; with a generator in random order, otherwise shortest first."""
        return length_batches(self.points, batch_size, generator)

    def collate(self, rows: NDArray[np.int64]) -> Batch:
        """Return the batch of these rows."""
        s = self.samples
        patterns = int(-(-self.points[rows].max() // POINTS_PER_PATTERN))
        width = patterns * POINTS_PER_PATTERN
        roads = int(np.diff(s.first_road)[rows].max())
        mask = torch.arange(roads)[None] < torch.from_numpy(np.diff(s.first_road)[rows])[:, None]
        routes = DecoderInputs(
            roads=pad(s.roads, s.first_road, rows, roads).long(),
            mask=mask,
            start_m=pad(s.road_start_m, s.first_road, rows, roads),
            length_m=pad(s.road_length_m, s.first_road, rows, roads),
            total_m=torch.from_numpy(self.total_m[rows]),
            distance_m=torch.from_numpy(self.distance_m[rows]),
            interval_s=torch.from_numpy(s.interval_s[rows]),
            points=torch.from_numpy(self.points[rows]),
            anchors=pad(self.anchors, self.first_pattern, rows, patterns).long(),
        )
        return Batch(
            pad(s.inputs, s.first_point, rows, width),
            pad(s.along_m, s.first_point, rows, width),
            pad(s.offset_m, s.first_point, rows, width),
            routes,
        )
