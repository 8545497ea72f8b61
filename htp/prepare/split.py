"""Split trips into training and held-out by a hash of their id, so that a trip's side never depends on the others."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


def is_heldout(trip_ids: Iterable[str], share: float, seed: int = 0) -> NDArray[np.bool_]:
    """Return which trips are held out, [B]; equal ids fall on the same side, whatever file or order they come in."""
    return np.array([_draw(trip_id, seed) < share for trip_id in trip_ids], dtype=bool)


def _draw(trip_id: str, seed: int) -> float:
    """Return a number in [0, 1) that only the id and the seed decide."""
    digest = hashlib.blake2b(f"{seed}:{trip_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
