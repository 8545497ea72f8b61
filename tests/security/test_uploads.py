"""Read files that somebody sends: small ones that hold very much, ones that read others, numbers that are none."""

from __future__ import annotations

import contextlib
import gzip
import json
import time
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from htp import unpacked
from htp.city.network import City
from htp.errors import InputError
from htp.prepare.clean import clean
from htp.prepare.readers import gpx
from htp.prepare.readers.gpx import GpxSource
from htp.prepare.readers.porto import PortoChunk
from htp.prepare.sources import check_first_trips, open_sources
from htp.trips import count_trips, iter_trips, read_trips, write_trips

READERS = {"read": read_trips, "pieces": lambda path: list(iter_trips(path)), "count": count_trips}
ENTITIES = '<!DOCTYPE gpx [<!ENTITY a "ha">{}]>'
POINT = '<trkpt lat="2" lon="1"><time>2024-05-06T12:00:{:02d}Z</time></trkpt>'


def opened(path):
    """Return the one source that a path is."""
    (source,) = open_sources([path], {}, "America/Santiago")
    return source


def raw_of(path):
    return next(iter(opened(path).chunks())).parse()


def bomb(path, *, rows=1, values=1):
    """Write a small file of so many rows with so many equal numbers each."""
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * values)
    numbers = pa.ListArray.from_arrays(offsets, pa.array(np.zeros(rows * values, dtype=np.float32)))
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int32)), pa.array(["x"]))
    columns = dict.fromkeys(("trip_id", "start_time", "interval", "geometry"), names) | {"percent": numbers}
    pq.write_table(pa.table(columns), path, compression="zstd")


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize(("rows", "values"), [(1, 9_000_000), (3_000_000, 1)], ids=["a long trip", "many trips"])
def test_a_parquet_bomb_is_refused_unread(tmp_path, reader, rows, values):
    bomb(tmp_path / "trips.parquet", rows=rows, values=values)
    assert (tmp_path / "trips.parquet").stat().st_size < 100_000
    with pytest.raises(InputError, match="no trips are packed like that, do not open it"):
        reader(tmp_path / "trips.parquet")


def test_a_bomb_of_a_city_is_refused_unread(grid, tmp_path):
    grid.save(tmp_path)
    bomb(tmp_path / "zones.parquet", values=9_000_000)
    with pytest.raises(InputError, match=r"a \.parquet file is damaged"):
        City.load(tmp_path)


def test_a_real_table_of_trips_is_far_from_a_bomb(tiny_data):
    assert len(read_trips(tiny_data / "train.parquet")) == 96


@pytest.mark.parametrize("name", ["trips.csv.gz", "trips.csv"])
def test_a_packed_bomb_is_refused_before_it_bursts(tmp_path, monkeypatch, name):
    monkeypatch.setattr(unpacked, "SMALL_BYTES", 1 << 20)
    with gzip.open(tmp_path / name, "wb") as file:
        file.write(b"trip_id,time,lon,lat\n" + b"a,0,1.00,2.00\n" * 2_000_000)
    with pytest.raises(InputError, match="no trips are packed like that, do not open it"):
        raw_of(tmp_path / name)


def test_archives_of_several_files_are_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "trips.zip", "w") as file:
        file.writestr("../trips.csv", b"0")
    with pytest.raises(InputError, match="unpack or convert the file first"):
        opened(tmp_path / "trips.zip")
    (tmp_path / "trips.zip").rename(tmp_path / "trips.csv")
    with pytest.raises(InputError, match="not a text file"):
        opened(tmp_path / "trips.csv")


