"""Measure trips: distances, radius, cells and roads of their points (paper A.4), piece by piece on all cores.

Trips come from a table or a file read in pieces; what stays in memory is 25 bytes a point and 250 a trip. Roads are
aligned by map matching, real and generated trips alike, whatever roads their tables name. A point that the matcher
leaves out keeps road -1: it is counted, reported, and counts in all metrics but R-Den and R-Pat.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, fields
from functools import cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING, Self

import numpy as np
import shapely
from pyproj import Geod
from scipy.spatial import KDTree

from htp.city.grid import cells_of
from htp.city.matching import Matcher, ensure_paths
from htp.compute.parallel import begin_worker, processes, result_of
from htp.compute.ragged import Ragged
from htp.evaluate.checked_trips import CheckedTrips, nothing_in, read_pieces
from htp.evaluate.movement import describe_movement
from htp.scale.cluster import LOCAL, Cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.city import City
    from htp.evaluate.checked_trips import Trips

WGS84 = Geod(ellps="WGS84")
PIECE = 512  # trips measured at a time: about 25,000 points, a second of matching
UNMATCHED = -1
MEETING = 3  # streets that make a junction
KMH = 3.6  # of a metre a second


@dataclass(frozen=True)
class Measures:
    """What the metrics know of B trips with N points; arrays lie trip after trip."""

    points: NDArray[np.int32]  # [B] points of each trip
    interval_s: NDArray[np.float32]  # [B] sampling interval
    travel_m: NDArray[np.float32]  # [B] sum of the geodesic distances between consecutive points
    radius_m: NDArray[np.float32]  # [B] root mean square distance of the points from their centroid
    step_m: NDArray[np.float32]  # [N - B] geodesic distance from each point to the next of its trip
    road_distance_m: NDArray[np.float32]  # [N] to the nearest road, in either direction
    junction_m: NDArray[np.float32]  # [N] to the nearest junction
    cell: NDArray[np.int64]  # [N] see htp.city.grid
    road: NDArray[np.int32]  # [N] road_id from map matching, UNMATCHED where there is none
    hour: NDArray[np.int8]  # [N] hour of the day, 0 to 23, by the city's clocks
    movement: NDArray[np.float32]  # [B, F] see htp.evaluate.movement
    fold: NDArray[np.int8]  # [B] see htp.evaluate.told_apart

    @property
    def speed_kmh(self) -> NDArray[np.float32]:
        """Speed of each step, [N - B]."""
        return np.multiply(self.step_m / np.repeat(self.interval_s, self.points - 1), KMH)

    @property
    def acceleration_m_s2(self) -> NDArray[np.float32]:
        """Change of speed from each step to the next of its trip, [N - 2 B]."""
        interval_s = np.repeat(self.interval_s, self.points - 1)
        trip = np.repeat(np.arange(len(self.points)), self.points - 1)
        within = trip[1:] == trip[:-1]
        change_m_s: NDArray[np.float32] = np.diff(self.step_m / interval_s)
        return (change_m_s / interval_s[1:])[within]

    @property
    def step_hour(self) -> NDArray[np.int8]:
        """Hour of the day at which each step begins, [N - B]."""
        return np.delete(self.hour, np.cumsum(self.points) - 1)

    @property
    def unmatched(self) -> int:
        """Points without a road."""
        return int((self.road == UNMATCHED).sum())

    @classmethod
    def join(cls, pieces: list[Measures]) -> Measures:
        """Put pieces one after another."""
        return cls(*(np.concatenate([getattr(piece, field.name) for piece in pieces]) for field in fields(cls)))


class Surveyor:
    """Measures pieces of trips; holds what that takes: the matcher and an index of the roads' segments."""

    def __init__(self, city: City, paths: Path | None = None) -> None:
        """Build both for a city; `paths` is the matcher's."""
        self.city = city
        self.matcher = Matcher(city, paths)
        self.roads = shapely.STRtree(street_segments(city))
        self.junctions = KDTree(junctions(city))

    def measure(self, piece: CheckedTrips) -> Measures:
        """Measure checked trips."""
        lonlat, points = piece.lonlat, piece.points
        xy_m = self.city.to_metres(lonlat)
        trip = np.repeat(np.arange(len(points)), points)
        step_m = WGS84.inv(*lonlat[:-1].T, *lonlat[1:].T)[2]
        within = trip[1:] == trip[:-1]
        centre = _mean(xy_m, trip, points)[trip]
        radius_m = np.sqrt(_mean(((xy_m - centre) ** 2).sum(axis=1, keepdims=True), trip, points)[:, 0])
        _, road_distance_m = self.roads.query_nearest(shapely.points(xy_m), return_distance=True, all_matches=False)
        return Measures(
            points=points,
            interval_s=piece.interval_s,
            travel_m=np.bincount(trip[1:][within], step_m[within], len(points)).astype(np.float32),
            radius_m=radius_m.astype(np.float32),
            step_m=step_m[within].astype(np.float32),
            road_distance_m=road_distance_m.astype(np.float32),
            junction_m=np.asarray(self.junctions.query(xy_m)[0], dtype=np.float32),
            cell=cells_of(xy_m),
            road=self._roads_of(Ragged.from_counts(xy_m, points).split()),
            hour=piece.hour,
            movement=describe_movement(xy_m, points, piece.interval_s, road_distance_m.astype(np.float32)),
            fold=piece.fold,
        )

    def _roads_of(self, lines: list[NDArray[np.float64]]) -> NDArray[np.int32]:
        roads = [np.full(len(line), UNMATCHED, dtype=np.int32) for line in lines]
        for road, match in zip(roads, self.matcher.match(lines), strict=True):
            road[match.first : match.stop] = match.point_roads
        return np.concatenate(roads)


