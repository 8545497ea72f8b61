"""Read how many trips go from which zone to which: a CSV with a line of column names and a row a pair of zones.

    origin,destination,trips
    12,7,340

Rows of the same pair are added up. Limits are ours.
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

MAX_BYTES = 20_000_000
MAX_ROWS = 200_000
MAX_TRIPS = 50_000  # of a day
COLUMNS = {
    "origin": ("origin", "origin_zone", "from", "from_zone", "o"),
    "destination": ("destination", "destination_zone", "to", "to_zone", "d"),
    "trips": ("trips", "count", "demand"),
}
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


def read_flows(content: bytes, name: str, zones: Sequence[str]) -> Flows:
    """Read the table in a file's `content` for the zones of these names; `InputError` names file, line and column."""
    delimiter, lines = _lines(content, name)
    wanted = _columns(lines, name, delimiter)
    number_of = {zone: row for row, zone in enumerate(zones)}
    rows = []
    for number, cells in _rows(lines[1:], name, delimiter):
        where = f"{name}, line {number}"
        if len(cells) <= max(wanted.values()):
            raise InputError(f"{where}: has {len(cells)} cells and too few columns; complete the row.")
        ends = [_zone(cells[wanted[end]], number_of, f"{where}, {end}") for end in ("origin", "destination")]
        rows.append((*ends, _trips(cells[wanted["trips"]], f"{where}, trips")))
    if len(rows) > MAX_ROWS:
        raise InputError(f"{name}: has {len(rows):,} rows; give at most {MAX_ROWS:,}.")
    return _added_up(np.array(rows, dtype=np.int64).reshape(-1, 3), name)


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


def _lines(content: bytes, name: str) -> tuple[str, list[str]]:
    if len(content) > MAX_BYTES:
        raise InputError(f"{name}: has {len(content) / 1e6:.0f} MB; give at most {MAX_BYTES / 1e6:.0f} MB.")
    try:
        lines = io.StringIO(content.decode("utf-8-sig"), newline=None).read().split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: is no text; give a CSV file in UTF-8.") from error
    if not lines[0].strip():
        raise InputError(f"{name}: begins with an empty line; give a CSV whose first line names the columns.")
    return max(",;\t", key=lines[0].count), lines


def _rows(lines: list[str], name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row with the number of its line."""
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num + 1, cells
    except csv.Error as error:
        raise InputError(
            f"{name}, line {reader.line_num + 1}: is no row of a CSV file ({error}); repair it."
        ) from error


def _columns(lines: list[str], name: str, delimiter: str) -> dict[str, int]:
    """Return where each column is."""
    header = [re.sub(r"[\s-]+", "_", cell.strip().lower()) for cell in next(csv.reader(lines[:1], delimiter=delimiter))]
    found = {}
    for column, aliases in COLUMNS.items():
        places = [place for place, cell in enumerate(header) if cell in aliases]
        if not places:
            raise InputError(
                f"{name}: the column {column!r} is missing; the first line has to name origin, destination and trips, "
                f"and it names {', '.join(header)[:80]}."
            )
        found[column] = places[0]
    return found


def _zone(text: str, number_of: dict[str, int], where: str) -> int:
    zone = zone_name(text)
    for name in (zone, zone.removeprefix("'")):  # as a table of ours has it that no spreadsheet computes
        if name in number_of:
            return number_of[name]
    some = ", ".join(list(number_of)[:EXAMPLES])
    more = f" … ({len(number_of)} in all)" if len(number_of) > EXAMPLES else ""
    given = f"no zone is called “{zone[:40]}”" if zone else "the zone is missing"
    raise InputError(f"{where}: {given}; the zones are {some}{more}.")


def _trips(text: str, where: str) -> int:
    text = text.strip()
    try:
        value = float(text)
    except ValueError as error:
        raise InputError(f"{where}: “{text[:40]}” is no number; give a whole number of trips.") from error
    if not np.isfinite(value):
        raise InputError(f"{where}: “{text[:40]}” is no number of trips; give a whole number.")
    if value < 0:
        raise InputError(f"{where}: {text[:40]} is negative; give 0 trips or more.")
    if value != int(value):
        raise InputError(f"{where}: {text[:40]} is no whole number of trips; round it.")
    if value > MAX_TRIPS:
        raise InputError(f"{where}: {value:,.0f} trips; a whole day takes at most {MAX_TRIPS:,}.")
    return int(value)


def _added_up(rows: NDArray[np.int64], name: str) -> Flows:
    pairs, row = np.unique(rows[:, :2], axis=0, return_inverse=True)
    trips = np.bincount(row.ravel(), weights=rows[:, 2], minlength=len(pairs)).astype(np.int64)
    if not trips.sum():
        raise InputError(f"{name}: asks for no trips; give at least one pair of zones with trips.")
    if trips.sum() > MAX_TRIPS:
        raise InputError(f"{name}: asks for {trips.sum():,} trips; a day takes at most {MAX_TRIPS:,}: scale it down.")
    some = trips > 0
    return Flows(pairs[some, 0], pairs[some, 1], trips[some])
