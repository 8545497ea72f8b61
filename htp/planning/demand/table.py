"""Read how many trips go from which zone to which: a CSV with a row a pair of zones, or a row an origin.

    origin,destination,trips        zone,7,12
    12,7,340                        7,0,85.5
    7,12,85.5                       12,340,0

Rows of the same pair are added up; SUMO's formats of matrices are read as well. Limits are ours.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htp.errors import InputError
from htp.files import plain_cell
from htp.prepare.readers.layout import CONTROL, LEGACY, MARKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

MAX_BYTES = 20_000_000
MAX_ROWS = 200_000
MAX_TRIPS = 50_000  # of a day
COLUMNS = {
    "origin": ("origin", "origin_zone", "orig", "o_zone", "from", "from_zone", "o"),
    "destination": ("destination", "destination_zone", "dest", "d_zone", "to", "to_zone", "d"),
    "trips": ("trips", "count", "demand", "volume", "flow", "flows"),
}
TOTALS = ("total", "totals", "sum", "all")  # of rows and columns that repeat what the others say
SUM_TOLERANCE = 0.05  # ours: a table's own sum may be rounded
EXAMPLES = 5  # zones named where one is unknown


@dataclass(frozen=True)
class Flows:
    """Trips between F pairs of zones."""

    origin: NDArray[np.int64]  # [F] row of the zone
    destination: NDArray[np.int64]  # [F]
    trips: NDArray[np.int64]  # [F] one or more

    @property
    def total(self) -> int:
        """Trips of all pairs."""
        return int(self.trips.sum())


def read_flows(content: bytes, name: str, zones: Sequence[str], *, seed: int = 0) -> Flows:
    """Read the table in a file's `content` for the zones of these names; `InputError` names file, line and column.

    A part of a trip is a trip by that chance, drawn by `seed`.
    """
    lines = _lines(content, name)
    number_of = {zone: row for row, zone in enumerate(zones)}
    kind = lines[0].strip()[:2].upper()
    if kind in ("$O", "$V"):
        rows = list(_sumo_rows(lines, name, number_of))
    else:
        rows = list(_table_rows(lines, name, number_of))
    if len(rows) > MAX_ROWS:
        raise InputError(f"{name}: has {len(rows):,} rows; give at most {MAX_ROWS:,}.")
    return _added_up(np.array(rows, dtype=np.float64).reshape(-1, 3), name, seed)


def flows_csv(flows: Flows, zones: Sequence[str]) -> str:
    """Return flows as the table that `read_flows` reads; no zone's name is a formula to a spreadsheet."""
    text, names = io.StringIO(), [plain_cell(zone) for zone in zones]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("origin", "destination", "trips"))
    pairs = zip(flows.origin, flows.destination, flows.trips, strict=True)
    writer.writerows((names[o], names[d], trips) for o, d, trips in pairs)
    return text.getvalue()


def zone_name(value: object) -> str:
    """Return how a zone is called in files of all kinds: 7, 7.0 and " 7" are the same zone."""
    text = str(value).strip()
    return re.sub(r"^(-?\d+)\.0+$", r"\1", text)


def zone_number(text: str, number_of: dict[str, int], where: str) -> int:
    """Return the row of a zone; `InputError` where no zone is called so."""
    zone = zone_name(text)
    for name in (zone, zone.removeprefix("'")):  # as a table of ours has it that no spreadsheet computes
        if name in number_of:
            return number_of[name]
    some = ", ".join(list(number_of)[:EXAMPLES])
    more = f" … ({len(number_of)} in all)" if len(number_of) > EXAMPLES else ""
    given = f"no zone is called “{zone[:40]}”" if zone else "the zone is missing"
    raise InputError(f"{where}: {given}; the zones are {some}{more}.")


