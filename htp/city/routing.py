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
from scipy.sparse.csgraph import dijkstra

from htp.city.turns import turn_degrees
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
class _Way:
    """The fastest way to one place of a waypoint from the waypoint before."""

    start: int  # which of the places there it comes from
    driven_s: float  # since the first waypoint
    roads: list[int]  # entered on the way, so none where it stays on the road


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
        # [V + 1, V + 1]: the last is a place to start from that each search connects to its own roads
        ends = before[kept].astype(np.int32), after[kept].astype(np.int32)  # what scipy's search works with
        self.graph = csr_array((cost[kept], ends), shape=(len(city) + 1, len(city) + 1))
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
            legs.append(self._leg(starts, driven_s, ends))
            driven_s = np.array([way.driven_s for way in legs[-1]])
            if not np.isfinite(driven_s).any():
                raise InputError(f"No route leads from waypoint {number} to waypoint {number + 1}; move one of them.")
        chosen = end = int(driven_s.argmin())
        roads: list[int] = []
        for leg in reversed(legs):
            roads = leg[chosen].roads + roads
            chosen = leg[chosen].start
        first, last = stops[0][chosen], stops[-1][end]
        return self._trimmed([first.road_id, *roads], first.along_m, last.along_m)

    def _leg(self, starts: list[Snap], driven_s: NDArray[np.float64], ends: list[Snap]) -> list[_Way]:
        """Return the fastest way to each of `ends` from whichever of `starts`, reached after `driven_s`, is best."""
        source = len(self.city)
        graph = self._with_source(starts, driven_s)
        (reach_s,), (before,) = dijkstra(graph, indices=[source], return_predecessors=True)
        ways = []
        for end in ends:
            entries = slice(*self.entering.indptr[end.road_id : end.road_id + 2])
            last = self.entering.indices[entries]  # the roads that lead into the end's road
            end_s = reach_s[last] + self.entering.data[entries] - self._rest_s(end)
            options = [_Way(start, driven_s[start] + s, []) for start, s in self._straight_on(starts, end)]
            if len(last) and np.isfinite(end_s.min()):
                roads = [end.road_id, int(last[end_s.argmin()])]
                while before[roads[-1]] != source:
                    roads.append(int(before[roads[-1]]))
                start = [snap.road_id for snap in starts].index(roads.pop())
                options.append(_Way(start, float(end_s.min()), roads[::-1]))
            ways.append(min(options, key=lambda way: way.driven_s, default=_Way(-1, np.inf, [])))
        return ways

    def _with_source(self, starts: list[Snap], driven_s: NDArray[np.float64]) -> csr_array:
        """Return the graph with its last vertex connected to the roads of `starts`: the search begins there."""
        reached = np.flatnonzero(np.isfinite(driven_s))
        roads = np.array([starts[i].road_id for i in reached], dtype=np.int32)
        end_s = np.array([driven_s[i] + self._rest_s(starts[i]) for i in reached])
        graph = self.graph
        indptr = np.r_[graph.indptr[:-1], graph.nnz + len(roads)]
        parts = np.r_[graph.data, end_s], np.r_[graph.indices, roads], indptr.astype(np.int32)
        return csr_array(parts, shape=graph.shape)

    def _straight_on(self, starts: list[Snap], end: Snap) -> list[tuple[int, float]]:
        """Return the start, and the seconds from there, that lies on the end's road and not beyond the end."""
        pace = self.seconds[end.road_id] / self.city.length_m[end.road_id]
        ahead_m = [(i, end.along_m - start.along_m) for i, start in enumerate(starts) if start.road_id == end.road_id]
        return [(i, pace * max(0.0, m)) for i, m in ahead_m if m > -MIN_PART_M]

    def _rest_s(self, snap: Snap) -> float:
        """Return the seconds from a place to the end of its road."""
        return float(self.seconds[snap.road_id] * (1.0 - snap.along_m / self.city.length_m[snap.road_id]))

    def _snaps(self, lon: float, lat: float, label: str) -> list[Snap]:
        """Return the place on each of the roads that are nearest; `label` begins the sentence of an error."""
        self._check(lon, lat, label)
        place = shapely.Point(self.city.to_metres(np.array([[lon, lat]], dtype=np.float64))[0])
        _, distance_m = self.tree.query_nearest(place, return_distance=True, all_matches=False)
        if distance_m[0] > MAX_SNAP_M:
            raise InputError(
                f"{label} ({lon}, {lat}) is {distance_m[0]:.0f} m from the nearest road of {self.city.name}; "
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
            raise InputError(f"{label} ({lon}, {lat}) has its coordinates swapped; give the longitude first.")
        west, south, east, north = self.city.bounds
        raise InputError(
            f"{label} ({lon}, {lat}) is outside {self.city.name}; give a longitude from {west:.3f} to {east:.3f} "
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
