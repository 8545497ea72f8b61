"""Read off trips what a planner asks: where each trip is when, how fast, and which real trips are like it.

Everything is measured along the route (Definition 4's percent), so that the noise of the receiver is no movement. Works
on prepared and generated trips alike; knows nothing about models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from htp.compute.ragged import Ragged

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city import City

ENOUGH = 100  # real trips make a distribution that can be compared with (ours)
WIDENINGS = ((0.15, 1.0), (0.25, 1.5), (0.25, 3.0), (0.5, 3.0), (0.5, 12.0))  # share of the distance, hours (ours)


@dataclass(frozen=True)
class Profile:
    """Where B trips with N points are along their routes; arrays lie trip after trip."""

    first: NDArray[np.int64]  # [B + 1] where each trip's points begin
    elapsed_s: NDArray[np.float64]  # [N] since the trip's first point
    along_m: NDArray[np.float64]  # [N] driven since the trip's first point
    speed_kmh: NDArray[np.float64]  # [N] towards the next point; the last point has the speed of the one before

    @classmethod
    def of(cls, trips: gpd.GeoDataFrame, city: City) -> Profile:
        """Measure prepared or generated trips (`roads`, `percent`, `interval`, `geometry`)."""
        counts = shapely.get_num_coordinates(trips.geometry.to_numpy())
        points = Ragged.ranges(0, counts)
        first, row = points.first, points.row
        interval_s = trips["interval"].to_numpy(dtype=float)[row]
        percent = np.concatenate([np.asarray(values, dtype=float) for values in trips["percent"]])
        place_m = percent * route_lengths_m(trips, city)[row]
        step_m = np.diff(place_m, append=0.0)
        step_m[first[1:] - 1] = step_m[first[1:] - 2]
        return cls(
            first=first,
            elapsed_s=points.flat * interval_s,
            along_m=place_m - place_m[first[row]],
            speed_kmh=np.maximum(step_m, 0.0) / interval_s * 3.6,
        )

    @property
    def distance_m(self) -> NDArray[np.float64]:
        """Distance driven from the first point to the last, [B]."""
        return self.along_m[self.first[1:] - 1]

    @property
    def duration_s(self) -> NDArray[np.float64]:
        """Time from the first point to the last, [B]."""
        return self.elapsed_s[self.first[1:] - 1]


@dataclass(frozen=True)
class Comparable:
    """Which real trips are like a generated one, and how far the search had to go."""

    rows: NDArray[np.int64]  # of the real trips' table
    share: float | None  # distances within this share of the asked one; None: every trip
    hours: float | None  # start within this many hours of the asked time of day; None: the whole day


def comparable(real: Profile, starts: pd.DatetimeIndex, distance_m: float, depart: pd.Timestamp) -> Comparable:
    """Return the closest set of real trips with `ENOUGH` of them, by distance and time of day; all if there is none."""
    apart_h = np.abs(_hour(starts) - _hour(pd.DatetimeIndex([depart])))
    apart_h = np.minimum(apart_h, 24 - apart_h)
    apart = np.abs(real.distance_m / distance_m - 1)
    for share, hours in WIDENINGS:
        rows = np.flatnonzero((apart <= share) & (apart_h <= hours))
        if len(rows) >= ENOUGH:
            return Comparable(rows, share, None if hours >= 12 else hours)
    return Comparable(np.arange(len(starts)), None, None)


def route_lengths_m(trips: gpd.GeoDataFrame, city: City) -> NDArray[np.float64]:
    """Return the length of each trip's whole route, first road to last, in metres, [B]."""
    roads = Ragged.of(trips["roads"], np.int64)
    return roads.like(city.length_m[roads.flat]).sum()


def _hour(times: pd.DatetimeIndex) -> NDArray[np.float64]:
    return (times.hour + times.minute / 60).to_numpy(dtype=float)
