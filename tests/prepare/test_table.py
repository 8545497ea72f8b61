"""Files of trips in every format, read as a table to be measured."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely

from htp.errors import InputError
from htp.prepare import table
from htp.prepare.table import read_table
from htp.trips import write_trips


@pytest.fixture
def trips(grid, random_trips):
    return random_trips(grid, [20, 35, 28], seed=4)


@pytest.mark.parametrize("ending", [".parquet", ".geojson", ".csv", ".gpx"])
def test_trips_come_back_from_every_format_that_they_are_written_in(grid, trips, tmp_path, ending):
    path = tmp_path / f"trips{ending}"
    write_trips(trips, path)
    found = read_table(path, grid)
    back = found.trips.set_index("trip_id").loc[trips["trip_id"]]
    assert not found.dropped
    assert (back["start_time"].to_numpy() == trips["start_time"].to_numpy()).all()
    assert back["interval"].tolist() == [15.0] * 3
    for one, other in zip(back.geometry, trips.geometry, strict=True):
        assert np.allclose(shapely.get_coordinates(one), shapely.get_coordinates(other), atol=1e-6)
    if ending in (".parquet", ".geojson"):
        assert [np.asarray(roads).tolist() for roads in back["roads"]] == [roads.tolist() for roads in trips["roads"]]


def test_a_table_keeps_what_is_known_of_trips_and_its_ids_become_text(grid, trips, tmp_path):
    path = tmp_path / "trips.parquet"
    trips.assign(trip_id=[7, 8, 9], weather="fine").to_parquet(path)
    found = read_table(path, grid).trips
    assert found["trip_id"].tolist() == ["7", "8", "9"]
    assert set(found.columns) == set(trips.columns)


def test_what_is_no_trip_is_counted_and_what_is_merely_odd_is_kept(grid, place, tmp_path):
    at = [*((name, second, 100.0) for name in ("good", "back", "years") for second in (0, 10, 20))]
    at += [("years", 10**9, 100.0), ("one", 0, 100.0), ("jump", 0, 0.0), ("jump", 10, 90_000.0)]
    rows = ["trip_id,time,lon,lat"]
    for name, second, x_m in at:
        lon, lat = place(x_m, 0)
        rows.append(f"{name},{1_000_000_000 + (0 if name == 'back' else second)},{lon:.6f},{lat:.6f}")
    path = tmp_path / "points.csv"
    path.write_text("\n".join(rows))
    found = read_table(path, grid)
    assert sorted(found.trips["trip_id"]) == ["good", "jump"]
    assert found.trips["interval"].tolist() == [10.0, 10.0]
    assert table.said(found.dropped) == "single point 2, broken times 1"


GOOD = {
    "type": "Feature",
    "properties": {"trip_id": "a", "start_time": "2024-05-14T08:00:00-04:00", "interval": 15},
    "geometry": {"type": "LineString", "coordinates": [[-71.25, -29.9], [-71.249, -29.9]]},
}


def features(**changed) -> str:
    properties = GOOD["properties"] | changed.pop("properties", {})
    return json.dumps({"features": [GOOD | changed | {"properties": properties}]})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no GeoJSON FeatureCollection"),
        ('{"features": ' + "[" * 100_000, "no GeoJSON FeatureCollection"),
        ("[]", "no GeoJSON FeatureCollection"),
        (json.dumps({"features": []}), "no property 'trip_id'"),
        (features(geometry={"type": "Point", "coordinates": [0, 0]}), "FeatureCollection of lines"),
        (features(geometry=None), "FeatureCollection of lines"),
        (features(properties={"start_time": "2024-05-14T08:00:00"}), "no time with its zone"),
        (features(properties={"start_time": 17}), "no time with its zone"),
        (features(properties={"interval": "often"}), "an interval no number"),
    ],
    ids=[
        "cut off",
        "nested without end",
        "a list",
        "empty",
        "a point",
        "no geometry",
        "no zone",
        "a number",
        "no interval",
    ],
)
def test_a_broken_geojson_is_a_sentence(grid, tmp_path, text, said):
    path = tmp_path / "trips.geojson"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_table(path, grid)


def test_a_file_of_another_kind_is_a_sentence(grid, tmp_path):
    (tmp_path / "trips.xlsx").write_text("x")
    with pytest.raises(InputError, match="trips are read from"):
        read_table(tmp_path / "trips.xlsx", grid)


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_more_trips_than_fit_are_refused(grid, trips, tmp_path, monkeypatch, ending):
    monkeypatch.setattr(table, "MAX_TRIPS", 2)
    path = tmp_path / f"trips{ending}"
    write_trips(trips, path)
    with pytest.raises(InputError, match=r"trips.* holds (3|more than 2) trips"):
        read_table(path, grid)


def test_a_file_whose_trips_are_all_left_out_says_why(grid, tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("trip_id,time,lon,lat\na,1715672400,0,0\nb,1715672415,0,0\n")
    with pytest.raises(InputError, match=r"holds 0 trips .left out: single point 2."):
        read_table(path, grid)
