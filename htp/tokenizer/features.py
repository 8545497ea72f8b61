"""Describe trips to the tokenizer: what the encoder sees, where every point lies, and the roads around it.

The paper's encoder sees normalised coordinates (equation 1). Ours sees movement in the frame of the route: steps, how
they change, offsets along and across, and how the route bends, so that patterns are free of place. Lengths are metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from htp.city.linear_referencing import RouteLines
from htp.compute.ragged import Ragged
from htp.errors import InputError
from htp.recording import REFERENCE_S
from htp.trips import POINTS_PER_PATTERN

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city.network import City

STEP_M, OFFSET_M, ROUTE_M = 100.0, 10.0, 1000.0  # scales of the inputs, ours; a step in REFERENCE_S
BEND_M = (30.0, 90.0)  # how far before and behind a point the encoder sees the route bend, ours
BACK, BEYOND = 1e-5, 0.1  # how far percent may run backwards, by rounding, and lie beyond its route
RELATIVE_INPUTS = 6 + 4 * len(BEND_M) + 3
ABSOLUTE_INPUTS = 2


@dataclass(frozen=True)
class Samples:
    """B trips of N points and R roads in all, trip after trip, as the tokenizer learns them."""

    inputs: NDArray[np.float32]  # [N, F] what the encoder sees
    along_m: NDArray[np.float32]  # [N] place of each aligned point along its route
    offset_m: NDArray[np.float32]  # [N, 2] offset along and across (left) the direction of travel
    turn: NDArray[np.float32]  # [N, 2] see `turns`
    first_point: NDArray[np.int64]  # [B + 1]
    roads: NDArray[np.int32]  # [R]
    first_road: NDArray[np.int64]  # [B + 1]
    road_start_m: NDArray[np.float32]  # [R]
    road_length_m: NDArray[np.float32]  # [R]
    interval_s: NDArray[np.float32]  # [B]

    def __len__(self) -> int:
        return len(self.interval_s)

    @property
    def points(self) -> NDArray[np.int64]:
        """Number of points of each trip, [B]."""
        return np.diff(self.first_point)


def describe(trips: gpd.GeoDataFrame, city: City, *, inputs: str = "relative") -> Samples:
    """Return the samples of prepared trips; `inputs` as in TokenizerConfig. `InputError` where labels are none."""
    lines = RouteLines.of(city, list(trips["roads"]))
    percent = Ragged.of(trips["percent"], np.float64)
    _check_labels(trips, percent)
    row = percent.row
    along_m = percent.flat * lines.length_m[row]
    east_north = np.concatenate(list(trips["offset"])).reshape(-1, 2)
    direction = lines.direction(row, along_m)
    offset_m = to_route_frame(east_north, direction)
    relative = inputs == "relative"
    interval_s = trips["interval"].to_numpy(dtype=np.float32)
    per_step = REFERENCE_S / interval_s.astype(np.float64)[row]
    seen = relative_inputs(lines, row, along_m, offset_m, per_step) if relative else absolute_inputs(trips, city)
    return Samples(
        seen.astype(np.float32),
        along_m.astype(np.float32),
        offset_m.astype(np.float32),
        turns(row, direction),
        percent.first,
        lines.roads.flat,
        lines.roads.first,
        lines.road_start_m.astype(np.float32),
        lines.road_length_m.astype(np.float32),
        interval_s,
    )


def _check_labels(trips: gpd.GeoDataFrame, percent: Ragged[np.float64]) -> None:
    """Raise `InputError` where percent, offset or interval are none that a prepared trip can have."""
    offset = Ragged.of(trips["offset"], np.float64)
    interval_s = trips["interval"].to_numpy(dtype=np.float64)
    falls = np.zeros(len(percent.flat), dtype=bool)
    falls[1:] = (np.diff(percent.flat) < -BACK) & (percent.place[1:] > 0)
    off = ~((percent.flat >= -BEYOND) & (percent.flat <= 1 + BEYOND)) | falls
    bad = {
        "interval": ~((interval_s > 0) & np.isfinite(interval_s)),
        "percent": (percent.counts == 0) | percent.like(off).max(False),
        "offset": (offset.counts != 2 * percent.counts) | offset.like(~np.isfinite(offset.flat)).max(False),
    }
    for column, rows in bad.items():
        if rows.any():
            trip = trips["trip_id"].iloc[int(np.argmax(rows))]
            raise InputError(f"trip {trip}: its {column!r} is none of a prepared trip; run `htp prepare` again.")


def relative_inputs(
    lines: RouteLines,
    row: NDArray[np.int64],
    along_m: NDArray[np.float64],
    offset_m: NDArray[np.float64],
    per_step: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what the encoder sees of N points, [N, RELATIVE_INPUTS]: steps, offsets, bends, junctions.

    Steps are told as speeds: metres in `REFERENCE_S`, which is `per_step` [N] of the trip's intervals.
    """
    starts = np.r_[True, row[1:] != row[:-1]]
    step = np.where(starts, 0.0, np.diff(along_m, prepend=0.0)) * per_step
    change = np.where(starts, 0.0, np.diff(step, prepend=0.0))
    counts = np.bincount(row)
    mean_step = np.bincount(row, weights=step) / np.maximum(counts - 1, 1)
    columns = [
        step / STEP_M,
        change / STEP_M,
        np.log1p(step / 5.0) / 3.0,  # tells creeping from standing
        np.minimum(step / np.maximum(mean_step[row], 1.0), 8.0) / 2.0,
        offset_m[:, 0] / OFFSET_M,
        offset_m[:, 1] / OFFSET_M,
    ]
    here = lines.direction(row, along_m)
    for reach_m in BEND_M:
        for sign in (-1.0, 1.0):
            there = lines.direction(row, along_m + sign * reach_m)
            columns.append(here[:, 0] * there[:, 1] - here[:, 1] * there[:, 0])  # sine of the turn
            columns.append(1.0 - (here * there).sum(axis=1))
    road = lines.roads.first[row] + lines.road_at(row, along_m)
    driven, length = along_m - lines.road_start_m[road], lines.road_length_m[road]
    columns += [driven / STEP_M, (length - driven) / STEP_M, driven / np.maximum(length, 1.0)]  # where on its road
    return np.clip(np.column_stack(columns), -8.0, 8.0)


