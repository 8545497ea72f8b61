"""Read the header and the rows of a CSV file as text, block by block, and count the lines that are no rows."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MAX_HEADER_CHARS = 1 << 20


def read_header(path: Path) -> tuple[str, list[str]]:
    """Return the delimiter and the column names of a CSV file; `InputError` where it is empty or no text."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            line = stream.readline(MAX_HEADER_CHARS).strip()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file; give a CSV file in UTF-8.") from error
    if not line:
        raise InputError(f"{path}: the file is empty; give a CSV file with a line of column names.")
    delimiter = max(",;\t", key=re.sub('"[^"]*"', "", line).count)
    try:
        (names,) = csv.reader([line], delimiter=delimiter, skipinitialspace=True)
    except (csv.Error, ValueError) as error:
        raise InputError(f"{path}: its first line holds no column names; give a CSV file with such a line.") from error
    return delimiter, [name.strip() for name in names]


def read_rows(path: Path, columns: Sequence[str], block_bytes: int) -> Iterator[tuple[pa.Table, int]]:
    """Yield the columns of about `block_bytes` of the file, as text, and 0; last how many lines had a wrong width.

    Lines with too few or too many cells are counted at the end because the reader reads ahead: which of them it has
    met by the time it hands over a block depends on its pace, and a run that goes on would count some twice.
    """
    delimiter, header = read_header(path)
    bad = _BadLines()
    try:
        reader = pa.csv.open_csv(
            path,
            # one thread, for the count of bad lines is no lock
            read_options=pa.csv.ReadOptions(
                use_threads=False, block_size=block_bytes, column_names=header, skip_rows=1
            ),
            parse_options=pa.csv.ParseOptions(delimiter=delimiter, invalid_row_handler=bad),
            convert_options=pa.csv.ConvertOptions(
                include_columns=list(columns), column_types=dict.fromkeys(columns, pa.string())
            ),
        )
        for batch in reader:
            yield pa.Table.from_batches([batch]), 0
    except pa.ArrowInvalid as error:
        if "Empty CSV" not in str(error) and "Could not skip" not in str(error):  # a header alone: no rows
            raise InputError(f"{path}: not a readable CSV file ({error}); repair it or export it again.") from error
    if bad.count:
        yield pa.table({name: pa.array([], pa.string()) for name in columns}), bad.count


class _BadLines:
    """Let the reader skip lines with too few or too many cells, and count them; an open quote joins several."""

    count = 0

    def __call__(self, row: pa.csv.InvalidRow) -> str:
        self.count += row.text.count("\n") + 1
        return "skip"
