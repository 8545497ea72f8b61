"""Say what a scenario does to a demand: which trips it touches, their new paths, and how far and long they are now.

A trip that no changed road lies on, and that finds no faster path, stays exactly as it was, and only the others are
generated again. A changed speed stretches a path's travel time as it stretches the time at the speed limits: the
travel-time model has learned what traffic does on the roads as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from htp.compute.ragged import Ragged
from htp.planning.scenario.demand import conditions, driven_m, driven_shares, medians
from htp.planning.scenario.search import ROUNDING_S, ScenarioNetwork
from htp.trips import Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from htp.planning.scenario.changes import Scenario
    from htp.planning.scenario.demand import BaseDemand, TravelTimes
    from htp.recording import Recording
    from htp.trips import Conditions

SAME, RETIMED, REROUTED, CUT_OFF, CLOSED_END = range(5)  # trips: as they were; on their path, slower or faster; on
# another path; without any way; with their first or last road closed


@dataclass(frozen=True)
class Outcome:
    """N trips of a demand under a scenario."""

    demand: BaseDemand
    scenario: Scenario
    kind: NDArray[np.uint8]  # [N] SAME to CLOSED_END
    routes: tuple[Route | None, ...]  # [N] None where the trip cannot be made any more
    distance_m: NDArray[np.float64]  # [N] NaN there
    seconds: NDArray[np.float64]  # [N] NaN there

    @classmethod
    def of(cls, demand: BaseDemand, scenario: Scenario, travel_time: TravelTimes) -> Outcome:
        """Send a demand over changed roads; `InputError` where the scenario is of another city."""
        city = demand.city
        network = ScenarioNetwork(city, scenario)
        before = [route.roads for route in demand.routes]
        kind, paths = _new_paths(network, demand, before)
        routes: list[Route | None] = list(demand.routes)
        for row in np.flatnonzero(kind >= REROUTED):
            old = demand.routes[row]
            routes[row] = None if kind[row] > REROUTED else Route(paths[row], old.start_m, old.end_m)
        distance_m, seconds = demand.distance_m.copy(), demand.seconds.copy()
        distance_m[kind > REROUTED] = seconds[kind > REROUTED] = np.nan
        again = np.flatnonzero((kind == RETIMED) | (kind == REROUTED))
        driven = [route for row in again if (route := routes[row]) is not None]
        distance_m[again] = driven_m(city, driven)
        expected_s = medians(city, driven, demand.depart[again], travel_time)
        seconds[again] = demand.pace[again] * expected_s * _stretch(network, driven)
        return cls(demand, scenario, kind, tuple(routes), distance_m, seconds)

    @property
    def again(self) -> NDArray[np.int64]:
        """The trips that can be made but not as before, and so are generated once more, in order."""
        return np.flatnonzero((self.kind == RETIMED) | (self.kind == REROUTED))

    @property
    def lost(self) -> NDArray[np.int64]:
        """The trips that cannot be made any more, in order."""
        return np.flatnonzero(self.kind > REROUTED)

    def number(self, kind: int) -> int:
        """Return how many trips are of a kind."""
        return int((self.kind == kind).sum())

    @property
    def detour_m(self) -> NDArray[np.float64]:
        """Extra metres of each trip, [N]; NaN for one that cannot be made."""
        return self.distance_m - self.demand.distance_m

    @property
    def delay_s(self) -> NDArray[np.float64]:
        """Extra seconds of each trip, [N]; NaN for one that cannot be made."""
        return self.seconds - self.demand.seconds

    def conditions(self, recording: Recording) -> list[Conditions]:
        """Return what the trips `again` are generated for, by models that write trips of this recording."""
        routes = [route for row in self.again if (route := self.routes[row]) is not None]
        return conditions(routes, self.demand.depart[self.again], self.seconds[self.again], recording)

    def trips(self, before: gpd.GeoDataFrame, again: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
        """Return the trips after: those `before` [N rows] but for the ones that are made `again` or not at all."""
        if again is None or not len(again):
            return before.loc[self.kind == SAME].reset_index(drop=True)
        again = again.assign(trip_id=self.demand.trip_id[self.again])
        order = np.argsort(np.r_[np.flatnonzero(self.kind == SAME), self.again], kind="stable")
        both = pd.concat([before.loc[self.kind == SAME], again], ignore_index=True)
        return gpd.GeoDataFrame(both.iloc[order].reset_index(drop=True), crs="EPSG:4326")


def _new_paths(
    network: ScenarioNetwork, demand: BaseDemand, before: Sequence[NDArray[np.int32]]
) -> tuple[NDArray[np.uint8], list[NDArray[np.int32]]]:
    """Return the kind of each trip and its new path, empty where it has none or keeps its own."""
    roads = Ragged.of(before, np.int64)
    touched = roads.like(network.changed[roads.flat]).max()
    closed_end = network.closed[demand.ends].any(axis=1)
    cost_s = network.cost_s(before)  # on the path as it was
    faster = network.changed & (network.seconds < network.city.free_flow_s)
    look = np.flatnonzero((touched | faster.any()) & ~closed_end)  # without a faster road, only those touched can gain
    first, last = demand.ends[look].T
    found = network.fastest(first, last, cost_s[look])
    better = found.cost_s < cost_s[look] - ROUNDING_S
    kind = np.where(touched, RETIMED, SAME).astype(np.uint8)
    kind[look[better]] = REROUTED
    kind[look[~np.isfinite(found.cost_s)]] = CUT_OFF
    kind[closed_end] = CLOSED_END
    paths = [np.zeros(0, np.int32)] * len(before)
    for at in np.flatnonzero(better):
        paths[look[at]] = found.roads[at]
    return kind, paths


def _stretch(network: ScenarioNetwork, routes: Sequence[Route]) -> NDArray[np.float64]:
    """Return the time of each route at the new speed limits over that at the old ones, [N]."""
    shares = [driven_shares(network.city, route) for route in routes]
    times = [
        (network.seconds[route.roads] @ share, network.city.free_flow_s[route.roads] @ share)
        for route, share in zip(routes, shares, strict=True)
    ]
    new_s, old_s = np.array(times).reshape(-1, 2).T
    return np.asarray(new_s / old_s)