@pytest.mark.parametrize(
    "declared",
    [
        "".join(
            f'<!ENTITY {name} "{10 * f"&{before};"}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        '<!ENTITY i SYSTEM "file:///etc/hostname">',
        '<!ENTITY % load SYSTEM "http://127.0.0.1:9/x"> %load; <!ENTITY i "x">',
    ],
    ids=["a billion laughs", "another file", "another machine"],
)
def test_gpx_entities_neither_grow_nor_read_other_files(tmp_path, declared):
    track = f"<trk><name>&i;</name><trkseg>{POINT.format(0)}{POINT.format(15)}</trkseg></trk>"
    (tmp_path / "trips.gpx").write_text(f'<?xml version="1.0"?>{ENTITIES.format(declared)}<gpx>{track}</gpx>')
    raw = raw_of(tmp_path / "trips.gpx")
    assert len(raw) == 0
    assert raw.dropped == {"broken_file": 1}


def test_a_gpx_file_of_very_many_tracks_takes_no_minutes(tmp_path):
    (tmp_path / "many.gpx").write_text("<gpx>" + "<trk>" * 50_000 + "</trk>" * 50_000 + "</gpx>")
    started = time.process_time()
    [source] = open_sources([tmp_path / "many.gpx"], {}, "UTC")
    assert all(not len(chunk.parse()) for chunk in source.chunks())
    assert time.process_time() - started < 30  # 0.3 s; with time that grows with their square, 150 s


def test_a_gpx_file_that_is_too_large_to_be_held_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(gpx, "MAX_FILE_BYTES", 1 << 20)
    with (tmp_path / "trips.gpx").open("wb") as file:
        file.truncate(2 << 20)
    with pytest.raises(InputError, match="has 2 MiB; a GPX file of at most 1 MiB is read, split it"):
        list(GpxSource(tmp_path / "trips.gpx").chunks())


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf", "1e400", "95.0", "1e308", ""])
def test_coordinates_that_are_none_are_dropped_and_counted(tmp_path, grid, place, bad):
    lon, lat = place(10, 10)
    rows = [f"good,{15 * i},{lon},{lat}" for i in range(30)] + [f"bad,{15 * i},{lon},{bad}" for i in range(30)]
    (tmp_path / "points.csv").write_text("trip_id,time,lon,lat\n" + "\n".join(rows))
    raw = raw_of(tmp_path / "points.csv")
    kept = clean(raw, grid, interval_s=15.0, min_points=20, max_points=200)
    assert kept.trip_id == ["good"]
    assert sum((kept.dropped + raw.dropped).values()) >= 1
    assert np.isfinite(kept.lonlat).all()


def test_swapped_coordinates_are_a_sentence(tmp_path, grid, place):
    lon, lat = place(10, 10)
    (tmp_path / "points.csv").write_text(
        "trip_id,time,lon,lat\n" + "\n".join(f"a,{1_700_000_000 + 15 * i},{lat},{lon}" for i in range(9))
    )
    with pytest.raises(InputError, match="longitude and latitude are swapped"):
        check_first_trips([opened(tmp_path / "points.csv")], grid)


@pytest.mark.parametrize("polyline", ["[" * 100_000, "[[1e999, 1]]", "[[1, 2]" + ", [1, 2]" * 9, "9" * 10_000], ids=len)
def test_a_polyline_that_is_none_is_a_broken_row(polyline):
    row = {"TRIP_ID": ["1"], "TIMESTAMP": ["0"], "MISSING_DATA": ["False"], "POLYLINE": [polyline]}
    raw = PortoChunk(pa.table(row), 0, 1).parse()
    assert len(raw) == 0
    assert raw.dropped == {"broken_row": 1}


def test_a_time_that_is_wrong_by_centuries_makes_no_millions_of_points(tmp_path, grid, place):
    lon, lat = place(10, 10)
    (tmp_path / "points.csv").write_text(f"trip_id,time,lon,lat\na,0,{lon},{lat}\na,9000000000,{lon},{lat}\n")
    kept = clean(raw_of(tmp_path / "points.csv"), grid, interval_s=15.0, min_points=20, max_points=200)
    assert len(kept) == 0


def test_a_damaged_table_of_trips_is_a_sentence(tiny_data, tmp_path):
    whole = (tiny_data / "heldout.parquet").read_bytes()
    for at in range(4, len(whole), max(len(whole) // 60, 1)):
        (tmp_path / "trips.parquet").write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with contextlib.suppress(InputError):  # a sentence; anything else fails
            read_trips(tmp_path / "trips.parquet")


def test_names_of_columns_in_a_table_do_not_run(tmp_path, tiny_data):
    table = pq.read_table(tiny_data / "heldout.parquet").replace_schema_metadata({"pandas": b"{", "geo": b"{"})
    pq.write_table(table, tmp_path / "trips.parquet")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        read_trips(tmp_path / "trips.parquet")


def test_a_table_that_was_written_is_read_again_whatever_its_ids(tiny_data, tmp_path):
    trips = read_trips(tiny_data / "heldout.parquet").iloc[:3]
    ids = ["../../etc/passwd", "<script>", json.dumps({"a": 1})]
    write_trips(trips.assign(trip_id=ids), tmp_path / "trips.parquet")
    assert read_trips(tmp_path / "trips.parquet")["trip_id"].tolist() == ids
