"""Cut rows of unlike lengths into what is computed together: runs that fit a processor's cache, batches of workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CPU_TOKENS, GPU_TOKENS = 2048, 65536  # in a run, padding too; on a CPU twice as fast as runs of all rows
FEWEST = 8  # rows that are worth a worker, ours: fewer are as fast together as in two halves


def runs_of(counts: Sequence[int], device: str) -> list[slice]:
    """Return runs of neighbouring rows, given how many tokens each has and the type of the device they are for."""
    most = CPU_TOKENS if device == "cpu" else GPU_TOKENS
    runs, first, width = [], 0, 0
    for row, count in enumerate(counts):
        width = max(width, count)
        if row > first and (row + 1 - first) * width > most:
            runs.append(slice(first, row))
            first, width = row, count
    return [*runs, slice(first, len(counts))]


def balanced_batches(work: NDArray[np.int64], most: int, workers: int) -> list[NDArray[np.int64]]:
    """Return the rows of each batch of at most `most`; `work` [N, K] says how long each takes, the main reason first.

    Rows of like lengths are together, the long ones first, and `workers` batches at a time have like work.
    """
    order = np.lexsort(-work.T[::-1])
    batches = []
    for at in range(0, len(order), most * workers):
        together = order[at : at + most * workers]
        shares = min(workers, -(-len(together) // FEWEST))
        batches += [together[share::shares] for share in range(shares)]
    return batches
