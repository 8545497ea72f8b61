"""Read tables of raw trips, and count the rows that are none."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from htp.errors import InputError
from htp.prepare.readers import parquet
from htp.prepare.readers.parquet import ParquetChunk, ParquetSource
from htp.trips import write_trips

NOON_S = 1_714_996_800.0  # 2024-05-06 12:00 UTC
LINE = shapely.LineString([(1, 2), (3, 4), (5, 6)])
SPRING = pd.DatetimeIndex(["2024-04-06 23:59:45-03:00"]).tz_convert("America/Santiago")[0]


def table(**columns):
    """Return three trips, of which some columns are others."""
    plain = {
        "trip_id": ["a", "b", "c"],
        "start_time": pd.DatetimeIndex(["2024-05-06 08:00", "2024-05-06 09:00", "2024-05-06 10:00"]).tz_localize(
            "America/Santiago"
        ),
        "interval": np.array([15.0, 2.5, 60.0], dtype=np.float32),
        "geometry": [LINE] * 3,
    } | columns
    return gpd.GeoDataFrame(plain, geometry="geometry", crs="EPSG:4326")


def parse(**columns):
    """Return the raw trips of the table."""
    return ParquetChunk(table(**columns), 3).parse()


def test_a_row_is_a_trip_at_its_interval():
    trips = parse()
    assert trips.trip_id == ["a", "b", "c"]
    assert trips.count.tolist() == [3, 3, 3]
    np.testing.assert_array_equal(trips.lonlat, shapely.get_coordinates([LINE] * 3))
    np.testing.assert_allclose(trips.time_s[:6] - NOON_S, [0, 15, 30, 3600, 3602.5, 3605])
    assert not trips.dropped


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("trip_id", None),
        ("start_time", pd.NaT),
        ("interval", 0.0),
        ("interval", -15.0),
        ("interval", np.nan),
        ("interval", np.inf),
        ("geometry", None),
        ("geometry", shapely.LineString()),
        ("geometry", shapely.Point(1, 2)),
        ("geometry", shapely.MultiLineString([LINE])),
    ],
    ids=str,
)
def test_a_row_that_is_no_trip_is_counted(column, value):
    values = list(table()[column])
    values[1] = value
    trips = parse(**{column: values})
    assert trips.trip_id == ["a", "c"]
    assert trips.dropped == {"broken_row": 1}
    assert trips.count.tolist() == [3, 3]
    assert trips.time_s[0] == NOON_S
    assert trips.time_s[3] == NOON_S + 7200


def test_an_interval_that_is_text_is_read_or_counted():
    trips = parse(interval=["15", "soon", "60"])
    assert trips.trip_id == ["a", "c"]
    np.testing.assert_allclose(np.diff(trips.time_s)[[0, 3]], [15, 60])


def test_a_table_of_broken_rows_alone_has_no_trips():
    trips = parse(geometry=[None, None, shapely.Point(0, 0)])
    assert len(trips) == 0
    assert trips.lonlat.shape == (0, 2)
    assert trips.dropped == {"broken_row": 3}


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_coordinates_that_are_no_numbers_are_left_for_the_cleaning_to_count():
    trips = parse(
        geometry=[shapely.linestrings([(np.nan, 2), (3, 4)]), shapely.linestrings([(1, 2), (np.inf, 4)]), LINE]
    )
    assert trips.count.tolist() == [2, 2, 3]
    assert np.isfinite(trips.lonlat).all(axis=1).tolist() == [False, True, True, False, True, True, True]


def test_numbers_as_ids_and_a_third_dimension_are_taken():
    trips = parse(trip_id=[1, 2, 3], geometry=[shapely.force_3d(LINE, 9.0)] * 3)
    assert trips.trip_id == ["1", "2", "3"]
    np.testing.assert_array_equal(trips.lonlat[:3], [(1, 2), (3, 4), (5, 6)])


def test_a_trip_goes_on_steadily_while_clocks_are_set_back():
    trips = parse(start_time=[SPRING] * 3)
    np.testing.assert_allclose(np.diff(trips.time_s[:3]), 15)
    assert trips.time_s[0] == pd.Timestamp("2024-04-07 02:59:45", tz="UTC").timestamp()


def test_a_folder_of_parts_is_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "TRIPS_A_CHUNK", 2)
    for part in range(2):
        write_trips(table(trip_id=[f"{part}{letter}" for letter in "abc"]), tmp_path / f"part-{part}.parquet")
    source = ParquetSource(tmp_path)
    chunks = list(source.chunks())
    assert [chunk.size for chunk in chunks] == [2, 1, 2, 1]
    assert source.size == 6
    assert [trip for chunk in chunks for trip in chunk.parse().trip_id] == ["0a", "0b", "0c", "1a", "1b", "1c"]


@pytest.mark.parametrize("name", ["trip_id", "start_time", "interval", "geometry"])
def test_a_missing_column_is_named(tmp_path, name):
    pd.DataFrame(table()).assign(geometry=shapely.to_wkb(LINE)).drop(columns=name).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match=rf"x\.parquet: the column '{name}' is missing"):
        list(ParquetSource(tmp_path / "x.parquet").chunks())


@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing", b"trip_id,time,lon,lat\n"])
def test_a_file_that_is_no_parquet_is_said(tmp_path, content):
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.parquet: not a readable Parquet file"):
        list(ParquetSource(tmp_path / "x.parquet").chunks())


def test_start_times_without_a_zone_are_refused(tmp_path):
    plain = pd.DataFrame(table()).assign(geometry=shapely.to_wkb(LINE))
    plain.assign(start_time=plain["start_time"].dt.tz_localize(None)).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match="'start_time' has no time zone"):
        list(ParquetSource(tmp_path / "x.parquet").chunks())
