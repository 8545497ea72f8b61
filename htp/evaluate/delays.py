"""Find where trips along one route lose their time: the seconds on each road beyond the drive at its speed limit.

Positions come once an interval, so the time between two points is shared out evenly along the way between them. The
seconds of a trip on the roads of its route add up to its travel time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htp.errors import InputError
from htp.evaluate.profile import route_lengths_m

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city import City


@dataclass(frozen=True)
class Delays:
    """Mean time of trips on each of the R roads of their route."""

    roads: NDArray[np.int32]  # [R] road_id, in the order driven
    start_m: NDArray[np.float64]  # [R] where each road begins along the route
    spent_s: NDArray[np.float64]  # [R]
    lost_s: NDArray[np.float64]  # [R] beyond the drive at the speed limit; less than 0 where they are faster

    @classmethod
    def of(cls, trips: gpd.GeoDataFrame, city: City) -> Delays:
        """Measure trips along one route (`roads`, `percent`, `interval`); `InputError` where there are several."""
        roads = np.asarray(trips["roads"].iloc[0], dtype=np.int32) if len(trips) else np.zeros(0, np.int32)
        if not len(roads) or not all(np.array_equal(roads, other) for other in trips["roads"]):
            raise InputError("Seconds by road need trips along one and the same route; give the trips of one route.")
        length_m = city.length_m[roads]
        start_m = np.cumsum(length_m) - length_m
        spent_s, driven_m = _means(trips, start_m, route_lengths_m(trips, city))
        return cls(roads, start_m, spent_s, spent_s - driven_m / length_m * city.free_flow_s[roads])


def _means(
    trips: gpd.GeoDataFrame, start_m: NDArray[np.float64], route_m: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean seconds and the mean metres of the trips on each road, both [R]."""
    spent_s, driven_m = np.zeros(len(start_m)), np.zeros(len(start_m))
    for percent, interval_s, length_m in zip(trips["percent"], trips["interval"], route_m, strict=True):
        place_m = np.asarray(percent, dtype=float) * length_m
        elapsed_s = np.arange(len(place_m)) * float(interval_s)
        bounds_m = np.clip(np.r_[start_m, length_m], place_m[0], place_m[-1])
        passed_s = np.interp(bounds_m, place_m, elapsed_s)
        passed_s[bounds_m <= place_m[0]] = 0.0  # a trip that stands at its first point is on its road there,
        passed_s[bounds_m >= place_m[-1]] = elapsed_s[-1]  # and so at its last
        spent_s += np.diff(passed_s)
        driven_m += np.diff(bounds_m)
    return spent_s / len(trips), driven_m / len(trips)


@dataclass(frozen=True)
class Stretch:
    """Consecutive roads of a route that bear one name."""

    name: str | None  # None: they bear none
    first: int  # place of the first road in the route
    stop: int  # place after the last


def stretches(roads: NDArray[np.int32], city: City) -> list[Stretch]:
    """Return a route's stretches in the order driven; a street that is left and met again has two."""
    names = [name if isinstance(name, str) else None for name in city.roads["name"].iloc[roads]]
    changes = [at for at in range(1, len(names)) if names[at] != names[at - 1]]
    return [
        Stretch(names[first], first, stop) for first, stop in zip([0, *changes], [*changes, len(names)], strict=True)
    ]
