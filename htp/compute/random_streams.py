"""Give every trip random streams of its own, which its seed and its place in the request alone decide.

A trip's key is both numbers. What is drawn for one purpose never moves what is drawn for another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

TOKENS, POINTS, DURATION, ROUTES = range(4)  # purposes; a key has four streams
BASELINES = ROUTES  # baselines write no routes


def keys_of(seed: int, first: int, count: int) -> NDArray[np.uint64]:
    """Return the keys of the trips at the places from `first` on, [count, 2]."""
    return np.column_stack([np.full(count, seed), np.arange(first, first + count)]).astype(np.uint64)


def stream_of(key: Sequence[int] | NDArray[np.uint64], purpose: int) -> np.random.Generator:
    """Return the stream of a trip's key for a purpose, from its beginning."""
    seed, place = int(key[0]), int(key[1])
    return np.random.Generator(np.random.Philox(key=np.array([4 * seed + purpose, place], dtype=np.uint64)))


def uniforms(keys: Iterable[NDArray[np.uint64]], purpose: int, count: int) -> NDArray[np.float32]:
    """Return the first `count` numbers between 0 and 1 of each key's stream, [B, count]."""
    return np.stack([stream_of(key, purpose).random(count, dtype=np.float32) for key in keys])
