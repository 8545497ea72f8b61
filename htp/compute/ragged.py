"""Hold rows of unlike length laid end to end in one array: the points of trips, the roads of routes.

    flat     a b c d e f      three rows: a b, none, c d e f
    first    0   2 2     6
    row      0 0 2 2 2 2

Letters: B rows, N values in all. Pure NumPy; a padded tensor is `torch.from_numpy` at the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, DTypeLike, NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Ragged(Generic[Scalar]):
    """B rows of values of any shape, N in all."""

    flat: NDArray[Scalar]  # [N, ...] the values, row after row
    first: NDArray[np.int64]  # [B + 1] where each row begins; the last is N

    @classmethod
    def of(cls, rows: Iterable[ArrayLike], dtype: DTypeLike | None = None) -> Ragged[Any]:
        """Lay arrays end to end; without any, it is empty and of the given `dtype`."""
        arrays = [np.asarray(row, dtype=dtype) for row in rows]
        return cls.from_counts(np.concatenate(arrays or [np.empty(0, dtype=dtype)]), [len(row) for row in arrays])

    @classmethod
    def from_counts(cls, flat: NDArray[Scalar], counts: ArrayLike) -> Ragged[Scalar]:
        """Say how many values each row has, [B]."""
        return cls(flat, np.r_[0, np.cumsum(counts, dtype=np.int64)])

    @classmethod
    def ranges(cls, begin: ArrayLike, counts: ArrayLike) -> Ragged[np.int64]:
        """Return rows of whole numbers that count up by one from each `begin`, [B], or all from the same."""
        places = Ragged.from_counts(np.empty(0, np.int64), counts)
        flat = np.arange(places.first[-1]) + np.repeat(
            np.asarray(begin, dtype=np.int64) - places.first[:-1], places.counts
        )
        return Ragged(flat, places.first)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.first) - 1

    def __getitem__(self, row: int) -> NDArray[Scalar]:
        """Return the values of one row, counted from the front."""
        return self.flat[self.first[row] : self.first[row + 1]]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of values of each row, [B]."""
        return np.diff(self.first)

    @property
    def row(self) -> NDArray[np.int64]:
        """The row of each value, [N]."""
        return np.repeat(np.arange(len(self)), self.counts)

    @property
    def place(self) -> NDArray[np.int64]:
        """The place of each value in its row, from 0, [N]."""
        return np.arange(self.first[-1]) - np.repeat(self.first[:-1], self.counts)

    def like(self, flat: NDArray[Any]) -> Ragged[Any]:
        """Return rows of the same lengths with other values, [N, ...]."""
        return Ragged(flat, self.first)

    def take(self, rows: NDArray[Any]) -> Ragged[Scalar]:
        """Return the rows of the given numbers, in their order."""
        chosen = Ragged.ranges(self.first[:-1][rows], self.counts[rows])
        return Ragged(self.flat[chosen.flat], chosen.first)

    def split(self) -> list[NDArray[Scalar]]:
        """Return each row as an array of its own: views, no copies."""
        return [self.flat[start:stop] for start, stop in zip(self.first[:-1], self.first[1:], strict=True)]

    def sum(self) -> NDArray[Scalar]:
        """Return the sum of each row, [B, ...]; 0 where it is empty."""
        return self._reduce(np.add, 0)

    def min(self, empty: float = 0) -> NDArray[Scalar]:
        """Return the least value of each row, [B, ...]; `empty` where there is none."""
        return self._reduce(np.minimum, empty)

    def max(self, empty: float = 0) -> NDArray[Scalar]:
        """Return the greatest value of each row, [B, ...]; `empty` where there is none."""
        return self._reduce(np.maximum, empty)

    def median(self) -> NDArray[np.float64]:
        """Return the median of each row, [B]; NaN where it is empty."""
        ordered = np.r_[self.flat[np.lexsort((self.flat, self.row))], np.nan]
        half, odd = np.divmod(self.counts, 2)
        middle = self.first[:-1] + half
        return np.where(self.counts > 0, (ordered[middle] + ordered[middle + odd - 1]) / 2, np.nan)

    def argmin(self) -> NDArray[np.int64]:
        """Return where among all values the least of each row is, the first of several, [B]; -1 where it is empty."""
        order = np.lexsort((self.flat, self.row))
        return np.where(self.counts > 0, np.r_[order, -1][self.first[:-1]], -1)

    def sum_before(self) -> NDArray[Scalar]:
        """Return the sum of the values before each in its row, [N]: where a road begins along its route, say."""
        total = np.r_[self.flat[:0], np.zeros(1, self.flat.dtype), np.cumsum(self.flat)]
        return total[:-1] - np.repeat(total[self.first[:-1]], self.counts)

    def pad(self, width: int, rows: NDArray[Any] | None = None) -> NDArray[Scalar]:
        """Return all rows, or the given ones, in one array [B, width, ...], with zeros behind the last values."""
        chosen = self if rows is None else self.take(rows)
        padded = np.zeros((len(chosen), width, *self.flat.shape[1:]), self.flat.dtype)
        padded[np.arange(width) < chosen.counts[:, None]] = chosen.flat
        return padded

    def _reduce(self, operation: np.ufunc, empty: float) -> NDArray[Scalar]:
        filled = self.counts > 0
        reduced = np.full((len(self), *self.flat.shape[1:]), empty, self.flat.dtype)
        if filled.any():
            reduced[filled] = operation.reduceat(self.flat, self.first[:-1][filled])
        return reduced
