"""Read trips from GeoJSON, GeoLife's folders and SUMO's floating car data."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

from htp.errors import InputError
from htp.prepare.options import Hints
from htp.prepare.readers.geolife import GeolifeSource
from htp.prepare.sources import check_first_trips, open_sources

NOON_S = 1_714_996_800.0  # 2024-05-06 12:00 UTC, 08:00 in Santiago
LINE = [[-71.25, -29.9], [-71.26, -29.91]]
TIMES = ["2024-05-06T12:00:00Z", "2024-05-06T12:00:15Z"]


def feature(coordinates=LINE, kind="LineString", **properties):
    """Return one feature."""
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


@pytest.fixture
def read(tmp_path):
    """(content, name, hints) -> raw trips of the first chunk."""

    def parse(content, name="trips.geojson", columns=(), **hints):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        (source,) = open_sources([path], dict(columns), "America/Santiago", Hints(**hints))
        return next(iter(source.chunks())).parse()

    return parse


@pytest.mark.parametrize(
    "one",
    [
        feature(trip_id="a", times=TIMES),
        feature(id="a", coordTimes=TIMES),
        feature(name="a", coordinateProperties={"times": TIMES}),
        feature(trip_id="a", timestamps=[NOON_S, NOON_S + 15]),
        feature(trip_id="a", timestamps=[1000 * NOON_S, 1000 * NOON_S + 15_000]),
        feature([[*at, 9.0, NOON_S + 15 * k] for k, at in enumerate(LINE)], trip_id="a"),
        feature([[*at, 9.0] for at in LINE], trip_id="a", times=TIMES),
        feature([[at] for at in LINE], "MultiLineString", trip_id="a", times=[[one] for one in TIMES]),
        feature(trip_id="a", start_time="2024-05-06T08:00:00.000-04:00", interval=15.0, roads=[1, 2]),
        feature(trip_id="a", times=["2024-05-06 08:00:00", "2024-05-06 08:00:15"]),
    ],
    ids=["times", "coordTimes", "coordinateProperties", "s", "ms", "fourth", "heights", "several", "ours", "local"],
)
@pytest.mark.parametrize("layout", ["collection", "feature", "lines"])
def test_a_line_with_times_is_a_trip(read, one, layout):
    whole = {"collection": {"type": "FeatureCollection", "features": [one]}, "feature": one}
    raw = read(whole.get(layout) or f"{json.dumps(one)}\n{json.dumps(one | {'properties': {}})}\n")
    assert raw.trip_id[0] == "a"
    np.testing.assert_allclose(raw.lonlat[:2], LINE)
    np.testing.assert_allclose(raw.time_s[:2], [NOON_S, NOON_S + 15])
    assert raw.dropped == ({"no_time": 1} if layout == "lines" and len(one["geometry"]["coordinates"][0]) < 4 else {})


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (feature(trip_id="b"), "no_time"),
        (feature(trip_id="b", times=TIMES[:1]), "broken_row"),
        (feature([], trip_id="b", times=[]), "no_points"),
        (feature([["x", 1]], trip_id="b", times=TIMES[:1]), "broken_row"),
        (feature([[LINE]], "Polygon", trip_id="b"), "broken_row"),
        ({"type": "Feature", "properties": {"trip_id": "b"}, "geometry": None}, "broken_row"),
    ],
)
def test_a_feature_that_is_no_trip_is_counted_and_named(read, one, reason):
    raw = read({"features": [feature(trip_id="a", times=TIMES), one]})
    assert raw.trip_id == ["a"]
    assert raw.dropped == {reason: 1}
    assert raw.examples == {reason: "trip b"}


def test_points_with_a_time_are_put_together_by_their_trip(read):
    features = [
        feature(at, "Point", ride_id=name, timestamp=time)
        for name in "ab"
        for at, time in zip(LINE, TIMES, strict=True)
    ]
    raw = read({"features": features})
    assert raw.trip_id == ["a", "b"]
    np.testing.assert_allclose(raw.lonlat, LINE * 2)
    np.testing.assert_allclose(raw.time_s, [NOON_S, NOON_S + 15] * 2)
    with pytest.raises(InputError, match="no property of its points looks like trip_id"):
        read({"features": [feature(LINE[0], "Point", when=TIMES[0])]})


def test_a_reference_system_is_honoured(read):
    metres = [[282_871.0, 6_690_227.0], [281_922.0, 6_689_100.0]]
    said = {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32719"}}}
    whole = {"features": [feature(metres, trip_id="a", times=TIMES)]}
    for raw in (read(whole | said), read(whole, crs="EPSG:32719")):
        np.testing.assert_allclose(raw.lonlat, LINE, atol=0.002)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"features": 3}', '{"features": [3]}', "[" * 100_000])
def test_what_is_no_geojson_is_a_sentence(read, text):
    with pytest.raises(InputError, match=r"trips\.geojson: is no GeoJSON FeatureCollection"):
        read(text)


PLT = ["Geolife trajectory", "WGS 84", "Altitude is in Feet", "Reserved 3", "0,2,255,My Track,0,0,2,8421376", "0"]


def plt(*rows):
    return "\r\n".join([*PLT, *rows, ""])


def test_geolifes_folders_hold_a_trip_a_file_named_by_its_person(tmp_path):
    for person in ("000", "001"):
        folder = tmp_path / "Data" / person / "Trajectory"
        folder.mkdir(parents=True)
        rows = ["-29.9,-71.25,0,492,45418.5,2024-05-06,12:00:00", "-29.91,-71.26,0,492,45418.5,2024-05-06,12:00:15"]
        (folder / "20240506120000.plt").write_text(plt(*rows))
    (tmp_path / "Data" / "000" / "labels.txt").write_text("Start Time\tEnd Time\n")
    (source,) = open_sources([tmp_path], {}, "America/Santiago")
    assert isinstance(source, GeolifeSource)
    (chunk,) = source.chunks()
    raw = chunk.parse()
    assert raw.trip_id == ["000-20240506120000", "001-20240506120000"]
    np.testing.assert_allclose(raw.lonlat, LINE * 2)
    np.testing.assert_allclose(raw.time_s, [NOON_S, NOON_S + 15] * 2)  # GMT, whatever the town


def test_a_bad_line_of_geolife_costs_itself_and_a_file_without_points_is_counted(tmp_path):
    (tmp_path / "a.plt").write_text(
        plt("-29.9,-71.25,0,492,1,2024-05-06,12:00:00", "-29.91,x,0,492,1,2024-05-06,12:00:15", "x")
    )
    (tmp_path / "b.plt").write_text(plt())
    (chunk,) = GeolifeSource(tmp_path).chunks()
    raw = chunk.parse()
    assert (raw.trip_id, raw.count.tolist()) == (["a"], [3])
    assert np.isfinite(raw.lonlat).all(axis=1).tolist() == [True, False, False]
    assert raw.dropped == {"no_points": 1}
    assert "-29.91,x" in raw.examples["unread_position"]


FCD = (
    '<fcd-export><timestep time="28800.00"><vehicle id="v" x="-71.25" y="-29.9"/></timestep>'
    '<timestep time="28815.00"><vehicle id="v" x="-71.26" y="-29.91"/></timestep></fcd-export>'
)


def test_floating_car_data_need_the_day_that_they_start_on(grid, tmp_path, read):
    raw = read(FCD, "fcd.xml", first_day=date(2024, 5, 6))
    assert raw.trip_id == ["v"]
    np.testing.assert_allclose(raw.lonlat, LINE)
    np.testing.assert_allclose(raw.time_s, [NOON_S, NOON_S + 15])
    with pytest.raises(InputError, match=r"fcd\.xml: times such as '28800.00' count from no date; .*--first-day"):
        check_first_trips(open_sources([tmp_path / "fcd.xml"], {}, "America/Santiago"), grid)


def test_floating_car_data_that_are_cut_off_are_read_to_there_and_that_is_said(tmp_path):
    (tmp_path / "fcd.xml").write_text(FCD[:-20])
    (source,) = open_sources([tmp_path / "fcd.xml"], {}, "UTC", Hints(first_day=date(2024, 5, 6)))
    assert next(iter(source.chunks())).parse().count.tolist() == [2]
    assert "is cut off" in source.notes[0]
    (tmp_path / "fcd.xml").write_text("<html>")
    with pytest.raises(InputError, match="is no floating car data"):
        next(iter(open_sources([tmp_path / "fcd.xml"], {}, "UTC")[0].chunks()))


@pytest.mark.parametrize("times", [("28800.0", "28815.0"), ("08:00:00", "08:00:15")], ids=["seconds", "clock"])
def test_times_of_a_csv_that_have_no_date_count_from_the_first_day(grid, tmp_path, times, read):
    text = "timestep_time;vehicle_id;vehicle_x;vehicle_y\n" + "".join(
        f"{time};v;{lon};{lat}\n" for time, (lon, lat) in zip(times, LINE, strict=True)
    )
    raw = read(text, "fcd.csv", first_day=date(2024, 5, 6))
    np.testing.assert_allclose(raw.time_s, [NOON_S, NOON_S + 15])
    with pytest.raises(InputError, match="count from no date"):
        check_first_trips(open_sources([tmp_path / "fcd.csv"], {}, "America/Santiago"), grid)


def test_coordinates_that_are_no_degrees_are_asked_for(grid, tmp_path, read):
    text = f"trip_id,time,x,y\na,{TIMES[0]},282871,6690227\na,{TIMES[1]},281922,6689100\n"
    np.testing.assert_allclose(read(text, "p.csv", crs="EPSG:32719").lonlat, LINE, atol=0.002)
    with pytest.raises(InputError, match=r"p\.csv: coordinates such as 282871, .* are no degrees; .*--crs EPSG:32719"):
        check_first_trips(open_sources([tmp_path / "p.csv"], {}, "America/Santiago"), grid)
    with pytest.raises(InputError, match="'Mars' is no reference system"):
        Hints(crs="Mars")
