"""Lay a city out in cells of 100 m × 100 m (paper A.4, grid level).

Cells are squares of the metric CRS whose corners lie at whole multiples of the cell size, so the same place has the
same cell whatever the roads or trips at hand, and a point far outside the city has one too. A cell is one int64 key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELL_M = 100.0  # paper A.4
_COLUMN = 1 << 32  # a key is row + column * 2^32; rows may be negative south of the CRS's origin


def cells_of(xy_m: NDArray[np.float64], cell_m: float = CELL_M) -> NDArray[np.int64]:
    """Return the key of the cell that holds each point (metres of the metric CRS, [N, 2]), [N].

    A cell owns its west and south edges: with 100 m, x = 100.0 belongs to the cell from 100 to 200.
    """
    column, row = np.floor(xy_m / cell_m).astype(np.int64).T
    return column * _COLUMN + row


def south_west_of(cells: NDArray[np.int64], cell_m: float = CELL_M) -> NDArray[np.float64]:
    """Return the south-west corner of cells in metres of the metric CRS, [N, 2]."""
    half = _COLUMN // 2
    row = (cells + half) % _COLUMN - half
    column = (cells - row) // _COLUMN
    return np.column_stack([column, row]) * cell_m


def density(cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the cells that hold points, in order of their key, and the number of points in each."""
    return np.unique(cells, return_counts=True)
