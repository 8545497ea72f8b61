"""Check how rows are cut into runs."""

from __future__ import annotations

import pytest

from htp import runs
from htp.runs import runs_of


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(runs, "CPU_TOKENS", 10)


def test_a_run_has_no_more_tokens_than_allowed_padding_counted():
    assert runs_of([2, 3, 3, 4, 5, 5], "cpu") == [slice(0, 3), slice(3, 5), slice(5, 6)]


def test_a_row_that_is_too_long_is_a_run_of_its_own():
    assert runs_of([1, 50, 1], "cpu") == [slice(0, 1), slice(1, 2), slice(2, 3)]


def test_another_device_takes_larger_runs():
    assert runs_of([2, 3, 3, 4, 5, 5], "cuda") == [slice(0, 6)]
