"""Bring trips that are whole drives in town to one interval and the right length (paper A.2).

What is left out before is `htp.prepare.drives`' to say; every trip that is dropped is counted under one reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from htp.compute.ragged import Ragged
from htp.prepare.drives import drives, median_step_s

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.prepare.rawtrips import RawTrips


@dataclass(frozen=True)
class CleanTrips:
    """Trips at regular intervals."""

    raw: RawTrips
    interval_s: NDArray[np.float64]  # [B]

    def drop(self, bad: NDArray[np.bool_], reason: str) -> CleanTrips:
        """Leave out the trips `bad` [B] and count them under `reason`."""
        return CleanTrips(self.raw.drop(bad, reason), self.interval_s[~bad])


def clean(raw: RawTrips, city: City, *, interval_s: float | None, min_points: int, max_points: int) -> CleanTrips:
    """Return the drives that have a usable length, resampled; `interval_s` None keeps the interval of each."""
    raw = drives(raw, city)
    trips = CleanTrips(raw, median_step_s(raw) if interval_s is None else np.full(len(raw), interval_s))
    # counted before they are made: a time that is wrong by years would make millions of points
    trips = trips.drop(_points_at(trips.raw, trips.interval_s) < min_points, "too_short")
    trips = trips.drop(_points_at(trips.raw, trips.interval_s) > max_points, "too_long")
    return resample(trips.raw, trips.interval_s)


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
