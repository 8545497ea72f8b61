"""Make the labels of matched trips: percent along the route and offset from it (paper §4.1, Figure 3).

The paper does not say what happens where GPS noise makes a point lie behind the one before. Ours: points of a standing
car share one place, the mean of theirs, and the rest is the non-decreasing sequence nearest to the matched places
(isotonic regression); what is left over goes into the offset. A running maximum would instead push a standing car
forward with every jitter. Matches that cannot be what was driven are dropped: the model learns whatever is let through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import isotonic_regression

from htp.city.linear_referencing import RouteLines
from htp.city.matching import places_m
from htp.compute.ragged import Ragged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from htp.city.matching import Match
    from htp.city.network import City

# All ours.
STILL_MPS, STILL_M = 0.4, 6.0  # a step slower and shorter than this is noise of a standing car
STAND_M = 15.0  # a run of such steps that spans more of the route is a slow car, not a standing one
FAR_M = 50.0  # two points in a row this far from the route were driven elsewhere
VERY_FAR_M = 150.0  # and so was a single one
MIN_RATIO, MAX_RATIO = 0.8, 1.3  # matched length against the length of the GPS track


@dataclass(frozen=True)
class Labels:
    """A trip's route and where its points lie relative to it."""

    first: int  # index of the first GPS point that is kept
    roads: NDArray[np.int32]  # [R] from the road of the first aligned point to that of the last
    percent: NDArray[np.float32]  # [T'] along all of `roads`, 0 to 1, never decreasing
    offset_m: NDArray[np.float32]  # [T', 2] GPS point minus aligned point, east and north
    ratio: float  # matched length against GPS length


def label(
    city: City,
    trips_xy_m: Sequence[NDArray[np.float64]],
    matches: Sequence[Match],
    interval_s: float,
    *,
    min_points: int,
) -> list[Labels | str]:
    """Return the labels of each trip [T, 2], or the reason why it has none."""
    results: list[Labels | str] = [match.failure or "" for match in matches]
    used = [i for i, match in enumerate(matches) if match.failure is None]
    if not used:
        return results
    lines = RouteLines.of(city, [matches[i].roads for i in used])
    xy_m = [trips_xy_m[i][matches[i].first : matches[i].stop] for i in used]
    along_m = [
        forward(places_m(city, matches[i]), track_m, min(STILL_M, STILL_MPS * interval_s))
        for i, track_m in zip(used, xy_m, strict=True)
    ]
    points = Ragged.of(along_m)
    placed_m = points.like(lines.place(points.row, points.flat))
    road = points.like(lines.road_at(points.row, points.flat))
    for k, i in enumerate(used):
        aligned = _Aligned(xy_m[k], placed_m[k], along_m[k], road[k])
        results[i] = _label_one(city, matches[i], aligned, min_points)
    return results


def forward(along_m: NDArray[np.float64], xy_m: NDArray[np.float64], still_m: float) -> NDArray[np.float64]:
    """Return non-decreasing places [T] nearest to `along_m`; points of a standing car share one."""
    still = np.hypot(*np.diff(xy_m, axis=0).T) < still_m
    if not still.any() and (np.diff(along_m) >= 0.0).all():
        return along_m
    group = np.r_[0, np.cumsum(~still)]
    starts = np.r_[0, np.flatnonzero(~still) + 1]
    mean_m = np.add.reduceat(along_m, starts) / np.bincount(group)
    spread_m = np.maximum.reduceat(along_m, starts) - np.minimum.reduceat(along_m, starts)
    pooled_m = np.where((spread_m <= STAND_M)[group], mean_m[group], along_m)
    if (np.diff(pooled_m) >= 0.0).all():
        return pooled_m
    return isotonic_regression(pooled_m).x


@dataclass(frozen=True)
class _Aligned:
    """The points of one trip's matched part and their places on its route."""

    xy_m: NDArray[np.float64]  # [T', 2]
    placed_m: NDArray[np.float64]  # [T', 2]
    along_m: NDArray[np.float64]  # [T'] never decreasing
    road: NDArray[np.int64]  # [T'] place of its road in the route


def _label_one(city: City, match: Match, aligned: _Aligned, min_points: int) -> Labels | str:
    offset_m = aligned.xy_m - aligned.placed_m
    start, stop = _longest_stretch(_far(np.hypot(offset_m[:, 0], offset_m[:, 1])))
    if stop - start < min_points:
        return "matched_part_too_short" if stop - start == len(offset_m) else "off_road"
    along_m = aligned.along_m[start:stop]
    track_m = float(np.hypot(*np.diff(aligned.xy_m[start:stop], axis=0).T).sum())
    ratio = float(along_m[-1] - along_m[0]) / max(track_m, 1e-9)
    if not MIN_RATIO <= ratio <= MAX_RATIO:
        return "detour" if ratio > MAX_RATIO else "shortcut"
    first_road, last_road = aligned.road[start], aligned.road[stop - 1]
    before_m = city.length_m[match.roads[:first_road]].sum()
    roads = match.roads[first_road : last_road + 1]
    percent = np.clip((along_m - before_m) / city.length_m[roads].sum(), 0.0, 1.0)
    return Labels(
        match.first + start, roads, percent.astype(np.float32), offset_m[start:stop].astype(np.float32), ratio
    )


def _far(distance_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points [T] were not driven on the route; one outlier at a time is borne, but not at either end."""
    far = distance_m > FAR_M
    pair = far.copy()
    pair[1:-1] &= far[:-2] | far[2:]
    return pair | (distance_m > VERY_FAR_M)


def _longest_stretch(bad: NDArray[np.bool_]) -> tuple[int, int]:
    """Return start and stop of the longest run of points that are not `bad`."""
    cuts = np.flatnonzero(bad)
    starts, stops = np.r_[0, cuts + 1], np.r_[cuts, len(bad)]
    best = int(np.argmax(stops - starts))
    return int(starts[best]), int(stops[best])
