"""Check that trips are read as they were written, in every format, and that nothing half-written is left."""

from __future__ import annotations

import json
import re

import geopandas as gpd
import gpxpy
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from htp.errors import InputError
from htp.trips import (
    compact,
    count_trips,
    iter_trips,
    of_any_trips,
    point_count,
    read_trips,
    replacing,
    write_pieces,
    write_trips,
)


@pytest.fixture
def trips():
    """Return two trips in Chile: three points every 15 s, two every 2.5 s, across the end of summer time."""
    columns = {
        "trip_id": ["a", "b"],
        "start_time": pd.DatetimeIndex(["2024-04-06 23:59:45", "2024-07-01 08:00:00.500"]).tz_localize(
            "America/Santiago", ambiguous=True
        ),
        "interval": np.array([15.0, 2.5], dtype=np.float32),
        "roads": [np.array([3, 5], dtype=np.int32), np.array([0], dtype=np.int32)],
        "percent": [np.array([0, 0.5, 1], dtype=np.float32), np.array([0.25, 0.75], dtype=np.float32)],
        "offset": [np.arange(6, dtype=np.float32), np.zeros(4, dtype=np.float32)],
        "length_token": np.array([5, 2], dtype=np.int8),
        "patterns": [np.array([1, 2, 3, 255], dtype=np.int16)] * 2,
    }
    lines = [
        shapely.LineString([(-71.25, -29.9), (-71.2501, -29.9), (-71.2502, -29.9)]),
        shapely.LineString([(-71.3, -29.95), (-71.3, -29.951)]),
    ]
    return gpd.GeoDataFrame(columns, geometry=lines, crs="EPSG:4326")


def assert_same(one, other):
    assert list(one.columns) == list(other.columns)
    for column in ("trip_id", "interval", "start_time"):
        assert one[column].tolist() == other[column].tolist()
    for column in ("roads", "percent", "offset", "patterns"):
        assert [np.asarray(v).tolist() for v in one[column]] == [np.asarray(v).tolist() for v in other[column]]
    assert [line.wkt for line in one.geometry] == [line.wkt for line in other.geometry]


def test_a_parquet_file_is_read_as_it_was_written(trips, tmp_path):
    write_trips(trips, tmp_path / "trips.parquet")
    again = read_trips(tmp_path / "trips.parquet")
    assert_same(again, trips)
    assert str(again["start_time"].dt.tz) == "America/Santiago"
    assert again.crs == "EPSG:4326"


def test_a_parquet_file_has_the_types_of_the_design(trips, tmp_path):
    write_trips(trips, tmp_path / "trips.parquet")
    schema = pq.read_schema(tmp_path / "trips.parquet")
    assert schema.field("trip_id").type == pa.string()
    assert schema.field("start_time").type == pa.timestamp("us", tz="America/Santiago")
    assert schema.field("interval").type == pa.float32()
    assert schema.field("roads").type == pa.list_(pa.int32())
    assert schema.field("percent").type == pa.list_(pa.float32())
    assert schema.field("length_token").type == pa.int8()
    assert schema.field("patterns").type == pa.list_(pa.int16())


