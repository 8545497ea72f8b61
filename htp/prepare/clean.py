"""Bring trips that are whole drives in town to one interval and usable lengths (paper A.2).

What is left out before is `htp.prepare.drives`' to say; every trip that is dropped is counted under one reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from htp.compute.ragged import Ragged
from htp.prepare.drives import SLACK, drives, in_pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.prepare.rawtrips import RawTrips


def clean(raw: RawTrips, city: City, *, interval_s: float, min_points: int, max_points: int) -> RawTrips:
    """Return the drives that are long enough, those that are too long in pieces, resampled."""
    raw = in_pieces(drives(raw, city), interval_s, max_points)
    return resample(raw.drop(_points_at(raw, interval_s) < min_points, "too_short"), interval_s)


def resample(raw: RawTrips, interval_s: float | NDArray[np.float64]) -> RawTrips:
    """Interpolate every trip in time, from its first point to its last whole interval, which is one for all or [B]."""
    if len(raw) == 0:
        return raw
    start_s, stop_s = raw.time_s[raw.first[:-1]], raw.time_s[raw.first[1:] - 1]
    count = _points_at(raw, interval_s).astype(np.int64)
    # all trips on one axis of time, a second apart, so that one interpolation serves them all
    base_s = np.cumsum(stop_s - start_s + 1.0) - (stop_s - start_s + 1.0)
    places = Ragged.ranges(0, count)
    row = places.row
    wanted_s = places.flat * np.broadcast_to(interval_s, len(raw))[row]
    known_s = raw.time_s - start_s[raw.row] + base_s[raw.row]
    lonlat = np.column_stack([np.interp(wanted_s + base_s[row], known_s, values) for values in raw.lonlat.T])
    return replace(raw, count=count, lonlat=lonlat, time_s=start_s[row] + wanted_s)


def _points_at(raw: RawTrips, interval_s: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many points each trip has at this interval, whole numbers, [B]."""
    first_s, last_s = raw.time_s[raw.first[:-1]], raw.time_s[raw.first[1:] - 1]
    return np.floor((last_s - first_s) / interval_s + SLACK) + 1.0
