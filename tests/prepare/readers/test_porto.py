"""Read Porto's layout row by row, and lose no row without a reason however broken the file is."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htp.errors import InputError
from htp.prepare.readers import porto
from htp.prepare.readers.csv_rows import BadLines, read_rows
from htp.prepare.readers.layout import read_layout
from htp.prepare.readers.porto import COLUMNS, PortoSource, _parse_row

HEADER = '"TRIP_ID","CALL_TYPE","ORIGIN_CALL","ORIGIN_STAND","TAXI_ID","TIMESTAMP","DAY_TYPE","MISSING_DATA","POLYLINE"'
LINE = "[[-8.61,41.15],[-8.62,41.16]]"


def row(trip_id, polyline=LINE, timestamp="1372636858", missing="False"):
    """Return one line of the file."""
    return f'"{trip_id}","C","","","20000589","{timestamp}","A","{missing}","{polyline}"'


def write(folder, *lines, ending="\n", name="train.csv", encoding="utf-8"):
    """Write a file of these lines below the header; return its path."""
    path = folder / name
    path.write_bytes(ending.join([HEADER, *lines, ""]).encode(encoding))
    return path


def read(path):
    """Return ids, points and reasons of all chunks of a file."""
    ids, points, dropped = [], [], {}
    for chunk in PortoSource(path).chunks():
        trips = chunk.parse()
        ids += trips.trip_id
        points += trips.count.tolist()
        for reason, count in trips.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
    return ids, points, dropped


def test_a_row_is_a_trip_with_a_point_every_15_seconds(tmp_path):
    (chunk,) = PortoSource(write(tmp_path, row("T1"), row("T2", "[[-8.6,41.1]]", "1372637000"))).chunks()
    trips = chunk.parse()
    assert trips.trip_id == ["T1", "T2"]
    assert trips.count.tolist() == [2, 1]
    np.testing.assert_allclose(trips.lonlat, [(-8.61, 41.15), (-8.62, 41.16), (-8.6, 41.1)])
    np.testing.assert_allclose(trips.time_s, [1372636858, 1372636873, 1372637000])
    assert not trips.dropped


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row("x", missing="True"), "missing_data"),
        (row("x", missing=" TRUE"), "missing_data"),
        (row("x", missing="True", polyline="[[broken"), "missing_data"),
        (row("x", "[]"), "no_points"),
        (row("x", ""), "broken_row"),
        (row("x", "[[-8.61,41.15],[-8.62"), "broken_row"),
        (row("x", "[[-8.61],[-8.62]]"), "broken_row"),
        (row("x", "[-8.61,41.15]"), "broken_row"),
        (row("x", "[[-8.61,41.15,3.0]]"), "broken_row"),
        (row("x", "[[-8.61,NaN]]"), "broken_row"),
        (row("x", "[[-8.61,Infinity]]"), "broken_row"),
        (row("x", "[[-8.61,null]]"), "broken_row"),
        (row("x", "{}"), "broken_row"),
        (row("x", "null"), "broken_row"),
        (row("x", f"[[1{'0' * 400},41.1]]"), "broken_row"),
        (row("x", "[" * 20_000), "broken_row"),
        (row("x", timestamp=""), "broken_row"),
        (row("x", timestamp="nan"), "broken_row"),
        (row("x", timestamp="yesterday"), "broken_row"),
        ('"x","C",""', "broken_row"),
        (row("x") + ',"more"', "broken_row"),
    ],
)
def test_a_row_that_is_no_trip_counts_by_its_reason(tmp_path, line, reason):
    assert read(write(tmp_path, row("T1"), line, row("T2"))) == (["T1", "T2"], [2, 2], {reason: 1})


def test_an_open_quote_that_swallows_rows_loses_none_of_them(tmp_path):
    lines = [row("T1"), '"T2","C","","","2000","1372636858","A","False","[[', row("T3"), row("T4")]
    ids, _, dropped = read(write(tmp_path, *lines))
    assert ids == ["T1", "T4"]
    assert dropped == {"broken_row": 2}


@pytest.mark.parametrize("bad", ["[-8.62]", "[-8.62,null]", "[]", "null", '["w","n"]'])
def test_a_point_that_is_none_keeps_the_others_at_their_times(tmp_path, bad):
    line = f"[[-8.61,41.15],{bad},[-8.63,41.17]]".replace('"', '""')
    (chunk,) = PortoSource(write(tmp_path, row("T1", line))).chunks()
    trips = chunk.parse()
    assert not trips.dropped
    assert np.isfinite(trips.lonlat).all(axis=1).tolist() == [True, False, True]
    np.testing.assert_allclose(trips.time_s[[0, 2]], [1372636858, 1372636888])


def test_a_row_that_is_dropped_is_quoted(tmp_path):
    (chunk,) = PortoSource(write(tmp_path, row("T7", "[[-8.61,41.15],[-8.62"))).chunks()
    assert "trip T7" in chunk.parse().examples["broken_row"]
    assert "[[-8.61" in chunk.parse().examples["broken_row"]


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16"], ids=["plain", "with a byte order mark", "UTF-16"]
)
def test_line_ends_and_byte_order_marks_are_those_of_any_system(tmp_path, ending, encoding):
    path = write(tmp_path, row("T1"), "", row("T2"), ending=ending, encoding=encoding)
    assert read(path) == (["T1", "T2"], [2, 2], {})


def test_semicolons_between_the_cells_and_other_orders_of_columns_are_read(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text(f'POLYLINE;MISSING_DATA;TIMESTAMP;TRIP_ID\n"{LINE}";False;1372636858;T1\n')
    assert read(path) == (["T1"], [2], {})


@pytest.mark.parametrize("name", COLUMNS[:3])
def test_a_missing_column_is_named(tmp_path, name):
    path = tmp_path / "train.csv"
    path.write_text(f"{HEADER.replace(name, 'OTHER')}\n{row('T1')}\n")
    with pytest.raises(InputError, match=rf"train\.csv: the column '{name}' is missing; Porto's layout has it"):
        PortoSource(path)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pyarrow prints what it cannot decode
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"\x00\x01\x02\xff\xfe", "not a text file"),
        (b"PAR1\x00\x01\x02\xff\xfe", "not a text file"),
    ],
    ids=["empty", "blank lines", "binary", "Parquet"],
)
def test_what_is_no_csv_is_said_in_a_sentence(tmp_path, content, message):
    (tmp_path / "train.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "train.csv")


@pytest.mark.parametrize("end", ["", "\n"], ids=["without its line end", "with it"])
def test_a_header_alone_holds_no_trips(tmp_path, end):
    (tmp_path / "train.csv").write_text(HEADER + end)
    assert read(tmp_path / "train.csv") == ([], [], {})


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ('"a","b;c;d;e"', (",", ["a", "b;c;d;e"])),
        ("a; b ;c,d", (";", ["a", "b", "c,d"])),
        ("a\tb", ("\t", ["a", "b"])),
        ('"a", "b"', (",", ["a", "b"])),
        ("a", (",", ["a"])),
    ],
)
def test_column_names_may_be_quoted_and_hold_the_other_delimiters(tmp_path, header, names):
    (tmp_path / "x.csv").write_text(header + "\n")
    layout = read_layout(tmp_path / "x.csv")
    assert (layout.delimiter, list(layout.names)) == names


def rows_of(path, block_bytes=4096):
    """Yield the blocks of a file in Porto's layout."""
    layout = read_layout(path)
    places = {name: layout.names.index(name) for name in COLUMNS}
    yield from read_rows(layout, places, block_bytes, BadLines(layout.width))


