"""Put points beside their route: draw the offsets of places that are known, and say where on Earth they lie.

Knows places along routes and a density of offsets, neither patterns nor decoders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from htp.compute.random_streams import POINTS, stream_of
from htp.tokenizer.batch import pad
from htp.tokenizer.features import from_route_frame, turns
from htp.tokenizer.offsets import movement_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.city.linear_referencing import RouteLines
    from htp.city.network import City
    from htp.compute.ragged import Ragged
    from htp.tokenizer.offsets import OffsetDensity

DRAWN = 128  # trips whose offsets are drawn together: the draws of a point are small, and a call costs more


@dataclass(frozen=True)
class Points:
    """Where the points of B trips lie, N points in all, trip after trip."""

    percent: NDArray[np.float32]  # [N] 0 to 1 along the route
    offset: NDArray[np.float32]  # [N, 2] metres east and north
    lonlat: NDArray[np.float64]  # [N, 2]
    counts: NDArray[np.int64]  # [B]


@dataclass(frozen=True)
class RandomNumbers:
    """What the points of B trips are drawn by, each trip's from its own stream; zeros behind its last point."""

    uniform: torch.Tensor  # [B, T] which component an offset comes from
    normal: torch.Tensor  # [B, T, 2] where in it
    steps: torch.Tensor  # [B, T, 2] uniform, the same for a step


def random_numbers(keys: NDArray[np.uint64], points: NDArray[np.int64], width: int) -> RandomNumbers:
    """Return the numbers that B trips of so many `points` [B] are drawn by, padded to `width`."""
    uniform = np.zeros((len(keys), width), np.float32)
    normal, steps = (np.zeros((len(keys), width, 2), np.float32) for _ in range(2))
    for row, (key, n) in enumerate(zip(keys, points, strict=True)):
        stream = stream_of(key, POINTS)
        uniform[row, :n] = stream.random((n,), dtype=np.float32)
        normal[row, :n] = stream.standard_normal((n, 2), dtype=np.float32)
        steps[row, :n] = stream.random((n, 2), dtype=np.float32)
    return RandomNumbers(*(torch.from_numpy(numbers) for numbers in (uniform, normal, steps)))


def drawn_offsets(
    noise: OffsetDensity,
    lines: RouteLines,
    places: Ragged[np.float64],
    interval_s: NDArray[np.float32],
    keys: NDArray[np.uint64],
) -> NDArray[np.float64]:
    """Return the offsets along and across the route in metres, [N, 2], of points at `places` along B routes.

    `interval_s` [B] lies between the points of each trip; `keys` [B, 2] are those of their random streams.
    """
    device, counts = next(noise.parameters()).device, places.counts
    turn = turns(places.row, lines.direction(places.row, places.flat))
    offset_m = np.zeros((len(places.flat), 2))
    order = np.argsort(counts, kind="stable")
    for at in range(0, len(order), DRAWN):
        rows = order[at : at + DRAWN]
        width = int(counts[rows].max())
        real = np.arange(width) < counts[rows][:, None]
        along_m = pad(places.flat.astype(np.float32), places.first, rows, width)
        last_m = along_m.gather(1, torch.from_numpy(counts[rows] - 1)[:, None])
        along_m = torch.where(torch.from_numpy(real), along_m, last_m)  # no step beyond the last point
        interval = torch.from_numpy(interval_s[rows].astype(np.float32))
        movement = movement_of(along_m, pad(turn, places.first, rows, width), interval)
        numbers = random_numbers(keys[rows], counts[rows], width)
        drawn_m = noise.draw(*(part.to(device) for part in (movement, numbers.uniform, numbers.normal))).cpu().numpy()
        for row, offsets, n in zip(rows, drawn_m, counts[rows], strict=True):
            offset_m[places.first[row] : places.first[row + 1]] = offsets[:n]
    return offset_m


def placed(city: City, lines: RouteLines, places: Ragged[np.float64], offset_m: NDArray[np.float64]) -> Points:
    """Return points at `places` along B routes, moved by offsets along and across them, [N, 2] metres."""
    row = places.row
    along_m = np.clip(places.flat, 0.0, lines.length_m[row])
    offset = from_route_frame(offset_m, lines.direction(row, along_m))
    lonlat = city.to_lonlat(lines.place(row, along_m) + offset)
    return Points((along_m / lines.length_m[row]).astype(np.float32), offset.astype(np.float32), lonlat, places.counts)
