"""Read the rows of a CSV file as text, block by block, and count the lines that are no rows."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv

from htp.errors import InputError
from htp.unpacked import is_packed, open_unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from htp.prepare.readers.layout import CsvLayout

MAX_MENDED = 1_000_000  # lines of another width that are kept to be looked at again


@dataclass
class BadLines:
    """Lines with too few or too many cells, which the reader skips; an open quote joins several."""

    width: int
    count: int = 0
    example: str = ""
    _again: list[tuple[int, str]] = field(default_factory=list)

    def __call__(self, row: pa.csv.InvalidRow) -> str:
        """Take a line that the reader does not."""
        if "\n" in row.text or len(self._again) == MAX_MENDED:
            self._add(row.number or 0, row.text)
        else:
            self._again.append((row.number or 0, row.text))
        return "skip"

    def mended(self, delimiter: str, needs: int) -> list[list[str]]:
        """Return the rows among the lines, which lack only cells past the `needs` first or end on empty ones."""
        rows = []
        for number, text in self._again:
            cells = next(csv.reader([text], delimiter=delimiter), [])
            if needs <= len(cells) and not any(cell.strip() for cell in cells[self.width :]):
                rows.append(cells)
            else:
                self._add(number, text)
        self._again.clear()
        return rows

    def _add(self, number: int, text: str) -> None:
        self.count += text.count("\n") + 1
        self.example = self.example or f"row {number}: {text.splitlines()[0][:60] if text else ''!r}"


def read_rows(layout: CsvLayout, columns: Mapping[str, int], block_bytes: int, bad: BadLines) -> Iterator[pa.Table]:
    """Yield these columns, by label, of about `block_bytes` of the file at a time, as text; `bad` counts other lines.

    Lines of another width that can be read all the same come last, because the reader reads ahead: which of them it has
    met by the time it hands over a block depends on its pace, and a run that goes on would count some twice.
    """
    places = [str(place) for place in columns.values()]
    path = layout.path
    try:
        reader = pa.csv.open_csv(
            open_unpacked(path) if is_packed(path) else pa.OSFile(str(path)),  # a path would be unpacked by its name
            # one thread, for the count of bad lines is no lock
            read_options=pa.csv.ReadOptions(
                use_threads=False,
                block_size=block_bytes,
                column_names=[str(place) for place in range(layout.width)],
                skip_rows=layout.skip,
                encoding="utf-8" if layout.encoding == "utf-8-sig" else layout.encoding,  # which drops the mark itself
            ),
            parse_options=pa.csv.ParseOptions(delimiter=layout.delimiter, invalid_row_handler=bad),
            convert_options=pa.csv.ConvertOptions(
                include_columns=places, column_types=dict.fromkeys(places, pa.string())
            ),
        )
        for batch in reader:
            yield pa.Table.from_batches([batch]).rename_columns(list(columns))
    except (pa.ArrowInvalid, UnicodeError) as error:
        if "Empty CSV" not in str(error) and "Could not skip" not in str(error):  # a header alone: no rows
            raise InputError(f"{path}: not a readable CSV file ({error}); repair it or export it again.") from error
    if mended := bad.mended(layout.delimiter, max(columns.values()) + 1):
        cells = {label: [row[place] for row in mended] for label, place in columns.items()}
        yield pa.table(cells, schema=pa.schema([(label, pa.string()) for label in columns]))
