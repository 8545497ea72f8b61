"""Hold what is right for the files of `shared/cases`, up to the matching; kinds of fault have tests of their own."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from htp.city import City
from htp.city.sources import build_city
from htp.errors import InputError
from htp.planning.demand import read_flows
from htp.prepare.clean import clean
from htp.prepare.options import Hints
from htp.prepare.sources import check_first_trips, open_sources

SHIPPED = Path(__file__).parents[2] / "checkpoints" / "coquimbo" / "city"
FOUR = [50, 57, 45, 53]  # points of the four trips that most cases hold
WHOLE = {
    "01-tsv-index": FOUR,
    "03-dayfirst": FOUR,
    "05-encodings": FOUR,
    "11-gpx-latin1": FOUR[:1],
    "13-gpx-ends-without-time": [48],
    "14-gpx-point-without-position": [49],
    "19-gpx-namespaces": FOUR[:1],
    "21-many-trips-one-id": FOUR,
    "26-parquet-projected": FOUR,
    "58-gpx-pauses": [72],
    "59-like-list-types": FOUR,
}
OTHER = {"truncated.gpx": [49], "null_time.parquet": FOUR[1:], "geojson_to_parquet.parquet": [105, 98]}
LEFT_OUT = {
    "13-gpx-ends-without-time/track.gpx": {"no_time": 2},
    "14-gpx-point-without-position/track.gpx": {"unread_position": 1},
    "05-encodings/null_one.csv": {"unread_position": 1},
}
DROPPED = {"truncated.gpx": {"broken_file": 1}, "null_time.parquet": {"broken_row": 1}}


@pytest.fixture(scope="session")
def shipped():
    return City.load(SHIPPED)


def read(path, city, hints=None):
    """Return the drives of a file, ready to be matched, after checking that all rows are accounted for."""
    sources = open_sources([path], {}, city.timezone, hints)
    check_first_trips(sources, city)
    chunks = [chunk for source in sources for chunk in source.chunks()]
    found = [clean(one.parse(), city, interval_s=15.0, min_points=20, max_points=1024) for one in chunks]
    ids = [trip_id for raw in found for trip_id in raw.trip_id]
    counts = [int(count) for raw in found for count in raw.count]
    dropped, left_out = (sum((getattr(raw, name) for raw in found), Counter()) for name in ("dropped", "left_out"))
    return ids, counts, dropped, left_out


@pytest.mark.parametrize("case", WHOLE)
def test_every_file_of_a_case_gives_its_trips(shared, shipped, case):
    files = [path for path in sorted((shared / "cases" / case).iterdir()) if path.suffix not in (".osm", ".graphml")]
    assert files
    for path in files:
        ids, counts, dropped, left_out = read(path, shipped)
        assert counts == OTHER.get(path.name, WHOLE[case]), path
        assert len(set(ids)) == len(ids), path
        assert dropped == DROPPED.get(path.name, {}), path
        assert left_out == LEFT_OUT.get(f"{case}/{path.name}", {}), path


def test_twelve_tracks_of_one_name_are_twelve_trips(shared, shipped):
    ids, counts, dropped, left_out = read(shared / "cases" / "15-gpx-same-names", shipped)
    assert len(ids) == len(counts) == 12
    assert not dropped + left_out


@pytest.mark.parametrize("name", ["fcd.csv", "fcd.xml"])
def test_seconds_of_a_simulation_are_refused_unless_a_first_day_is_given(shared, shipped, name):
    path = shared / "cases" / "55-sumo-fcd" / name
    with pytest.raises(InputError, match="--first-day"):
        read(path, shipped)
    ids, counts, _, _ = read(path, shipped, Hints(first_day=date(2024, 5, 14)))
    assert (len(ids), min(counts) > 40) == (len(counts), True)


CITIES = {  # roads
    "30-overpass-ways-first": {"": 40},
    "31-negative-ids": {"josm.osm": 40, "josm_action_delete.osm": 38, "mixed.osm": 42},
    "34-maxspeed": {"directional.osm": 72, "lanes.osm": 112, "town.osm": 352},
    "36-osmnx-graphml": {
        "": 40,
        "bare.graphml": "not a graph saved by osmnx",
        "consolidated250.graphml": "no street between them",
        "undirected.graphml": "is an undirected graph",
    },
    "38-small": {
        "coincident.osm": 10,
        "empty.osm": "no road for cars",
        "five.osm": 8,
        "loops.osm": 8,
        "one_street.osm": 2,
        "one_way_line.osm": "driven there and back",
        "only_ring.osm": 4,
        "ring_beside.osm": 40,
        "square.osm": 8,
        "zero.osm": "not a readable OpenStreetMap file",
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CITIES)
def test_every_town_has_its_roads_or_a_sentence(shared, case):
    for path in sorted((shared / "cases" / case).iterdir()):
        if path.suffix == ".csv":
            continue
        expected = CITIES[case].get(path.name, CITIES[case].get(""))
        if isinstance(expected, str):
            with pytest.raises(InputError, match=expected):
                build_city(str(path))
        else:
            roads = build_city(str(path)).roads
            assert len(roads) == expected, path
            assert roads["speed_kmh"].between(3, 150).all(), path
            assert roads["lanes"].between(1, 20).all(), path


def test_trips_at_the_edge_of_a_village_are_in_town(shared):
    village = build_city(str(shared / "cases" / "38-small" / "five.osm"))
    _, counts, dropped, left_out = read(shared / "cases" / "38-small" / "five_trips.csv", village)
    assert len(counts) > 0
    assert "out_of_town" not in dropped + left_out


TABLES = {  # trips, or what is wrong
    "bom_crlf.csv": 2,
    "utf16.csv": 2,
    **dict.fromkeys(("decimal_comma.csv", "semicolon.csv", "sumo.od", "total_row.csv"), 5),
    **dict.fromkeys(("volume.csv", "noheader.csv"), 5),
    "wide.csv": 13,
    "thousands.csv": 1200,
    "intrazonal.csv": 7,
    "only_intrazonal.csv": 3,
    "empty_trips.csv": "line 3, trips: “” is no number",
    "missing_zone.csv": "no zone is called “999”",
    "nan_trips.csv": "is no number of trips",
    "negative.csv": "is negative",
}


def test_every_table_of_demand_is_read_or_says_what_is_wrong(shared):
    zones = [str(number) for number in range(1, 134)]
    for path in sorted((shared / "cases" / "45-demand-tables").iterdir()):
        content, expected = path.read_bytes(), TABLES.get(path.name)
        if path.name == "decimal.csv":
            assert read_flows(content, path.name, zones).total in (5, 6, 7)
        elif isinstance(expected, str):
            with pytest.raises(InputError, match=expected):
                read_flows(content, path.name, zones)
        else:
            assert read_flows(content, path.name, zones).total == expected, path
