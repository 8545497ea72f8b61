"""Read points in any order, of any column names and kind of time, and say what was guessed."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htp.errors import InputError
from htp.prepare.drives import in_order
from htp.prepare.readers import points_csv
from htp.prepare.readers.points_csv import PointsSource

SANTIAGO = "America/Santiago"
TEXT = "trip_id,time,lon,lat\na,100,1,2\nb,100,5,6\na,115,3,4\n"


@pytest.fixture
def source(tmp_path):
    """(text or bytes, role=column) -> source."""

    def make(content, name="points.csv", **columns):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return PointsSource(path, columns, SANTIAGO)

    return make


def trips_of(source, *, ordered=True):
    """Return trip id -> rows of lon, lat, seconds."""
    found = {}
    for chunk in source.chunks():
        raw = in_order(chunk.parse()) if ordered else chunk.parse()
        assert raw.count.min() >= 1
        points = np.split(np.column_stack([raw.lonlat, raw.time_s]), raw.first[1:-1])
        for trip_id, rows in zip(raw.trip_id, points, strict=True):
            assert trip_id not in found
            found[trip_id] = rows.tolist()
    return found


def test_points_of_a_trip_are_found_wherever_they_lie(source):
    assert trips_of(source(TEXT)) == {"a": [[1, 2, 100], [3, 4, 115]], "b": [[5, 6, 100]]}


def test_points_are_put_into_the_order_of_time_and_a_time_counts_once(source):
    text = "trip_id,time,lon,lat\na,130,7,7\na,100,1,1\na,115,2,2\na,115,3,3\n"
    assert trips_of(source(text)) == {"a": [[1, 1, 100], [2, 2, 115], [7, 7, 130]]}


def test_a_file_that_is_only_called_packed_is_read(source):
    assert trips_of(source(TEXT, name="points.csv.gz")) == trips_of(source(TEXT))


def test_guessed_columns_are_said(source):
    found = source("No;Lat;ride_id;Longitude;Recorded_At\n1;2;a;1;100\n")
    assert found.notes == [
        "points.csv: took the columns 'ride_id' as trip_id, 'Recorded_At' as time, 'Longitude' as lon, 'Lat' as lat."
    ]
    assert trips_of(found) == {"a": [[1, 2, 100]]}


def test_named_columns_are_taken_and_only_the_rest_is_guessed(source):
    found = source("trip_id,vehicle,when,x,y\na,v,100,1,2\n", trip_id="vehicle", time="when")
    assert found.notes == ["points.csv: took the columns 'x' as lon, 'y' as lat."]
    assert trips_of(found) == {"v": [[1, 2, 100]]}
    all_named = source(TEXT, trip_id="trip_id", time="time", lon="lat", lat="lon")
    assert all_named.notes == []
    assert trips_of(all_named)["b"] == [[6, 5, 100]]


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("trip_id,lon,lat\n", {}, r"no column looks like time among trip_id, lon, lat; .*`--column time=NAME`"),
        ("name,age\nx,3\n", {}, r"no column looks like trip_id among name, age"),
        (TEXT, {"time": "when"}, r"there is no column 'when'; it has trip_id, time, lon, lat"),
        (TEXT, {"lon": "lat"}, r"the column 'lat' cannot be lon and lat at once"),
        (TEXT, {"time": "trip_id"}, r"the column 'trip_id' cannot be trip_id and time at once"),
        ("", {}, "the file is empty"),
    ],
    ids=["missing", "foreign", "named wrongly", "named twice", "named and guessed", "empty"],
)
def test_columns_that_cannot_be_found_are_an_error(source, text, columns, message):
    with pytest.raises(InputError, match=rf"points\.csv: {message}"):
        source(text, **columns)


@pytest.mark.parametrize(
    "content",
    [
        TEXT.replace(",", ";"),
        TEXT.replace(",", "\t"),
        TEXT.replace("\n", "\r\n"),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.replace("trip_id,time", '"trip_id","time"').replace("a,", '"a",'),
        TEXT.replace(",", ", "),
        TEXT.rstrip("\n"),
    ],
    ids=["semicolons", "tabs", "windows", "byte order mark", "quotes", "spaces", "no last line end"],
)
def test_every_dialect_of_csv_is_read(source, content):
    assert trips_of(source(content)) == {"a": [[1, 2, 100], [3, 4, 115]], "b": [[5, 6, 100]]}


def test_a_comma_in_quotes_stays_in_its_cell(source):
    assert list(trips_of(source('trip_id,time,lon,lat\n"a, b",100,1,2\n'))) == ["a, b"]


def test_lines_without_a_trip_or_of_another_width_are_skipped_and_said(source):
    found = source(TEXT + ",100,1,2\nc,100\nd,100,1,2,3\n")
    assert sorted(trips_of(found)) == ["a", "b"]
    assert found.notes[1:] == [
        "points.csv: skipped 3 lines that have no trip id or too few or many cells; the first is row 6: 'c,100'."
    ]
    list(found.chunks())
    assert len(found.notes) == 2  # said once, however often the file is read


@pytest.mark.parametrize(
    "cells", ["16,nan,2", "16,,2", "16,1,inf", ",1,2", "never,1,2", "NaN,1,2"], ids=lambda cells: cells
)
def test_a_value_that_is_none_is_left_for_the_cleaning_to_count(source, cells):
    text = f"trip_id,time,lon,lat\na,1,1,2\na,{cells}\na,31,1,2\n"
    (rows,) = trips_of(source(text), ordered=False).values()
    assert len(rows) == 3
    assert sum(not np.isfinite(row).all() for row in rows) == 1


@pytest.mark.parametrize("text", ["trip_id,time,lon,lat", "trip_id,time,lon,lat\n", "trip_id,time,lon,lat\n,1,2,3\n"])
def test_without_points_there_are_no_trips(source, text):
    assert list(source(text).chunks()) == []


@pytest.mark.parametrize("pieces", [1, 7])
def test_a_trip_stays_together_in_a_file_larger_than_memory(source, monkeypatch, pieces):
    rng = np.random.default_rng(0)
    rows = [f"trip-{trip},{1000 + 15 * point},{trip},{point}" for trip in range(50) for point in range(trip % 9 + 1)]
    rng.shuffle(rows)
    text = "\n".join(["trip_id,time,lon,lat", *rows, ""])
    monkeypatch.setattr(points_csv, "PIECE_BYTES", len(text) // pieces)
    monkeypatch.setattr(points_csv, "BLOCK_BYTES", 512)
    monkeypatch.setattr(points_csv, "POINTS_A_CHUNK", 20)
    found = source(text)
    chunks = list(found.chunks())
    assert sum(len(chunk.table) for chunk in chunks) == len(rows)
    assert max(len(chunk.table) for chunk in chunks) <= 20
    assert sum(chunk.size for chunk in chunks) == pytest.approx(found.size, abs=len(chunks))
    expected = {
        f"trip-{trip}": [[trip, point, 1000 + 15 * point] for point in range(trip % 9 + 1)] for trip in range(50)
    }
    assert trips_of(found) == expected
    assert [chunk.table for chunk in found.chunks()] == [chunk.table for chunk in chunks]  # so that a run can go on


def test_a_trip_larger_than_a_chunk_is_one_chunk(source, monkeypatch):
    monkeypatch.setattr(points_csv, "POINTS_A_CHUNK", 2)
    rows = [f"{trip},{k},1,2" for trip in "ab" for k in range(5)]
    assert [len(chunk.table) for chunk in source("\n".join(["id,t,x,y", *rows])).chunks()] == [5, 5]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pyarrow prints what it cannot decode
@given(st.binary(max_size=60))
def test_no_bytes_stop_the_reader_without_a_sentence(source, junk):
    with contextlib.suppress(InputError):  # a sentence; anything else fails
        trips_of(source(b"trip_id,time,lon,lat\n" + junk))
