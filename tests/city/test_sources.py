r"""Check cities built from files, on a town that is checkable by hand and on the real ones.

    1 ---- 2 -------- 3 --> 7      1-2 way 10 "Rua Velha", 30 km/h, and 2-3 way 11 "Rua Nova", twice as long: two-way,
     \               /  \          residential; 3-4-1 way 12 "Avenida", primary, one-way, three lanes; 3-7 one-way
      \----- 4 <----/    6         out of town; 3-6 footway; way 15 leads to a node that the extract lacks

Node 2 and node 4 are no junctions, so there are three roads: 1 -> 3, 3 -> 1 and 3 -> 4 -> 1.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import numpy as np
import osmium
import osmnx
import pytest
import requests
import shapely

from htp.city.network import COLUMNS
from htp.city.sources import build_city
from htp.errors import InputError

if TYPE_CHECKING:
    from htp.city import City

NODES = {1: (0, 0), 2: (1, 0), 3: (3, 0), 4: (2, -1), 6: (4, -1), 7: (4, 0)}  # thousandths of a degree east, north
WAYS = {
    10: ([1, 2], {"highway": "residential", "name": "Rua Velha", "maxspeed": "30"}),
    11: ([2, 3], {"highway": "residential", "name": "Rua Nova", "lanes": "2"}),
    12: ([3, 4, 1], {"highway": "primary", "name": "Avenida", "oneway": "yes", "lanes": "3", "maxspeed": "30 mph"}),
    13: ([3, 6], {"highway": "footway"}),
    14: ([3, 7], {"highway": "residential", "oneway": "yes"}),
    15: ([7, 99], {"highway": "residential"}),
    16: ([1, 4, 3, 1], {"highway": "residential", "area": "yes"}),
}
CORNER = (-8.6, 41.15)  # in Porto


def osm_xml(ways: dict, *, swapped: bool = False) -> str:
    """Return the town as OpenStreetMap XML."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6">']
    for node, (east, north) in NODES.items():
        lon, lat = CORNER[0] + east / 1000, CORNER[1] + north / 1000
        lon, lat = (lat, lon) if swapped else (lon, lat)
        lines.append(f'<node id="{node}" version="1" lat="{lat:.7f}" lon="{lon:.7f}"/>')
    for way, (nodes, tags) in ways.items():
        inner = [f'<nd ref="{node}"/>' for node in nodes] + [f'<tag k="{k}" v="{v}"/>' for k, v in tags.items()]
        lines += [f'<way id="{way}" version="1">', *inner, "</way>"]
    return "\n".join([*lines, "</osm>"])


@pytest.fixture
def town_osm(tmp_path):
    path = tmp_path / "little_town.osm"
    path.write_text(osm_xml(WAYS), encoding="utf-8")
    return path


@pytest.fixture
def town_pbf(tmp_path, town_osm):
    path = tmp_path / "little_town.osm.pbf"
    with osmium.SimpleWriter(path) as writer:
        for thing in osmium.FileProcessor(town_osm):
            writer.add(thing)
    return path


@pytest.fixture(params=["town_osm", "town_pbf"])
def town(request) -> City:
    return build_city(str(request.getfixturevalue(request.param)))


def test_nodes_that_are_no_junction_are_merged_away(town):
    assert town.roads[["u", "v"]].to_numpy().tolist() == [[1, 3], [3, 1], [3, 1]]
    assert town.first_vertex.tolist() == [0, 3, 6, 9]


def test_a_merged_road_has_the_name_of_its_longest_part_and_its_driving_time(town):
    assert town.roads["name"].tolist() == ["Rua Nova", "Rua Nova", "Avenida"]
    assert town.roads["osm_id"].tolist() == [11, 11, 12]
    # one part at 30 km/h, two at the 40 km/h of residential streets: 3 / (1/30 + 2/40); and 30 mph
    np.testing.assert_allclose(town.roads["speed_kmh"], [36.0, 36.0, 48.3], atol=0.05)


