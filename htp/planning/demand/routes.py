"""Find the fastest routes of thousands of trips at once, each from a place on a road to another.

As `htp.city.routing` does for one: both directions of a street are open at either end, and one search from a vertex of
its own that leads to both of them finds the fastest combination. Searches run in batches in SciPy's C code, nearest
pairs first, so that each can end early: a route found within the limit is the fastest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from htp.trips import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from htp.city.routing import Router
    from htp.planning.demand.zones import Places

BATCH = 64  # searches at once: 17 MB for 22,000 roads
SLOW_M_S, SPARE_S = 9.0, 120.0  # few drives are slower than this as the crow flies; measured: 6 and 12 take longer


class _End(NamedTuple):
    """One direction of the street at either end of a trip."""

    road: int
    along_m: float
    rest_s: float  # to the end of the road


def fastest_routes(
    router: Router, starts: Places, ends: Places, progress: Callable[[int, int], None] | None = None
) -> list[Route | None]:
    """Return the fastest route of each of N trips, None where there is none; `progress` hears (done, total)."""
    routes: list[Route | None] = [None] * len(starts.road)
    apart_m = np.hypot(*(_where_m(router, starts) - _where_m(router, ends)).T)
    order = np.argsort(apart_m, kind="stable")
    for first in range(0, len(order), BATCH):
        trips = order[first : first + BATCH]
        limit_s = float(apart_m[trips[-1]]) / SLOW_M_S + SPARE_S
        for limit in (limit_s, np.inf):
            trips = np.array([trip for trip in trips if routes[trip] is None], dtype=np.int64)
            if len(trips):
                _search(router, trips, (starts, ends), limit, routes)
        if progress is not None:
            progress(min(first + BATCH, len(order)), len(order))
    return routes


def _search(
    router: Router, trips: NDArray[np.int64], places: tuple[Places, Places], limit_s: float, routes: list[Route | None]
) -> None:
    """Search from the places of some trips at once and put the routes found into `routes`."""
    roads = len(router.city)
    starts, ends = ([_directions(router, side, trip) for trip in trips] for side in places)
    graph = _with_sources(router, starts)
    sources = np.arange(roads, roads + len(trips))
    reach_s, before = dijkstra(graph, indices=sources, return_predecessors=True, limit=limit_s)
    for row, trip in enumerate(trips.tolist()):
        routes[trip] = _fastest(router, (starts[row], ends[row]), reach_s[row], before[row], limit_s)


def _with_sources(router: Router, starts: list[list[_End]]) -> csr_array:
    """Return the graph with a vertex a trip, connected to the roads that it may start on."""
    roads, graph = len(router.city), router.graph
    options = [option for trip in starts for option in trip]
    counts = np.cumsum([len(trip) for trip in starts])
    parts = (
        np.r_[graph.data, [option.rest_s for option in options]],
        np.r_[graph.indices, np.array([option.road for option in options], dtype=np.int32)],
        np.r_[graph.indptr[: roads + 1], graph.nnz + counts].astype(np.int32),
    )
    return csr_array(parts, shape=(roads + len(starts), roads + len(starts)))


def _fastest(
    router: Router,
    ends: tuple[list[_End], list[_End]],
    reach_s: NDArray[np.float64],
    before: NDArray[np.int32],
    limit_s: float,
) -> Route | None:
    """Return the fastest route of one trip that takes no longer than the limit."""
    best_s, best = limit_s, None
    for end in ends[1]:
        for start in ends[0]:
            straight_s = start.rest_s - end.rest_s
            if start.road == end.road and 0 < straight_s <= best_s:
                best_s, best = straight_s, (end, -1)
        entries = slice(*router.entering.indptr[end.road : end.road + 2])
        last = router.entering.indices[entries]  # the roads that lead into the end's road
        end_s = reach_s[last] + router.entering.data[entries] - end.rest_s
        if len(last) and np.isfinite(end_s.min()) and end_s.min() <= best_s:
            best_s, best = float(end_s.min()), (end, int(last[end_s.argmin()]))
    if best is None:
        return None
    end, at = best
    roads, count = [end.road], len(router.city)
    while 0 <= at < count:  # the vertex of the trip itself comes after all roads
        roads.append(at)
        at = int(before[at])
    roads.reverse()
    start_m = next(start.along_m for start in ends[0] if start.road == roads[0])
    return Route(np.array(roads, dtype=np.int32), start_m, end.along_m)


def _directions(router: Router, places: Places, trip: int) -> list[_End]:
    """Return the open directions of the street that a trip's place lies on."""
    city, road, along_m = router.city, int(places.road[trip]), float(places.along_m[trip])
    back = int(city.opposite[road])
    found = [(road, along_m)]
    if back >= 0:
        found.append((back, max(0.0, float(city.length_m[back]) - along_m)))
    rests_s = [float(router.seconds[one] * (1 - m / city.length_m[one])) for one, m in found]
    return [_End(one, m, s) for (one, m), s in zip(found, rests_s, strict=True) if np.isfinite(s)]


def _where_m(router: Router, places: Places) -> NDArray[np.float64]:
    """Return where the roads of places begin: near enough to say how far apart they are, [N, 2] metres."""
    return router.city.xy_m[router.city.first_vertex[places.road]]
