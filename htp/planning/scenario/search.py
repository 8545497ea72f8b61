"""Search the fastest paths of many trips at once, on a city's roads as they are or as a scenario changes them.

The graph is the router's own (`htp.city.routing`): roads are its vertices, turns its edges. A scenario changes the
costs of some edges and leaves others away, and lets drivers turn back at a closed road; nothing is built anew. A path
runs from the end of the first road to the end of the last, for the drive on the first is the same on every path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from htp.city.routing import TURN_S
from htp.city.search import Paths, fastest_paths
from htp.compute.ragged import Ragged
from htp.planning.scenario.changes import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from htp.city import City

ROUNDING_S = 1e-6  # a cost is a sum, which depends on the order of its terms


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
        driven = Ragged.of(routes, np.int64)
        roads, row = driven.flat, driven.row
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
        return fastest_paths(self.graph, first, last, limit_s * (1 + ROUNDING_S) + ROUNDING_S, progress)
