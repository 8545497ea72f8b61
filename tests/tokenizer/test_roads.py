"""Check what the decoder knows of roads: node2vec, attributes, and their place on the route."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from htp.tokenizer.roads import (
    CLASSES,
    FEATURES,
    WALK_STEPS,
    WALKS,
    RoadContext,
    node2vec,
    random_walks,
    road_features,
)


def test_a_seed_gives_the_same_embedding_of_every_road_again(grid):
    first, again, other = (node2vec(grid, 16, seed) for seed in (0, 0, 1))
    assert first.shape == (80, 16)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_roads_that_follow_each_other_are_more_alike_than_others(grid):
    vectors = node2vec(grid, 16, 0).astype(float)
    vectors -= vectors.mean(axis=0)
    unit = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    likeness = unit @ unit.T
    follows = grid.successors.toarray().astype(bool)
    assert likeness[follows].mean() > likeness[~follows].mean() + 0.3


def test_attributes_are_those_of_the_road(grid):
    features = road_features(grid)
    assert features.shape == (80, FEATURES)
    east, west, north_fast = features[0], features[1], features[56]  # Calle 0 there and back, Avenida 2
    np.testing.assert_allclose(
        east[[1, 2, 3, 4]], [0.1, 0.6, 0.5, 1.0], atol=2e-3
    )  # km, km/h / 60, lanes / 2, straight
    np.testing.assert_allclose(north_fast[2], 1.2)
    np.testing.assert_allclose(east[5:7], [1, 0], atol=0.02)
    np.testing.assert_allclose(west[5:7], [-1, 0], atol=0.02)
    kinds = features[:, 11 : 11 + len(CLASSES)]
    assert (kinds.sum(axis=1) == 1).all()
    assert kinds[56, CLASSES.index("primary")] == 1


def test_a_link_counts_as_its_class_and_what_is_unknown_as_other(grid):
    highway = ["primary_link", "via_ferrata", *grid.roads["highway"][2:]]
    kinds = road_features(type(grid)(**vars_of(grid) | {"roads": grid.roads.assign(highway=highway)}))[:, 11:]
    assert kinds[0, CLASSES.index("primary")] == 1
    assert kinds[1, CLASSES.index("other")] == 1


def vars_of(city):
    return {name: getattr(city, name) for name in ("name", "timezone", "crs", "source", "licence", "roads")}


@pytest.fixture
def context(grid, tiny_config):
    torch.manual_seed(0)
    vectors = torch.from_numpy(node2vec(grid, 16, 0))
    return RoadContext(tiny_config(), vectors, torch.from_numpy(road_features(grid))).eval()


def test_a_route_is_embedded_the_same_whatever_stands_behind_it(context):
    roads, start = torch.tensor([[0, 2, 4]]), torch.tensor([[0.0, 100, 200]])
    length, mask = torch.full((1, 3), 100.0), torch.ones(1, 3, dtype=torch.bool)
    alone = context(roads, start, length, mask)
    padded = context(
        torch.tensor([[0, 2, 4, 77]]),
        torch.tensor([[0.0, 100, 200, 9]]),
        torch.full((1, 4), 100.0),
        torch.tensor([[True, True, True, False]]),
    )
    torch.testing.assert_close(padded.embedded[:, :3], alone.embedded)
    torch.testing.assert_close(padded.turns, torch.nn.functional.pad(alone.turns, (0, 0, 0, 1)))


def test_the_same_road_is_told_apart_by_its_place_on_the_route(context):
    roads, mask = torch.tensor([[0, 0]]), torch.ones(1, 2, dtype=torch.bool)
    found = context(roads, torch.tensor([[0.0, 800.0]]), torch.full((1, 2), 100.0), mask)
    assert (found.embedded[0, 0] - found.embedded[0, 1]).abs().max() > 0.01


def test_a_route_knows_how_it_turns(context, grid):
    east = 0  # Calle 0 from its first crossing to the next
    onwards = next(road for road in grid.successors[[east]].indices if grid.u[road] == 1 and grid.v[road] == 2)
    left = next(road for road in grid.successors[[east]].indices if grid.u[road] == 1 and grid.v[road] not in (0, 2))
    roads, mask = torch.tensor([[east, onwards], [east, left]]), torch.ones(2, 2, dtype=torch.bool)
    turns = context(roads, torch.tensor([[0.0, 100.0]] * 2), torch.full((2, 2), 100.0), mask).turns
    expected = torch.tensor([[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [-1.0, 1.0]]])  # cosine less one, sine
    torch.testing.assert_close(turns, expected, atol=0.05, rtol=0.0)


def test_node2vec_is_frozen(context):
    assert not context.node2vec.requires_grad
    assert "node2vec" in dict(context.named_buffers())


def test_a_walk_goes_only_where_roads_lead_and_ends_where_none_does():
    links = csr_array(np.array([[0, 1, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]))  # road 3 leads nowhere
    walks = random_walks(links, np.random.default_rng(0))
    assert sorted(walk[0] for walk in walks) == sorted(list(range(4)) * WALKS)
    follows = links.toarray()
    for walk in walks:
        assert all(follows[a, b] for a, b in pairwise(walk))
        assert len(walk) == WALK_STEPS + 1 or walk[-1] == 3
    assert [walk for walk in walks if walk[0] == 3] == [[3]] * WALKS
    third = [walk[1] for walk in walks if walk[0] == 0]
    assert set(third) == {1, 2}  # either way is taken


def test_the_same_seed_gives_the_same_walks():
    links = csr_array(np.ones((5, 5), dtype=int) - np.eye(5, dtype=int))
    first, again, other = (random_walks(links, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    steps = np.array(first)
    shares = np.bincount(steps[:, 1:].ravel(), minlength=5) / steps[:, 1:].size
    np.testing.assert_allclose(shares, 0.2, atol=0.05)  # all alike
