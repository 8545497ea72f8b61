"""Check how rows are cut into runs and batches."""

from __future__ import annotations

import numpy as np
import pytest

from htp.compute import batching
from htp.compute.batching import balanced_batches, runs_of


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(batching, "CPU_TOKENS", 10)


def test_a_run_has_no_more_tokens_than_allowed_padding_counted():
    assert runs_of([2, 3, 3, 4, 5, 5], "cpu") == [slice(0, 3), slice(3, 5), slice(5, 6)]


def test_a_row_that_is_too_long_is_a_run_of_its_own():
    assert runs_of([1, 50, 1], "cpu") == [slice(0, 1), slice(1, 2), slice(2, 3)]


def test_another_device_takes_larger_runs():
    assert runs_of([2, 3, 3, 4, 5, 5], "cuda") == [slice(0, 6)]


def test_batches_hold_each_row_once_and_workers_have_like_work():
    work = np.array([[points, 5] for points in range(40)])
    batches = balanced_batches(work, 10, 2)
    assert sorted(np.concatenate(batches)) == list(range(40))
    assert [len(batch) for batch in batches] == [10] * 4
    assert batches[0].tolist() == [39, 37, 35, 33, 31, 29, 27, 25, 23, 21]
    assert batches[1].tolist() == [38, 36, 34, 32, 30, 28, 26, 24, 22, 20]


def test_what_decides_first_comes_first_and_equal_rows_keep_their_order():
    work = np.array([[7, 1], [7, 9], [8, 0], [7, 1]])
    assert balanced_batches(work, 10, 1)[0].tolist() == [2, 1, 0, 3]


def test_a_few_rows_are_one_batch_whatever_the_workers():
    work = np.ones((8, 1), dtype=np.int64)
    assert [len(batch) for batch in balanced_batches(work, 128, 4)] == [8]
    assert [len(batch) for batch in balanced_batches(np.ones((9, 1), dtype=np.int64), 128, 4)] == [5, 4]
