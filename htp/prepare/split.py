"""Split trips into training and held-out: by a hash of their id, so that a side depends on no other trip, or by day."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray


def is_heldout(trip_ids: Iterable[str], share: float, seed: int = 0) -> NDArray[np.bool_]:
    """Return which trips are held out, [B]; equal ids fall on the same side, whatever file or order they come in."""
    return np.array([_draw(trip_id, seed) < share for trip_id in trip_ids], dtype=bool)


def heldout_days(days: Iterable[Iterable[str]], share: float, seed: int = 0) -> set[str]:
    """Return which of the days of some tables are held out: that share of them, rounded, one at least.

    `InputError` where there is one day alone.
    """
    known = sorted(set().union(*days), key=lambda day: _draw(day, seed))
    if len(known) < 2 and share > 0:
        raise InputError("all trips begin on one day, so none can be held out; hold out by trip.")
    return set(known[: max(round(share * len(known)), 1)]) if share > 0 else set()


class UniqueIds:
    """Give trips whose id came before another one, `id-1`, `id-2`, ..., over any number of tables."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}  # id -> when the first trip of this id began
        self._again: dict[str, set[int]] = {}  # id that came again -> when its further trips began
        self.renamed = 0
        self.example = ""

    def of(self, trips: pd.DataFrame) -> tuple[list[str], list[str]]:
        """Return an id of its own for each trip, and the id that its side is drawn by.

        A trip that came before, with the same id and start, gets an id of its own but stays on the side of the first.
        """
        ids, sides = [], []
        for trip_id, start in zip(trips["trip_id"], trips["start_time"].astype("int64"), strict=True):
            if trip_id not in self._first:
                self._first[trip_id] = start
                ids.append(trip_id)
                sides.append(trip_id)
                continue
            again = self._again.setdefault(trip_id, set())
            new = self._free(trip_id, len(again) + 1)
            sides.append(trip_id if start == self._first[trip_id] or start in again else new)
            again.add(start)
            self._first[new] = start
            ids.append(new)
        return ids, sides

    def _free(self, trip_id: str, number: int) -> str:
        while (new := f"{trip_id}-{number}") in self._first:
            number += 1
        self.renamed += 1
        self.example = self.example or f"{trip_id!r} as {new!r}"
        return new


def _draw(side: str, seed: int) -> float:
    """Return a number in [0, 1) that only the side's name and the seed decide."""
    digest = hashlib.blake2b(f"{seed}:{side}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
