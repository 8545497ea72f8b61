"""Snap places to roads and find the fastest route through waypoints.

Roads are the vertices of the graph and turns its edges (`City.successors`), so a route turns back only where a road
ends. Each waypoint may lie on several roads, on both directions of a street for instance; one search a leg, from all
of them at once, finds the combination with the fastest whole route. Costs and tolerances are ours.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import csr_array

from htp.city.search import Trees
from htp.city.turns import turn_degrees
from htp.compute.ragged import Ragged
from htp.errors import InputError
from htp.trips import Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from htp.city.network import City

TURN_S = 4.0  # lost at a turn: a staircase through a grid is slower than two straight streets
TURN_DEGREES = 45.0  # a change of direction from which on it counts as a turn
MAX_SNAP_M = 500.0  # farther from every road than this, a place is out of town
SAME_STREET_M = 1.0  # roads this much farther than the nearest are as near: both directions, all roads of a junction
MIN_PART_M = 1.0  # of a road at either end of a route; less is left away


@dataclass(frozen=True)
class Snap:
    """The place on a road that is nearest to a given place."""

    road_id: int
    along_m: float  # from the start of the road
    distance_m: float  # from the given place
    lon: float
    lat: float


@dataclass(frozen=True)
class Stops:
    """Where each of B drives may start, or end: on several roads, both directions of a street for instance."""

    roads: Ragged[np.integer]  # [B] rows of road_id, N in all, each once a row
    along_m: NDArray[np.float64]  # [N] from the start of the road


@dataclass(frozen=True)
class Ways:
    """The fastest way to each of N places where drives may end."""

    start: NDArray[np.int64]  # [N] which of the places to start from it comes from
    cost_s: NDArray[np.float64]  # [N] infinite where there is no way
    roads: Ragged[np.int32]  # [N] rows of road_id, entered on the way, so none where it stays on the road


class Router:
    """Search routes over a city's roads at given driving times."""

    def __init__(self, city: City, seconds: NDArray[np.float64] | None = None) -> None:
        """Prepare the search.

        `seconds` [V] is the time to drive each road from end to end, infinite where it is closed; at the speed limit
        where not given.
        """
        self.city = city
        self.seconds = city.free_flow_s if seconds is None else np.asarray(seconds, dtype=np.float64)
        turns = city.successors.tocoo()
        before, after = turns.coords
        is_turn = turn_degrees(city, before, after) > TURN_DEGREES
        cost = self.seconds[after] + TURN_S * is_turn
        kept = np.isfinite(cost) & np.isfinite(self.seconds[before])
        ends = before[kept].astype(np.int32), after[kept].astype(np.int32)  # what scipy's search works with
        self.graph = csr_array((cost[kept], ends), shape=(len(city), len(city)))
        self.entering = self.graph.tocsc()
        self.open_roads = np.flatnonzero(np.isfinite(self.seconds))
        self.tree = shapely.STRtree(city.lines_m[self.open_roads])

    def snap(self, lon: float, lat: float) -> Snap:
        """Return the nearest place on a road, on the lowest road_id where several are as near.

        `InputError` where the place is no number, out of town or looks swapped.
        """
        return min(self._snaps(lon, lat, "The place"), key=lambda snap: snap.road_id)

    def route(self, waypoints: Sequence[tuple[float, float]]) -> Route:
        """Return the fastest route through `waypoints`, (lon, lat) in the order of the drive.

        At a waypoint in between, the drive goes on in its direction. `InputError` for fewer than two waypoints, one
        out of town, all at one place, or where no route exists.
        """
        if len(waypoints) < 2:
            raise InputError(f"A route needs at least 2 waypoints, and {len(waypoints)} was given; add another.")
        stops = [self._snaps(lon, lat, f"Waypoint {n}") for n, (lon, lat) in enumerate(waypoints, 1)]
        stops = [self._reachable(snaps, first=n == 0) for n, snaps in enumerate(stops)]
        driven_s, legs = np.zeros(len(stops[0])), []
        for number, (starts, ends) in enumerate(itertools.pairwise(stops), 1):
            legs.append(self.ways(_as_stops(starts), _as_stops(ends), driven_s))
            driven_s = legs[-1].cost_s
            if not np.isfinite(driven_s).any():
                raise InputError(f"No route leads from waypoint {number} to waypoint {number + 1}; move one of them.")
        chosen = end = int(driven_s.argmin())
        roads: list[int] = []
        for leg in reversed(legs):
            roads = leg.roads[chosen].tolist() + roads
            chosen = int(leg.start[chosen])
        first, last = stops[0][chosen], stops[-1][end]
        return self._trimmed([first.road_id, *roads], first.along_m, last.along_m)

    def ways(
        self,
        starts: Stops,
        ends: Stops,
        driven_s: NDArray[np.float64],
        *,
        limit_s: float = np.inf,
        behind_m: float = MIN_PART_M,
    ) -> Ways:
        """Return the fastest way to each of `ends` from whichever of its drive's `starts` is best.

        Starts are reached after `driven_s`, infinite where they are not; ways that take longer than `limit_s` may be
        missed. An end that lies less than `behind_m` behind a start is reached by staying there.
        """
        drive, road = ends.roads.row, ends.roads.flat
        trees = Trees.grow(
            self.graph, starts.roads, driven_s + self._rest_s(starts.roads.flat, starts.along_m), limit_s
        )
        last, around_s = self._entered(trees, ends)
        numbers = starts.roads.row * len(self.city) + starts.roads.flat  # tell the places to start from apart
        start = _places_in(numbers, drive * len(self.city) + road)
        ahead_m = np.where(start >= 0, ends.along_m - starts.along_m[start], -np.inf)
        pace = self.seconds[road] / self.city.length_m[road]
        straight_s = np.where(ahead_m > -behind_m, driven_s[start] + pace * np.maximum(0.0, ahead_m), np.inf)

        around = around_s < straight_s
        ways = trees.ways_to(drive[around], last[around])
        start[around] = _places_in(numbers, drive[around] * len(self.city) + ways.flat[ways.first[:-1]])
        entered = np.roll(ways.flat, -1)  # without the road that a way begins on, and with the end's
        entered[ways.first[1:] - 1] = road[around]
        lengths = np.zeros(len(road), dtype=np.int64)
        lengths[around] = ways.counts
        return Ways(start, np.minimum(around_s, straight_s), Ragged.from_counts(entered, lengths))

    def _entered(self, trees: Trees, ends: Stops) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the best road to enter the road of each end from, and the seconds until the end, [N] each."""
        road = ends.roads.flat
        begin, stop = self.entering.indptr[road], self.entering.indptr[road + 1]
        entries = Ragged.ranges(begin, stop - begin)
        last = self.entering.indices[entries.flat]
        entry_s = trees.cost_s[ends.roads.row[entries.row], last] + self.entering.data[entries.flat]
        best = entries.like(entry_s).argmin()
        return np.r_[last, -1][best], np.r_[entry_s, np.inf][best] - self._rest_s(ends.roads.flat, ends.along_m)

    def _rest_s(self, road: NDArray[np.integer], along_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the seconds from each place to the end of its road, [N]."""
        return np.asarray(self.seconds[road] * (1.0 - along_m / self.city.length_m[road]))

    def _snaps(self, lon: float, lat: float, label: str) -> list[Snap]:
        """Return the place on each of the roads that are nearest; `label` begins the sentence of an error."""
        self._check(lon, lat, label)
        place = shapely.Point(self.city.to_metres(np.array([[lon, lat]], dtype=np.float64))[0])
        _, distance_m = self.tree.query_nearest(place, return_distance=True, all_matches=False)
        if distance_m[0] > MAX_SNAP_M:
            raise InputError(
                f"{label} {_said(lon, lat)} is {distance_m[0]:.0f} m from the nearest road of {self.city.name}; "
                f"choose one within {MAX_SNAP_M:.0f} m of a road."
            )
        roads = self.open_roads[np.sort(self.tree.query(place, "dwithin", distance_m[0] + SAME_STREET_M))]
        lines = self.city.lines_m[roads]
        along_m = shapely.line_locate_point(lines, place)
        on_road = shapely.line_interpolate_point(lines, along_m)
        lonlat = self.city.to_lonlat(shapely.get_coordinates(on_road))
        facts = zip(roads, along_m, shapely.distance(on_road, place), *lonlat.T, strict=True)
        return [Snap(int(road), float(a), float(d), float(x), float(y)) for road, a, d, x, y in facts]

    def _reachable(self, snaps: list[Snap], *, first: bool) -> list[Snap]:
        """Leave out, at a junction, the roads that end where a route begins, or begin where it passes or ends."""
        length_m = self.city.length_m
        driven_m = [length_m[snap.road_id] - snap.along_m if first else snap.along_m for snap in snaps]
        return [snap for snap, part_m in zip(snaps, driven_m, strict=True) if part_m >= MIN_PART_M] or snaps

    def _check(self, lon: float, lat: float, label: str) -> None:
        if not np.isfinite([lon, lat]).all():
            raise InputError(f"{label} ({lon}, {lat}) is no place; give longitude and latitude in degrees.")
        if self._covers(lon, lat):
            return
        if self._covers(lat, lon):
            raise InputError(f"{label} {_said(lon, lat)} has its coordinates swapped; give the longitude first.")
        west, south, east, north = self.city.bounds
        raise InputError(
            f"{label} {_said(lon, lat)} is outside {self.city.name}; give a longitude from {west:.3f} to {east:.3f} "
            f"and a latitude from {south:.3f} to {north:.3f}."
        )

    def _covers(self, lon: float, lat: float) -> bool:
        west, south, east, north = self.city.bounds
        margin = 0.01  # degrees, more than MAX_SNAP_M anywhere people drive
        return west - margin <= lon <= east + margin and south - margin <= lat <= north + margin

    def _trimmed(self, roads: list[int], start_m: float, end_m: float) -> Route:
        """Return the route without a first or last road of which next to nothing is driven."""
        length_m = self.city.length_m
        if length_m[roads].sum() - start_m - (length_m[roads[-1]] - end_m) < MIN_PART_M:
            raise InputError("All waypoints lie at the same place on the road; move one of them.")
        if len(roads) > 1 and length_m[roads[0]] - start_m < MIN_PART_M:
            roads, start_m = roads[1:], 0.0
        if len(roads) > 1 and end_m < MIN_PART_M:
            roads = roads[:-1]
            end_m = float(length_m[roads[-1]])
        return Route(np.array(roads, dtype=np.int32), start_m, end_m)


def _said(lon: float, lat: float) -> str:
    """Return a place as a person reads it, to a metre; a click has fifteen decimals."""
    return f"({round(lon, 5)}, {round(lat, 5)})"


def _as_stops(snaps: list[Snap]) -> Stops:
    """Return the places of one waypoint."""
    return Stops(Ragged.of([[snap.road_id for snap in snaps]]), np.array([snap.along_m for snap in snaps]))


def _places_in(known: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each `wanted` number [N] stands among the `known`, -1 where it does not."""
    order = np.argsort(known)
    place = np.r_[order, -1][np.searchsorted(known, wanted, sorter=order)]
    return np.where(np.r_[known, -1][place] == wanted, place, -1)
