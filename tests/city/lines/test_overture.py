"""Check Overture's segments on the block of test_centre_lines, its corners the connectors a, b, c and d."""

from __future__ import annotations

import json
from contextlib import suppress

import geopandas as gpd
import numpy as np
import pytest
import shapely

from htp.city.sources import build_city
from htp.errors import InputError

PLACE = {"a": (0, 0), "b": (100, 0), "c": (0, 100), "d": (100, 100)}
ORIGIN = np.array([283_000.0, 6_690_000.0])
BACKWARD = {"access_type": "denied", "when": {"heading": "backward"}}


def segment(line, connectors, **said) -> dict:
    """Return a segment between corners, or places in metres, with its connectors (id, at)."""
    places = [PLACE.get(one, one) for one in line]
    told = [{"connector_id": name, "at": at} for name, at in connectors]
    known = {"id": "x", "subtype": "road", "class": "residential", "subclass": None, "names": None, "sources": None}
    known |= {"speed_limits": None, "access_restrictions": None, "road_flags": None, "connectors": told}
    return {**known, **said, "geometry": shapely.LineString(np.array(places) + ORIGIN)}


def ring(**first) -> list[dict]:
    """Return the four streets; `first` is said of the one from a to b."""
    others = [segment(pair, [(pair[0], 0.0), (pair[1], 1.0)]) for pair in ("bd", "cd", "ac")]
    return [segment("ab", [("a", 0.0), ("b", 1.0)], names={"primary": "Main"}, **first), *others]


@pytest.fixture(params=["town.parquet", "town.geojson"])
def built(request, tmp_path):
    """Build a city of segments as Overture writes them, and as others do: nested fields as JSON."""

    def make(segments):
        table = gpd.GeoDataFrame(segments, crs="EPSG:32719").to_crs("EPSG:4326")
        path, said = tmp_path / request.param, []
        if path.suffix == ".parquet":
            table.to_parquet(path)
        else:
            for name in set(table) - {"geometry"}:
                nested = table[name].map(lambda value: isinstance(value, list | dict))
                table[name] = table[name].where(~nested, table[name].map(json.dumps))
            table.to_file(path)
        return build_city(str(path), say=said.append), said

    return make


@pytest.mark.parametrize(
    "said",
    [
        {"speed_limits": ["x"]},
        {"access_restrictions": [{"when": "never"}]},
        {"road_flags": [{"between": ["a", "b"]}]},
        {"sources": ["x", 3]},
        {"speed_limits": '[{"max_speed": ' * 100_000},
    ],
    ids=["rules that are text", "a scope that is text", "no shares", "sources of all kinds", "nested without end"],
)
def test_segments_that_say_what_overture_never_does_are_one_sentence_or_passed_over(tmp_path, said):
    table = gpd.GeoDataFrame(ring(), crs="EPSG:32719").to_crs("EPSG:4326")
    for name, value in said.items():
        table[name] = value if isinstance(value, str) else json.dumps(value)
    table["connectors"] = table["connectors"].map(json.dumps)
    table.to_file(path := tmp_path / "town.geojson")
    with suppress(InputError):
        assert len(build_city(str(path), say=lambda _: None)) > 0


def main(city) -> gpd.GeoDataFrame:
    return city.roads[city.roads["name"] == "Main"]


def test_segments_are_roads_with_names_and_credit(built):
    city, said = built(ring())
    assert len(city) == 8
    assert len(main(city)) == 2
    assert set(city.roads["highway"]) == {"residential"}
    assert city.attribution == "© OpenStreetMap contributors, Overture Maps Foundation"
    assert "Open Database License" in city.licence
    assert any("Its prohibited transitions are not read." in sentence for sentence in said)


def test_connectors_cut_segments_and_alone_join_them(built):
    middle = [((50, 0)), ((50, 100))]
    across = segment(middle, [("m", 0.0), ("n", 1.0)])
    streets = ring()
    streets[0]["connectors"] = [{"connector_id": name, "at": at} for name, at in (("a", 0.0), ("m", 0.5), ("b", 1.0))]
    streets[2]["connectors"] = [{"connector_id": name, "at": at} for name, at in (("c", 0.0), ("n", 0.5), ("d", 1.0))]
    assert len(built([*streets, across])[0]) == 6  # three ways between m and n, there and back
    city, _ = built([*ring(), across])
    assert len(city) == 8  # it touches the streets but shares no connector


def test_a_heading_that_is_denied_makes_a_one_way_street(built):
    city, _ = built(ring(access_restrictions=[BACKWARD]))
    assert len(main(city)) == 1
    assert main(city).geometry.iloc[0].coords[0][0] < main(city).geometry.iloc[0].coords[-1][0]
    against = {"access_type": "denied", "when": {"heading": "forward"}}
    assert main(built(ring(access_restrictions=[against]))[0]).geometry.iloc[0].coords[0][0] > -71.2495


@pytest.mark.parametrize(
    "scope",
    [
        {"mode": ["bicycle", "foot"]},
        {"during": "Mo-Fr 07:00-09:00"},
        {"using": ["to_deliver"]},
        {"vehicle": [{"dimension": "weight"}]},
    ],
)
def test_rules_for_others_or_at_some_hours_are_not_read(built, scope):
    rule = {"access_type": "denied", "when": {"heading": "backward", **scope}}
    assert len(main(built(ring(access_restrictions=[rule]))[0])) == 2


def test_speed_limits_have_units_and_headings(built):
    limits = [
        {"max_speed": {"value": 30, "unit": "mph"}, "when": {"heading": "forward"}},
        {"max_speed": {"value": 60, "unit": "km/h"}, "when": None},
    ]
    assert sorted(main(built(ring(speed_limits=limits))[0])["speed_kmh"]) == pytest.approx([48.3, 60.0])


def test_what_holds_between_two_places_holds_there(built):
    limits = [{"max_speed": {"value": 20, "unit": "km/h"}, "between": [0.0, 0.5]}]
    limits.append({"max_speed": {"value": 60, "unit": "km/h"}, "between": [0.5, 1.0]})
    roads = main(built(ring(speed_limits=limits))[0])
    assert roads["speed_kmh"].tolist() == pytest.approx([20, 20, 60, 60])
    assert roads["length_m"].tolist() == pytest.approx([50] * 4, abs=0.1)


def test_what_is_not_for_cars_is_left_out_and_counted(built):
    others = [segment("ad", [("a", 0.0), ("d", 1.0)], **{"class": kind}) for kind in ("footway", "steps", "service")]
    rail = segment("bc", [("b", 0.0), ("c", 1.0)], subtype="rail", **{"class": None})
    city, said = built([*ring(), *others, rail])
    assert len(city) == 8
    assert any("1 segments that are no roads, 3 roads that are not for cars by their class" in one for one in said)


def test_links_and_unknown_classes(built):
    streets = ring(**{"class": "motorway", "subclass": "link"})
    streets[1]["class"] = "unknown"
    city, said = built(streets)
    assert set(main(city)["highway"]) == {"motorway_link"}
    assert "road" in set(city.roads["highway"])
    assert any("1 roads have no known class, most often 'unknown'; they are taken as 'road'" in one for one in said)


def test_roads_carry_the_way_of_openstreetmap_they_come_from(built):
    source = [{"property": "", "dataset": "OpenStreetMap", "record_id": "w123@4"}]
    assert set(main(built(ring(sources=source))[0])["osm_id"]) == {123}


def test_without_connectors_lines_are_joined_where_they_meet(built):
    streets = ring()
    streets[0]["connectors"] = None
    city, said = built(streets)
    assert len(city) == 8
    assert any("some roads have no connectors" in one for one in said)
