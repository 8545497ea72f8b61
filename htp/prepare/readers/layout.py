"""See from the head of a CSV file how it is written: encoding, delimiter, lines before the columns, names, cells a row.

sep=;                     a line that says the delimiter, comments and blank lines before the names are passed over
;trip_id;time;lon;lat     a first name may be empty (an index), names may be missing altogether
0;a;100;-71,2;-29,9;      a row may end on empty cells that have no name
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htp.errors import InputError
from htp.unpacked import open_unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HEAD_BYTES = 1 << 18
SAMPLE_ROWS = 200
DELIMITERS = ",;\t|"
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16's mark, which it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
LEGACY = "cp1252"  # what is no UTF-8 was written by Windows or in Latin 1, of which it is a superset
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
NUMBER = re.compile(r"\s*[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?\s*")


@dataclass(frozen=True)
class CsvLayout:
    """How a CSV file is written."""

    path: Path
    encoding: str
    delimiter: str
    names: tuple[str, ...]  # of the columns, "" where one has none, "1", "2", ... where no line names them
    skip: int  # lines before the rows
    width: int  # cells of a row, those without a name included
    named: bool  # whether a line names the columns
    sample: tuple[tuple[str, ...], ...]  # the cells of the first rows
    notes: tuple[str, ...] = ()

    def column(self, place: int) -> list[str]:
        """Return the cells of a column in the sample."""
        return [row[place] for row in self.sample if place < len(row)]


def read_layout(path: Path) -> CsvLayout:
    """Return how a CSV file is written; `InputError` where it is empty or no text."""
    with open_unpacked(path) as stream:
        head = stream.read(HEAD_BYTES)
    encoding = _encoding(head, path)
    # a character may be cut off at the end of the head
    lines = re.split(r"\r\n|\r|\n", codecs.getincrementaldecoder(encoding)("replace").decode(head))
    if len(head) == HEAD_BYTES:
        lines = lines[:-1] or lines
    if any(CONTROL.search(line) for line in lines):
        raise InputError(f"{path}: not a text file; give a CSV file.")
    skip, delimiter = _preamble(lines)
    if skip == len(lines):
        raise InputError(f"{path}: the file is empty; give a CSV file with a line of column names.")
    delimiter = delimiter or _delimiter(lines[skip])
    header, *rows = _cells(lines[skip : skip + SAMPLE_ROWS], delimiter) or [()]
    if not header:
        raise InputError(f"{path}: its first line holds no column names; give a CSV file with such a line.")
    named = not any(NUMBER.fullmatch(cell) for cell in header)
    if not named:
        names = tuple(str(place + 1) for place in range(len(header)))
        return CsvLayout(path, encoding, delimiter, names, skip, len(header), named, (header, *rows))
    names, notes = _names(tuple(name.strip() for name in header), rows, path)
    width = _width(rows) or len(names)
    if any(names[width:]):
        width = len(names)
    return CsvLayout(path, encoding, delimiter, names, skip + 1, width, named, tuple(rows), notes)


def _encoding(head: bytes, path: Path) -> str:
    for mark, name in MARKS.items():
        if head.startswith(mark):
            return name
    if head[1::2].count(0) > len(head) / 4:  # of every second byte, in text of Latin letters and figures
        return "utf-16-le"
    if head[::2].count(0) > len(head) / 4:
        return "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with open_unpacked(path) as stream:
            while block := stream.read(1 << 20):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return LEGACY
    return "utf-8"


def _preamble(lines: Sequence[str]) -> tuple[int, str]:
    """Return how many lines stand before the names, and the delimiter where one of them says it."""
    delimiter = ""
    for number, line in enumerate(lines):
        said = re.fullmatch(r"\s*\"?sep=(.)\"?\s*", line, re.IGNORECASE)
        if said:
            delimiter = said[1]
        elif line.strip() and not line.lstrip().startswith("#"):
            return number, delimiter
    return len(lines), delimiter


def _delimiter(line: str) -> str:
    plain = re.sub('"[^"]*"', "", line)
    best = max(DELIMITERS, key=plain.count)
    return best if plain.count(best) or not re.search(r"\S +\S", plain) else " "


def _cells(lines: Sequence[str], delimiter: str) -> list[tuple[str, ...]]:
    """Return the cells of the lines up to one that is no row."""
    rows: list[tuple[str, ...]] = []
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != " ")
    with contextlib.suppress(csv.Error):
        rows.extend(tuple(row) for row in reader if row)
    return rows


def _names(
    names: tuple[str, ...], rows: Sequence[tuple[str, ...]], path: Path
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names, moved by one where rows begin with a cell that the line of names lacks (as R writes them)."""
    longer = [row for row in rows if len(row) == len(names) + 1 and row[-1].strip()]
    if not rows or len(longer) < 0.9 * len(rows):
        return names, ()
    note = f"{path.name}: its rows have a cell more than the line of names; took the first for one without a name."
    return ("", *names), (note,)


def _width(rows: Sequence[tuple[str, ...]]) -> int:
    """Return how many cells most rows have."""
    widths = [len(row) for row in rows]
    return max(set(widths), key=widths.count) if widths else 0
