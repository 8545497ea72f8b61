"""Check work in threads: order, errors, and that PyTorch has as many threads afterwards as before."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from htp.compute.parallel import in_threads
from htp.errors import InputError


def test_results_are_in_the_order_of_the_parts_whoever_is_done_first():
    second_is_done = threading.Event()

    def work(part: int) -> int:
        if part == 0:
            assert second_is_done.wait(60)
        second_is_done.set()
        return part * 10

    assert in_threads(work, [0, 1, 2], 2) == [0, 10, 20]


def test_each_worker_has_one_thread_of_pytorch_and_the_caller_keeps_its_own():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert in_threads(lambda _: torch.get_num_threads(), range(4), 2) == [1] * 4
        assert torch.get_num_threads() == 3
        assert in_threads(lambda _: torch.get_num_threads(), range(4), 1) == [3] * 4
    finally:
        torch.set_num_threads(before)


def test_an_error_is_raised_and_what_is_not_begun_is_left():
    begun = []

    def work(part: int) -> None:
        begun.append(part)
        time.sleep(0.02)
        raise InputError("it cannot be done")

    with pytest.raises(InputError, match="cannot be done"):
        in_threads(work, list(range(50)), 2)
    assert len(begun) < 50
