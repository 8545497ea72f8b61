"""Snap places to roads and find the fastest route through waypoints.

Roads are the vertices of the graph and turns its edges (`City.successors`), so a route turns back only where a road
ends. Each waypoint may lie on several roads, on both directions of a street for instance; every leg is searched from
all of them at once, and the combination with the fastest whole route is taken. Costs and tolerances are ours.
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
SAME_STREET_M = (
    1.0  # roads that are nearest but for this count as equally near: both directions, all roads at a junction
)
MIN_PART_M = 1.0  # of a road at either end of a route; less is left away


@dataclass(frozen=True)
class Snap:
    """The place on a road that is nearest to a given place."""

    road_id: int
    along_m: float  # from the start of the road
    distance_m: float  # from the given place
    lon: float
    lat: float


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
        self.graph = csr_array((cost[kept], (before[kept], after[kept])), shape=turns.shape)
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
        legs = [_Leg(self, *pair) for pair in itertools.pairwise(stops)]
        best, choices = np.zeros(len(stops[0])), []
        for number, leg in enumerate(legs, 1):
            total = best[:, None] + leg.seconds
            choices.append(total.argmin(axis=0))
            best = total.min(axis=0)
            if not np.isfinite(best).any():
                raise InputError(f"No route leads from waypoint {number} to waypoint {number + 1}; move one of them.")
        chosen = [int(best.argmin())]
        for choice in reversed(choices):
            chosen.insert(0, int(choice[chosen[0]]))
        roads = [stops[0][chosen[0]].road_id]
        for leg, (i, j) in zip(legs, itertools.pairwise(chosen), strict=True):
            roads += leg.path(i, j)
        return self._trimmed(roads, stops[0][chosen[0]].along_m, stops[-1][chosen[-1]].along_m)

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


class _Leg:
    """The fastest ways from each place of one waypoint to each place of the next."""

    def __init__(self, router: Router, starts: list[Snap], ends: list[Snap]) -> None:
        self.router = router
        self.starts = [snap.road_id for snap in starts]
        self.ends = [snap.road_id for snap in ends]
        # before [A, V]: the road before each road on the way from each start
        self.reach_s, self.before = dijkstra(router.graph, indices=self.starts, return_predecessors=True)
        # the part of each start's road still to be driven, and of each end's road not to be driven
        rest_s = [[self._rest_s(snap) for snap in snaps] for snaps in (starts, ends)]
        self.seconds = np.array(rest_s[0])[:, None] + self.reach_s[:, self.ends] - np.array(rest_s[1])  # [A, B]
        self.direct = np.zeros(self.seconds.shape, dtype=bool)
        for i, j in itertools.product(range(len(starts)), range(len(ends))):
            if starts[i].road_id == ends[j].road_id:
                self.direct[i, j] = starts[i].along_m <= ends[j].along_m
                if not self.direct[i, j]:  # around the block
                    self.seconds[i, j] += self._return(i)[1]

    def _rest_s(self, snap: Snap) -> float:
        share = 1.0 - snap.along_m / self.router.city.length_m[snap.road_id]
        return float(self.router.seconds[snap.road_id] * share)

    def _return(self, i: int) -> tuple[int, float]:
        """Return the last road before the start's road on the fastest way around to it, and the seconds to its end."""
        graph = self.router.graph
        entering = graph[:, [self.starts[i]]].tocoo()
        last = entering.coords[0]
        if not len(last):
            return -1, np.inf
        seconds = self.reach_s[i, last] + entering.data
        return int(last[seconds.argmin()]), float(seconds.min())

    def path(self, i: int, j: int) -> list[int]:
        """Return the roads entered on the way from start i to end j, which lies on the last of them."""
        start, road = self.starts[i], self.ends[j]
        if self.direct[i, j]:
            return []
        roads = [road]
        road = self._return(i)[0] if road == start else int(self.before[i, road])
        while road != start:
            roads.append(road)
            road = int(self.before[i, road])
        return roads[::-1]
