"""Make the labels of matched trips: percent along the route and offset from it (paper §4.1, Figure 3).

The paper does not say what happens where GPS noise makes a point lie behind the one before. Ours: points of a standing
car share one place, the mean of theirs, and the rest is the non-decreasing sequence nearest to the matched places
(isotonic regression); what is left over goes into the offset. A running maximum would instead push a standing car
forward with every jitter. Matches that cannot be what was driven are dropped: the model learns whatever is let through.
What is left of a match once it is cut at points that were driven elsewhere are stretches, each with labels of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import isotonic_regression

from htp.city.linear_referencing import RouteLines
from htp.city.matching import places
from htp.compute.ragged import Ragged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from htp.city.matching import Match
    from htp.city.network import City

# All ours.
STILL_MPS, STILL_M = 0.4, 6.0  # a step slower and shorter than this is noise of a standing car
STAND_M = 15.0  # a run of such steps that spans more of the route is a slow car, not a standing one
FAR_M = 50.0  # two points in a row this far from the route were driven elsewhere
VERY_FAR_M = 150.0  # and so was a single one
AT_NODE_M = 1e-3  # nearer to a node, rounding would decide between its roads; the route ends there without the next one
MIN_RATIO, MAX_RATIO = 0.8, 1.3  # matched length against the length of the GPS track


@dataclass(frozen=True)
class Labels:
    """The route of a stretch of a trip, and where its points lie relative to it."""

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
) -> list[list[Labels] | str]:
    """Return the labels of the stretches of each match, of a trip [T, 2] each, or the reason why it has none."""
    results: list[list[Labels] | str] = [match.failure or "" for match in matches]
    used = [i for i, match in enumerate(matches) if match.failure is None]
    if not used:
        return results
    aligned = _align(city, [trips_xy_m[i] for i in used], [matches[i] for i in used], interval_s)
    labels: list[list[Labels]] = [[] for _ in used]
    why, longest = ["off_road"] * len(used), [0] * len(used)
    for part, start, stop in _stretches(aligned):
        one = _label_one(aligned, part, slice(start, stop), min_points)
        if isinstance(one, Labels):
            labels[part].append(one)
        elif stop - start > longest[part]:
            why[part], longest[part] = one, stop - start
    for i, own, reason in zip(used, labels, why, strict=True):
        results[i] = own or reason
    return results


def forward(along_m: Ragged[np.float64], xy_m: NDArray[np.float64], still_m: float) -> Ragged[np.float64]:
    """Return non-decreasing places nearest to those of each row, of points [N, 2]; a standing car's share one."""
    inside = along_m.place > 0
    moved = ~inside
    moved[1:] |= np.hypot(*np.diff(xy_m, axis=0).T) >= still_m
    stands = Ragged(along_m.flat, np.r_[np.flatnonzero(moved), len(moved)])
    short, mean_m = stands.max() - stands.min() <= STAND_M, stands.sum() / stands.counts
    pooled_m = np.where(short[stands.row], mean_m[stands.row], along_m.flat)
    back = inside.copy()
    back[1:] &= np.diff(pooled_m) < 0.0
    rows = along_m.like(pooled_m).split()
    for row in np.unique(along_m.row[back]):
        rows[row][:] = isotonic_regression(rows[row]).x  # a view
    return along_m.like(pooled_m)


@dataclass(frozen=True)
class _Aligned:
    """The points of B matched parts, N in all, and their places on their routes."""

    first: list[int]  # [B] index in its trip of each part's first GPS point
    lines: RouteLines  # [B]
    along_m: Ragged[np.float64]  # B rows, never decreasing
    road: NDArray[np.int64]  # [2, N] place of its road among those of all routes, as the first point and as the last
    track_m: NDArray[np.float64]  # [N] length of all GPS tracks up to there
    offset_m: NDArray[np.float64]  # [N, 2]


def _align(
    city: City, trips_xy_m: Sequence[NDArray[np.float64]], matches: Sequence[Match], interval_s: float
) -> _Aligned:
    """Place the matched points of trips [T, 2] on their routes."""
    tracks_m = [xy_m[match.first : match.stop] for xy_m, match in zip(trips_xy_m, matches, strict=True)]
    lines = RouteLines.of(city, [match.roads for match in matches])
    xy_m = np.concatenate(tracks_m)
    along_m = forward(places(city, matches), xy_m, min(STILL_M, STILL_MPS * interval_s))
    row = along_m.row
    return _Aligned(
        first=[match.first for match in matches],
        lines=lines,
        along_m=along_m,
        road=lines.roads.first[row]
        + np.array([lines.road_at(row, along_m.flat + aside_m) for aside_m in (AT_NODE_M, -AT_NODE_M)]),
        track_m=np.r_[0.0, np.cumsum(np.hypot(*np.diff(xy_m, axis=0).T))],
        offset_m=xy_m - lines.place(row, along_m.flat),
    )


def _stretches(aligned: _Aligned) -> Iterator[tuple[int, int, int]]:
    """Yield the part, start and stop of every run of points of a part that were driven on its route."""
    along_m = aligned.along_m
    good = ~_far(along_m.like(np.hypot(*aligned.offset_m.T)))
    starts, ends = good.copy(), good.copy()
    starts[1:] &= ~good[:-1] | (along_m.place[1:] == 0)
    ends[:-1] &= ~good[1:] | (along_m.place[1:] == 0)
    start, stop = np.flatnonzero(starts), np.flatnonzero(ends) + 1
    yield from zip(along_m.row[start].tolist(), start.tolist(), stop.tolist(), strict=True)


def _label_one(aligned: _Aligned, part: int, points: slice, min_points: int) -> Labels | str:
    """Return the labels of one stretch, or the reason why it has none."""
    start, last = points.start, points.stop - 1
    whole = aligned.along_m.first[part : part + 2]
    if last + 1 - start < min_points:
        return "matched_part_too_short" if [start, last + 1] == whole.tolist() else "off_road"
    along_m = aligned.along_m.flat[points]
    ratio = float((along_m[-1] - along_m[0]) / max(aligned.track_m[last] - aligned.track_m[start], 1e-9))
    if not MIN_RATIO <= ratio <= MAX_RATIO:
        return "detour" if ratio > MAX_RATIO else "shortcut"
    lines, first_road, last_road = aligned.lines, aligned.road[0, start], aligned.road[1, last]
    before_m = lines.road_start_m[first_road]
    length_m = lines.road_start_m[last_road] + lines.road_length_m[last_road] - before_m
    return Labels(
        first=int(aligned.first[part] + start - whole[0]),
        roads=lines.roads.flat[first_road : last_road + 1],
        percent=np.clip((along_m - before_m) / length_m, 0.0, 1.0).astype(np.float32),
        offset_m=aligned.offset_m[points].astype(np.float32),
        ratio=ratio,
    )


def _far(distance_m: Ragged[np.float64]) -> NDArray[np.bool_]:
    """Return which points [N] were not driven on the route; one outlier at a time is borne, but not at either end."""
    far = distance_m.flat > FAR_M
    borne = (distance_m.place > 0) & (distance_m.place < distance_m.counts[distance_m.row] - 1)
    borne[1:] &= ~far[:-1]
    borne[:-1] &= ~far[1:]
    return (far & ~borne) | (distance_m.flat > VERY_FAR_M)
