"""Match GPS trips onto the directed roads with fastmm, a hidden Markov model over candidate roads (paper A.2, ref. 49).

fastmm alone invents detours where a point lies on the wrong side of a dual carriageway or jitters while the car stands:
a quarter of Porto's trips hold one even with its best settings. So (ours) points of a standing car are not shown to it, points
beside a detour are taken away and the trip is matched again, and where a detour or a break stays, the trip is cut and its
longest part is kept. Knows nothing about sampling intervals, labels or what makes a trip good enough to learn from.
"""

from __future__ import annotations

import hashlib
import math
import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import fastmm
import numpy as np

from htp.city.alignment import Matched, align

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from htp.city.network import City

# All ours, chosen on Porto's 1,111 eligible trips.
RADIUS_M = 100.0  # candidates lie within this distance of a point
CANDIDATES = 16  # roads tried a point
GPS_ERROR_M = 30.0  # spread of the emission term; a small one forces detours
REVERSE_M = 50.0  # a point may lie this far behind the one before on the same road
REACH_M = 2000.0  # longest path between two points that the table of paths holds
STEP_M = 20.0  # points closer than this to the last one shown are not shown to fastmm
DETOUR_M, DETOUR_RATIO = 100.0, 1.3  # a step is a detour if its path is longer than 1.3 times the straight line + 100 m
REPAIR_ROUNDS = 3
NO_ROAD, BROKEN = "no_road_nearby", "broken"  # why a trip has no match


@dataclass(frozen=True)
class Match:
    """The longest part of a trip that lies on one connected route; where there is none, `failure` says why."""

    first: int  # index of the part's first GPS point
    roads: NDArray[np.int32]  # [R] connected, first and last with at least one point
    along_m: NDArray[np.float64]  # [T'] nearest place of each point, metres from the start of roads[0]; may run backwards
    point_roads: NDArray[np.int32]  # [T'] road_id at that place
    failure: str | None = None  # NO_ROAD or BROKEN; the arrays are then empty

    @property
    def stop(self) -> int:
        """Index after the part's last GPS point."""
        return self.first + len(self.along_m)


def default_cache() -> Path:
    """Return the user's folder for tables of paths, which all runs for a city share."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "htp" / "paths"


def ensure_paths(city: City, cache: Path) -> None:
    """Make the table of paths if it is missing, so that processes that start at once do not each make it."""
    if not _folder(city, cache).is_dir():
        Matcher(city, cache)


class Matcher:
    """Match trips onto the roads of one city; build it once a process."""

    def __init__(self, city: City, cache: Path | None = None) -> None:
        """Load the table of paths from a folder of `cache` or make it there; None keeps it in memory alone."""
        self.city = city
        with _silent():
            self._network = _network(city)  # fastmm reads from it as long as its matcher lives
            self._fastmm = _load(self._network, _folder(city, cache) if cache else None)

    def match(self, trips_xy_m: Sequence[NDArray[np.float64]]) -> list[Match]:
        """Match trips given as points in metres of the city's metric CRS, [T, 2] each."""
        with _silent():
            parts = [self._longest_part(xy_m) for xy_m in trips_xy_m]
        found = [(i, part) for i, part in enumerate(parts) if not isinstance(part, str)]
        points_xy_m = [trips_xy_m[i][part.points[0] : part.points[-1] + 1] for i, part in found]
        relative = [Matched(part.roads, part.points - part.points[0], part.along_m) for _, part in found]
        matches = [_failed(part) if isinstance(part, str) else None for part in parts]
        for (i, part), aligned in zip(found, align(self.city, points_xy_m, relative), strict=True):
            matches[i] = Match(int(part.points[0]), part.roads, aligned.along_m, part.roads[aligned.road])
        return [match for match in matches if match is not None]

    def _longest_part(self, xy_m: NDArray[np.float64]) -> Matched | str:
        """Return the longest part without detours, or the reason why there is none."""
        shown = _moving(xy_m)
        parts = self._parts(xy_m, shown)
        if not parts:
            return NO_ROAD
        for _ in range(REPAIR_ROUNDS):
            if not any(len(part.detours) for part in parts):
                break
            better = self._without_detours(xy_m, shown, parts)
            if better is None:
                break
            shown, parts = better
        pieces = [piece for part in parts for piece in part.pieces()]
        return max(pieces, key=_span, default=BROKEN)

    def _without_detours(
        self, xy_m: NDArray[np.float64], shown: NDArray[np.int64], parts: list[_Part]
    ) -> tuple[NDArray[np.int64], list[_Part]] | None:
        """Take away the points before, after or on both sides of the detours, whichever helps most; None if none does."""
        before = np.concatenate([part.points[part.detours] for part in parts])
        after = np.concatenate([part.points[part.detours + 1] for part in parts])
        best, best_score = None, _score(parts)
        for suspects in (before, after, np.r_[before, after]):
            kept = shown[~np.isin(shown, suspects)]
            if len(kept) < 2:
                continue
            tried = self._parts(xy_m, kept)
            if (score := _score(tried)) > best_score:
                best, best_score = (kept, tried), score
        return best

    def _parts(self, xy_m: NDArray[np.float64], shown: NDArray[np.int64]) -> list[_Part]:
        """Match the points `shown`; fastmm breaks the trip where no road or no path is near."""
        result = self._fastmm.match(
            fastmm.Trajectory.from_xy_tuples([tuple(xy) for xy in xy_m[shown].tolist()]),
            max_candidates=CANDIDATES,
            candidate_search_radius=RADIUS_M,
            gps_error=GPS_ERROR_M,
            reverse_tolerance=REVERSE_M,
        )
        good = fastmm.MatchErrorCode.SUCCESS
        return [
            _join(sub.segments, shown[sub.start_index : sub.end_index + 1], self.city.length_m)
            for sub in result.subtrajectories
            if sub.error_code == good and sub.end_index > sub.start_index
        ]


