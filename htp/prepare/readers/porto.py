"""Read the Porto taxi trips (Kaggle ECML/PKDD 2015, `train.csv`): one row a trip, a point every 15 s.

`TRIP_ID, ..., TIMESTAMP, DAY_TYPE, MISSING_DATA, POLYLINE`: TIMESTAMP in Unix seconds (UTC), POLYLINE a JSON list of
`[lon, lat]`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from htp.errors import InputError
from htp.prepare.rawtrips import RawTrips
from htp.prepare.readers.csv_rows import BadLines, read_rows
from htp.prepare.readers.layout import read_layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
        self.layout = read_layout(self.path)
        missing = [name for name in COLUMNS if name not in self.layout.names]
        if missing:
            raise InputError(f"{self.path}: the column {missing[0]!r} is missing; Porto's layout has it.")

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    def chunks(self) -> Iterator[Chunk]:
        """Yield some 2,000 trips at a time."""
        bad = BadLines(self.layout.width)
        places = {name: self.layout.names.index(name) for name in COLUMNS}
        for table in read_rows(self.layout, places, BLOCK_BYTES, bad):
            yield PortoChunk(table, 0, max(table.nbytes, 1))
        if bad.count:
            nothing = pa.table({name: pa.array([], pa.string()) for name in COLUMNS})
            yield PortoChunk(nothing, bad.count, 1, bad.example)


@dataclass(frozen=True)
class PortoChunk:
    """Rows of the file, as text."""

    table: pa.Table  # COLUMNS
    broken_rows: int
    size: int
    example: str = ""  # of the broken rows

    def parse(self) -> RawTrips:
        """Return the trips; rows with MISSING_DATA, broken JSON or no points are dropped."""
        dropped = Counter({"broken_row": self.broken_rows}) if self.broken_rows else Counter()
        examples = {"broken_row": self.example} if self.example else {}
        ids: list[str] = []
        points: list[NDArray[np.float64]] = []
        for trip_id, timestamp, missing, text in zip(*(self.table[name].to_pylist() for name in COLUMNS), strict=True):
            reason, trip = _parse_row(timestamp, missing, text)
            if trip is None:
                dropped[reason] += 1
                examples.setdefault(reason, f"trip {trip_id}, TIMESTAMP {timestamp[:20]!r}, POLYLINE {text[:40]!r}")
            else:
                ids.append(trip_id)
                points.append(trip)
        return RawTrips.of(ids, points, dropped, examples)


def _parse_row(timestamp: str, missing: str, text: str) -> tuple[str, NDArray[np.float64] | None]:
    """Return why the row is no trip, or its lon, lat and Unix seconds [T, 3]."""
    if missing.strip().lower() == "true":
        return "missing_data", None
    try:
        start_s = float(timestamp)
        lonlat = _lonlat(json.loads(text))
    except (ValueError, TypeError, OverflowError, RecursionError):  # the last two: huge numbers, deep nesting
        return "broken_row", None
    if lonlat.size == 0:
        return "no_points", None
    if (
        lonlat.ndim != 2
        or lonlat.shape[1] != 2
        or not np.isfinite(start_s)
        or not np.isfinite(lonlat).all(axis=1).any()
    ):
        return "broken_row", None
    # a point that is none is left out by `htp.prepare.drives`; its place keeps the others at their times
    return "", np.column_stack([lonlat, start_s + INTERVAL_S * np.arange(len(lonlat))])


def _lonlat(points: Any) -> NDArray[np.float64]:
    """Return what a POLYLINE lists as numbers; a pair among pairs that is none becomes NaN."""
    try:
        return np.array(points, dtype=np.float64)
    except (ValueError, TypeError):
        if not isinstance(points, list):
            raise
        pairs = [point if isinstance(point, list) and len(point) == 2 else [np.nan, np.nan] for point in points]
        numbers = [[x if isinstance(x, (int, float)) else np.nan for x in pair] for pair in pairs]
        return np.array(numbers, dtype=np.float64)
