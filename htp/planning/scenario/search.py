"""Search the fastest paths of many trips at once, on a city's roads as they are or as a scenario changes them.

The graph is the router's own (`htp.city.routing`): roads are its vertices, turns its edges. A scenario changes the
costs of some edges and leaves others away, and lets drivers turn back at a closed road; nothing is built anew. A path
runs from the end of the first road to the end of the last, for the drive on the first is the same on every path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from htp.city.routing import TURN_S
from htp.planning.scenario.changes import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from htp.city import City

AT_ONCE = 32  # places to start from: 35,000 roads take 13 MB
NO_ROAD = -9999  # scipy's mark for no predecessor
ROUNDING_S = 1e-6  # a cost is a sum, which depends on the order of its terms


@dataclass(frozen=True)
class Paths:
    """The fastest path of each of N trips."""

    roads: list[NDArray[np.int32]]  # road_id from the first to the last; empty where there is no way
    cost_s: NDArray[np.float64]  # [N] from the end of the first road, turns included; infinite where there is no way


class ScenarioNetwork:
    """A city's roads under a scenario, for searches."""

    def __init__(self, city: City, scenario: Scenario | None = None) -> None:
        """Change the costs of the router's graph; `InputError` where the scenario names roads of another city."""
        scenario = scenario or Scenario()
        scenario.check(city)
        self.city, self.seconds = city, scenario.seconds(city)
        self.closed = np.isinf(self.seconds)
        self.changed = self.seconds != city.free_flow_s
        graph = city.router.graph
        before = np.repeat(np.arange(graph.shape[0], dtype=np.int32), np.diff(graph.indptr))
        after, kept = graph.indices, ~(self.closed[before] | self.closed[graph.indices])
        extra_s = np.where(self.changed & ~self.closed, self.seconds - city.free_flow_s, 0.0)
        cost_s = graph.data + extra_s[after]  # a turn costs what it cost
        turning = self._turning_back(before, after)
        costs = np.r_[cost_s[kept], self.seconds[city.opposite[turning]] + TURN_S]
        ends = np.r_[before[kept], turning], np.r_[after[kept], city.opposite[turning]]
        self.graph = csr_array((costs, ends), shape=graph.shape)

    def _turning_back(self, before: NDArray[np.int32], after: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the two-way roads that lead to a closed one, where a driver may now turn back, as at a dead end."""
        back = self.city.opposite
        roads = np.unique(before[self.closed[after] & ~self.closed[before]])
        roads = roads[back[roads] >= 0]
        known = (after == back[before]).nonzero()[0]  # dead ends already
        return roads[~self.closed[back[roads]] & ~np.isin(roads, before[known])]

    def cost_s(self, routes: Sequence[NDArray[np.integer]]) -> NDArray[np.float64]:
        """Return the seconds of given routes from the end of their first road, infinite where one is not open, [N]."""
        counts = np.array([len(route) for route in routes])
        roads = np.concatenate([*routes, np.zeros(0, np.int64)]).astype(np.int64)
        row = np.repeat(np.arange(len(routes)), counts)
        within = row[1:] == row[:-1]
        before, after, row = roads[:-1][within], roads[1:][within], row[1:][within]
        step_s = np.asarray(self.graph[before, after]).ravel().astype(float) if len(before) else np.zeros(0)
        open_s = np.where(step_s > 0, step_s, np.inf)  # no edge reads as 0
        return np.bincount(row, open_s, len(routes)).astype(np.float64)

    def fastest(
        self,
        first: NDArray[np.integer],
        last: NDArray[np.integer],
        limit_s: NDArray[np.float64],
        progress: Callable[[int, int], None] | None = None,
    ) -> Paths:
        """Return the fastest path from each `first` to each `last` road, [N] each.

        No path costs more than its `limit_s`: that of a way already known, which makes the search shorter; infinite
        where none is. `progress` hears (paths found, N).
        """
        roads = [np.zeros(0, np.int32)] * len(first)
        cost_s = np.full(len(first), np.inf)
        sources, row = np.unique(first, return_inverse=True)
        reach_s = np.zeros(len(sources))
        np.maximum.at(reach_s, row, limit_s)
        order, done = np.argsort(reach_s, kind="stable"), 0
        for at in range(0, len(order), AT_ONCE):
            chosen = order[at : at + AT_ONCE]  # near ones together, so that none searches as far as the farthest
            place = np.full(len(sources), -1)
            place[chosen] = np.arange(len(chosen))
            trips = np.flatnonzero(place[row] >= 0)
            limit = float(reach_s[chosen[-1]]) * (1 + ROUNDING_S) + ROUNDING_S
            found_s, predecessor = dijkstra(self.graph, indices=sources[chosen], return_predecessors=True, limit=limit)
            cost_s[trips] = found_s[place[row[trips]], last[trips]]
            for trip, path in zip(trips, _unwind(predecessor, place[row[trips]], last[trips]), strict=True):
                if np.isfinite(cost_s[trip]):
                    roads[trip] = path
            done += len(trips)
            if progress is not None:
                progress(done, len(first))
        return Paths(roads, cost_s)


def _unwind(
    predecessor: NDArray[np.int32], row: NDArray[np.integer], last: NDArray[np.integer]
) -> list[NDArray[np.int32]]:
    """Return the roads from the source of each `row` to each `last`, going back for all of them at once."""
    here = last.astype(np.int32)
    steps = [here]
    while (here != NO_ROAD).any():
        here = np.where(here == NO_ROAD, NO_ROAD, predecessor[row, np.maximum(here, 0)])
        steps.append(here)
    back = np.array(steps[:-1])
    lengths = (back != NO_ROAD).sum(axis=0)
    return [back[:length, trip][::-1].astype(np.int32) for trip, length in enumerate(lengths)]
