"""Write trips whose ids and streets have names that would do something where they are opened."""

from __future__ import annotations

import csv
import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from htp.planning.demand.table import Flows, flows_csv, read_flows, zone_name
from htp.trips import read_trips, write_pieces, write_trips

FORMULAS = [
    "=1+2",
    "+cmd|'/c calc'!A1",
    "-2+3",
    "@SUM(A1)",
    " =1",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    '=HYPERLINK("x","y")',
]
PLAIN = ["trip-7", "-5", "+12.5", "7", "", "a=b", "ñandú"]


@pytest.fixture
def trips(tiny_data):
    return read_trips(tiny_data / "heldout.parquet").iloc[:2]


def ids_in(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(dict.fromkeys(row["trip_id"] for row in csv.DictReader(file)))


@pytest.mark.parametrize("formula", FORMULAS, ids=repr)
def test_a_trip_id_is_no_formula_in_a_spreadsheet(trips, tmp_path, formula):
    named = trips.assign(trip_id=[formula, "other"])
    write_trips(named, tmp_path / "trips.csv")
    write_pieces(iter([named.iloc[:1], named.iloc[1:]]), tmp_path / "pieces.csv")
    for name in ("trips.csv", "pieces.csv"):
        assert ids_in(tmp_path / name) == [f"'{formula.strip()}", "other"]


def test_a_line_break_in_an_id_begins_no_line_of_its_own(trips, tmp_path):
    write_trips(trips.assign(trip_id=["a\r=1+2", "b\n\n=1+2"]), tmp_path / "trips.csv")
    assert ids_in(tmp_path / "trips.csv") == ["a =1+2", "b =1+2"]


@pytest.mark.parametrize("name", PLAIN, ids=repr)
def test_other_ids_stay_as_they_are(trips, tmp_path, name):
    write_trips(trips.assign(trip_id=[name, "other"]), tmp_path / "trips.csv")
    assert ids_in(tmp_path / "trips.csv") == [name, "other"]


@pytest.mark.parametrize("formula", FORMULAS, ids=repr)
def test_a_zone_is_no_formula_in_a_table_of_demand_and_is_found_again(formula):
    flows = Flows(np.array([0]), np.array([1]), np.array([7]))
    zones = (zone_name(formula), 'a, "b"')
    table = flows_csv(flows, zones)
    (row,) = csv.DictReader(table.splitlines())
    assert list(row.values()) == [f"'{formula.strip()}", 'a, "b"', "7"]
    again = read_flows(table.encode(), "demand.csv", zones)
    assert (again.origin.tolist(), again.destination.tolist(), again.trips.tolist()) == ([0], [1], [7])


@pytest.mark.parametrize("name", ["</name><wpt/>", "&amp;<!--", "a\0b", "\x1b[31m", "]]>", "\uffff"], ids=repr)
def test_an_id_is_text_in_gpx_and_geojson(trips, tmp_path, name):
    named = trips.assign(trip_id=[name, "other"])
    write_trips(named, tmp_path / "trips.gpx")
    names = [node.text for node in ET.parse(tmp_path / "trips.gpx").iter() if node.tag.endswith("}name")]  # noqa: S314
    kept = "".join(c if c >= " " and c != "\uffff" else "\ufffd" for c in name)
    assert names == [kept, "other"]
    write_trips(named, tmp_path / "trips.geojson")
    features = json.loads((tmp_path / "trips.geojson").read_text(encoding="utf-8"))["features"]
    assert [feature["properties"]["trip_id"] for feature in features] == [name, "other"]
