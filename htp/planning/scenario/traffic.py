"""Count the trips on every road and street before and after a scenario, and write them as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htp.city.addresses import crossing_streets
from htp.compute.ragged import Ragged
from htp.evaluate.density import Density
from htp.files import plain_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from htp.city import City
    from htp.planning.scenario.outcome import Outcome
    from htp.trips import Route

NAMELESS = "Unnamed roads"


@dataclass(frozen=True)
class StreetTraffic:
    """Trips that use a street, on whichever of its roads."""

    name: str
    before: int
    after: int

    @property
    def change(self) -> int:
        """Trips after less those before."""
        return self.after - self.before


def road_trips(outcome: Outcome) -> Density:
    """Return the trips on each road that is used before or after; before is its `real` side, after `generated`."""
    before, after = (
        np.bincount(roads, minlength=len(outcome.demand.city))
        for roads in (_flat(outcome.demand.routes)[0], _flat(outcome.routes)[0])
    )
    used = np.flatnonzero(before + after)
    return Density(used, before[used], after[used])


def streets(outcome: Outcome) -> list[StreetTraffic]:
    """Return the streets whose number of trips changes, the greatest change first; nameless roads are left out."""
    names = outcome.demand.city.roads["name"]
    code, known = pd.factorize(names)
    counts = [_trips_by_street(routes, code, len(known)) for routes in (outcome.demand.routes, outcome.routes)]
    change = counts[1] - counts[0]
    order = np.argsort(-np.abs(change), kind="stable")
    return [StreetTraffic(str(known[at]), int(counts[0][at]), int(counts[1][at])) for at in order if change[at]]


def roads_table(outcome: Outcome) -> pd.DataFrame:
    """Return a row a road that is used or changed: what it is, its limits, and its trips before and after.

    No text begins a formula: a spreadsheet shows it with an apostrophe in front.
    """
    city, traffic = outcome.demand.city, road_trips(outcome)
    rows = np.union1d(traffic.places, np.array(outcome.scenario.changed, dtype=np.int64))
    roads = city.roads.iloc[rows]
    before, after = np.zeros(len(city), np.int64), np.zeros(len(city), np.int64)
    before[traffic.places], after[traffic.places] = traffic.real, traffic.generated
    return pd.DataFrame(
        {
            "road_id": rows,
            "osm_id": roads["osm_id"].to_numpy(),
            "name": [plain_cell(name) for name in roads["name"].fillna("")],
            "highway": [plain_cell(kind) for kind in roads["highway"].fillna("")],
            "length_m": city.length_m[rows].round(1),
            "speed_kmh_before": roads["speed_kmh"].to_numpy(dtype=float),
            "speed_kmh_after": outcome.scenario.limits_kmh(city)[rows],
            "closed": np.isin(rows, outcome.scenario.closed),
            "trips_before": before[rows],
            "trips_after": after[rows],
        }
    )


def street_blocks(city: City, name: str) -> list[tuple[str, tuple[int, ...]]]:
    """Return the blocks of a street: between which streets each lies, and its roads, both directions together."""
    roads = np.flatnonzero((city.roads["name"] == name).to_numpy())
    leader = np.minimum(roads, np.where(city.opposite[roads] < 0, roads, city.opposite[roads]))
    crossing = crossing_streets(city, name, np.union1d(city.u[roads], city.v[roads]))
    found = []
    for number, one in enumerate(np.unique(leader), 1):
        ends = [crossing.get(int(node)) for node in (city.u[one], city.v[one])]
        between = " – ".join(end for end in ends if end) or "no named street"
        found.append((f"{number}: {between}", tuple(int(road) for road in roads[leader == one])))
    return found


def both_directions(city: City, roads: Sequence[int]) -> tuple[int, ...]:
    """Return roads and the same streets in the other direction, in order."""
    there = np.asarray(roads, dtype=np.int64)
    back = city.opposite[there]
    return tuple(int(road) for road in np.union1d(there, back[back >= 0]))


def whole_street(city: City, road: int) -> tuple[int, ...]:
    """Return all roads that bear the name of one, or both directions of a nameless one, in order."""
    name = city.roads["name"].iloc[road]
    if not isinstance(name, str):
        return both_directions(city, [road])
    return tuple(int(one) for one in np.flatnonzero((city.roads["name"] == name).to_numpy()))


def _flat(routes: Sequence[Route | None]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the roads of all routes, and which trip each belongs to."""
    roads = Ragged.of(([] if route is None else np.unique(route.roads) for route in routes), np.int64)
    return roads.flat, roads.row


def _trips_by_street(routes: Sequence[Route | None], code: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    roads, trip = _flat(routes)
    named = code[roads] >= 0
    pairs = np.unique(np.column_stack([trip[named], code[roads[named]]]), axis=0)  # a trip counts once a street
    return np.bincount(pairs[:, 1], minlength=count)