@dataclass(frozen=True)
class _Part:
    """A connected match of the points that fastmm was shown."""

    points: NDArray[np.int64]  # [N] index of each point in its trip
    roads: NDArray[np.int32]  # [R]
    at: NDArray[np.int64]  # [N] place in `roads` of each point's road
    offset_m: NDArray[np.float64]  # [N] place of each point on its road
    road_start_m: NDArray[np.float64]  # [R] where each road begins along the route
    detours: NDArray[np.int64]  # steps i, from point i to point i + 1, that are detours
    excess_m: float  # how much longer than the straight lines the paths of all detours are

    def pieces(self) -> list[Matched]:
        """Cut the part at its detours."""
        starts, stops = np.r_[0, self.detours + 1], np.r_[self.detours + 1, len(self.points)]
        pieces = []
        for start, stop in zip(starts, stops, strict=True):
            if stop - start < 2:
                continue
            at = self.at[start:stop]
            along_m = self.road_start_m[at] + self.offset_m[start:stop] - self.road_start_m[at[0]]
            pieces.append(Matched(self.roads[at[0] : at[-1] + 1], self.points[start:stop], along_m))
        return pieces


def _join(segments: Sequence[fastmm.MatchSegment], points: NDArray[np.int64], length_m: NDArray[np.float64]) -> _Part:
    """Join fastmm's paths from point to point into one route."""
    start = segments[0].p0
    roads = [segments[0].edges[0].edge_id]
    at, offset_m, straight_m = [0], [start.offset_from_start_of_edge], []
    for segment in segments:
        edges = [edge.edge_id for edge in segment.edges]
        start, end = segment.p0, segment.p1
        roads += edges[1:] if edges[0] == roads[-1] else edges
        at.append(len(roads) - 1)
        offset_m.append(end.offset_from_start_of_edge)
        straight_m.append(math.hypot(end.x - start.x, end.y - start.y))
    route, place, offset = np.array(roads, dtype=np.int32), np.array(at), np.array(offset_m)
    road_start_m = np.cumsum(length_m[route]) - length_m[route]
    driven_m = np.diff(road_start_m[place] + offset)
    excess_m = detour_m(driven_m, np.array(straight_m))
    detours = np.flatnonzero(excess_m > 0.0)
    return _Part(points, route, place, offset, road_start_m, detours, float(excess_m[detours].sum()))


def detour_m(driven_m: NDArray[np.float64], straight_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much each step along the roads is longer than a car can have meant; not above 0 where it is fine."""
    return driven_m - DETOUR_RATIO * straight_m - DETOUR_M


def _score(parts: list[_Part]) -> tuple[int, float]:
    """Rank matches: first by the points between the ends of the longest piece, then by how little detour is left."""
    spans = [_span(piece) for part in parts for piece in part.pieces()]
    return max(spans, default=0), -sum(part.excess_m for part in parts)


def _span(piece: Matched) -> int:
    return int(piece.points[-1] - piece.points[0]) + 1


def _moving(xy_m: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the points at least `STEP_M` from the one returned before, and both ends."""
    points = xy_m.tolist()
    kept = [0]
    x, y = points[0]
    for i, (px, py) in enumerate(points[1:-1], start=1):
        if math.hypot(px - x, py - y) >= STEP_M:
            kept.append(i)
            x, y = px, py
    return np.array([*kept, len(points) - 1])


def _failed(reason: str) -> Match:
    none = np.empty(0, dtype=np.int32)
    return Match(0, none, np.empty(0), none, reason)


def _network(city: City) -> fastmm.Network:
    """Hand the roads to fastmm; edges are road_id, coordinates metres."""
    network = fastmm.Network()
    vertices = [tuple(xy) for xy in city.xy_m.tolist()]
    first = city.first_vertex.tolist()
    for road, (u, v) in enumerate(zip(city.u.tolist(), city.v.tolist(), strict=True)):
        network.add_edge(road, source=u, target=v, geom=vertices[first[road] : first[road + 1]])
    network.finalize()
    return network


def _folder(city: City, cache: Path) -> Path:
    """Return where the city's table lies; fastmm's own name for it leaves out the geometry."""
    return cache / f"{city_fingerprint(city)}-{REACH_M:.0f}m-fastmm-{fastmm.__version__}"


def _load(network: fastmm.Network, folder: Path | None) -> fastmm.FastMapMatch:
    """Load the table of paths; a new one is made beside its place and moved there whole, so that none is ever half there."""
    mode = fastmm.TransitionMode.SHORTEST
    if folder is not None and folder.is_dir():
        return fastmm.FastMapMatch(network, mode, max_distance_between_candidates=REACH_M, cache_dir=folder)
    parent = folder.parent if folder else Path(tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=".paths-") as made:
        new = Path(made) / "paths"
        matcher = fastmm.FastMapMatch(network, mode, max_distance_between_candidates=REACH_M, cache_dir=new)
        if folder is not None and not folder.exists():
            new.rename(folder)
    return matcher


def city_fingerprint(city: City) -> str:
    """Name the roads by all that matching depends on: their ends and their geometry."""
    digest = hashlib.sha256()
    for array in (city.u, city.v, city.first_vertex, city.xy_m.round(2)):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


@contextmanager
def _silent() -> Iterator[None]:
    """Send what fastmm's C++ logger writes to standard output nowhere; what Python had buffered is written first."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(nowhere)
        os.close(kept)