def absolute_inputs(trips: gpd.GeoDataFrame, city: City) -> NDArray[np.float64]:
    """Return normalised coordinates as in equation 1, [N, ABSOLUTE_INPUTS]; the city's bounds become -1 to 1."""
    lonlat = shapely.get_coordinates(trips.geometry.to_numpy())
    west, south, east, north = city.roads.total_bounds
    return (lonlat - [west, south]) / [east - west, north - south] * 2.0 - 1.0


def turns(row: NDArray[np.int64], direction: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return cosine less one and sine of the turn since the trip's point before, [N, 2]; zeros at the first point."""
    before = np.roll(direction, 1, axis=0)
    cosine = (direction * before).sum(axis=1) - 1.0
    sine = before[:, 0] * direction[:, 1] - before[:, 1] * direction[:, 0]
    first = np.r_[True, row[1:] != row[:-1]]
    return np.where(first[:, None], 0.0, np.column_stack([cosine, sine])).astype(np.float32)


def to_route_frame(east_north: NDArray, direction: NDArray) -> NDArray:
    """Turn offsets east and north into offsets along and across (left of) the direction of travel, [N, 2]."""
    along = (east_north * direction).sum(axis=1)
    across = direction[:, 0] * east_north[:, 1] - direction[:, 1] * east_north[:, 0]
    return np.column_stack([along, across])


def from_route_frame(offset: NDArray, direction: NDArray) -> NDArray:
    """Turn offsets along and across the direction of travel back into east and north, [N, 2]."""
    east = offset[:, 0] * direction[:, 0] - offset[:, 1] * direction[:, 1]
    north = offset[:, 0] * direction[:, 1] + offset[:, 1] * direction[:, 0]
    return np.column_stack([east, north])


def anchors_of(samples: Samples) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return for every pattern the place in its route of the road its last point lies on, [P], and the first ones."""
    points = samples.points
    counts = -(-points // POINTS_PER_PATTERN)
    patterns = Ragged.ranges(0, counts)
    row, number = patterns.row, patterns.flat
    last_point = samples.first_point[row] + np.minimum((number + 1) * POINTS_PER_PATTERN, points[row]) - 1
    base = np.r_[0.0, np.cumsum(_route_lengths(samples).astype(np.float64) + 1.0)]
    starts = samples.road_start_m + np.repeat(base[:-1], np.diff(samples.first_road))
    found = np.searchsorted(starts, base[row] + samples.along_m[last_point], side="right") - 1
    found = np.clip(found, samples.first_road[row], samples.first_road[row + 1] - 1) - samples.first_road[row]
    is_last = number == counts[row] - 1
    found = np.where(is_last, np.diff(samples.first_road)[row] - 1, found)  # the last ends on the last road
    return found.astype(np.int32), patterns.first


def _route_lengths(samples: Samples) -> NDArray[np.float32]:
    last = samples.first_road[1:] - 1
    return samples.road_start_m[last] + samples.road_length_m[last]
