"""Take a demand from trips: where each starts and ends, when, and its fastest path on the roads as they are.

How long a trip takes is what the travel-time model expects of its path (the median), times how the trip that was
recorded compared with that: who was slow stays slow, whatever the path. No chance is involved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from htp.errors import InputError
from htp.planning.scenario.search import ScenarioNetwork
from htp.travel_time.model import QUANTILES, durations_s
from htp.trips import Conditions, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city import City
    from htp.recording import Recording


class TravelTimes(Protocol):
    """What is asked of the travel-time model (`htp.travel_time.model`)."""

    def quantiles(self, city: City, routes: Sequence[Route], departs: Sequence[pd.Timestamp]) -> NDArray[np.float64]:
        """Return the travel times in seconds at each of `QUANTILES`, [N, len(QUANTILES)]."""


def sample_trips(trips: gpd.GeoDataFrame, count: int | None, hours: tuple[int, int] = (0, 24)) -> gpd.GeoDataFrame:
    """Return at most `count` trips (None: all) that start in these hours of the day, without the second.

    They are the first of one fixed random order, so that a greater number holds the smaller one. Trips that end on the
    road they start on are left out: nothing is between. `InputError` where none is left.
    """
    start = pd.DatetimeIndex(trips["start_time"]).hour
    elsewhere = np.array([roads[0] != roads[-1] for roads in trips["roads"]], dtype=bool)
    order = np.random.default_rng(0).permutation(len(trips))
    fitting = order[((start >= hours[0]) & (start < hours[1]) & elsewhere)[order]]
    if not len(fitting):
        raise InputError(f"No trip starts from {hours[0]}:00 to {hours[1]}:00; choose other hours.")
    return trips.iloc[np.sort(fitting[:count])]


@dataclass(frozen=True)
class BaseDemand:
    """N trips on the roads as they are."""

    city: City
    trip_id: NDArray[np.object_]  # [N]
    depart: pd.DatetimeIndex  # [N] local time
    routes: tuple[Route, ...]  # [N] fastest paths
    cost_s: NDArray[np.float64]  # [N] of the paths at the speed limits, see `htp.planning.scenario.search`
    pace: NDArray[np.float64]  # [N] recorded travel time over what the model expects of the recorded route
    seconds: NDArray[np.float64]  # [N] travel time on the fastest path

    def __len__(self) -> int:
        return len(self.routes)

    @property
    def distance_m(self) -> NDArray[np.float64]:
        """Driven metres of each trip, [N]."""
        return driven_m(self.city, self.routes)

    @property
    def ends(self) -> NDArray[np.int64]:
        """First and last road of each trip, [N, 2]."""
        return np.array([(route.roads[0], route.roads[-1]) for route in self.routes], dtype=np.int64)

    @classmethod
    def of(
        cls,
        trips: gpd.GeoDataFrame,
        city: City,
        travel_time: TravelTimes,
        progress: Callable[[int, int], None] | None = None,
    ) -> BaseDemand:
        """Take the demand of prepared trips (see `sample_trips`), without those that no path of the network serves.

        That happens where a trip turned back in mid-street. `progress` hears (paths found, trips).
        """
        driven = [np.asarray(roads, dtype=np.int32) for roads in trips["roads"]]
        network = ScenarioNetwork(city)
        first, last = np.array([(roads[0], roads[-1]) for roads in driven], dtype=np.int64).T
        found = network.fastest(first, last, network.cost_s(driven), progress)
        kept = np.flatnonzero(np.isfinite(found.cost_s))
        if not len(kept):
            raise InputError("No trip of this demand can be made on the city's roads; choose other trips.")
        trips = trips.iloc[kept]
        depart = pd.DatetimeIndex(trips["start_time"]).tz_convert(city.timezone)
        recorded = [_between(city, driven[row], percent) for row, percent in zip(kept, trips["percent"], strict=True)]
        routes = tuple(
            Route(found.roads[row], route.start_m, route.end_m) for row, route in zip(kept, recorded, strict=True)
        )
        pace = durations_s(trips) / medians(city, recorded, depart, travel_time)
        return cls(
            city,
            trips["trip_id"].to_numpy(dtype=object),
            depart,
            routes,
            found.cost_s[kept],
            pace,
            pace * medians(city, routes, depart, travel_time),
        )

    def conditions(self, recording: Recording) -> list[Conditions]:
        """Return what each trip is generated for, by models that write trips of this recording."""
        return conditions(self.routes, self.depart, self.seconds, recording)


def conditions(
    routes: Sequence[Route], departs: pd.DatetimeIndex, seconds: NDArray[np.float64], recording: Recording
) -> list[Conditions]:
    """Return conditions of trips; a travel time outside what can be generated is cut to it."""
    durations = np.clip(seconds, recording.shortest_s, recording.longest_s)
    return [
        Conditions(route, depart, float(duration))
        for route, depart, duration in zip(routes, departs, durations, strict=True)
    ]


def medians(
    city: City, routes: Sequence[Route], departs: pd.DatetimeIndex, travel_time: TravelTimes
) -> NDArray[np.float64]:
    """Return the travel time in seconds that half of the trips along each route stay below, [N]."""
    if not len(routes):
        return np.zeros(0)
    return travel_time.quantiles(city, routes, list(departs))[:, QUANTILES.index(0.5)]


def driven_m(city: City, routes: Sequence[Route]) -> NDArray[np.float64]:
    """Return the metres that are driven along each route, [N]."""
    return np.array([float(city.length_m[route.roads] @ driven_shares(city, route)) for route in routes])


def driven_shares(city: City, route: Route) -> NDArray[np.float64]:
    """Return how much of each road of a route of two roads or more is driven, 0 to 1, [R]."""
    shares = np.ones(len(route.roads))
    shares[0] = 1.0 - route.start_m / city.length_m[route.roads[0]]
    if route.end_m is not None:
        shares[-1] = route.end_m / city.length_m[route.roads[-1]]
    return shares


def _between(city: City, roads: NDArray[np.int32], percent: NDArray[np.float32]) -> Route:
    """Return the route of a prepared trip from its first to its last point."""
    length_m = city.length_m[roads]
    start_m, end_m = float(percent[0]) * length_m.sum(), float(percent[-1]) * length_m.sum() - length_m[:-1].sum()
    return Route(roads, min(max(start_m, 0.0), float(length_m[0])), min(max(end_m, 0.0), float(length_m[-1])))
