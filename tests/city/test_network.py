"""Check the city's arrays, folder and clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from htp.city import City
from htp.errors import InputError


def test_a_city_is_the_same_after_saving_and_loading(grid, tmp_path):
    grid.save(tmp_path / "city")
    loaded = City.load(tmp_path / "city")
    assert (loaded.name, loaded.timezone, loaded.crs) == (grid.name, grid.timezone, grid.crs)
    assert loaded.zones is None
    np.testing.assert_array_equal(loaded.xy_m, grid.xy_m)
    assert list(loaded.roads["name"]) == list(grid.roads["name"])


def test_the_folder_says_licence_bounds_and_geoparquet_1_1(triangle, tmp_path):
    triangle.save(tmp_path)
    facts = json.loads((tmp_path / "city.json").read_text())
    assert facts["licence"] == "CC0-1.0"
    assert facts["roads"] == 3
    assert facts["bounds"] == [round(bound, 6) for bound in triangle.roads.total_bounds]
    geo = json.loads(pq.read_schema(tmp_path / "roads.parquet").metadata[b"geo"])
    assert (geo["version"], geo["columns"]["geometry"]["geometry_types"]) == ("1.1.0", ["LineString"])


def test_zones_are_kept_and_those_of_an_earlier_city_removed(triangle, grid, tmp_path):
    square = shapely.box(-71.3, -30, -71.2, -29.9)
    zones = gpd.GeoDataFrame({"zone_id": [1], "population": [5.0]}, geometry=[square], crs="EPSG:4326")
    City(**{**vars_of(triangle), "zones": zones}).save(tmp_path)
    assert City.load(tmp_path).zones["population"].tolist() == [5.0]
    grid.save(tmp_path)
    assert City.load(tmp_path).zones is None


def vars_of(city: City) -> dict:
    return {field: getattr(city, field) for field in City.__dataclass_fields__}


def test_a_folder_that_is_no_city_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"city\.json is missing"):
        City.load(tmp_path)


@pytest.mark.parametrize(
    ("file", "content"),
    [("roads.parquet", b"no parquet"), ("city.json", b"{"), ("city.json", b"{}"), ("city.json", b"[]")],
)
def test_a_damaged_folder_is_refused(triangle, tmp_path, file, content):
    triangle.save(tmp_path)
    (tmp_path / file).write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        City.load(tmp_path)


def test_roads_without_a_column_or_out_of_order_are_refused(triangle, tmp_path):
    triangle.save(tmp_path)
    triangle.roads.drop(columns="lanes").to_parquet(tmp_path / "roads.parquet")
    with pytest.raises(InputError, match="'lanes' is missing"):
        City.load(tmp_path)
    triangle.roads.iloc[::-1].to_parquet(tmp_path / "roads.parquet")
    with pytest.raises(InputError, match="does not count from 0"):
        City.load(tmp_path)


def test_a_route_with_a_gap_is_not_connected(triangle):
    assert triangle.is_connected([0, 1, 2, 0])
    assert triangle.is_connected([2])
    assert not triangle.is_connected([0, 2])


def test_lines_in_metres_have_the_lengths_of_the_roads(triangle):
    np.testing.assert_allclose(shapely.length(triangle.lines_m), [300, 400, 500], atol=1e-3)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-05-06 08:15", "2024-05-06T08:15:00-04:00"),
        ("2024-01-06T08:15:30", "2024-01-06T08:15:30-03:00"),
        ("2024-05-06T08:15:00Z", "2024-05-06T04:15:00-04:00"),
        (datetime(2024, 5, 6, 12, 15, tzinfo=UTC), "2024-05-06T08:15:00-04:00"),
        (pd.Timestamp("2024-05-06 08:15"), "2024-05-06T08:15:00-04:00"),
        ("2024-04-06 23:30", "2024-04-06T23:30:00-03:00"),  # twice that night; the first is summer time
    ],
)
def test_times_are_local(triangle, value, expected):
    assert triangle.local_time(value).isoformat() == expected


@pytest.mark.parametrize("value", ["", "soon", "2024-13-01", "9999-12-31 23:59", pd.NaT, None, float("nan")])
def test_what_is_no_time_is_refused(triangle, value):
    with pytest.raises(InputError, match="is no time"):
        triangle.local_time(value)


def test_a_time_that_clocks_skip_is_refused(triangle):
    with pytest.raises(InputError, match="2024-09-08 00:30 does not exist in America/Santiago"):
        triangle.local_time("2024-09-08 00:30")
