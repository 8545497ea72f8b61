"""Read tables of trips as other programs write them: any name, encoding and system of the lines, any lists."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from htp.conditions import conditions_of
from htp.errors import InputError
from htp.prepare.options import Hints
from htp.prepare.readers.parquet import ParquetSource
from htp.trips import count_trips, iter_trips, read_trips

LINES = [
    shapely.LineString([(-71.25, -29.9), (-71.26, -29.91)]),
    shapely.LineString([(-71.3, -29.95), (-71.31, -29.9)]),
]


def table(**columns):
    """Return two trips."""
    plain = {
        "trip_id": ["a", "b"],
        "start_time": pd.DatetimeIndex(["2024-05-06 08:00", "2024-05-06 09:00"], tz="America/Santiago"),
        "interval": [15.0, 15.0],
        "geometry": LINES,
    } | columns
    return gpd.GeoDataFrame(plain, geometry="geometry", crs="EPSG:4326")


def lonlat_of(path):
    (chunk,) = ParquetSource(path).chunks()
    return chunk.parse().lonlat


@pytest.mark.parametrize("encoding", ["WKB", "geoarrow"])
@pytest.mark.parametrize("name", ["geometry", "geom", "the_line"])
@pytest.mark.parametrize("crs", ["EPSG:4326", "OGC:CRS84", "EPSG:32719", "EPSG:3857", "EPSG:5361"])
def test_lines_are_read_whatever_their_column_encoding_and_reference_system(tmp_path, encoding, name, crs):
    path = tmp_path / "trips.parquet"
    moved = table().to_crs(crs)
    moved = moved if name == "geometry" else moved.rename_geometry(name)
    moved.to_parquet(path, geometry_encoding=encoding, schema_version="1.1.0")
    expected = shapely.get_coordinates(LINES)
    np.testing.assert_allclose(lonlat_of(path), expected, atol=2e-6)  # a datum of Chile's own lies centimetres off
    np.testing.assert_allclose(shapely.get_coordinates(read_trips(path).geometry.to_numpy()), expected, atol=2e-6)
    assert next(iter_trips(path)).geometry.name == "geometry"
    assert count_trips(path) == 2
    assert not ParquetSource(path).notes


def test_another_datum_is_not_taken_for_wgs_84(tmp_path):
    path = tmp_path / "trips.parquet"
    table().to_crs("EPSG:24879").to_parquet(path)  # PSAD56, 400 m off
    np.testing.assert_allclose(lonlat_of(path), shapely.get_coordinates(LINES), atol=1e-5)


def test_a_missing_reference_system_is_said_and_may_be_given(tmp_path):
    path = tmp_path / "trips.parquet"
    table().to_crs("EPSG:32719").set_crs(None, allow_override=True).to_parquet(path)
    source = ParquetSource(path)
    list(source.chunks())
    list(source.chunks())
    assert source.notes == ["trips.parquet: says no reference system; took its coordinates for degrees."]
    (chunk,) = ParquetSource(path, Hints(crs="EPSG:32719")).chunks()
    np.testing.assert_allclose(chunk.parse().lonlat, shapely.get_coordinates(LINES), atol=1e-6)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            pa.array(["[1, 2]", "[3]"]),
            "'roads' is of type string; the column 'roads' .* whole numbers a trip",
        ),
        (pa.array([[1, 2], None]), "trip b has nothing in 'roads'"),
        (pa.array([[1, 2], [3, None]]), "trip b has nothing in 'roads'"),
        (pa.array([[1.0, 2.0], [3.5]]), "'roads' holds other numbers"),
        (pa.array([[1, 2], [1 << 40]]), "'roads' holds other numbers"),
        (pa.array([["1"], ["2"]]), "'roads' is of type list<"),
        (pa.array([1, 2]), "'roads' is of type int64"),
    ],
    ids=["text", "null", "null within", "parts", "too large", "lists of text", "numbers"],
)
def test_lists_that_are_none_are_a_sentence(tmp_path, column, message):
    path = tmp_path / "trips.parquet"
    table().to_parquet(path)
    plain = pq.read_table(path)
    pq.write_table(plain.append_column("roads", column), path)
    for read in (read_trips, lambda path: list(iter_trips(path))):
        with pytest.raises(InputError, match=rf"trips\.parquet: {message}"):
            read(path)
    assert len(lonlat_of(path)) == 4  # raw trips need no roads


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1.0, 2.0], [3.0]]),
        pa.array([[1, 2], [3]], pa.large_list(pa.int64())),
        pa.array([[1, 2], [3]], pa.list_(pa.uint8())),
    ],
    ids=["float", "large", "small"],
)
def test_lists_of_other_types_are_brought_to_ours(tmp_path, column):
    path = tmp_path / "trips.parquet"
    table().to_parquet(path)
    pq.write_table(pq.read_table(path).append_column("roads", column), path)
    roads = read_trips(path)["roads"]
    assert [one.tolist() for one in roads] == [[1, 2], [3]]
    assert roads[0].dtype == np.int32


def test_a_trip_without_a_start_is_named(grid, random_trips):
    trips = random_trips(grid, [20, 35], seed=4)
    starts = trips["start_time"].where([True, False])
    with pytest.raises(InputError, match=f"Trip {trips['trip_id'].iloc[1]} has no start_time"):
        conditions_of(trips.assign(start_time=starts), grid)


def test_a_reference_system_that_is_none_is_a_sentence(tmp_path):
    path = tmp_path / "trips.parquet"
    table().to_parquet(path)
    plain = pq.read_table(path)
    geo = json.loads(plain.schema.metadata[b"geo"])
    geo["columns"]["geometry"]["crs"] = {"type": "Nonsense"}
    pq.write_table(plain.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    with pytest.raises(InputError, match="the reference system of its lines cannot be read"):
        read_trips(path)
