"""Read a plain CSV of points: a row a point with trip id, time, longitude and latitude, in any order.

Columns are named by option or guessed, and a guess is said. Times are Unix seconds to nanoseconds, or ISO 8601, in
the city's time where they carry no zone; a time in the hour that clocks repeat or leave out is none. The points of a
trip may lie anywhere in the file: a large file is first split by a hash of the trip id into pieces that fit into
memory.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from htp.errors import InputError
from htp.prepare.csv_rows import read_header, read_rows
from htp.prepare.options import ROLES
from htp.prepare.rawtrips import RawTrips

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from htp.prepare.rawtrips import Chunk

GUESSES = {
    "trip_id": ("trip_id", "tripid", "trip", "trajectory_id", "traj_id", "track_id", "ride_id", "journey_id", "id"),
    "time": ("time", "timestamp", "datetime", "date_time", "gps_time", "recorded_at", "unix_time", "t"),
    "lon": ("lon", "lng", "long", "longitude", "x"),
    "lat": ("lat", "latitude", "y"),
}
BLOCK_BYTES = 8 << 20
PIECE_BYTES = 64 << 20  # of the file, that are held in memory at once
POINTS_A_CHUNK = 100_000
UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (np.inf, 1e9))  # Unix times below this number, units a second
ZONED = r"(?:Z|[T ]\d{2}[^+-]*[+-]\d{2}(?::?\d{2})?)\s*$"  # a time, not a date alone, that ends on its zone


@dataclass
class PointsSource:
    """A CSV file of points."""

    path: Path
    columns: Mapping[str, str]  # role -> column, as far as the user named them
    timezone: str  # of times that carry none
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find the columns; `InputError` where one is missing."""
        _, self.header = read_header(self.path)
        self._chosen = {role: self._column(role) for role in ROLES}
        twice = [role for role in ROLES if list(self._chosen.values()).count(self._chosen[role]) > 1]
        if twice:
            raise InputError(
                f"{self.path}: the column {self._chosen[twice[0]]!r} cannot be {' and '.join(twice)} at once; "
                f"name another, as in `--column {twice[0]}=NAME`."
            )
        guessed = [f"{self._chosen[role]!r} as {role}" for role in ROLES if role not in self.columns]
        if guessed:
            self.notes.append(f"{self.path.name}: took the columns {', '.join(guessed)}.")
        self._pieces: tempfile.TemporaryDirectory[str] | None = None

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    def chunks(self) -> Iterator[Chunk]:
        """Yield some 100,000 points at a time, all points of a trip together."""
        if self._pieces is None:
            self._pieces = self._split()
        files = sorted(Path(self._pieces.name).glob("*.parquet"))
        rows = max(sum(pq.read_metadata(file).num_rows for file in files), 1)
        for file in files:
            points = pq.read_table(file).to_pandas()
            trip, ids = pd.factorize(points["trip_id"])
            order = np.argsort(trip, kind="stable")
            points, trip = points.take(order), trip[order]
            ends = np.searchsorted(trip, np.arange(len(ids)), side="right")
            while len(ends):
                stop = int(ends[max(int(np.searchsorted(ends, POINTS_A_CHUNK, side="right")) - 1, 0)])
                table = pa.Table.from_pandas(points.iloc[:stop], preserve_index=False)
                yield PointsChunk(table, self.timezone, round(stop / rows * self.size))
                points, ends = points.iloc[stop:], ends[ends > stop] - stop

    def _column(self, role: str) -> str:
        """Return the column of a role: the one that was named, or the first of its usual names."""
        found = {name.strip().lower(): name for name in reversed(self.header)}
        present = ", ".join(self.header)
        if role in self.columns:
            if self.columns[role] not in self.header:
                raise InputError(f"{self.path}: there is no column {self.columns[role]!r}; it has {present}.")
            return self.columns[role]
        for guess in GUESSES[role]:
            if guess in found:
                return found[guess]
        raise InputError(
            f"{self.path}: no column looks like {role} among {present}; name it, as in `--column {role}=NAME`."
        )

    def _split(self) -> tempfile.TemporaryDirectory[str]:
        """Write the four columns, as text, into a piece or more; equal trip ids go into the same piece."""
        folder = tempfile.TemporaryDirectory(prefix="htp-points-")
        pieces = -(-self.size // PIECE_BYTES)
        skipped = 0
        schema = pa.schema([(role, pa.string()) for role in ROLES])
        with ExitStack() as stack:
            writers = [
                stack.enter_context(pq.ParquetWriter(f"{folder.name}/{piece:05d}.parquet", schema))
                for piece in range(pieces)
            ]
            names = [self._chosen[role] for role in ROLES]
            for block, bad_lines in read_rows(self.path, names, BLOCK_BYTES):
                table = block.select(names).rename_columns(list(ROLES))
                named = table.filter(pc.not_equal(table["trip_id"], ""))
                skipped += bad_lines + len(table) - len(named)
                of = pd.util.hash_array(named["trip_id"].to_numpy(), categorize=False) % pieces
                for piece, writer in enumerate(writers):
                    writer.write_table(named.filter(pa.array(of == piece)))
        if skipped:
            self.notes.append(
                f"{self.path.name}: skipped {skipped} lines that have no trip id or too few or many cells."
            )
        return folder


@dataclass(frozen=True)
class PointsChunk:
    """Points of some trips, as text, trip after trip."""

    table: pa.Table  # ROLES
    timezone: str
    size: int

    def parse(self) -> RawTrips:
        """Return the trips, each in the order of time; of several points at the same time the first is taken."""
        points = self.table.to_pandas()
        trip, ids = pd.factorize(points["trip_id"])
        time_s = parse_times(points["time"], self.timezone)
        order = np.lexsort((time_s, trip))
        again = (np.diff(trip[order], prepend=-1) == 0) & (np.diff(time_s[order], prepend=np.nan) == 0.0)
        order = order[~again]
        lonlat = points[["lon", "lat"]].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
        count = np.bincount(trip[order], minlength=len(ids))
        return RawTrips([str(trip_id) for trip_id in ids], count, lonlat[order], time_s[order])


def parse_times(text: pd.Series, timezone: str) -> NDArray[np.float64]:
    """Return Unix seconds; NaN for what is no time. What most values are decides between numbers and dates."""
    number = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    finite = np.abs(number[np.isfinite(number)])
    if len(finite) and 2 * len(finite) >= (text.str.strip() != "").sum():
        middle = np.quantile(finite, 0.5, method="lower")  # a mean of two huge numbers would be none
        return number / next(scale for below, scale in UNITS if middle < below)
    text = text.str.replace(r"\s*UTC\s*$", "Z", regex=True)
    # all read as if in UTC, so that a zone which the pattern does not know is no error
    moment = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True)
    local = moment.dt.tz_localize(None).dt.tz_localize(timezone, ambiguous="NaT", nonexistent="NaT")
    utc = moment.where(text.str.contains(ZONED, regex=True), local.dt.tz_convert("UTC"))
    seconds = utc.dt.tz_localize(None).to_numpy(dtype="datetime64[us]").astype(np.int64) / 1e6
    return np.where(utc.isna(), np.nan, seconds)
