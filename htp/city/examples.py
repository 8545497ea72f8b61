"""Find what is worth trying in a city: a street to drive along, a road that is hard to do without, its morning peak.

Names, the network and how much each road is driven are all that is looked at, so that every city has examples that work
there. The words and bounds are ours.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from htp.city.search import Trees
from htp.compute.ragged import Ragged
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from htp.city.network import City

LonLat = tuple[float, float]  # degrees

ARTERIAL = ("trunk", "primary", "secondary", "tertiary")
COAST = re.compile(
    r"\b(?:costaner[ao]|malec[oó]n|(?:avenida|paseo) (?:del mar|mar[ií]tim[ao])|beira[ -]mar|lungomare|corniche"
    r"|promenade de la mer|promenade des anglais|coast|coastal|seafront|seaside|marine (?:drive|parade)"
    r"|(?:ocean|beach|shore) (?:drive|road|avenue|boulevard)|strandpromenade)\b",
    re.IGNORECASE,
)
INLAND = re.compile(r"\b(?:r[ií]o|river|rivi[eè]re|lago|lake|lac)\b", re.IGNORECASE)  # as in Costanera del Río
BRIDGE = re.compile(r"\b(?:puente|bridge|ponte|pont|viaducto?|viaduc)\b|(?:brücke|bruecke|brug|bron)\b", re.IGNORECASE)
STREETS = 24  # the longest ones, looked at
MOSTLY = 0.6  # of a drive's length that is on the street that it is named after
SHORTEST_S, LONGEST_S = 180.0, 900.0  # at the speed limits: a drive that is worth a look, and not too long to watch
BUSY = 24  # roads whose ways round are looked for: those with most kilometres driven on them
FARTHEST_S = 3600.0  # that a way round is looked for
HALF_HOURS = 48
MORNING = (dt.time(5), dt.time(11))


@dataclass(frozen=True)
class StreetDrive:
    """A drive along a street, from one end to the other."""

    name: str
    via: tuple[LonLat, LonLat]
    coastal: bool  # by its name


@dataclass(frozen=True)
class Bottleneck:
    """A road that many trips take and that is hard to get round."""

    roads: tuple[int, ...]  # both directions
    name: str | None
    bridge: bool  # by its name


def main_street(city: City) -> StreetDrive | None:
    """Return the drive along the coast road, where a street is called one, or along the longest main street.

    Drives that the speed limits make too short or too long come last. None where no main street has a name.
    """
    names = city.roads["name"].where(city.roads["highway"].astype(str).isin(ARTERIAL))
    length_m = pd.Series(city.length_m).groupby(names.to_numpy()).sum().sort_values(ascending=False, kind="stable")
    longest = [str(name) for name in length_m.index[:STREETS]]
    coastal = [str(name) for name in length_m.index if is_coastal(str(name))]
    drives = [(street, s) for street, s in _drives(city, dict.fromkeys([*coastal, *longest]))]
    fitting = [street for street, seconds in drives if SHORTEST_S <= seconds <= LONGEST_S]
    return next(iter(fitting or [street for street, _ in drives]), None)


def is_coastal(name: str) -> bool:
    """Say whether a street's name tells that it runs along the sea."""
    return bool(COAST.search(name)) and not INLAND.search(name)


def bottleneck(city: City, driven: NDArray[np.int64]) -> Bottleneck | None:
    """Return the street block whose closure costs most: times driven x seconds of the way round; bridges come first.

    `driven` [V] is how often each road is. None where no road that is driven has a way round that takes longer.
    """
    names = city.roads["name"]
    bridges = names.fillna("").str.contains(BRIDGE).to_numpy() & (driven > 0)
    among = np.flatnonzero(bridges) if bridges.any() else np.flatnonzero(driven)
    longest = among[np.argsort(-(driven * city.length_m)[among], kind="stable")][:BUSY]
    cost = [_times_driven(city, int(road), driven) * _way_round_s(city, int(road)) for road in longest]
    if not cost or max(cost) <= 0:
        return None
    road = int(longest[int(np.argmax(cost))])
    name = names.iloc[road]
    return Bottleneck(_both(city, road), name if isinstance(name, str) else None, bool(bridges[road]))


