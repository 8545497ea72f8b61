"""Do independent work in several threads, each with one thread of PyTorch.

PyTorch leaves Python's lock while it computes. Two batches side by side use two cores better than one batch whose
every product is cut in two, and do not wait for each other where other programs take a core away.
"""

from __future__ import annotations

from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_threads(work: Callable[[Given], Made], parts: Sequence[Given], workers: int) -> list[Made]:
    """Return what `work` makes of each part, in their order, `workers` at a time.

    Where one fails, those under way are finished, the others are not begun, and its error is raised.
    """
    if min(workers, len(parts)) < 2:
        return [work(part) for part in parts]
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(min(workers, len(parts)), initializer=torch.set_num_threads, initargs=(1,))
    try:
        futures = [pool.submit(work, part) for part in parts]
        failed = [future for future in wait(futures, return_when=FIRST_EXCEPTION).done if future.exception()]
        return [future.result() for future in failed or futures]
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # those of threads that are started later: the initializer's is theirs as well
