"""Tables for the map, unpacked as the browser does it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from packed import unpack

from htp_app.map.basemap import DEGREE, basemap
from htp_app.map.table import PackedTable
from htp_app.map.trips import trip_points


def test_a_table_comes_back_as_it_was_packed():
    columns = {"a": np.array([1, -2], np.int32), "b": np.array([3], np.uint16), "c": np.array([4, 5, 6], np.uint8)}
    header, unpacked = unpack(PackedTable.pack(columns, word="ñ"))
    assert header["word"] == "ñ"
    assert {name: values.tolist() for name, values in unpacked.items()} == {"a": [1, -2], "b": [3], "c": [4, 5, 6]}


def test_the_key_of_a_table_follows_its_content():
    one, same, other = (PackedTable.pack({"a": np.array([n], np.int32)}) for n in (1, 1, 2))
    assert one == same
    assert one.key != other.key


def test_eighty_roads_of_the_grid_are_ten_named_streets(grid):
    header, columns = unpack(basemap(grid))
    assert header["names"] == [*(f"Avenida {i}" for i in range(5)), *(f"Calle {i}" for i in range(5))]
    assert len(columns["kind"]) == 10
    assert {header["names"][n] for n, kind in zip(columns["name"], columns["kind"], strict=True) if kind == 2} == {
        "Avenida 2"
    }


def test_the_streets_of_the_basemap_cover_every_road_once(grid):
    _, columns = unpack(basemap(grid))
    lonlat = np.cumsum(np.column_stack([columns["lon"], columns["lat"]]), axis=0) * DEGREE
    first = columns["first"]
    streets = [shapely.LineString(grid.to_metres(lonlat[a:b])) for a, b in pairwise(first)]
    assert sum(street.length for street in streets) == pytest.approx(40 * 100, rel=1e-3)
    union = shapely.unary_union(streets).buffer(1)
    assert all(union.covers(shapely.LineString(line)) for line in grid.lines_m)


def test_the_basemap_carries_areas_with_their_holes_and_the_names_of_places(grid):
    lake = shapely.box(-71.26, -29.92, -71.25, -29.91) - shapely.box(-71.257, -29.917, -71.254, -29.914)
    rows = [("sea", "", 0, shapely.box(-71.4, -30.0, -71.3, -29.8)), ("water", "Lake", 0, lake)]
    place = ("place", "La Serena", 1, shapely.Point(-71.25, -29.9))
    columns = dict(zip(("kind", "name", "rank", "geometry"), zip(*rows, place, strict=True), strict=True))
    header, columns = unpack(basemap(replace(grid, landscape=gpd.GeoDataFrame(columns, crs="EPSG:4326"))))
    assert header["places"] == [["La Serena", 1, -71.25, -29.9]]
    assert columns["area_kind"].tolist() == [0, 1]
    assert columns["area_of"].tolist() == [0, 1, 1]
    lonlat = np.cumsum(np.column_stack([columns["area_lon"], columns["area_lat"]]), axis=0) * DEGREE
    rings = [lonlat[a:b] for a, b in pairwise(columns["area_first"])]
    assert shapely.equals_exact(shapely.normalize(shapely.Polygon(rings[1], [rings[2]])), shapely.normalize(lake), 1e-6)


def test_a_city_without_a_landscape_has_streets_alone(grid):
    header, columns = unpack(basemap(grid))
    assert header["places"] == []
    assert not [name for name in columns if name.startswith("area_")]


def test_trip_points_carry_place_speed_and_time_of_day():
    start = pd.Timestamp("2024-05-14 08:15:30", tz="America/Santiago")
    lines = [shapely.LineString([(-71.25, -29.9), (-71.251, -29.9)]), shapely.LineString([(0, 0), (0, 1), (0, 2)])]
    trips = gpd.GeoDataFrame({"start_time": [start, start], "interval": [15.0, 15.0]}, geometry=lines, crs="EPSG:4326")
    header, columns = unpack(trip_points(trips, np.array([36.0, 36.0, 0.0, 1.24, 9e9])))
    assert header["interval_s"] == 15
    assert columns["first"].tolist() == [0, 2, 5]
    assert columns["lon"].tolist() == [-71250000, -71251000, 0, 0, 0]
    assert columns["speed"].tolist() == [360, 360, 0, 12, 65535]
    assert columns["start_s"].tolist() == [8 * 3600 + 15 * 60 + 30] * 2


def test_trips_have_names_where_their_rows_are_not_to_be_counted():
    start = pd.Timestamp("2024-05-14 08:15:30", tz="America/Santiago")
    line = shapely.LineString([(-71.25, -29.9), (-71.251, -29.9)])
    trips = gpd.GeoDataFrame({"start_time": [start] * 2, "interval": [15.0] * 2}, geometry=[line] * 2, crs="EPSG:4326")
    assert unpack(trip_points(trips, np.zeros(4), ["Trip x", "Trip x"]))[0]["names"] == ["Trip x", "Trip x"]
    assert "names" not in unpack(trip_points(trips, np.zeros(4)))[0]