def trip_number(text: str, where: str, delimiter: str = ",") -> float:
    """Return a number of trips, which may be no whole one; `InputError` where it is none."""
    text = text.strip()
    plain = text
    if delimiter == "," and re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text):
        plain = text.replace(",", "")
    elif re.fullmatch(r"\d+,\d+", text):
        plain = text.replace(",", ".")
    try:
        value = float(plain)
    except ValueError as error:
        raise InputError(f"{where}: “{text[:40]}” is no number; give a number of trips.") from error
    if not np.isfinite(value):
        raise InputError(f"{where}: “{text[:40]}” is no number of trips; give a finite one.")
    if value < 0:
        raise InputError(f"{where}: {text[:40]} is negative; give 0 trips or more.")
    if value > MAX_TRIPS:
        raise InputError(f"{where}: {value:,.0f} trips; a whole day takes at most {MAX_TRIPS:,}.")
    return value


def _lines(content: bytes, name: str) -> list[str]:
    if len(content) > MAX_BYTES:
        raise InputError(f"{name}: has {len(content) / 1e6:.0f} MB; give at most {MAX_BYTES / 1e6:.0f} MB.")
    encoding = next((MARKS[mark] for mark in MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise InputError(f"{name}: is no text; give a CSV file in UTF-8.") from error
        text = content.decode(LEGACY, "replace")
    if CONTROL.search(text):
        raise InputError(f"{name}: is no text; give a CSV file in UTF-8.")
    lines = io.StringIO(text, newline=None).read().split("\n")
    if not lines[0].strip():
        raise InputError(f"{name}: begins with an empty line; give a CSV whose first line names the columns.")
    return lines


def _table_rows(lines: list[str], name: str, number_of: dict[str, int]) -> Iterator[tuple[int, int, float]]:
    """Yield origin, destination and trips of a table with a row a pair, or with a row an origin."""
    delimiter = max(",;\t", key=lines[0].count)
    first = next(csv.reader(lines[:1], delimiter=delimiter))
    known = [zone_name(cell) in number_of for cell in first]
    if len(first) > 2 and all(known[:2]) and len(first) == len(COLUMNS) and re.fullmatch(r"[\d.]+", first[2].strip()):
        yield from _pairs(lines, name, delimiter, number_of, dict(zip(COLUMNS, range(3), strict=True)), 1)
    elif len(first) > 1 and all(is_zone or _is_total(cell) for is_zone, cell in zip(known[1:], first[1:], strict=True)):
        yield from _wide(lines, name, delimiter, number_of)
    else:
        yield from _pairs(lines[1:], name, delimiter, number_of, _columns(first, name), 2)


def _pairs(
    lines: list[str], name: str, delimiter: str, number_of: dict[str, int], wanted: dict[str, int], first_line: int
) -> Iterator[tuple[int, int, float]]:
    """Yield the rows of a table with a row a pair; one that gives their sum is passed over."""
    total = 0.0
    for number, cells in _rows(lines, name, delimiter, first_line):
        where = f"{name}, line {number}"
        if len(cells) <= max(wanted.values()):
            raise InputError(f"{where}: has {len(cells)} cells and too few columns; complete the row.")
        texts = {column: cells[place] for column, place in wanted.items()}
        trips = trip_number(texts["trips"], f"{where}, trips", delimiter) if texts["origin"].strip() else 0.0
        if (
            _is_total(texts["origin"])
            and _is_total(texts["destination"] or "total")
            and abs(trips - total) < SUM_TOLERANCE
        ):
            continue
        ends = [zone_number(texts[end], number_of, f"{where}, {end}") for end in ("origin", "destination")]
        total += trips
        yield ends[0], ends[1], trips


def _wide(lines: list[str], name: str, delimiter: str, number_of: dict[str, int]) -> Iterator[tuple[int, int, float]]:
    """Yield the cells of a table with a row an origin and a column a destination; sums are passed over."""
    header = next(csv.reader(lines[:1], delimiter=delimiter))
    for number, cells in _rows(lines[1:], name, delimiter, 2):
        where = f"{name}, line {number}"
        if len(cells) != len(header):
            raise InputError(
                f"{where}: has {len(cells)} cells where the first line has {len(header)}; complete the row."
            )
        if _is_total(cells[0]):
            continue
        origin = zone_number(cells[0], number_of, f"{where}, origin")
        for column, cell in zip(header[1:], cells[1:], strict=True):
            if not _is_total(column) and cell.strip() not in ("", "-"):
                there = zone_number(column, number_of, f"{name}, line 1")
                yield origin, there, trip_number(cell, f"{where}, column {column.strip()}", delimiter)


def _sumo_rows(lines: list[str], name: str, number_of: dict[str, int]) -> Iterator[tuple[int, int, float]]:
    """Yield what SUMO's `$O` (a row a pair) or `$V` (a matrix) asks for, https://sumo.dlr.de/docs/Demand/Importing_O/D_Matrices.html."""
    words = [word for line in lines[1:] if not line.startswith("*") for word in line.split()]
    if len(words) < 3:
        raise InputError(f"{name}: ends before its first pair of zones; export the matrix again.")
    begin, end, factor = (trip_number(word, f"{name}, times and factor", " ") for word in words[:3])
    if (begin, end) != (0, 24):
        raise InputError(f"{name}: holds the trips of {begin:g} to {end:g} o'clock; give those of a whole day.")
    cells = words[3:]
    if lines[0].strip()[1:2].upper() == "V":
        count = int(trip_number(cells[0], f"{name}, number of zones", " ")) if cells else 0
        zones, numbers = cells[1 : count + 1], cells[count + 1 :]
        if len(numbers) != count * count:
            raise InputError(f"{name}: has {len(numbers)} cells for {count} zones; export the matrix again.")
        pairs = ((origin, destination) for origin in zones for destination in zones)
        cells = [word for pair, trips in zip(pairs, numbers, strict=True) for word in (*pair, trips)]
    if len(cells) % 3:
        raise InputError(f"{name}: its last pair of zones is not complete; export the matrix again.")
    for origin, destination, trips in zip(*[iter(cells)] * 3, strict=True):
        where = f"{name}, from {origin} to {destination}"
        here, there = (zone_number(zone, number_of, where) for zone in (origin, destination))
        yield here, there, factor * trip_number(trips, where, " ")


def _is_total(text: str) -> bool:
    return text.strip().lower() in TOTALS


def _rows(lines: list[str], name: str, delimiter: str, first_line: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row with the number of its line."""
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num + first_line - 1, cells
    except csv.Error as error:
        line = reader.line_num + first_line - 1
        raise InputError(f"{name}, line {line}: is no row of a CSV file ({error}); repair it.") from error


def _columns(first: list[str], name: str) -> dict[str, int]:
    """Return where each column is."""
    header = [re.sub(r"[\s-]+", "_", cell.strip().lower()) for cell in first]
    found = {}
    for column, aliases in COLUMNS.items():
        places = [place for place, cell in enumerate(header) if cell in aliases]
        if not places:
            raise InputError(
                f"{name}: the column {column!r} is missing; the first line has to name origin, destination and trips, "
                f"or the zones of a table with a row an origin, and it names {', '.join(header)[:80]}."
            )
        found[column] = places[0]
    return found


def _added_up(rows: NDArray[np.float64], name: str, seed: int) -> Flows:
    """Return the trips of each pair; of a part of a trip, one by that chance."""
    pairs, row = np.unique(rows[:, :2].astype(np.int64), axis=0, return_inverse=True)
    wanted = np.bincount(row.ravel(), weights=rows[:, 2], minlength=len(pairs))
    trips = np.floor(wanted + 1e-9).astype(np.int64)
    part = np.clip(wanted - trips, 0.0, 1.0)
    trips += np.random.default_rng(seed).random(len(pairs)) < part
    if not wanted.sum():
        raise InputError(f"{name}: asks for no trips; give at least one pair of zones with trips.")
    if not trips.sum():
        raise InputError(f"{name}: asks for {wanted.sum():.2g} trips, which came to none by chance; scale it up.")
    if trips.sum() > MAX_TRIPS:
        raise InputError(f"{name}: asks for {trips.sum():,} trips; a day takes at most {MAX_TRIPS:,}: scale it down.")
    some = trips > 0
    return Flows(pairs[some, 0], pairs[some, 1], trips[some])
