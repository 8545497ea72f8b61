"""Draw where and how long vehicles stand at the kerb: before they set off, when they arrive, and on the way.

On the way they deliver, let somebody in or out, or fetch something. Most stop clear of the traffic; some, where others
can pass, on the road. Knows nothing about lights and queues.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from htp.compute.ragged import Ragged
from htp.simulate.network import RESIDENTIAL, TRUNK, lane_count, road_rank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.simulate.routes import VehicleRoutes


class Habit(NamedTuple):
    """How often drivers stop in a place, and how long: seconds are log-normal."""

    share: float
    median_s: float
    spread: float
    longest_s: float


START = Habit(0.65, 20.0, 0.9, 180.0)
END = Habit(0.85, 28.0, 0.9, 240.0)
WAY = Habit(0.09, 40.0, 0.8, 300.0)  # its share is stops a kilometre
IN_THE_WAY = 0.2  # share of the stops on the way that are made on the road
IN_THE_WAY_S = 45.0  # the longest of them
JUNCTIONS_M = 12.0  # what they may take of a road's two ends
SHORTEST_M = 50.0  # of a road on which one stops on the way


@dataclass(frozen=True)
class KerbStops:
    """KerbStops in order of vehicle and place; M of them."""

    route: NDArray[np.int64]  # [M] row of the routes
    place: NDArray[np.int64]  # [M] which road of the route, from 0
    at_m: NDArray[np.float64]  # [M] metres from where the road begins
    duration_s: NDArray[np.float64]  # [M]
    kerb: NDArray[np.bool_]  # [M] clear of the traffic


def draw_stops(city: City, routes: VehicleRoutes, rng: np.random.Generator) -> KerbStops:
    """Draw the stops of all vehicles."""
    roads = Ragged.of(routes.roads, np.int64)
    first, last = roads.place == 0, roads.place == np.repeat(roads.counts, roads.counts) - 1
    rank, length_m = road_rank(city)[roads.flat], city.length_m[roads.flat]
    quiet = (rank > TRUNK) & (length_m >= SHORTEST_M)
    chance = np.where(quiet & ~first & ~last, WAY.share * length_m / 1000, 0.0)
    chance = np.where(first, START.share, np.where(last, END.share, chance))
    row = np.flatnonzero(rng.random(len(chance)) < chance)
    kind = np.where(first[row], 0, np.where(last[row], 1, 2))
    duration_s = _durations(kind, rng)
    passable = (lane_count(city)[roads.flat[row]] > 1) | (rank[row] >= RESIDENTIAL)
    kerb = (kind < 2) | ~passable | (duration_s > IN_THE_WAY_S) | (rng.random(len(row)) >= IN_THE_WAY)
    at_m = rng.uniform(0.3, 0.8, size=len(row)) * np.maximum(length_m[row] - JUNCTIONS_M, 1.0)
    return KerbStops(roads.row[row], roads.place[row], at_m, duration_s, kerb)


def _durations(kind: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the seconds of stops: kind 0 at the start, 1 at the end, 2 on the way, [M]."""
    median_s, spread, longest_s = np.array([habit[1:] for habit in (START, END, WAY)])[kind].T
    return np.clip(median_s * np.exp(spread * rng.normal(size=len(kind))), 3.0, longest_s)
