"""Match GPS trips onto the directed roads with fastmm, a hidden Markov model over candidate roads (paper A.2, ref. 49).

fastmm goes round the block where a point lies on the wrong carriageway or against a one-way street: a quarter of
Porto's trips hold such a detour at its best settings. So (ours) a match is cut at its detours, as at its breaks, into
parts. Matching once more without the points beside a detour was tried: 0.4 % more points.
Knows nothing about sampling intervals, labels or what makes a trip good enough to learn from.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import fastmm
import numpy as np

from htp.compute.ragged import Ragged
from htp.json_files import read_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from htp.city.network import City

# All ours, chosen on Porto's eligible trips: what comes out hardly depends on them once detours are cut out.
RADIUS_M = 100.0  # candidates lie within this distance of a point
CANDIDATES = 8  # roads tried a point; 16 take half as long again and keep one trip more of 1,054
GPS_ERROR_M = 30.0  # spread of the emission term; 15 loses 1 % of the trips to detours, 50 moves points off their roads
REVERSE_M = 50.0  # a point may lie this far behind the one before on the same road
REACH_M = 2000.0  # longest path between two points that the table of paths holds
DETOUR_M, DETOUR_RATIO = 100.0, 1.3  # a detour is a step whose path is longer than 1.3 times the straight line + 100 m,
SPEEDUP, NEIGHBOURS = 1.5, 2  # and than 1.5 times the longest of the two steps before and after
DIGESTS = "digests.json"  # beside a table of paths
NO_ROAD, BROKEN = "no_road_nearby", "broken"  # why a trip has no match


@dataclass(frozen=True)
class Match:
    """A part of a trip that lies on one connected route; where a trip has none, `failure` says why."""

    first: int  # index of the part's first GPS point
    roads: NDArray[np.int32]  # [R] connected, from the first point's road to the last point's
    at: NDArray[np.int64]  # [T'] place in `roads` of each point's road, never decreasing
    offset_m: NDArray[np.float64]  # [T'] metres from the start of that road; on one road it may run backwards
    failure: str | None = None  # NO_ROAD or BROKEN; the arrays are then empty

    @property
    def stop(self) -> int:
        """Index after the part's last GPS point."""
        return self.first + len(self.at)

    @property
    def point_roads(self) -> NDArray[np.int32]:
        """The road_id of each point, [T']."""
        return self.roads[self.at]


def default_cache() -> Path:
    """Return the user's folder for tables of paths, which all runs for a city share."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "htp" / "paths"


def ensure_paths(city: City) -> Path:
    """Return the folder of the city's table of paths, made where it is missing.

    So processes that start at once do not each make it.
    """
    folder = _folder(city)
    if not folder.is_dir():
        Matcher(city, folder)
    return folder


class Matcher:
    """Match trips onto the roads of one city; build it once a process."""

    def __init__(self, city: City, paths: Path | None = None) -> None:
        """Load the table of paths from the folder `paths`, that of `ensure_paths` by default, or make it there."""
        self.city = city
        with _silent():
            self._network = _network(city)  # fastmm reads from it as long as its matcher lives
            self._fastmm = _load(self._network, paths or _folder(city))

    def match(self, trips_xy_m: Sequence[NDArray[np.float64]]) -> list[Match]:
        """Return the longest part of each trip, [T, 2] metres of the city's metric CRS."""
        return [max(parts, key=lambda part: len(part.at)) for parts in self.parts(trips_xy_m)]

    def parts(self, trips_xy_m: Sequence[NDArray[np.float64]]) -> list[list[Match]]:
        """Return every part of each trip, [T, 2] metres, in order; where there is none, one match that says why."""
        with _silent():
            found = [self._search(xy_m) for xy_m in trips_xy_m]
        whole = [match for own in found for match in own]
        tracks_m = [
            xy_m[match.first : match.stop] for xy_m, own in zip(trips_xy_m, found, strict=True) for match in own
        ]
        cut = iter(self._cut(whole, tracks_m))
        return [[part for _ in own for part in next(cut)] or [_failed(own[0].failure or BROKEN)] for own in found]

    def _search(self, xy_m: NDArray[np.float64]) -> list[Match]:
        """Return what fastmm makes of a trip, before detours are cut out."""
        result = self._fastmm.match(
            fastmm.Trajectory.from_xy_tuples(list(zip(*xy_m.T.tolist(), strict=True))),
            max_candidates=CANDIDATES,
            candidate_search_radius=RADIUS_M,
            gps_error=GPS_ERROR_M,
            reverse_tolerance=REVERSE_M,
        )
        good = [sub for sub in result.subtrajectories if sub.error_code == fastmm.MatchErrorCode.SUCCESS]
        whole = [_joined(sub) for sub in good if sub.end_index > sub.start_index]
        return whole or [_failed(BROKEN if good else NO_ROAD)]

    def _cut(self, whole: Sequence[Match], tracks_m: Sequence[NDArray[np.float64]]) -> list[list[Match]]:
        """Cut matches, of the points [T', 2] each, at their detours into parts of two points or more."""
        place_m = places(self.city, whole)
        xy_m = np.concatenate([np.empty((0, 2)), *tracks_m])
        trip = place_m.row
        driven_m, straight_m = np.diff(place_m.flat), np.hypot(*np.diff(xy_m, axis=0).T)
        within = trip[1:] == trip[:-1]
        before = np.zeros(len(trip), dtype=bool)
        before[1:][within] = detours(driven_m[within], straight_m[within], trip[1:][within])
        cuts = [np.flatnonzero(one) for one in place_m.like(before).split()]
        return [_apart(match, cut) for match, cut in zip(whole, cuts, strict=True)]


