"""Check that trips of different lengths are padded together and found again."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from htp.tokenizer.batch import Batches, pad
from htp.tokenizer.features import anchors_of, describe


@pytest.fixture(scope="module")
def batches(grid, trips):
    return Batches(describe(trips, grid))


def test_pieces_are_padded_with_zeros_in_the_order_asked_for():
    flat, first = np.array([1, 2, 3, 4, 5, 6]), np.array([0, 3, 4, 6])
    assert pad(flat, first, np.array([2, 0]), 4).tolist() == [[5, 6, 0, 0], [1, 2, 3, 0]]


def test_vectors_are_padded_as_well():
    flat = np.arange(6.0).reshape(3, 2)
    assert pad(flat, np.array([0, 1, 3]), np.array([0, 1]), 2).tolist() == [[[0, 1], [0, 0]], [[2, 3], [4, 5]]]


def test_a_batch_is_padded_to_whole_patterns_of_its_longest_trip(batches):
    batch = batches.collate(np.array([1, 10]))  # 9 and 24 points
    assert batch.inputs.shape[:2] == (2, 24)
    assert batch.routes.point_mask.sum(dim=1).tolist() == [9, 24]
    assert batch.routes.pattern_mask.tolist() == [[True, True, False], [True, True, True]]


def test_a_batch_holds_what_the_samples_say(batches, trips, grid):
    batch, samples = batches.collate(np.array([4, 1])), describe(trips, grid)
    for row, trip in enumerate((4, 1)):
        n, roads = len(trips["percent"][trip]), trips["roads"][trip]
        points = slice(samples.first_point[trip], samples.first_point[trip + 1])
        np.testing.assert_array_equal(batch.along_m[row, :n], samples.along_m[points])
        np.testing.assert_array_equal(batch.inputs[row, :n], samples.inputs[points])
        assert batch.routes.roads[row][batch.routes.mask[row]].tolist() == list(roads)
        assert batch.routes.total_m[row].item() == pytest.approx(grid.length_m[roads].sum(), rel=1e-5)
        driven = (trips["percent"][trip][-1] - trips["percent"][trip][0]) * grid.length_m[roads].sum()
        assert batch.routes.distance_m[row].item() == pytest.approx(driven, abs=0.01)


def test_the_anchors_of_a_batch_are_those_of_its_trips(batches, trips, grid):
    anchors, first = anchors_of(describe(trips, grid))
    batch = batches.collate(np.arange(len(trips)))
    assert batch.routes.anchors[batch.routes.pattern_mask].tolist() == anchors.tolist()
    assert first[-1] == len(anchors)


@pytest.mark.parametrize("random", [True, False], ids=["training", "checking"])
def test_every_trip_is_served_once_an_epoch(batches, trips, random):
    rows = batches.epoch(5, np.random.default_rng(0) if random else None)
    assert sorted(np.concatenate(rows)) == list(range(len(trips)))
    assert max(len(part) for part in rows) == 5


def test_an_epoch_follows_from_its_random_numbers_alone(batches):
    first, again, other = (batches.epoch(5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.concatenate(first).tolist() == np.concatenate(again).tolist()
    assert np.concatenate(first).tolist() != np.concatenate(other).tolist()


def test_trips_of_similar_length_come_together(batches):
    spread = [np.ptp(batches.points[rows]) for rows in batches.epoch(4, np.random.default_rng(0))]
    assert np.mean(spread) < np.ptp(batches.points) / 2


def test_routes_can_be_moved_to_a_device(batches):
    routes = batches.collate(np.array([0])).routes
    moved = routes.to("meta")
    assert moved.roads.device == torch.device("meta")
    assert moved.first_m is None
