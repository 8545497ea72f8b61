"""Read the same town from every shape that extracts of OpenStreetMap come in: four streets round a block, 1-2-3-4-1."""

from __future__ import annotations

import bz2
import gzip
import json

import osmium
import pytest

from htp.city.sources import build_city
from htp.errors import InputError

NODES = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1)}  # thousandths of a degree east, north
WAYS = {11: (1, 2), 12: (2, 3), 13: (3, 4), 14: (4, 1)}
CORNER = (-8.6, 41.15)  # in Porto


def lonlat(node):
    return CORNER[0] + NODES[abs(node)][0] / 1000, CORNER[1] + NODES[abs(node)][1] / 1000


def node_xml(node, about='version="1"'):
    lon, lat = lonlat(node)
    return f'<node id="{node}" {about} lat="{lat:.7f}" lon="{lon:.7f}"/>'


def way_xml(way, nodes=None, about='version="1"', *, tags='<tag k="highway" v="residential"/>', places=False):
    inner = ""
    for node in nodes or WAYS[abs(way)]:
        lon, lat = lonlat(node)
        inner += f'<nd ref="{node}"' + (f' lat="{lat:.7f}" lon="{lon:.7f}"' if places else "") + "/>"
    return f'<way id="{way}" {about}>{inner}{tags}</way>'


def osm(*elements):
    return "\n".join(['<?xml version="1.0"?>', '<osm version="0.6">', *elements, "</osm>"])


ALL_NODES, ALL_WAYS = [node_xml(node) for node in NODES], [way_xml(way) for way in WAYS]
OLD_AND_NEW = [way_xml(11, (1, 3)), *ALL_WAYS[1:], way_xml(11, about='version="2"')]
GONE = way_xml(15, (1, 3))


def overpass(*, geometry):
    """Return an answer of Overpass, its ways with their lines or with nodes beside them."""
    elements = [
        {"type": "way", "id": way, "tags": {"highway": "residential"}}
        | (
            {"geometry": [dict(zip(("lon", "lat"), lonlat(n), strict=True)) for n in nodes]}
            if geometry
            else {"nodes": nodes}
        )
        for way, nodes in WAYS.items()
    ]
    nodes = [{"type": "node", "id": n, "lon": lonlat(n)[0], "lat": lonlat(n)[1]} for n in NODES]
    return json.dumps({"version": 0.6, "elements": elements + ([] if geometry else nodes)})


CASES = {
    "nodes first": ("town.osm", osm(*ALL_NODES, *ALL_WAYS)),
    "ways first": ("town.osm", osm(*ALL_WAYS, *ALL_NODES)),
    "negative ids": (
        "town.osm",
        osm(*(node_xml(-n) for n in NODES), *(way_xml(-w, [-n for n in nodes]) for w, nodes in WAYS.items())),
    ),
    "places in the ways": ("town.osm", osm(*(way_xml(way, places=True) for way in WAYS))),
    "ways again without tags": ("town.osm", osm(*ALL_NODES, *ALL_WAYS, *(way_xml(way, tags="") for way in WAYS))),
    "ways without tags before": ("town.osm", osm(*ALL_NODES, *(way_xml(way, tags="") for way in WAYS), *ALL_WAYS)),
    "an older version": ("town.osm", osm(*ALL_NODES, *OLD_AND_NEW)),
    "a newer version first": ("town.osm", osm(*ALL_NODES, *OLD_AND_NEW[::-1])),
    "a history": (
        "town.osh",
        osm(*ALL_NODES, *ALL_WAYS, GONE, way_xml(15, (1, 3), 'version="2" visible="false"')),
    ),
    "deleted in an editor": (
        "town.osm",
        osm(*ALL_NODES, *ALL_WAYS, way_xml(15, (1, 3), 'action="delete" version="1"')),
    ),
    "marked after its id": ("town.osm", osm(*ALL_NODES, *ALL_WAYS, way_xml(15, (1, 3), "version='1' action='delete'"))),
    "gzip": ("town.osm.gz", gzip.compress(osm(*ALL_NODES, *ALL_WAYS).encode())),
    "bzip2": ("town.osm.bz2", bz2.compress(osm(*ALL_NODES, *ALL_WAYS).encode())),
    "Overpass": ("town.json", overpass(geometry=False)),
    "Overpass with lines": ("town.osm.json", overpass(geometry=True)),
    "Overpass, packed": ("town.json.gz", gzip.compress(overpass(geometry=False).encode())),
}


@pytest.fixture
def write(tmp_path):
    """(name, content) -> path as text."""

    def make(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return make


@pytest.mark.parametrize("case", CASES)
def test_a_ring_of_streets_is_a_town_whatever_its_file_is_like(write, case):
    said = []
    city = build_city(write(*CASES[case]), say=said.append)
    assert len(city) == 8  # no street of it leads to a junction, so that none is merged away
    assert city.length_m.sum() == pytest.approx(2 * (2 * 83.8 + 2 * 111.1), rel=0.01)
    assert city.name == "Town"
    assert not said


def test_a_history_packed_by_protobuf_gives_the_newest_town(tmp_path, write):
    source = write("town.osm", osm(*ALL_NODES, *OLD_AND_NEW))
    header = osmium.io.Header()
    header.has_multiple_object_versions = True
    with osmium.SimpleWriter(str(tmp_path / "town.osh.pbf"), header=header) as writer:
        for thing in osmium.FileProcessor(source):
            writer.add(thing)
    assert len(build_city(str(tmp_path / "town.osh.pbf"))) == 8


def test_what_is_missing_is_counted_and_said(write):
    said = []
    path = write("town.osm", osm(*ALL_NODES[:3], *ALL_WAYS))
    assert len(build_city(path, say=said.append)) == 2  # 1 - 2 - 3
    assert said == ["town.osm: 1 nodes of 2 streets are missing in it; these streets are cut there."]
    with pytest.raises(InputError, match=r"town\.osm: it lacks all nodes of its streets; export them too"):
        build_city(write("town.osm", osm(*ALL_WAYS)))


def test_values_that_no_road_has_are_counted_and_said(write):
    said = []
    fast = '<tag k="highway" v="residential"/><tag k="maxspeed" v="1000"/><tag k="lanes" v="5000"/>'
    path = write("town.osm", osm(*ALL_NODES, way_xml(11, tags=fast), *ALL_WAYS[1:]))
    roads = build_city(path, say=said.append).roads
    assert set(roads["speed_kmh"]) == {40.0}
    assert set(roads["lanes"]) == {1}
    replaced = "4 values that no road has were replaced by the default of their road's class"
    assert said == [f"town.osm: {replaced}, such as lanes=5000 of way 11."]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"elements": 3}', '{"elements": [{"type": "way"}]}', "[" * 100_000])
def test_json_that_is_no_answer_of_overpass_is_a_sentence(write, text):
    with pytest.raises(InputError, match=r"town\.json: is no JSON answer of Overpass"):
        build_city(write("town.json", text))