def places(city: City, matches: Sequence[Match]) -> Ragged[np.float64]:
    """Return how far from the start of its route each point was matched, B rows of metres."""
    roads = Ragged.of([match.roads for match in matches], np.int32)
    at = Ragged.of([match.at for match in matches], np.int64)
    start_m = roads.like(city.length_m[roads.flat]).sum_before()
    offset_m = np.concatenate([np.empty(0), *(match.offset_m for match in matches)])
    return at.like(start_m[roads.first[at.row] + at.flat] + offset_m)


def places_m(city: City, match: Match) -> NDArray[np.float64]:
    """Return the same of one match, [T']."""
    return places(city, [match]).flat


def detours(
    driven_m: NDArray[np.float64], straight_m: NDArray[np.float64], trip: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which steps [N] are much longer along the roads than straight, and than those of the trip around them.

    The second condition spares ramps and turns at roundabouts, which are driven at the speed of the steps around them:
    of long steps in simulated trips, whose routes are known to be real, 18 of 44 are cut, of Porto's 700 of 752.
    """
    around_m = np.zeros(len(straight_m))
    for away in range(1, NEIGHBOURS + 1):
        same = trip[away:] == trip[:-away]
        for here, there in ((around_m[away:], straight_m[:-away]), (around_m[:-away], straight_m[away:])):
            np.maximum(here, there, out=here, where=same)
    return (driven_m > DETOUR_RATIO * straight_m + DETOUR_M) & (driven_m > SPEEDUP * around_m)


def _joined(sub: fastmm.SubTrajectory) -> Match:
    """Join fastmm's paths from point to point into one route."""
    segments = sub.segments  # a copy each time it is asked for
    start = segments[0].p0
    roads = [segments[0].edges[0].edge_id]
    at, offset_m = [0], [start.offset_from_start_of_edge]
    for segment in segments:
        edges = [edge.edge_id for edge in segment.edges]
        roads += edges[1:] if edges[0] == roads[-1] else edges
        at.append(len(roads) - 1)
        offset_m.append(segment.p1.offset_from_start_of_edge)
    return Match(sub.start_index, np.array(roads, dtype=np.int32), np.array(at), np.array(offset_m))


def _apart(match: Match, before: NDArray[np.int64]) -> list[Match]:
    """Cut a match before these of its points; leave out what is a single one."""
    parts = []
    bounds = [0, *before.tolist(), len(match.at)]
    for start, stop in itertools.pairwise(bounds):
        at = match.at[start:stop]
        if stop - start > 1:
            roads = match.roads[at[0] : at[-1] + 1]
            parts.append(Match(match.first + start, roads, at - at[0], match.offset_m[start:stop]))
    return parts


def _failed(reason: str) -> Match:
    return Match(0, np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int64), np.empty(0), reason)


def _network(city: City) -> fastmm.Network:
    """Hand the roads to fastmm; edges are road_id, coordinates metres."""
    network = fastmm.Network()
    vertices = [tuple(xy) for xy in city.xy_m.tolist()]
    first = city.first_vertex.tolist()
    for road, (u, v) in enumerate(zip(city.u.tolist(), city.v.tolist(), strict=True)):
        network.add_edge(road, source=u, target=v, geom=vertices[first[road] : first[road + 1]])
    network.finalize()
    return network


def _folder(city: City) -> Path:
    """Return where the city's table lies, by what it depends on; fastmm's own name for it leaves out the geometry."""
    name = f"{city_fingerprint(city)}-{REACH_M:.0f}m-fastmm-{fastmm.__version__}"
    cache = default_cache().absolute()
    if (cache / name).is_dir():
        return cache / name
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache):
            return cache / name
    except OSError:
        return Path(_for_this_run(cache).name) / name


@functools.cache
def _for_this_run(cache: Path) -> tempfile.TemporaryDirectory[str]:
    """Return a folder that is deleted as this process ends, and say why."""
    folder = tempfile.TemporaryDirectory(prefix="htp-paths-")
    print(  # noqa: T201  whoever waits for it learns why
        f"htp: {cache} cannot be written, so the table of paths for map matching lasts for this run alone; point "
        "XDG_CACHE_HOME to a folder that can be written.",
        file=sys.stderr,
    )
    return folder


def _load(network: fastmm.Network, folder: Path) -> fastmm.FastMapMatch:
    """Load the table of paths; a new one is made beside its place and moved there whole, a damaged one made again."""
    mode = fastmm.TransitionMode.SHORTEST
    if folder.is_dir():
        if _is_whole(folder):
            return fastmm.FastMapMatch(network, mode, max_distance_between_candidates=REACH_M, cache_dir=folder)
        shutil.rmtree(folder, ignore_errors=True)  # another process may be at it
    with _place_beside(folder) as made:
        new = Path(made) / "paths"
        matcher = fastmm.FastMapMatch(network, mode, max_distance_between_candidates=REACH_M, cache_dir=new)
        (new / DIGESTS).write_text(json.dumps(_digests(new), indent=2) + "\n", encoding="utf-8")
        with suppress(OSError):  # another process has put its own there meanwhile, or nothing can be put there
            new.rename(folder)
    return matcher


def _place_beside(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """Return a folder for the time being beside another one; elsewhere where nothing can be written there."""
    with suppress(OSError):
        return tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-")
    return tempfile.TemporaryDirectory(prefix="htp-paths-")


def _is_whole(folder: Path) -> bool:
    """Return whether a table is as it was written; fastmm itself reads one altered in the middle without complaint."""
    try:
        return bool(read_object(folder / DIGESTS) == _digests(folder))
    except (OSError, ValueError):
        return False


def _digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a table."""
    digests = {}
    for path in sorted(folder.iterdir()):
        if path.name != DIGESTS:
            with path.open("rb") as file:
                digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


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