def test_lanes_are_those_of_one_direction(town):
    assert town.roads["lanes"].tolist() == [1, 1, 3]


def test_a_built_city_knows_its_columns_name_time_zone_crs_and_licence(town):
    assert tuple(town.roads.columns) == COLUMNS
    assert (town.name, town.timezone, town.crs) == ("Little town", "Europe/Lisbon", "EPSG:32629")
    assert "ODbL" in town.licence
    assert "© OpenStreetMap contributors" in town.licence
    assert "little_town.osm" in town.source
    np.testing.assert_allclose(town.roads["length_m"], town.length_m)
    assert town.length_m[0] == pytest.approx(3 * 111.32 * np.cos(np.radians(41.15)), rel=0.003)
    assert town.roads["road_id"].dtype == np.int32


def test_coordinates_are_rounded_to_a_centimetre(town):
    lonlat = shapely.get_coordinates(town.roads.geometry.to_numpy())
    np.testing.assert_array_equal(lonlat, lonlat.round(7))


def test_a_way_against_its_nodes_is_driven_against_them(town, tmp_path):
    nodes, tags = WAYS[12]
    path = tmp_path / "reversed.osm"
    path.write_text(osm_xml({**WAYS, 12: (nodes[::-1], {**tags, "oneway": "-1"})}), encoding="utf-8")
    assert build_city(str(path)).roads.geometry.equals(town.roads.geometry)


def test_a_name_may_be_given(town_osm):
    assert build_city(str(town_osm), name="Vila").name == "Vila"


@pytest.mark.parametrize("simplify", [True, False], ids=["simplified", "not simplified"])
def test_a_graph_saved_by_osmnx_gives_the_same_roads(town, tmp_path, simplify):
    path = tmp_path / "little_town.graphml"
    ways = {way: WAYS[way] for way in (10, 11, 12)}
    (tmp_path / "part.osm").write_text(osm_xml(ways), encoding="utf-8")
    osmnx.save_graphml(osmnx.graph_from_xml(tmp_path / "part.osm", simplify=simplify), path)
    city = build_city(str(path))
    assert city.roads[["u", "v"]].equals(town.roads[["u", "v"]])
    np.testing.assert_allclose(city.length_m, town.length_m)
    assert city.roads["name"][2] == "Avenida"


def test_a_projected_graph_is_brought_back_to_degrees(town, tmp_path):
    (tmp_path / "part.osm").write_text(osm_xml({way: WAYS[way] for way in (10, 11, 12)}), encoding="utf-8")
    graph = osmnx.project_graph(osmnx.graph_from_xml(tmp_path / "part.osm"))
    osmnx.save_graphml(graph, tmp_path / "metres.graphml")
    city = build_city(str(tmp_path / "metres.graphml"))
    np.testing.assert_allclose(city.roads.total_bounds, town.roads.total_bounds, atol=1e-7)


