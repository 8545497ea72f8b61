"""Ways over a graph of five vertices whose costs can be added up by hand, and over any graph beside SciPy's own."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from htp.city import search
from htp.city.search import Trees, fastest_paths, nearest_first
from htp.compute.ragged import Ragged


def graph_of(size: int, *edges: tuple[int, int, float]) -> csr_array:
    before, after, cost_s = np.array(edges).T
    return csr_array((cost_s, (before.astype(np.int32), after.astype(np.int32))), shape=(size, size))


@pytest.fixture
def five() -> csr_array:
    """Return 0 → 1 → 2 → 3 at 1 s each, a slow way 0 → 3 of 5 s, and 4, which leads to 3 in 2 s."""
    return graph_of(5, (0, 1, 1), (1, 2, 1), (2, 3, 1), (0, 3, 5), (4, 3, 2))


def test_a_tree_reaches_what_its_starts_lead_to(five):
    trees = Trees.grow(five, Ragged.of([[0], [1, 4]]), np.array([0.0, 10.0, 0.5]))
    assert trees.cost_s.tolist() == [[0, 1, 2, 3, np.inf], [np.inf, 10, 11, 2.5, 0.5]]
    ways = trees.ways_to(np.array([0, 1, 1, 0]), np.array([3, 3, 2, 0]))
    assert [way.tolist() for way in ways.split()] == [[0, 1, 2, 3], [4, 3], [1, 2], [0]]


def test_a_tree_ends_at_its_limit_and_a_start_that_is_never_reached_leads_nowhere(five):
    trees = Trees.grow(five, Ragged.of([[0, 4], [4], []], np.int64), np.array([0.0, np.inf, np.inf]), limit_s=2.0)
    assert trees.cost_s.tolist() == [[0, 1, 2, np.inf, np.inf], [np.inf] * 5, [np.inf] * 5]


def test_no_ways_are_no_error(five):
    trees = Trees.grow(five, Ragged.of([[0]]), np.zeros(1))
    assert len(trees.ways_to(np.zeros(0, np.int64), np.zeros(0, np.int64))) == 0
    assert fastest_paths(five, *np.zeros((2, 0), np.int64), np.zeros(0)).roads == []


def test_a_path_longer_than_guessed_is_found_and_one_that_is_not_there_is_empty(five):
    first, last = np.array([0, 3, 0, 4]), np.array([3, 0, 0, 3])
    paths = fastest_paths(five, first, last, np.array([0.5, 0.5, 0.5, 9.0]))
    assert [path.tolist() for path in paths.roads] == [[0, 1, 2, 3], [], [0], [4, 3]]
    assert paths.cost_s.tolist() == [3, np.inf, 0, 2]


def test_paths_in_batches_cost_what_scipy_says_they_do(monkeypatch):
    monkeypatch.setattr(search, "AT_ONCE", 4)
    rng = np.random.default_rng(3)
    edges = np.unique(rng.integers(0, 30, (90, 2)), axis=0)
    graph = graph_of(30, *((u, v, s) for (u, v), s in zip(edges, rng.uniform(1, 9, len(edges)), strict=True)))
    first, last, heard = rng.integers(0, 30, 80), rng.integers(0, 30, 80), []
    paths = fastest_paths(graph, first, last, rng.uniform(0, 30, 80), lambda *now: heard.append(now))
    np.testing.assert_allclose(paths.cost_s, dijkstra(graph)[first, last])
    for trip, (roads, cost_s) in enumerate(zip(paths.roads, paths.cost_s, strict=True)):
        assert (len(roads) == 0) == np.isinf(cost_s)
        if len(roads):
            assert (roads[0], roads[-1]) == (first[trip], last[trip])
            assert sum(graph[u, v] for u, v in pairwise(roads)) == pytest.approx(cost_s)
    assert heard[-1] == (80, 80)
    assert [done for done, _ in heard] == sorted({done for done, _ in heard})


def test_the_nearest_are_searched_first_and_what_was_missed_without_a_limit(monkeypatch):
    monkeypatch.setattr(search, "AT_ONCE", 2)
    asked, heard = [], []

    def find(batch, limit_s):
        asked.append((batch.tolist(), limit_s))
        return batch != 3

    nearest_first(find, np.array([7.0, 1.0, np.inf, 2.0, 5.0]), lambda *now: heard.append(now))
    assert asked == [([1, 3], 2.0), ([3], np.inf), ([4, 0], 7.0), ([2], np.inf)]
    assert heard == [(2, 5), (4, 5), (5, 5)]
