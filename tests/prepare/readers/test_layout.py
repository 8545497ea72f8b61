"""See how a CSV file is written, whoever wrote it."""

from __future__ import annotations

import pytest

from htp.errors import InputError
from htp.prepare.drives import in_order
from htp.prepare.readers.layout import read_layout
from htp.prepare.readers.points_csv import PointsSource

ROWS = [("a", "2024-05-06T12:00:00Z", "-71.25", "-29.9"), ("a", "2024-05-06T12:00:15Z", "-71.26", "-29.91")]
NAMES = ("trip_id", "time", "lon", "lat")


def text(delimiter=",", end="\n", rows=ROWS, names=NAMES, head=(), tail=""):
    """Return a file of these rows."""
    lines = [*head, *(delimiter.join(row) + tail for row in ([names] if names else []) + list(rows))]
    return end.join([*lines, ""])


@pytest.fixture
def trips(tmp_path):
    """(text or bytes, encoding) -> id -> points as lon, lat, seconds after noon; and the notes."""

    def read(content, encoding="utf-8"):
        path = tmp_path / "points.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        source = PointsSource(path, {}, "UTC")
        found = {}
        for chunk in source.chunks():
            raw = in_order(chunk.parse())
            rows = [
                [*lonlat, time - 1_714_996_800] for lonlat, time in zip(raw.lonlat.tolist(), raw.time_s, strict=True)
            ]
            for trip_id, first, stop in zip(raw.trip_id, raw.first, raw.first[1:], strict=False):
                found[trip_id] = rows[first:stop]
        return found, source.notes

    return read


EXPECTED = {"a": [[-71.25, -29.9, 0], [-71.26, -29.91, 15]]}


@pytest.mark.parametrize(
    "content",
    [
        *(text(delimiter) for delimiter in ",;\t| "),
        *(text(end=end) for end in ("\r\n", "\r")),
        text(head=["", "", "# exported in 2024", "sep=,"]),
        text(";", head=["sep=;"]),
        text(tail=","),
        text(tail=",,"),
        text(rows=[(*ROWS[0], ""), ROWS[1]]),
        text(names=(*NAMES, "note"), rows=[(*ROWS[0], "x"), ROWS[1]]),
        text("\t", names=("", *NAMES), rows=[(str(k), *row) for k, row in enumerate(ROWS)]),
        text(names=NAMES, rows=[(str(k), *row) for k, row in enumerate(ROWS)]),
        text(names=NAMES[::-1], rows=[row[::-1] for row in ROWS]),
        text(names=("Trip ID", "Time", "Longitude", "Latitude")),
        text(names=[f'"{name}"' for name in NAMES], rows=[[f'"{cell}"' for cell in row] for row in ROWS]),
        text(";", rows=[[cell.replace(".", ",") for cell in row] for row in ROWS]),
        text(rows=[[f'"{cell}"'.replace(".", ",") for cell in row] for row in ROWS]),
        text(", "),
        text(names=()),
        text(";", names=(), rows=[[cell.replace(".", ",") for cell in row] for row in ROWS]),
    ],
    ids=[
        *["commas", "semicolons", "tabs", "bars", "spaces", "windows", "an old Mac", "lines before", "said delimiter"],
        *["an empty last cell", "two", "in one row only", "a short row", "an index", "an index without a name"],
        *["reversed", "written out", "quotes", "decimal commas", "in quotes", "padded", "no names", "no names, commas"],
    ],
)
def test_every_way_to_write_the_same_points_is_read(trips, content):
    assert trips(content)[0] == EXPECTED


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"])
def test_every_encoding_is_read(trips, encoding):
    rows = [("Coquimbó", *row[1:]) for row in ROWS]
    assert trips(text(rows=rows), encoding)[0] == {"Coquimbó": EXPECTED["a"]}


def test_a_letter_that_is_no_utf_8_may_come_late(trips):
    rows = [("x", "2024-05-06T12:00:00Z", "1.00", "2.00")] * 20_000 + [("Coquimbó", *row[1:]) for row in ROWS]
    assert trips(text(rows=rows), "latin-1")[0]["Coquimbó"] == EXPECTED["a"]


def test_what_was_made_of_odd_lines_of_names_is_said(trips):
    _, notes = trips(text(names=NAMES, rows=[(str(k), *row) for k, row in enumerate(ROWS)]))
    assert notes[0].startswith("points.csv: its rows have a cell more than the line of names")
    _, notes = trips(text(names=(*NAMES, "lat"), rows=[(*row, "0.00") for row in ROWS]))
    assert notes[-1] == "points.csv: several columns are called 'lat'; took the first."
    _, notes = trips(text(names=()))
    assert notes == ["points.csv: took the columns 1 as trip_id, 2 as time, 3 as lon, 4 as lat."]


def test_dates_and_times_may_stand_in_two_columns(trips):
    rows = [("a", "06.05.2024", time, "-71.25", "-29.9") for time in ("12:00:00", "12:00:15")]
    expected = {"a": [[-71.25, -29.9, 0], [-71.25, -29.9, 15]]}
    found, notes = trips(text(names=("trip_id", "Date", "time", "lon", "lat"), rows=rows))
    assert found == expected
    assert "points.csv: took 'Date' for the dates of the times." in notes
    assert "points.csv: its times say no zone; took them for those of UTC." not in notes  # the times alone say nothing


def test_local_times_are_said(trips):
    _, notes = trips(text(rows=[(row[0], row[1].replace("T", " ").removesuffix("Z"), *row[2:]) for row in ROWS]))
    assert notes[-1] == "points.csv: its times say no zone; took them for those of UTC."


def test_names_that_say_nothing_are_asked_for(trips):
    with pytest.raises(
        InputError, match=r"no column looks like trip_id among \u8f66, .*name it, as in `--column trip_id=NAME`"
    ):
        trips(text(names=("\u8f66", "\u65f6", "\u7ecf", "\u7eac")))
    with pytest.raises(InputError, match=r"no line names .* say it by its number, as in `--column trip_id=1`"):
        trips("1,2,3,4\n5,6,7,8\n")


def test_a_row_that_cannot_be_read_is_quoted_with_its_number(trips):
    found, notes = trips(text(rows=[*ROWS, ("b", "x")]))
    assert found == EXPECTED
    assert "skipped 1 lines" in notes[-1]
    assert "'b,x'" in notes[-1]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "the file is empty"), (b"\n \n# only\n", "the file is empty"), (b"PAR1\x00\x00", "not a text file")],
)
def test_what_is_no_table_is_a_sentence(tmp_path, content, message):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(InputError, match=rf"x\.csv: {message}"):
        read_layout(tmp_path / "x.csv")