@pytest.fixture
def many_blocks(tmp_path, monkeypatch):
    """Return a file of 40 blocks with a bad line in every ten."""
    monkeypatch.setattr(porto, "BLOCK_BYTES", 4096)
    lines = [row(f"T{k}", json.dumps([[-8.6, 41.1]] * 8)) if k % 10 else '"bad"' for k in range(800)]
    return write(tmp_path, *lines)


def test_a_large_file_is_read_in_blocks_and_every_line_is_accounted_for(many_blocks):
    assert len(list(PortoSource(many_blocks).chunks())) > 20
    ids, _, dropped = read(many_blocks)
    assert ids == [f"T{k}" for k in range(800) if k % 10]
    assert dropped == {"broken_row": 80}


def test_blocks_are_the_same_each_time_whatever_the_pace(many_blocks):
    """A run that goes on takes the counts of the blocks that are there and makes the others."""
    at_once = [(len(chunk.table), chunk.broken_rows) for chunk in PortoSource(many_blocks).chunks()]
    assert not any(broken for _, broken in at_once[:-1])  # counted last: which block they lie in depends on the pace
    for _ in range(3):
        piece_by_piece = []
        for chunk in PortoSource(many_blocks).chunks():
            list(rows_of(many_blocks))  # takes time
            piece_by_piece.append((len(chunk.table), chunk.broken_rows))
        assert piece_by_piece == at_once


def test_memory_does_not_grow_with_the_file(tmp_path):
    line = row("T", json.dumps([[-8.6, 41.1]] * 100))
    path = write(tmp_path, *[line] * 5000)  # 8 MB
    before = pa.total_allocated_bytes()
    most = max(pa.total_allocated_bytes() - before for _ in rows_of(path, 1 << 14))  # reads some 32 ahead
    assert most < path.stat().st_size / 4


@given(
    st.text(max_size=20), st.sampled_from(["False", "True", ""]), st.one_of(st.text(max_size=40), st.just("[[1,2]]"))
)
def test_no_row_stops_the_reader(timestamp, missing, polyline):
    reason, trip = _parse_row(timestamp, missing, polyline)
    assert (trip is None) == (reason in {"missing_data", "no_points", "broken_row"})
    assert trip is None or np.isfinite(trip).all(axis=1).any()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pyarrow prints what it cannot decode
@given(st.binary(max_size=80))
def test_no_bytes_below_the_header_stop_the_reader_without_a_sentence(tmp_path, junk):
    path = tmp_path / "junk.csv"
    path.write_bytes(HEADER.encode() + b"\n" + junk + b"\n" + row("T").encode() + b"\n")
    with contextlib.suppress(InputError):  # a sentence; anything else fails
        assert len(read(path)[0]) <= 1  # an open quote may join the row to the junk
