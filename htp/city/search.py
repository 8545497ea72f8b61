"""Search the fastest ways from many places to many others, on any graph whose edges cost seconds.

In the graph of roads and turns a road is a vertex and a turn an edge, which costs the turn and the drive along the road
behind it. Searches run in batches in SciPy's C code, nearest first, so that each can end early: a way found within the
limit is the fastest. Knows nothing about where roads lie or why they cost what they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from htp.compute.ragged import Ragged

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

AT_ONCE = 64  # searches in a batch: 17 MB for 22,000 roads
STEPS = 8  # walked back between two looks at whether all ways are done


@dataclass(frozen=True)
class Trees:
    """The fastest ways from each of B starts to all V vertices."""

    cost_s: NDArray[np.float64]  # [B, V] infinite where there is no way within the limit
    before: NDArray[np.int32]  # [B, V + B] the vertex before; V + b is where the ways of tree b begin, before itself

    @classmethod
    def grow(
        cls, graph: csr_array, starts: Ragged[np.integer], cost_s: NDArray[np.float64], limit_s: float = np.inf
    ) -> Trees:
        """Search from B starts, each a row of vertices that are reached after `cost_s` [N]; infinite ones are not."""
        size, kept = graph.shape[0], np.isfinite(cost_s)
        counts = np.bincount(starts.row[kept], minlength=len(starts))
        parts = (  # a vertex a start, which leads to its own
            np.concatenate([graph.data, cost_s[kept]]),
            np.concatenate([graph.indices, starts.flat[kept]], dtype=np.int32),
            np.concatenate([graph.indptr, graph.nnz + np.cumsum(counts)], dtype=np.int32),
        )
        sources = np.arange(size, size + len(starts))
        whole = csr_array(parts, shape=(size + len(starts), size + len(starts)))
        reach_s, before = dijkstra(whole, indices=sources, return_predecessors=True, limit=limit_s)
        before[np.arange(len(starts)), sources] = sources
        return cls(reach_s[:, :size], before)

    def ways_to(self, tree: NDArray[np.integer], vertex: NDArray[np.integer]) -> Ragged[np.int32]:
        """Return the vertices from the start of each `tree` to each `vertex` that it reaches, both included, [M] rows.

        All ways are walked back at once; those that are done wait at the start.
        """
        size, here, steps = self.cost_s.shape[1], vertex.astype(np.int64), []
        before, tree_begins = self.before.ravel(), tree * self.before.shape[1]
        while (here < size).any():
            for _ in range(STEPS):
                steps.append(here)
                here = before.take(tree_begins + here)
        forwards = np.array(steps, dtype=np.int32).reshape(len(steps), len(here))[::-1].T
        on_way = forwards < size
        return Ragged.from_counts(forwards[on_way], on_way.sum(axis=1))


@dataclass(frozen=True)
class Paths:
    """The fastest path of each of N trips from vertex to vertex."""

    roads: list[NDArray[np.int32]]  # from the first to the last; empty where there is no way
    cost_s: NDArray[np.float64]  # [N] from the end of the first; infinite where there is no way


def fastest_paths(
    graph: csr_array,
    first: NDArray[np.integer],
    last: NDArray[np.integer],
    guess_s: NDArray[np.float64],
    progress: Callable[[int, int], None] | None = None,
) -> Paths:
    """Return the fastest path from each `first` to each `last`, [N] each.

    `guess_s` [N] is what each will hardly cost more than, see `nearest_first`; `progress` hears (paths searched, N).
    """
    paths = Paths([np.zeros(0, np.int32)] * len(first), np.full(len(first), np.inf))
    sources, row, counts = np.unique(first, return_inverse=True, return_counts=True)
    trips = Ragged.from_counts(np.argsort(row, kind="stable"), counts)  # of each source

    searched = np.zeros(len(first), dtype=bool)

    def search(chosen: NDArray[np.int64], limit_s: float) -> NDArray[np.bool_]:
        starts = Ragged.from_counts(sources[chosen], np.ones_like(chosen))
        trees = Trees.grow(graph, starts, np.zeros(len(chosen)), limit_s)
        some = trips.take(chosen)
        searched[some.flat] = True
        paths.cost_s[some.flat] = cost_s = trees.cost_s[some.row, last[some.flat]]
        found = np.isfinite(cost_s)
        ways = trees.ways_to(some.row[found], last[some.flat[found]])
        for trip, way in zip(some.flat[found].tolist(), ways.split(), strict=True):
            paths.roads[trip] = way
        return some.like(found).min()

    def hear(*_: int) -> None:
        if progress is not None:
            progress(int(searched.sum()), len(first))

    nearest_first(search, trips.like(guess_s[trips.flat]).max(), hear)
    return paths


def nearest_first(
    search: Callable[[NDArray[np.int64], float], NDArray[np.bool_]],
    guess_s: NDArray[np.float64],
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Search for N in batches of those that are about as far, so that none searches as far as the farthest.

    `search` takes the numbers of a batch and a limit and says which it found: the limit is the greatest of their
    `guess_s` [N], and for those it missed there is none in a second search. `progress` hears (done, N).
    """
    order = np.argsort(guess_s, kind="stable")
    for at in range(0, len(order), AT_ONCE):
        batch = order[at : at + AT_ONCE]
        limit_s = float(guess_s[batch[-1]])
        missed = batch[~search(batch, limit_s)]
        if len(missed) and limit_s < np.inf:
            search(missed, np.inf)
        if progress is not None:
            progress(at + len(batch), len(order))
