"""Find the fastest routes of thousands of trips at once, each from a place on a road to another.

As `htp.city.routing` does for one: both directions of a street are open at either end, and one search that begins on
both of them finds the fastest combination.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htp.city.routing import Stops
from htp.city.search import nearest_first
from htp.compute.ragged import Ragged
from htp.trips import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from htp.city.routing import Router
    from htp.planning.demand.zones import Places

SLOW_M_S, SPARE_S = 9.0, 120.0  # few drives are slower than this as the crow flies; measured: 6 and 12 take longer


def fastest_routes(
    router: Router, starts: Places, ends: Places, progress: Callable[[int, int], None] | None = None
) -> list[Route | None]:
    """Return the fastest route of each of N trips, None where there is none; `progress` hears (done, total)."""
    routes: list[Route | None] = [None] * len(starts.road)

    def search(trips: NDArray[np.int64], limit_s: float) -> NDArray[np.bool_]:
        start, end = (_both_directions(router, side, trips) for side in (starts, ends))
        ways = router.ways(start, end, np.zeros(len(start.along_m)), limit_s=limit_s, behind_m=0.0)
        cost_s = end.roads.like(ways.cost_s)
        found = (cost_s.min(empty=np.inf) <= limit_s) & (cost_s.min(empty=np.inf) < np.inf)
        for trip, there in zip(trips[found].tolist(), cost_s.argmin()[found].tolist(), strict=True):
            here = ways.start[there]
            roads = np.r_[start.roads.flat[here], ways.roads[there]].astype(np.int32)
            routes[trip] = Route(roads, float(start.along_m[here]), float(end.along_m[there]))
        return found

    apart_m = np.hypot(*(_where_m(router, starts) - _where_m(router, ends)).T)
    nearest_first(search, apart_m / SLOW_M_S + SPARE_S, progress)
    return routes


def _both_directions(router: Router, places: Places, trips: NDArray[np.int64]) -> Stops:
    """Return the open directions of the street that the place of each trip lies on."""
    city, road, along_m = router.city, places.road[trips], places.along_m[trips]
    back = city.opposite[road]
    roads = np.column_stack([road, back])
    places_m = np.column_stack([along_m, np.maximum(0.0, city.length_m[back] - along_m)])
    is_open = (roads >= 0) & np.isfinite(router.seconds[roads])
    return Stops(Ragged.from_counts(roads[is_open], is_open.sum(axis=1)), places_m[is_open])


def _where_m(router: Router, places: Places) -> NDArray[np.float64]:
    """Return where the roads of places begin: near enough to say how far apart they are, [N, 2] metres."""
    return router.city.xy_m[router.city.first_vertex[places.road]]
