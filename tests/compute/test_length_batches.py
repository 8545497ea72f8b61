"""Check that rows of like lengths come together, each once, in an order that a seed fixes."""

from __future__ import annotations

import numpy as np
import pytest

from htp.compute.length_batches import length_batches

LENGTHS = np.array([20, 24, 33, 40, 57] * 4)


@pytest.mark.parametrize("random", [True, False], ids=["training", "checking"])
def test_every_row_is_served_once(random):
    batches = length_batches(LENGTHS, 6, np.random.default_rng(0) if random else None)
    assert sorted(np.concatenate(batches)) == list(range(20))
    assert sorted(len(rows) for rows in batches) == [2, 6, 6, 6]


def test_rows_of_like_lengths_come_together_in_an_order_that_a_seed_fixes():
    first, again, other = (length_batches(LENGTHS, 4, np.random.default_rng([0, epoch])) for epoch in (0, 0, 1))
    assert np.concatenate(first).tolist() == np.concatenate(again).tolist()
    assert np.concatenate(first).tolist() != np.concatenate(other).tolist()
    assert np.mean([np.ptp(LENGTHS[rows]) for rows in first]) < np.ptp(LENGTHS) / 2


def test_without_chance_the_shortest_come_first():
    assert [rows.tolist() for rows in length_batches(np.array([3, 1, 2, 1]), 2)] == [[1, 3], [2, 0]]
