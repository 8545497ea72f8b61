"""Read the Porto taxi trips (Kaggle ECML/PKDD 2015, `train.csv`): one row a trip, a point every 15 s.

`TRIP_ID, ..., TIMESTAMP, DAY_TYPE, MISSING_DATA, POLYLINE`: TIMESTAMP in Unix seconds (UTC), POLYLINE a JSON list of
`[lon, lat]`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from htp.errors import InputError
from htp.prepare.csv_rows import read_header, read_rows
from htp.prepare.rawtrips import RawTrips

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from htp.prepare.rawtrips import Chunk

COLUMNS = ("TRIP_ID", "TIMESTAMP", "MISSING_DATA", "POLYLINE")
INTERVAL_S = 15.0
BLOCK_BYTES = 2 << 20  # a chunk, some 2,000 trips; Porto's longest row has 85 kB


@dataclass
class PortoSource:
    """A CSV file in Porto's layout."""

    path: Path
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Check the columns; `InputError` where one is missing."""
        missing = [name for name in COLUMNS if name not in read_header(self.path)[1]]
        if missing:
            raise InputError(f"{self.path}: the column {missing[0]!r} is missing; Porto's layout has it.")

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    def chunks(self) -> Iterator[Chunk]:
        """Yield some 2,000 trips at a time."""
        for table, bad_lines in read_rows(self.path, COLUMNS, BLOCK_BYTES):
            yield PortoChunk(table, bad_lines, max(table.nbytes, 1))


@dataclass(frozen=True)
class PortoChunk:
    """Rows of the file, as text."""

    table: pa.Table  # COLUMNS
    broken_rows: int
    size: int

    def parse(self) -> RawTrips:
        """Return the trips; rows with MISSING_DATA, broken JSON or no points are dropped."""
        dropped = Counter({"broken_row": self.broken_rows}) if self.broken_rows else Counter()
        ids: list[str] = []
        points: list[NDArray[np.float64]] = []
        for trip_id, timestamp, missing, text in zip(*(self.table[name].to_pylist() for name in COLUMNS), strict=True):
            reason, trip = _parse_row(timestamp, missing, text)
            if trip is None:
                dropped[reason] += 1
            else:
                ids.append(trip_id)
                points.append(trip)
        return RawTrips.of(ids, points, dropped)


def _parse_row(timestamp: str, missing: str, text: str) -> tuple[str, NDArray[np.float64] | None]:
    """Return why the row is no trip, or its lon, lat and Unix seconds [T, 3]."""
    if missing.strip().lower() == "true":
        return "missing_data", None
    try:
        start_s = float(timestamp)
        lonlat = np.array(json.loads(text), dtype=np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError):  # the last two: huge numbers, deep nesting
        return "broken_row", None
    if lonlat.size == 0:
        return "no_points", None
    if lonlat.ndim != 2 or lonlat.shape[1] != 2 or not np.isfinite(lonlat).all() or not np.isfinite(start_s):
        return "broken_row", None
    return "", np.column_stack([lonlat, start_s + INTERVAL_S * np.arange(len(lonlat))])
