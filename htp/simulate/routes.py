"""Choose each vehicle's route: the fastest one as its driver perceives travel times at that time of day.

Shortest paths run on the graph of turns that SUMO permits, so every route can be driven. Travel times include the
slowdown of the hour and a delay a turn, which grows with the traffic of the period: a sample of the vehicles is
routed a few times against the delays that it caused before (method of successive averages). A driver's perception is
one of a few random distortions of these times, which spreads traffic over alternatives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from htp.city.search import fastest_paths
from htp.compute.ragged import Ragged
from htp.simulate.demand import middles_m
from htp.simulate.network import driven_ms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.simulate.demand import VehicleDemand
    from htp.simulate.network import SumoNetwork
    from htp.simulate.slowdown import Slowdown

PERIODS_S = np.array([0, 6.75, 9.5, 12, 15, 17, 20.5, 24]) * 3600  # travel times are told apart by these hours
PERCEPTIONS = 12  # distortions of the travel times in a period
PERCEPTION_SPREAD = 0.25  # standard deviation of the logarithm of a road's perceived travel time
TURN_S = {"s": 0.0, "R": 1.0, "L": 2.0, "r": 3.0, "l": 6.0, "t": 20.0}
LIGHT_S = 12.0
# Vehicles an hour and lane that a turn passes without much waiting, ours: (no light, light).
CAPACITY_H = {"s": (800, 330), "R": (500, 330), "r": (500, 300), "L": (350, 150), "l": (350, 150), "t": (150, 100)}
PEAKEDNESS = 1.3  # traffic of a period's busiest hour for one of its mean
FULL_S, MOST_S = 40.0, 240.0  # delay of a turn loaded to its capacity, and the longest
ITERATIONS = 3
SLOWEST_MS = 4.0  # first search: as far as a trip this fast as the crow flies, and a margin, would get
MARGIN_S = 200.0


@dataclass(frozen=True)
class Turns:
    """The distinct turns between roads, sorted by (source, target); N of them."""

    source: NDArray[np.int64]  # [N] road_id
    target: NDArray[np.int64]  # [N] road_id
    capacity_h: NDArray[np.float64]  # [N] vehicles an hour
    delay_s: NDArray[np.float64]  # [periods, N]
    roads: int  # of the city

    def of_routes(self, roads: list[NDArray[np.int32]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the turns of all routes, and the route that each belongs to."""
        routes = Ragged.of(roads, np.int64)
        flat, route = routes.flat, routes.row
        inside = route[1:] == route[:-1]
        pair = (flat[:-1] * self.roads + flat[1:])[inside]
        return np.searchsorted(self.source * self.roads + self.target, pair), route[1:][inside]


@dataclass(frozen=True)
class VehicleRoutes:
    """The routes of the vehicles that have one; row i is the i-th of them."""

    vehicle: NDArray[np.int64]  # [N] row of the demand
    roads: list[NDArray[np.int32]]  # [N] of [R] road_id, origin and destination included
    expected_s: NDArray[np.float64]  # [N] travel time by the model of this file


def free_turns(city: City, network: SumoNetwork) -> Turns:
    """Return the turns of the network with the delays of empty roads."""
    pair = network.source.astype(np.int64) * len(city) + network.target
    _, first, lanes = np.unique(pair, return_index=True, return_counts=True)
    direction = network.direction[first].tolist()
    lit = network.light[first] != ""
    delay_s = np.array([TURN_S.get(d, 0.0) for d in direction]) + np.where(lit, LIGHT_S, 0.0)
    capacity_h = np.array([CAPACITY_H.get(d, CAPACITY_H["s"])[int(on)] for d, on in zip(direction, lit, strict=True)])
    return Turns(
        source=network.source[first].astype(np.int64),
        target=network.target[first].astype(np.int64),
        capacity_h=capacity_h * lanes.astype(float),
        delay_s=np.tile(delay_s, (len(PERIODS_S) - 1, 1)),
        roads=len(city),
    )


def loaded_turns(
    city: City, turns: Turns, slowdown: Slowdown, sample: VehicleDemand, scale: float, rng: np.random.Generator
) -> Turns:
    """Return the turns with the delays that traffic causes; each vehicle of the sample stands for `scale` of them."""
    free, flow_h = turns, np.zeros_like(turns.delay_s)
    hours = np.diff(PERIODS_S)[:, None] / 3600
    for iteration in range(ITERATIONS):
        routes = choose_routes(city, turns, slowdown, sample, rng)
        turn, route = turns.of_routes(routes.roads)
        period = period_of(sample.depart_s[routes.vehicle])[route]
        count = np.zeros_like(flow_h)
        np.add.at(count, (period, turn), scale * PEAKEDNESS)
        flow_h += (count / hours - flow_h) / (iteration + 1)
        load = flow_h / turns.capacity_h
        turns = replace(turns, delay_s=free.delay_s + np.minimum(FULL_S * load**4, MOST_S))
    return turns


def period_of(depart_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the period of the day in which each vehicle departs."""
    return np.searchsorted(PERIODS_S, depart_s, side="right") - 1


def choose_routes(
    city: City, turns: Turns, slowdown: Slowdown, demand: VehicleDemand, rng: np.random.Generator
) -> VehicleRoutes:
    """Return the route of every vehicle; vehicles whose destination cannot be reached are left out.

    Vehicles that leave the same road in the same period share a perception.
    """
    period = period_of(demand.depart_s)
    group, member = np.unique(period * len(city) + demand.origin, return_inverse=True)
    task = period * PERCEPTIONS + rng.integers(PERCEPTIONS, size=len(group))[member]
    noise = rng.normal(scale=PERCEPTION_SPREAD, size=(PERCEPTIONS, len(city)))
    middle_m = middles_m(city)
    apart_m = np.hypot(*(middle_m[demand.origin] - middle_m[demand.destination]).T)
    roads: dict[int, NDArray[np.int32]] = {}
    expected_s = np.zeros(len(task))
    for one in np.unique(task):
        which, perception = divmod(int(one), PERCEPTIONS)
        perceived_s = _road_times(city, slowdown, which) * np.exp(noise[perception])
        cost_s = turns.delay_s[which] + perceived_s[turns.target]
        graph = csr_array((cost_s, (turns.source, turns.target)), shape=(len(city), len(city)))
        some = np.flatnonzero(task == one)
        ends = demand.origin[some], demand.destination[some]
        paths = fastest_paths(graph, *ends, apart_m[some] / SLOWEST_MS + MARGIN_S)
        expected_s[some] = paths.cost_s
        roads |= {vehicle: path for vehicle, path in zip(some.tolist(), paths.roads, strict=True) if len(path)}
    kept = np.array(sorted(roads), dtype=np.int64)
    return VehicleRoutes(kept, [roads[vehicle] for vehicle in kept.tolist()], expected_s[kept])


def _road_times(city: City, slowdown: Slowdown, period: int) -> NDArray[np.float64]:
    """Return the seconds that each road takes in the middle of a period, without turns and lights, [V]."""
    time_s = city.length_m / driven_ms(city)
    time_s[slowdown.roads] /= slowdown.factor(float(PERIODS_S[period : period + 2].mean()))
    return time_s