def test_geopandas_reads_a_parquet_file_as_it_is(trips, tmp_path):
    write_trips(trips, tmp_path / "trips.parquet")
    read = gpd.read_parquet(tmp_path / "trips.parquet")
    assert read.crs.to_epsg() == 4326
    assert read.geometry.iloc[0].wkt == trips.geometry.iloc[0].wkt
    geo = json.loads(pq.read_schema(tmp_path / "trips.parquet").metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["bbox"] == [-71.3, -29.951, -71.25, -29.9]


def test_a_csv_file_has_a_row_a_point_with_its_local_time(trips, tmp_path):
    write_trips(trips, tmp_path / "trips.csv")
    assert (tmp_path / "trips.csv").read_text().splitlines() == [
        "trip_id,time,lon,lat",
        "a,2024-04-06T23:59:45.000-03:00,-71.25,-29.9",
        "a,2024-04-06T23:00:00.000-04:00,-71.2501,-29.9",  # clocks were set back
        "a,2024-04-06T23:00:15.000-04:00,-71.2502,-29.9",
        "b,2024-07-01T08:00:00.500-04:00,-71.3,-29.95",
        "b,2024-07-01T08:00:03.000-04:00,-71.3,-29.951",
    ]


def test_a_geojson_file_is_a_feature_a_trip(trips, tmp_path):
    write_trips(trips, tmp_path / "trips.geojson")
    document = json.loads((tmp_path / "trips.geojson").read_text())
    assert document["type"] == "FeatureCollection"
    first = document["features"][0]
    assert first["geometry"]["coordinates"] == [[-71.25, -29.9], [-71.2501, -29.9], [-71.2502, -29.9]]
    assert first["properties"]["trip_id"] == "a"
    assert first["properties"]["start_time"] == "2024-04-06T23:59:45.000-03:00"
    assert first["properties"]["roads"] == [3, 5]
    assert first["properties"]["patterns"] == [1, 2, 3, 255]
    read = gpd.read_file(tmp_path / "trips.geojson")
    assert len(read) == 2


def test_a_gpx_file_is_a_track_a_trip_with_times_in_utc(trips, tmp_path):
    write_trips(trips, tmp_path / "trips.gpx")
    document = gpxpy.parse((tmp_path / "trips.gpx").read_text())
    times = re.findall("<time>(.*)</time>", (tmp_path / "trips.gpx").read_text())
    assert [time for time in times if time.startswith("2024")] == [
        "2024-04-07T02:59:45.000Z",
        "2024-04-07T03:00:00.000Z",
        "2024-04-07T03:00:15.000Z",
        "2024-07-01T12:00:00.500Z",
        "2024-07-01T12:00:03.000Z",
    ]
    assert [track.name for track in document.tracks] == ["a", "b"]
    points = document.tracks[0].segments[0].points
    assert [(point.longitude, point.latitude) for point in points] == [
        (-71.25, -29.9),
        (-71.2501, -29.9),
        (-71.2502, -29.9),
    ]
    assert [point.time.isoformat() for point in points] == [
        "2024-04-07T02:59:45+00:00",
        "2024-04-07T03:00:00+00:00",
        "2024-04-07T03:00:15+00:00",
    ]


@pytest.mark.parametrize("ending", ["parquet", "csv", "geojson", "gpx"])
def test_pieces_are_written_as_the_whole_is(trips, tmp_path, ending):
    write_trips(trips, tmp_path / f"whole.{ending}")
    pieces = (trips.iloc[[row]].reset_index(drop=True) for row in range(2))
    assert write_pieces(pieces, tmp_path / f"pieces.{ending}") == 2
    whole, streamed = tmp_path / f"whole.{ending}", tmp_path / f"pieces.{ending}"
    if ending == "parquet":
        assert_same(read_trips(streamed), read_trips(whole))
        assert gpd.read_parquet(streamed).crs.to_epsg() == 4326
    else:
        assert streamed.read_text() == whole.read_text()


@pytest.mark.parametrize("ending", ["parquet", "csv", "geojson", "gpx"])
def test_parts_in_other_zones_and_orders_of_columns_become_one_table(trips, tmp_path, ending):
    parts = tmp_path / "parts"
    parts.mkdir()
    write_trips(trips, parts / "0.parquet")
    write_trips(
        trips.assign(start_time=trips["start_time"].dt.tz_convert("UTC"))[list(trips)[::-1]], parts / "1.parquet"
    )
    assert write_pieces(iter_trips(parts), tmp_path / f"trips.{ending}") == 2 * len(trips)
    assert read_trips(parts)["start_time"].tolist() == trips["start_time"].tolist() * 2
    if ending == "parquet":
        assert_same(read_trips(tmp_path / "trips.parquet").iloc[: len(trips)], read_trips(parts / "0.parquet"))


def test_pieces_with_other_columns_are_refused(trips, tmp_path):
    with pytest.raises(InputError, match="the column 'note' is in some parts of the table alone"):
        write_pieces(iter([trips, trips.assign(note="late")]), tmp_path / "trips.parquet")
    assert not list(tmp_path.iterdir())
    assert list(of_any_trips(trips.assign(note="late"))) == list(trips)


@pytest.mark.parametrize("ending", ["parquet", "csv", "geojson"])
def test_pieces_that_break_off_leave_the_old_file_and_nothing_else(trips, tmp_path, ending):
    out = tmp_path / f"trips.{ending}"
    out.write_text("old")

    def pieces():
        yield trips
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_pieces(pieces(), out)
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("ending", ["parquet", "csv", "geojson"])
def test_a_file_without_a_trip_is_not_written(trips, tmp_path, ending):
    for pieces in ([], [trips.iloc[:0]]):
        with pytest.raises(InputError, match="there are no trips to write"):
            write_pieces(iter(pieces), tmp_path / f"trips.{ending}")
    assert not list(tmp_path.iterdir())


def test_another_ending_is_refused_before_anything_is_written(trips, tmp_path):
    for write in (write_trips, lambda trips, path: write_pieces(iter([trips]), path)):
        with pytest.raises(InputError, match=r"trips can be written as \.parquet, \.geojson, \.gpx, \.csv"):
            write(trips, tmp_path / "trips.xlsx")
    assert not list(tmp_path.iterdir())


def test_a_wrong_ending_is_noticed_before_the_pieces_are_made(trips, tmp_path):
    made = []

    def pieces():
        made.append(1)
        yield trips

    with pytest.raises(InputError, match="trips can be written as"):
        write_pieces(pieces(), tmp_path / "trips.xlsx")
    assert not made


def test_a_folder_of_parts_is_one_table_in_the_order_of_their_names(trips, tmp_path):
    write_trips(trips.iloc[[1]], tmp_path / "2.parquet")
    write_trips(trips.iloc[[0]], tmp_path / "1.parquet")
    assert read_trips(tmp_path)["trip_id"].tolist() == ["a", "b"]
    assert count_trips(tmp_path) == 2


def test_a_table_is_read_in_pieces_of_at_most_so_many_rows(trips, tmp_path):
    many = gpd.GeoDataFrame(pd.concat([trips] * 5, ignore_index=True), crs=trips.crs)
    write_trips(many, tmp_path / "trips.parquet")
    pieces = list(iter_trips(tmp_path / "trips.parquet", rows=4))
    assert [len(piece) for piece in pieces] == [4, 4, 2]
    assert_same(gpd.GeoDataFrame(pd.concat(pieces, ignore_index=True), crs="EPSG:4326"), many)


def test_columns_can_be_chosen(trips, tmp_path):
    write_trips(trips, tmp_path / "trips.parquet")
    chosen = ["trip_id", "start_time", "interval", "geometry"]
    assert sorted(read_trips(tmp_path / "trips.parquet", chosen).columns) == sorted(chosen)


def bad_files(folder, trips):
    write_trips(trips.drop(columns="interval"), folder / "no-interval.parquet")
    write_trips(trips, folder / "whole.parquet")
    (folder / "cut.parquet").write_bytes((folder / "whole.parquet").read_bytes()[:500])
    (folder / "text.parquet").write_text("trip_id,time\n")
    plain = pd.DataFrame(trips.drop(columns="geometry")).assign(geometry=["x", "y"])
    plain.to_parquet(folder / "words.parquet")
    naive = trips.assign(start_time=trips["start_time"].dt.tz_localize(None))
    pq.write_table(
        pa.Table.from_pandas(pd.DataFrame(naive).assign(geometry=shapely.to_wkb(trips.geometry))),
        folder / "naive.parquet",
    )
    (folder / "empty").mkdir()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.parquet", "no such file"),
        ("empty", r"the folder holds no \.parquet files"),
        ("no-interval.parquet", "the column 'interval' is missing"),
        ("cut.parquet", "not a readable Parquet file"),
        ("text.parquet", "not a readable Parquet file"),
        ("words.parquet", "the column 'geometry' holds no WKB lines"),
        ("naive.parquet", "'start_time' has no time zone"),
    ],
)
def test_a_file_that_holds_no_trips_is_a_sentence_that_names_it(trips, tmp_path, name, sentence):
    bad_files(tmp_path, trips)
    for read in (read_trips, lambda path: list(iter_trips(path))):
        with pytest.raises(InputError, match=sentence) as caught:
            read(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_replacing_puts_the_new_file_in_place_at_the_end(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def break_off(path):
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError


def test_replacing_leaves_nothing_behind_on_an_error(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        break_off(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_compact_trips_lose_less_than_a_centimetre(trips):
    rng = np.random.default_rng(0)
    trips["percent"] = [rng.random(3).astype(np.float32), rng.random(2).astype(np.float32)]
    trips["offset"] = [rng.normal(0, 5, 6).astype(np.float32), rng.normal(0, 5, 4).astype(np.float32)]
    smaller = compact(trips)
    for before, after in zip(trips["percent"], smaller["percent"], strict=True):
        np.testing.assert_allclose(after, before, atol=1e-6)
    for before, after in zip(trips["offset"], smaller["offset"], strict=True):
        np.testing.assert_allclose(after, before, atol=0.01)


@pytest.mark.parametrize(
    ("duration_s", "interval_s", "points"),
    [(0, 15, 1), (15, 15, 2), (420, 15, 29), (420, 30, 15), (424, 15, 29), (9, 1, 10)],
)
def test_a_travel_time_asks_for_a_point_more_than_it_has_intervals(duration_s, interval_s, points):
    assert point_count(duration_s, interval_s) == points
