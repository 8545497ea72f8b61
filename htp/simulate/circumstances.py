"""Draw what differs from day to day: how many drive, the weather, how strong and when the peaks are, what goes wrong.

An incident slows a road to a crawl for a while or closes it. Knows nothing about how SUMO is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from htp.simulate.network import MOTORWAY, PRIMARY, TERTIARY, road_rank

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from htp.city.network import City

DEMAND_SPREAD = 0.08  # standard deviation of the logarithm of a day's vehicles
PEAK_SPREAD = 0.08  # and of the strength of its peaks
SHIFT_H = 0.12  # standard deviation of the hours by which they are late
WET_SHARE = 0.3  # of the days
WET_PACE = (0.88, 0.96)  # of the speed of a dry day
INCIDENTS = 8.0  # mean number a day
INCIDENT_HOURS = (6.5, 22.0)  # between which they begin
LASTING_S = (1800.0, 5400.0)
CLOSED_SHARE = 0.3  # of the incidents that close a road
SLOWED = (0.15, 0.5)  # share of its speed limit that the others leave
SHORTEST_M = 60.0  # of a road with an incident


class Incident(NamedTuple):
    """A road on which something goes wrong; `left` is the share of its speed limit that can be driven, 0: none."""

    road: int
    from_s: float
    until_s: float
    left: float


@dataclass(frozen=True)
class Circumstances:
    """What is particular to a day; by default nothing is."""

    day: date
    demand: float = 1.0  # vehicles for one of an ordinary day of the week
    pace: float = 1.0  # of every driver
    peak: float = 1.0  # strength of the imposed slowdown
    shift_h: float = 0.0  # by which its peaks are late
    incidents: tuple[Incident, ...] = ()

    @classmethod
    def draw(cls, city: City, day: date, seed: int) -> Circumstances:
        """Draw the circumstances of a day, the same whatever other days there are."""
        rng = np.random.default_rng([seed, 6, day.toordinal()])
        demand, peak = np.exp(rng.normal(scale=(DEMAND_SPREAD, PEAK_SPREAD)))
        shift_h = rng.normal(scale=SHIFT_H)
        pace = rng.uniform(*WET_PACE) if rng.random() < WET_SHARE else 1.0
        return cls(day, float(demand), float(pace), float(peak), float(shift_h), _incidents(city, rng))

    @property
    def weekend(self) -> bool:
        """Whether the day has the weekend's demand and traffic."""
        return self.day.weekday() >= 5

    @property
    def closed(self) -> NDArray[np.int64]:
        """The roads that are closed for a while."""
        return np.array([incident.road for incident in self.incidents if incident.left == 0], dtype=np.int64)


def _incidents(city: City, rng: np.random.Generator) -> tuple[Incident, ...]:
    """Draw incidents on main roads, by length; motorways and trunk roads are never closed."""
    rank = road_rank(city)
    long = np.flatnonzero((rank > MOTORWAY) & (rank <= TERTIARY) & (city.length_m >= SHORTEST_M))
    count = min(int(rng.poisson(INCIDENTS)), len(long))
    if count == 0:
        return ()
    weight = city.length_m[long] / city.length_m[long].sum()
    roads = rng.choice(long, size=count, replace=False, p=weight)
    from_s = rng.uniform(*INCIDENT_HOURS, size=count) * 3600
    closed = (rng.random(count) < CLOSED_SHARE) & (rank[roads] >= PRIMARY)
    left = np.where(closed, 0.0, rng.uniform(*SLOWED, size=count))
    until_s = from_s + rng.uniform(*LASTING_S, size=count)
    columns = roads.tolist(), from_s.tolist(), until_s.tolist(), left.tolist()
    return tuple(Incident(*row) for row in zip(*columns, strict=True))
