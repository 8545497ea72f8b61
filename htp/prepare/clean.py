"""Drop trips that are broken, out of town or of the wrong length, and resample the rest to one interval (paper A.2).

Every trip that is dropped is counted under one reason, the first that applies in the order of this file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from htp.compute.ragged import Ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.prepare.rawtrips import RawTrips

MAX_SPEED_MPS = 200 / 3.6  # issue: jumps beyond 200 km/h
MIN_JUMP_M = 100.0  # ours: below it, noise at short intervals looks fast but is no jump
GAP_INTERVALS, MIN_GAP_S = 4.0, 60.0  # ours: a trip is cut where nothing was recorded for longer than both
EARTH_RADIUS_M = 6_371_008.8
MAX_TIME_S = 2**63 / 1e9  # ours: pandas counts nanoseconds in 64 bits, so times end in the years 1677 and 2262


@dataclass(frozen=True)
class CleanTrips:
    """Trips at regular intervals."""

    raw: RawTrips
    interval_s: NDArray[np.float64]  # [B]

    def drop(self, bad: NDArray[np.bool_], reason: str) -> CleanTrips:
        """Leave out the trips `bad` [B] and count them under `reason`."""
        return CleanTrips(self.raw.drop(bad, reason), self.interval_s[~bad])


def clean(raw: RawTrips, city: City, *, interval_s: float | None, min_points: int, max_points: int) -> CleanTrips:
    """Drop and count what cannot be used, cut at gaps, resample; `interval_s` None keeps each trip's own interval."""
    raw = raw.drop(_broken(raw), "broken_row")
    raw = raw.drop(_any_point(raw, ~in_town(raw.lonlat, city)), "out_of_town")
    raw = raw.drop(_jumping(raw), "jump")
    own_s = _median_step_s(raw)
    raw = _longest_without_gap(raw, np.maximum(GAP_INTERVALS * own_s, MIN_GAP_S))
    trips = CleanTrips(raw, own_s if interval_s is None else np.full(len(raw), interval_s))
    # counted before they are made: a time that is wrong by years would make millions of points
    trips = trips.drop(_points_at(trips.raw, trips.interval_s) < min_points, "too_short")
    trips = trips.drop(_points_at(trips.raw, trips.interval_s) > max_points, "too_long")
    return resample(trips.raw, trips.interval_s)


def in_town(lonlat: NDArray[np.float64], city: City) -> NDArray[np.bool_]:
    """Return which points lie inside the bounding box of the city's roads, [N]."""
    west, south, east, north = city.roads.total_bounds
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def resample(raw: RawTrips, interval_s: NDArray[np.float64]) -> CleanTrips:
    """Interpolate every trip [B] in time, from its first point to its last whole interval."""
    if len(raw) == 0:
        return CleanTrips(raw, interval_s)
    start_s, stop_s = raw.time_s[raw.first[:-1]], raw.time_s[raw.first[1:] - 1]
    count = _points_at(raw, interval_s).astype(np.int64)
    # all trips on one axis of time, a second apart, so that one interpolation serves them all
    base_s = np.cumsum(stop_s - start_s + 1.0) - (stop_s - start_s + 1.0)
    places = Ragged.ranges(0, count)
    row = places.row
    wanted_s = places.flat * interval_s[row]
    known_s = raw.time_s - start_s[raw.row] + base_s[raw.row]
    lonlat = np.column_stack([np.interp(wanted_s + base_s[row], known_s, values) for values in raw.lonlat.T])
    return CleanTrips(replace(raw, count=count, lonlat=lonlat, time_s=start_s[row] + wanted_s), interval_s)


def _points_at(raw: RawTrips, interval_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many points each trip has at these intervals [B], whole numbers, [B]."""
    first_s, last_s = raw.time_s[raw.first[:-1]], raw.time_s[raw.first[1:] - 1]
    return np.floor((last_s - first_s) / interval_s + 1e-6) + 1.0


def _broken(raw: RawTrips) -> NDArray[np.bool_]:
    """Return which trips have coordinates or times that are no numbers, or times that run backwards, [B]."""
    bad = ~np.isfinite(raw.lonlat).all(axis=1) | ~(np.abs(raw.time_s) < MAX_TIME_S)
    same = raw.row[1:] == raw.row[:-1]
    bad[1:] |= same & (raw.time_s[1:] < raw.time_s[:-1])
    return _any_point(raw, bad)


def _jumping(raw: RawTrips) -> NDArray[np.bool_]:
    """Return which trips have two consecutive points that no car could drive between in their time, [B]."""
    step_m, step_s = _steps(raw)
    return _any_point(raw, (step_m > MIN_JUMP_M) & (step_m > MAX_SPEED_MPS * step_s))


def _steps(raw: RawTrips) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return metres and seconds from the point before to each point, [N]; zero for the first of a trip."""
    lon, lat = np.radians(raw.lonlat.T)
    east = np.diff(lon, prepend=lon[:1]) * np.cos(lat)
    step_m = EARTH_RADIUS_M * np.hypot(east, np.diff(lat, prepend=lat[:1]))
    step_s = np.diff(raw.time_s, prepend=raw.time_s[:1])
    step_m[raw.first[:-1]] = step_s[raw.first[:-1]] = 0.0
    return step_m, step_s


def _median_step_s(raw: RawTrips) -> NDArray[np.float64]:
    """Return the median time between two points of each trip in seconds, at least 1, [B]."""
    _, step_s = _steps(raw)
    steps = Ragged(step_s, raw.first).split()
    return np.array([max(float(np.median(own[1:])), 1.0) if len(own) > 1 else 1.0 for own in steps])


def _longest_without_gap(raw: RawTrips, limit_s: NDArray[np.float64]) -> RawTrips:
    """Cut each trip where nothing was recorded for longer than `limit_s` [B] and keep its longest part."""
    gap = _steps(raw)[1] > limit_s[raw.row]
    if not gap.any():
        return raw
    starts = np.unique(np.r_[raw.first[:-1], np.flatnonzero(gap)])
    length = np.diff(np.r_[starts, len(gap)])
    row = raw.row[starts]
    best = np.lexsort((starts, -length, row))[np.unique(row, return_index=True)[1]]
    kept = np.zeros(len(gap), dtype=bool)
    for start, stop in zip(starts[best], (starts + length)[best], strict=True):
        kept[start:stop] = True
    return replace(raw, count=length[best], lonlat=raw.lonlat[kept], time_s=raw.time_s[kept])


def _any_point(raw: RawTrips, bad: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which trips have at least one of the points `bad` [N], [B]."""
    return np.bincount(raw.row, bad, len(raw)) > 0
