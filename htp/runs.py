"""Cut rows of unlike lengths into runs that are computed together: small enough for the processor's cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CPU_TOKENS, GPU_TOKENS = 2048, 65536  # in a run, padding too; on a CPU twice as fast as runs of all rows


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