class Survey:
    """Measures any number of tables of trips of one city, in worker processes that start when first needed."""

    def __init__(self, city: City, *, workers: int | None = None, ray: str | None = None) -> None:
        """Share the work among `workers` processes (None: one a core).

        With `ray`, the address of a Ray cluster, its workers take the place of processes.
        """
        self.city, self._ray = city, ray
        self._wanted = workers
        self.workers = workers or os.cpu_count() or 1
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the workers."""
        self._closing.close()

    def measure(self, trips: Trips, progress: Callable[[int], None] | None = None) -> Measures:
        """Measure all trips of a table, file or folder; `progress` is called with the number done so far.

        With one worker, or few trips, it is done in this process. `InputError` where there are no trips, or one of
        them is no line, lies nowhere near the city or does not say when it drives.
        """
        pieces = (CheckedTrips.of(piece, self.city) for piece in read_pieces(trips, PIECE))
        first, second = next(pieces, None), next(pieces, None)
        if first is None:
            raise nothing_in(trips)
        if second is None:
            return _collect(iter([self._surveyor.measure(first)]), progress)
        rest = chain([first, second], pieces)
        if self._ray is not None:
            ensure_paths(self.city)  # for the workers on this machine; each other machine has its own
            start = partial(Surveyor, self.city)
            return _collect(_put_in_order(self._cluster.each(start, Surveyor.measure, rest)), progress)
        if self.workers == 1:
            return _collect((self._surveyor.measure(piece) for piece in rest), progress)
        return _collect(_in_order(self._pool, rest, 2 * self.workers), progress)

    @cached_property
    def _cluster(self) -> Cluster:
        return self._closing.enter_context(Cluster(self._ray or LOCAL, workers=self._wanted))

    @cached_property
    def _surveyor(self) -> Surveyor:
        return Surveyor(self.city)

    @cached_property
    def _pool(self) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(
            self.workers, processes(__name__), _start_worker, (self.city, ensure_paths(self.city))
        )
        return self._closing.enter_context(pool)


def _collect(measured: Iterator[Measures], progress: Callable[[int], None] | None) -> Measures:
    pieces, done = [], 0
    for piece in measured:
        pieces.append(piece)
        done += len(piece.points)
        if progress:
            progress(done)
    return Measures.join(pieces)


def _put_in_order(numbered: Iterator[tuple[int, Measures]]) -> Iterator[Measures]:
    """Yield results in the order of their numbers, from 0; those that come too early wait."""
    early: dict[int, Measures] = {}
    wanted = 0
    for number, measures in numbered:
        early[number] = measures
        while wanted in early:
            yield early.pop(wanted)
            wanted += 1


def _mean(values: NDArray[np.float64], trip: NDArray[np.int64], points: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the mean of each column [N, C] over the points of each trip, [B, C]."""
    sums = [np.bincount(trip, column, len(points)) for column in values.T]
    return np.column_stack(sums) / points[:, None]


def street_segments(city: City) -> NDArray[np.object_]:
    """Return every straight piece of the streets once, whichever way it is driven (small boxes make a quick index)."""
    last = np.zeros(len(city.xy_m), dtype=bool)
    last[city.first_vertex[1:] - 1] = True
    ends = np.stack([city.xy_m[:-1], city.xy_m[1:]], axis=1)[~last[:-1]]  # [S, 2 ends, 2]
    (x0, y0), (x1, y1) = ends[:, 0].T, ends[:, 1].T
    back = (x0 > x1) | ((x0 == x1) & (y0 > y1))
    ends[back] = ends[back, ::-1]
    return np.asarray(shapely.linestrings(np.unique(ends, axis=0)))


def junctions(city: City) -> NDArray[np.float64]:
    """Return where three streets or more meet, [J, 2] metres; all ends of streets where they never do."""
    ends = np.unique(np.concatenate([np.column_stack([city.u, city.v]), np.column_stack([city.v, city.u])]), axis=0)
    nodes, streets = np.unique(ends[:, 0], return_counts=True)
    meeting = np.isin(city.u, nodes[streets >= MEETING]) if (streets >= MEETING).any() else np.ones(len(city), bool)
    return np.unique(city.xy_m[city.first_vertex[:-1][meeting]], axis=0)


def _in_order(pool: ProcessPoolExecutor, pieces: Iterator[CheckedTrips], ahead: int) -> Iterator[Measures]:
    """Yield results in the order of the pieces; never more than `ahead` of them wait, so that memory stays small."""
    waiting: deque[Future[Measures]] = deque()
    try:
        for piece in pieces:
            waiting.append(pool.submit(_measure_in_worker, piece))
            if len(waiting) >= ahead:
                yield result_of(waiting.popleft())
        while waiting:
            yield result_of(waiting.popleft())
    finally:
        for future in waiting:
            future.cancel()


_surveyors: list[Surveyor] = []  # of a worker process: one, built when the process starts


def _start_worker(city: City, paths: Path) -> None:
    begin_worker()
    _surveyors.append(Surveyor(city, paths))


def _measure_in_worker(piece: CheckedTrips) -> Measures:
    return _surveyors[0].measure(piece)
