"""Find the place on its route that each GPS point belongs to (paper §4.1, Figure 3: the blue points).

A route may pass the same spot twice, so the nearest place of the whole route can be the wrong one. Each point is therefore
looked for only between the matched places of its neighbours, and among equally near places the one closest to its own
matched place wins. The search runs over all trips at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htp.city.relative import RouteLines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from htp.city.network import City

MARGIN_M = 30.0  # ours: a place may lie this far outside the matched places of the neighbours
HINT_WEIGHT = 0.05  # ours: a place 100 m from the matched one along the route must be some 5 m nearer to the point


@dataclass(frozen=True)
class Matched:
    """What the matcher says of one trip: its route and the places of some of its points."""

    roads: NDArray[np.int32]  # [R] connected
    points: NDArray[np.int64]  # [N] index of each matched point, increasing from 0 to T - 1
    along_m: NDArray[np.float64]  # [N] its place in metres from the start of roads[0]


@dataclass(frozen=True)
class Aligned:
    """The places of all points of one trip."""

    along_m: NDArray[np.float64]  # [T] metres from the start of the route's first road; may run backwards
    road: NDArray[np.int64]  # [T] place in the route of the road that lies there


def align(
    city: City, trips_xy_m: Sequence[NDArray[np.float64]], matched: Sequence[Matched]
) -> list[Aligned]:
    """Return for each trip [T, 2] the nearest places on its route to all of its points, matched or not."""
    if not matched:
        return []
    lines = RouteLines.of(city, [one.roads for one in matched])
    counts = np.array([len(xy_m) for xy_m in trips_xy_m])
    row = np.repeat(np.arange(len(matched)), counts)
    windows = [_windows(xy_m, one) for xy_m, one in zip(trips_xy_m, matched, strict=True)]
    hint_m, low_m, high_m = np.concatenate(windows, axis=1)
    along_m = nearest_place(lines, row, np.concatenate(trips_xy_m), np.stack([hint_m, low_m, high_m]))
    road = lines.road_at(row, along_m)
    cuts = np.cumsum(counts)[:-1]
    return [Aligned(a, r) for a, r in zip(np.split(along_m, cuts), np.split(road, cuts), strict=True)]


def nearest_place(
    lines: RouteLines, row: NDArray[np.int64], xy_m: NDArray[np.float64], window_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far along route `row` the place nearest to each point lies, [N] metres.

    `window_m` [3, N] holds for each point the place it is expected at and the ends of the stretch that is searched.
    """
    base_m = lines.base_m[row]
    hint_m, low_m, high_m = window_m
    low_m, high_m = np.clip(low_m, 0.0, lines.length_m[row]), np.clip(high_m, 0.0, lines.length_m[row])
    first = np.minimum(np.searchsorted(lines.axis_m, base_m + low_m, side="right") - 1, len(lines.axis_m) - 2)
    last = np.maximum(np.searchsorted(lines.axis_m, base_m + high_m, side="left"), first + 1)
    count = last - first  # segments to try a point, at least one
    begin = np.cumsum(count) - count
    point = np.repeat(np.arange(len(row)), count)
    segment = np.arange(len(point)) - np.repeat(begin - first, count)

    start_xy = lines.xy_m[segment]
    step_xy = lines.xy_m[segment + 1] - start_xy
    start_m, length_m = lines.axis_m[segment], np.diff(lines.axis_m)[segment]
    away_xy = xy_m[point] - start_xy
    share = (away_xy * step_xy).sum(axis=1) / np.maximum(length_m, 1e-9) ** 2
    axis_m = np.clip(
        start_m + np.clip(share, 0.0, 1.0) * length_m, (base_m + low_m)[point], (base_m + high_m)[point]
    )
    share = (axis_m - start_m) / np.maximum(length_m, 1e-9)
    miss_xy = away_xy - share[:, None] * step_xy
    place_m = axis_m - base_m[point]
    cost = (miss_xy**2).sum(axis=1) + (HINT_WEIGHT * (place_m - hint_m[point])) ** 2
    best = np.lexsort((cost, point))[begin]
    return place_m[best]


def _windows(xy_m: NDArray[np.float64], one: Matched) -> NDArray[np.float64]:
    """Return for each point the place it is expected at and the ends of the stretch to search, [3, T] metres."""
    driven_m = np.r_[0.0, np.cumsum(np.hypot(*np.diff(xy_m, axis=0).T))]
    hint_m = np.interp(driven_m, driven_m[one.points], one.along_m)
    at = np.arange(len(xy_m))
    before = np.maximum(np.searchsorted(one.points, at, side="left") - 1, 0)
    after = np.minimum(np.searchsorted(one.points, at, side="right"), len(one.points) - 1)
    ends = np.stack([one.along_m[before], one.along_m[after]])
    return np.stack([hint_m, ends.min(axis=0) - MARGIN_M, ends.max(axis=0) + MARGIN_M])
