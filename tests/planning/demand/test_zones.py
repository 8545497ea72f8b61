"""Zones and the places in them; the city and its zones are described in conftest."""

from __future__ import annotations

import io
import json

import geopandas as gpd
import numpy as np
import pytest
import shapely

from htp.errors import InputError
from htp.planning.demand.gravity import gravity_flows
from htp.planning.demand.zones import ENDS, Zones, city_zones, read_zones, road_weights

NAMES = ("west", "east", "nowhere")


def geojson(frame: gpd.GeoDataFrame) -> bytes:
    return frame.to_json(drop_id=True).encode()


def parquet(frame: gpd.GeoDataFrame) -> bytes:
    stream = io.BytesIO()
    frame.to_parquet(stream)
    return stream.getvalue()


def refusal(content: bytes, city, name: str = "zones.geojson") -> str:
    with pytest.raises(InputError) as error:
        read_zones(content, name, city)
    return str(error.value)


def test_a_zone_has_the_roads_whose_middle_lies_in_it(wide, zones):
    # west: 2 blocks east-west on each of 5 rows but those that end at column 2, which have their middle at 1.5 km, and
    # 4 blocks north-south in columns 0 and 1; both directions
    west = zones.road[0]
    assert len(west) == 2 * (5 * 2 + 2 * 4)
    assert set(wide.roads["name"].iloc[west]) == {*(f"Calle {row}" for row in range(5)), "Avenida 0", "Avenida 1"}
    assert len(zones.road[2]) == 0
    assert zones.metres.tolist() == pytest.approx([36_000, 36_000, 0], rel=1e-3)


def test_a_metre_of_a_main_road_counts_less(wide):
    weights = road_weights(wide)
    assert weights[wide.roads["highway"] == "primary"] == pytest.approx(300, rel=1e-3)
    assert weights[wide.roads["highway"] == "residential"] == pytest.approx(1000, rel=1e-3)


def test_places_are_drawn_in_their_zones_by_length_and_never_on_a_junction(wide, zones):
    rows = np.repeat([0, 1], 2000)
    places = zones.draw(wide, rows, np.random.default_rng(1))
    assert set(places.road[:2000]) == set(zones.road[0])
    assert set(places.road[2000:]) == set(zones.road[1])
    share = places.along_m / wide.length_m[places.road]
    assert ENDS[0] <= share.min() < 0.1
    assert 0.9 < share.max() <= ENDS[1]
    assert np.bincount(places.road[:2000]).max() < 2000 / 36 * 2  # 36 roads, all as long


def test_a_seed_draws_the_same_places_again(wide, zones):
    one, two, other = (zones.draw(wide, np.zeros(50, np.int64), np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(one.road, two.road)
    assert np.array_equal(one.along_m, two.along_m)
    assert not np.array_equal(one.road, other.road)


def test_a_zone_without_roads_is_refused_where_trips_start(wide, zones):
    with pytest.raises(InputError, match="zone nowhere has no road of Wide"):
        zones.draw(wide, np.array([0, 2]), np.random.default_rng(0))


@pytest.mark.parametrize("ending", ["geojson", "parquet"])
def test_zones_are_read_from_files(wide, zone_frame, ending):
    content = geojson(zone_frame) if ending == "geojson" else parquet(zone_frame.to_crs("EPSG:32719"))
    read = read_zones(content, f"zones.{ending}", wide)
    assert read.names == NAMES
    assert read.metres.tolist() == pytest.approx([36_000, 36_000, 0], rel=1e-3)


def test_population_is_taken_where_it_is_known(wide, zone_frame):
    read = read_zones(geojson(zone_frame.assign(population=[10, 20, None])), "zones.json", wide)
    assert read.people.tolist() == [10, 20, 0]


def test_names_may_be_the_features_ids(wide, zone_frame):
    document = json.loads(geojson(zone_frame))
    for number, feature in enumerate(document["features"]):
        feature["id"], feature["properties"] = number, {}
    assert read_zones(json.dumps(document).encode(), "zones.json", wide).names == ("0", "1", "2")


def test_a_zone_that_crosses_itself_is_mended(wide, place):
    bow = shapely.Polygon([place(*xy) for xy in ((-500, -500), (4500, 4500), (4500, -500), (-500, 4500))])
    frame = gpd.GeoDataFrame({"zone_id": [1]}, geometry=[bow], crs="EPSG:4326")
    assert 0 < read_zones(geojson(frame), "zones.geojson", wide).metres[0] < 80_000


def test_bad_files_of_zones_are_one_sentence(wide, zone_frame, place):
    assert "is no GeoJSON" in refusal(b"{", wide)
    assert "is no GeoJSON" in refusal(b'{"type": "Point"}', wide)
    assert "is no GeoJSON" in refusal(b'{"features": [1]}', wide)
    assert "no readable GeoParquet" in refusal(b"PAR1", wide, "zones.parquet")
    assert "zones are read from" in refusal(b"", wide, "zones.shp")
    assert "holds 0 zones" in refusal(b'{"type": "FeatureCollection", "features": []}', wide)
    assert "have no names" in refusal(geojson(zone_frame[["geometry"]]), wide)
    assert "zone number 2 has no 'zone_id'" in refusal(geojson(zone_frame.assign(zone_id=["a", None, "c"])), wide)
    assert "'a' is the name of two zones" in refusal(geojson(zone_frame.assign(zone_id=["a", "a", "c"])), wide)
    points = zone_frame.set_geometry([shapely.Point(place(0, 0))] * 3)
    assert "zone west is no area" in refusal(geojson(points), wide)
    assert "'population' holds text" in refusal(geojson(zone_frame.assign(population="many")), wide)


def test_zones_elsewhere_or_with_swapped_coordinates_are_told_apart(wide, zone_frame):
    swapped = zone_frame.set_geometry(shapely.transform(zone_frame.geometry.to_numpy(), lambda xy: xy[:, ::-1]))
    assert "coordinates swapped" in refusal(geojson(swapped), wide)
    elsewhere = zone_frame.set_geometry(shapely.transform(zone_frame.geometry.to_numpy(), lambda xy: xy + 5))
    assert "no zone lies in Wide" in refusal(geojson(elsewhere), wide)


def test_a_city_without_zones_gets_square_ones_over_all_its_roads(wide):
    laid = city_zones(wide)
    assert laid.gridded
    assert set(laid.road.flat) == set(range(len(wide)))
    assert laid.metres.sum() == pytest.approx(road_weights(wide).sum())


def test_the_zones_of_a_city_are_its_own(wide, zone_frame):
    own = city_zones(type(wide)(**{**_fields(wide), "zones": zone_frame.assign(population=5.0)}))
    assert own.names == NAMES
    assert not own.gridded


def test_a_made_up_table_has_the_trips_asked_for_and_more_where_people_are(wide, zone_frame):
    zones = Zones.of(wide, zone_frame.assign(population=[900.0, 100.0, 50.0]))
    flows = gravity_flows(wide, zones, 5000)
    assert flows.total == 5000
    assert set(flows.origin) == set(flows.destination) == {0, 1}  # nowhere has no roads
    assert flows.trips[flows.origin == 0].sum() / 5000 == pytest.approx(0.9, abs=0.05)
    assert np.array_equal(flows.trips, gravity_flows(wide, zones, 5000).trips)


def test_a_made_up_table_of_too_many_trips_is_refused(wide, zones):
    with pytest.raises(InputError, match="a day takes 1 to"):
        gravity_flows(wide, zones, 10**7)


def _fields(city) -> dict:
    return {name: getattr(city, name) for name in ("name", "timezone", "crs", "source", "licence", "roads")}
