"""Put rows of like lengths into one batch, so that little of it is padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

JITTER = 0.1  # by which lengths are taken for longer or shorter, so that each epoch has other batches; ours


def length_batches(
    lengths: NDArray[np.int64], size: int, generator: np.random.Generator | None = None
) -> list[NDArray[np.int64]]:
    """Return the rows of each batch of at most `size`, each row once, given how long it is, `lengths` [N].

    With a generator, batches and their order are random; without, the shortest come first.
    """
    if generator is None:
        order = np.argsort(lengths, kind="stable")
    else:
        order = np.argsort(lengths * generator.uniform(1 - JITTER, 1 + JITTER, len(lengths)))
    batches = [order[at : at + size] for at in range(0, len(order), size)]
    if generator is not None:
        generator.shuffle(batches)
    return batches