def test_a_place_is_fetched_by_its_name(town, tmp_path, monkeypatch):
    (tmp_path / "part.osm").write_text(osm_xml({way: WAYS[way] for way in (10, 11, 12)}), encoding="utf-8")
    graph = osmnx.graph_from_xml(tmp_path / "part.osm", simplify=False)
    monkeypatch.setattr(osmnx, "graph_from_place", lambda _place, **_: graph)
    city = build_city("Vila do Conde, Portugal")
    assert (city.name, city.source) == ("Vila do Conde", "OpenStreetMap, Vila do Conde, Portugal")
    assert city.roads.drop(columns="geometry").equals(town.roads.drop(columns="geometry"))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (requests.ConnectionError("no route to host"), "servers do not answer; go online"),
        (requests.Timeout("slow"), "servers do not answer"),
        (ValueError("nothing found"), "knows no place 'Nowhere at all'"),
        (TypeError("a point"), "knows no place"),
    ],
)
def test_a_place_that_cannot_be_fetched_is_an_input_error(monkeypatch, error, message):
    def fail(*_args, **_options):
        raise error

    monkeypatch.setattr(osmnx, "graph_from_place", fail)
    with pytest.raises(InputError, match=message):
        build_city("Nowhere at all")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.osm.pbf", None, "no such file"),
        ("gone.graphml", None, "no such file"),
        ("roads.dwg", None, "is no source of roads; give an .osm.pbf"),
        ("trips.csv", "lon,lat", "is no source of roads"),
        ("photo.osm.pbf", "not a pbf", "not a readable OpenStreetMap file"),
        ("empty.osm.pbf", "", "not a readable OpenStreetMap file"),
        ("page.osm", "<html></html>", "not a readable OpenStreetMap file"),
        ("cut.osm", osm_xml(WAYS)[:-40], "not a readable OpenStreetMap file"),
        ("footpaths.osm", osm_xml({13: WAYS[13]}), "no road for cars"),
        ("oneway.osm", osm_xml({14: WAYS[14]}), "driven there and back"),
        ("page.graphml", "<html></html>", "not a graph saved by osmnx"),
        ("text.graphml", "text", "not a graph saved by osmnx"),
    ],
)
def test_what_holds_no_network_is_an_input_error(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        build_city(str(tmp_path / name))


def test_an_empty_source_is_an_input_error():
    with pytest.raises(InputError, match="is no source of roads"):
        build_city(" ")


def test_a_graph_with_its_coordinates_swapped_or_in_metres_is_refused(tmp_path):
    (tmp_path / "part.osm").write_text(osm_xml({way: WAYS[way] for way in (10, 11, 12)}), encoding="utf-8")
    graph = osmnx.graph_from_xml(tmp_path / "part.osm", simplify=False)
    for _, data in graph.nodes(data=True):
        data["x"], data["y"] = 31.0, 139.7 + data["x"] / 1000  # Tokyo, latitude first
    osmnx.save_graphml(graph, tmp_path / "swapped.graphml")
    with pytest.raises(InputError, match="may be swapped"):
        build_city(str(tmp_path / "swapped.graphml"))


@pytest.mark.thorough
def test_porto_has_the_figures_of_its_readme(shared, tmp_path):
    began = time.process_time()  # of this process alone, whatever else the machine does
    city = build_city(str(shared / "porto" / "porto.osm.pbf"))
    assert time.process_time() - began < 60
    assert len(city) == 20_836
    assert len(np.union1d(city.u, city.v)) == 9_759
    assert city.roads["name"].notna().mean() == pytest.approx(0.85, abs=0.005)
    assert city.timezone == "Europe/Lisbon"
    city.save(tmp_path)
    assert json.loads((tmp_path / "city.json").read_text())["name"] == "Porto"


def test_the_city_that_ships_is_read_from_aequilibrae():
    pytest.importorskip("aequilibrae", reason="the package aequilibrae (extra demo) is not installed")
    city = build_city("aequilibrae:coquimbo")
    assert (city.name, city.timezone, city.crs) == ("La Serena–Coquimbo", "America/Santiago", "EPSG:32719")
    assert len(city) == 22_259
    assert len(city.zones) == 133
    assert city.zones.is_valid.all()
    assert city.zones["population"].sum() == pytest.approx(451_899, abs=1)
    route = city.route([(-71.34, -29.95), (-71.25, -29.90)])
    assert 5 < len(route.roads) * 5_000 / city.length_m[route.roads].sum() < 60
    assert city.length_m.min() > 2


def test_an_unknown_reference_project_is_an_input_error():
    pytest.importorskip("aequilibrae", reason="the package aequilibrae (extra demo) is not installed")
    with pytest.raises(InputError, match="no project 'atlantis'; it has aequilibrae:coquimbo"):
        build_city("aequilibrae:atlantis")


def test_without_aequilibrae_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(InputError, match=r"pip install 'htp\[demo\]'"):
        build_city("aequilibrae:coquimbo")
