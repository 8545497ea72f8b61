"""Read a plain CSV of points: a row a point with trip id, time, longitude and latitude, in any order.

Columns are named by option or guessed, and a guess is said. The points of a trip may lie anywhere in the file: a large
file is first split by a hash of the trip id into pieces that fit into memory.
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
from htp.prepare.options import ROLES, Hints
from htp.prepare.rawtrips import RawTrips
from htp.prepare.readers.columns import date_column, find_columns
from htp.prepare.readers.csv_rows import BadLines, read_rows
from htp.prepare.readers.layout import read_layout
from htp.prepare.readers.projection import to_lonlat
from htp.prepare.readers.times import DateOrder, check_dates, is_local, parse_times
from htp.unpacked import is_packed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from htp.prepare.rawtrips import Chunk

BLOCK_BYTES = 8 << 20
PIECE_BYTES = 64 << 20  # of the file, that are held in memory at once
PACKED_TO = 10  # ours: how often its size a packed file may well hold
POINTS_A_CHUNK = 25_000


@dataclass
class PointsSource:
    """A CSV file of points."""

    path: Path
    columns: Mapping[str, str]  # role -> column, as far as the user named them
    timezone: str  # of times that carry none
    hints: Hints = field(default_factory=Hints)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find the columns; `InputError` where one is missing."""
        self.layout = read_layout(self.path)
        self.notes.extend(self.layout.notes)
        self._place = find_columns(self.layout, self.columns, self.notes)
        self._date = date_column(self.layout, self._place["time"])
        if self._date is not None:
            self.notes.append(f"{self.path.name}: took {self.layout.names[self._date]!r} for the dates of the times.")
        if self.hints.timezone is None and any(is_local(cell) for cell in self.layout.column(self._place["time"])):
            self.notes.append(f"{self.path.name}: its times say no zone; took them for those of {self.timezone}.")
        self._pieces: tempfile.TemporaryDirectory[str] | None = None
        self._reading = Reading(self.timezone, self.hints.first_day, self.hints.crs)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    def chunks(self) -> Iterator[Chunk]:
        """Yield some 25,000 points at a time, all points of a trip together."""
        if self._pieces is None:
            self._pieces, dates = self._split()
            day_first = dates.decide(f"{self.path}", said=self.hints.day_first)
            self._reading = Reading(self.timezone, self.hints.first_day, self.hints.crs, day_first)
        files = sorted(Path(self._pieces.name).glob("*.parquet"))
        rows = max(sum(pq.read_metadata(file).num_rows for file in files), 1)
        for file in files:
            points = pq.read_table(file)
            trip = points["trip_id"].combine_chunks().dictionary_encode().indices.to_numpy()
            order, ends = np.argsort(trip, kind="stable"), np.cumsum(np.bincount(trip))
            start = 0
            while len(ends):
                stop = int(ends[max(int(np.searchsorted(ends, start + POINTS_A_CHUNK, side="right")) - 1, 0)])
                table = points.take(order[start:stop])  # a slice would take the whole of its text to a worker
                yield PointsChunk(table, self._reading, round((stop - start) / rows * self.size))
                start, ends = stop, ends[ends > stop]

    def _split(self) -> tuple[tempfile.TemporaryDirectory[str], DateOrder]:
        """Write the four columns, as text, into a piece or more; equal trip ids go into the same piece."""
        folder = tempfile.TemporaryDirectory(prefix="htp-points-")
        pieces = -(-self.size * (PACKED_TO if is_packed(self.path) else 1) // PIECE_BYTES)
        order, bad, nameless = DateOrder(), BadLines(self.layout.width), 0
        schema = pa.schema([(role, pa.string()) for role in ROLES])
        columns = {role: self._place[role] for role in ROLES}
        if self._date is not None:
            columns["date"] = self._date
        with ExitStack() as stack:
            writers = [
                stack.enter_context(pq.ParquetWriter(f"{folder.name}/{piece:05d}.parquet", schema))
                for piece in range(pieces)
            ]
            for block in read_rows(self.layout, columns, BLOCK_BYTES, bad):
                trip_id = pc.utf8_trim_whitespace(block["trip_id"])
                table = block.set_column(0, "trip_id", trip_id).filter(pc.not_equal(trip_id, ""))
                nameless += len(block) - len(table)
                if self._date is not None:
                    whole = pc.binary_join_element_wise(table["date"], table["time"], " ")
                    table = table.set_column(1, "time", whole).select(ROLES)
                order.add(table["time"])
                of = pd.util.hash_array(table["trip_id"].to_numpy(), categorize=False) % pieces
                for piece, writer in enumerate(writers):
                    writer.write_table(table.filter(pa.array(of == piece)))
        if skipped := bad.count + nameless:
            first = f"; the first is {bad.example}" if bad.example else ""
            self.notes.append(
                f"{self.path.name}: skipped {skipped} lines that have no trip id or too few or many cells{first}."
            )
        return folder, order


@dataclass(frozen=True)
class Reading:
    """How the text of points is to be understood."""

    timezone: str  # of times that carry none
    first_day: date | None = None
    crs: str | None = None
    day_first: bool | None = None


@dataclass(frozen=True)
class PointsChunk:
    """Points of some trips, as text, trip after trip, those of a trip in the order of the file."""

    table: pa.Table  # ROLES
    reading: Reading
    size: int

    def parse(self) -> RawTrips:
        """Return the trips; values that cannot be read are NaN, the first of them is quoted in `examples`."""
        points = self.table.to_pandas()
        trip, ids = pd.factorize(points["trip_id"])
        how = self.reading
        time_s = parse_times(points["time"], how.timezone, trip=trip, day_first=how.day_first, first_day=how.first_day)
        xy = np.column_stack([_numbers(points[role]) for role in ("lon", "lat")])
        lonlat = to_lonlat(xy, how.crs)
        order = np.argsort(trip, kind="stable")
        examples = {}
        for reason, values, bad in (
            ("unread_time", points["time"], np.isnan(time_s)),
            ("unread_position", points["lon"] + ", " + points["lat"], ~np.isfinite(lonlat).all(axis=1)),
        ):
            if bad.any():
                at = int(np.argmax(bad))
                examples[reason] = f"{values.iloc[at][:60]!r} in trip {points['trip_id'].iloc[at]}"
        count = np.bincount(trip[order], minlength=len(ids))
        names = [str(trip_id) for trip_id in ids]
        return RawTrips(names, count, lonlat[order], time_s[order], examples=examples)

    def check(self, raw: RawTrips, where: str) -> None:
        """Raise `InputError` where the parsed times count from no date or the coordinates are no degrees."""
        if self.reading.first_day is None:
            check_dates(self.table["time"].to_pandas(), raw.time_s, where)
        check_degrees(raw.lonlat, where)


def _numbers(text: pd.Series) -> NDArray[np.float64]:
    """Return numbers; where most have a decimal comma, it is one. NaN for what is no number."""
    number = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    comma = text.str.fullmatch(r"\s*-?\d+,\d+\s*") if np.isnan(number).any() else None
    if comma is not None and comma.any():
        number = np.where(comma, pd.to_numeric(text.str.replace(",", "."), errors="coerce"), number)
    return number


def check_degrees(lonlat: NDArray[np.float64], where: str) -> None:
    """Raise `InputError` where most coordinates are no degrees."""
    known = lonlat[np.isfinite(lonlat).all(axis=1)]
    if len(known) and (np.abs(known) > [360, 180]).any(axis=1).mean() > 0.5:
        x, y = known[np.argmax((np.abs(known) > [360, 180]).any(axis=1))]
        raise InputError(
            f"{where}: coordinates such as {x:g}, {y:g} are no degrees; give their reference system, as in "
            "--crs EPSG:32719."
        )