def morning_peak(starts: pd.DatetimeIndex) -> dt.time:
    """Return the half hour of the morning around which, half an hour to either side, most trips start (local time)."""
    counts = np.bincount((starts.hour * 60 + starts.minute) // 30, minlength=HALF_HOURS)
    around = counts + np.roll(counts, 1)  # in the half hours before and after each one's start
    first, last = (time.hour * 2 for time in MORNING)
    half = first + int(np.argmax(around[first : last + 1]))
    return dt.time(half // 2, half % 2 * 30)


def _drives(city: City, names: Iterable[str]) -> Iterator[tuple[StreetDrive, float]]:
    """Yield a drive along each street, with its seconds at the speed limits, where its fastest route follows it."""
    for name in names:
        on_street = (city.roads["name"] == name).to_numpy()
        there = _far_ends(city, np.flatnonzero(on_street))
        for via in (there, there[::-1]):
            try:
                roads = city.route(via).roads
            except InputError:
                continue  # a one-way street leads nowhere from here
            if city.length_m[roads] @ on_street[roads] >= MOSTLY * city.length_m[roads].sum():
                yield StreetDrive(name, via, is_coastal(name)), float(city.free_flow_s[roads].sum())
                break


def _far_ends(city: City, roads: NDArray[np.int64]) -> tuple[LonLat, LonLat]:
    """Return the two places farthest apart on the longest connected part of a street, the western one first."""
    ends = np.r_[city.u[roads], city.v[roads]]
    nodes, at = np.unique(ends, return_inverse=True)
    links = csr_array((np.ones(len(roads)), (at[: len(roads)], at[len(roads) :])), shape=(len(nodes), len(nodes)))
    part = connected_components(links, directed=False)[1][at[: len(roads)]]
    roads = roads[part == np.bincount(part, city.length_m[roads]).argmax()]
    xy_m = np.concatenate([city.xy_m[city.first_vertex[roads]], city.xy_m[city.first_vertex[roads + 1] - 1]])
    xy_m = np.unique(xy_m, axis=0)  # west first
    apart_m = np.hypot(*(xy_m[:, None] - xy_m[None]).transpose(2, 0, 1))
    pair = sorted(np.unravel_index(int(apart_m.argmax()), apart_m.shape))
    one, other = city.to_lonlat(xy_m[pair]).round(6).tolist()
    return (one[0], one[1]), (other[0], other[1])


def _times_driven(city: City, road: int, driven: NDArray[np.int64]) -> int:
    return int(driven[list(_both(city, road))].sum())


def _way_round_s(city: City, road: int) -> float:
    """Return how much longer it takes from a road's start to its end without it; 0 where there is no other way."""
    open_roads = np.setdiff1d(np.arange(len(city)), _both(city, road))
    nodes = int(max(city.u.max(), city.v.max())) + 1
    by_ends = pd.Series(city.free_flow_s[open_roads]).groupby([city.u[open_roads], city.v[open_roads]])
    seconds = by_ends.min()  # a sparse matrix would add up the roads between the same crossings
    u, v = (seconds.index.get_level_values(level).to_numpy() for level in (0, 1))
    graph = csr_array((seconds.to_numpy(), (u, v)), shape=(nodes, nodes))
    start = Ragged.of([city.u[[road]]])
    reach_s = Trees.grow(graph, start, np.zeros(1), FARTHEST_S).cost_s[0, city.v[road]]
    return float(reach_s - city.free_flow_s[road]) if np.isfinite(reach_s) else 0.0


def _both(city: City, road: int) -> tuple[int, ...]:
    """Return a road and its other direction, in order."""
    return tuple(sorted({road, int(city.opposite[road])} - {-1}))
