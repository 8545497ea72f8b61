"""Rows of unlike length: by hand, and there and back for any rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from htp.compute.ragged import Ragged

ROWS = st.lists(arrays(np.int64, st.integers(0, 5), elements=st.integers(-99, 99)), min_size=1, max_size=6)


@pytest.fixture
def three() -> Ragged[np.float64]:
    """Return the rows (3, 1), () and (2, 2, 5)."""
    return Ragged.of([np.array([3.0, 1.0]), np.empty(0), np.array([2.0, 2.0, 5.0])])


def test_rows_lie_end_to_end(three):
    assert three.flat.tolist() == [3, 1, 2, 2, 5]
    assert three.first.tolist() == [0, 2, 2, 5]
    assert len(three) == 3
    assert three.counts.tolist() == [2, 0, 3]
    assert three.row.tolist() == [0, 0, 2, 2, 2]
    assert three.place.tolist() == [0, 1, 0, 1, 2]
    assert three[0].tolist() == [3, 1]
    assert three[1].tolist() == []


def test_each_row_has_a_sum_a_least_and_a_greatest_value(three):
    assert three.sum().tolist() == [4, 0, 9]
    assert three.min(empty=np.inf).tolist() == [1, np.inf, 2]
    assert three.max().tolist() == [3, 0, 5]
    np.testing.assert_array_equal(three.median(), [2, np.nan, 2])
    assert three.argmin().tolist() == [1, -1, 2]  # of the two 2s the first
    assert three.sum_before().tolist() == [0, 3, 0, 2, 4]


def test_values_may_be_places_in_the_plane():
    places = Ragged.from_counts(np.arange(8).reshape(4, 2), [1, 3])
    assert places.sum().tolist() == [[0, 1], [12, 15]]
    assert places.pad(3, np.array([0])).tolist() == [[[0, 1], [0, 0], [0, 0]]]


def test_chosen_rows_come_in_their_order_and_padded(three):
    assert [row.tolist() for row in three.take(np.array([2, 1, 0])).split()] == [[2, 2, 5], [], [3, 1]]
    assert three.pad(4, np.array([2, 0])).tolist() == [[2, 2, 5, 0], [3, 1, 0, 0]]
    assert three.pad(3).tolist() == [[3, 1, 0], [0, 0, 0], [2, 2, 5]]


def test_ranges_count_up_from_where_they_begin():
    ranges = Ragged.ranges([7, 0, 3], [2, 0, 3])
    assert ranges.flat.tolist() == [7, 8, 3, 4, 5]
    assert ranges.counts.tolist() == [2, 0, 3]


def test_no_rows_and_rows_without_values_are_no_error():
    none = Ragged.of([], np.int32)
    assert (len(none), none.flat.dtype, none.split()) == (0, np.int32, [])
    empty = Ragged.of([np.empty(0)] * 2)
    assert empty.sum().tolist() == [0, 0]
    assert empty.argmin().tolist() == [-1, -1]
    assert np.isnan(empty.median()).all()
    assert empty.pad(2).tolist() == [[0, 0], [0, 0]]


def test_the_type_of_the_values_stays():
    singles = Ragged.from_counts(np.ones(3, np.float32), [1, 2])
    for values in (singles.sum(), singles.max(), singles.sum_before(), singles.pad(2)):
        assert values.dtype == np.float32


@given(ROWS)
def test_what_is_laid_end_to_end_comes_back(rows):
    ragged = Ragged.of(rows)
    assert [row.tolist() for row in ragged.split()] == [row.tolist() for row in rows]
    assert [ragged[row].tolist() for row in range(len(ragged))] == [row.tolist() for row in rows]
    width = max(map(len, rows))
    assert [padded[: len(row)].tolist() for padded, row in zip(ragged.pad(width), rows, strict=True)] == [
        row.tolist() for row in rows
    ]
    every = ragged.take(np.arange(len(rows)))
    assert (every.flat.tolist(), every.first.tolist()) == (ragged.flat.tolist(), ragged.first.tolist())


@given(ROWS)
def test_rows_are_reduced_as_one_by_one(rows):
    ragged = Ragged.of(rows)
    assert ragged.sum().tolist() == [row.sum() for row in rows]
    assert ragged.min(empty=100).tolist() == [row.min(initial=100) for row in rows]
    assert ragged.max(empty=-100).tolist() == [row.max(initial=-100) for row in rows]
    assert ragged.sum_before().tolist() == [sum(row[:place]) for row in rows for place in range(len(row))]
    medians = [np.median(row) if len(row) else np.nan for row in rows]
    np.testing.assert_array_equal(ragged.median(), medians)
    least = [start + row.argmin() if len(row) else -1 for start, row in zip(ragged.first, rows, strict=False)]
    assert ragged.argmin().tolist() == least
