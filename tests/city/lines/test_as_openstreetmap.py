"""Compare the toy grid as centre lines with the same grid as an extract, from the file to matched trips."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely

from htp.city import City
from htp.city.credit import credit_html
from htp.city.matching import Matcher
from htp.city.sources import build_city
from htp.cli.main import main
from htp.trips import read_trips
from htp.webmap import trips_map

ORIGIN_M = np.array([283_000.0, 6_690_000.0])  # of the toy frame, in EPSG:32719


def streets(grid) -> dict[str, shapely.LineString]:
    """Return the grid's ten streets, each whole, in degrees."""
    forward = grid.roads.iloc[::2]
    return {
        name: shapely.line_merge(shapely.multilinestrings(blocks.to_numpy()))
        for name, blocks in forward.groupby("name").geometry
    }


def osm(grid) -> str:
    """Return the streets as OpenStreetMap XML."""
    lines = streets(grid)
    places = sorted({place for line in lines.values() for place in line.coords})
    xml = [f'<node id="{i + 1}" version="1" lon="{lon:.9f}" lat="{lat:.9f}"/>' for i, (lon, lat) in enumerate(places)]
    for i, (name, line) in enumerate(lines.items()):
        refs = "".join(f'<nd ref="{places.index(place) + 1}"/>' for place in line.coords)
        kind = 'primary"/><tag k="maxspeed" v="72' if name == "Avenida 2" else "residential"
        tags = f'<tag k="name" v="{name}"/><tag k="highway" v="{kind}"/>'
        xml.append(f'<way id="{i + 1}" version="1">{refs}{tags}</way>')
    return f'<osm version="0.6">{"".join(xml)}</osm>'


def as_blocks(grid) -> gpd.GeoDataFrame:
    return grid.roads.iloc[::2][["name", "highway", "speed_kmh", "geometry"]]


def as_whole_streets(grid) -> gpd.GeoDataFrame:
    lines = streets(grid)
    kinds = ["primary" if name == "Avenida 2" else "residential" for name in lines]
    kmh = [72 if name == "Avenida 2" else 40 for name in lines]
    facts = {"name": list(lines), "highway": kinds, "speed_kmh": kmh}
    return gpd.GeoDataFrame(facts, geometry=list(lines.values()), crs="EPSG:4326")


@pytest.fixture(scope="module")
def extract(grid, tmp_path_factory) -> City:
    path = tmp_path_factory.mktemp("osm") / "grid.osm"
    path.write_text(osm(grid), encoding="utf-8")
    return build_city(str(path))


@pytest.fixture(params=[as_blocks, as_whole_streets], ids=["a line a block", "a line a street"])
def lines(request, grid, tmp_path) -> City:
    path = tmp_path / "grid.gpkg"
    request.param(grid).to_crs("EPSG:32719").to_file(path)
    out = tmp_path / "city"
    _run("city", path, "--out", out, "--attribution", "© Municipality of <X>")
    return City.load(out)


def _run(*words) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["htp", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code


def drawn(city, roads=slice(None)) -> list[tuple]:
    """Return roads as their places in whole metres of the toy frame, whose crossings lie at hundreds."""
    lines = city.roads.geometry.to_numpy()[roads]
    return [tuple(map(tuple, (city.to_metres(shapely.get_coordinates(line)) - ORIGIN_M).round())) for line in lines]


def test_both_give_the_same_roads(lines, extract):
    facts = []
    for city in (lines, extract):
        roads = city.roads[["name", "highway", "lanes"]].assign(places=drawn(city)).sort_values("places")
        corner = roads["places"].map(len) > 2  # a block of two streets, named after either
        facts.append(roads.assign(name=roads["name"].mask(corner, "corner")).to_numpy().tolist())
    assert facts[0] == facts[1]


def test_a_track_is_matched_to_the_same_roads(lines, extract, place):
    track = [place(x, 103) for x in range(20, 190, 20)] + [place(203, y) for y in range(120, 380, 20)]
    matched = []
    for city in (lines, extract):
        (match,) = Matcher(city).match([city.to_metres(np.array(track))])
        assert match.failure is None
        matched.append(drawn(city, match.roads))
    assert matched[0] == matched[1]


def test_trips_are_prepared_and_shown_with_the_credit_of_their_roads(lines, place, tmp_path):
    rows = ["trip_id,time,lon,lat"]
    rows += [
        "a,2024-05-14T08:{:02}:{:02}-04:00,{:.7f},{:.7f}".format(15 + i // 12, i % 12 * 5, *place(20 + 25 * i, 102))
        for i in range(14)
    ]
    (tmp_path / "trips.csv").write_text("\n".join(rows), encoding="utf-8")
    lines.save(tmp_path / "again")
    out = tmp_path / "prepared"
    _run("prepare", tmp_path / "trips.csv", "--city", tmp_path / "again", "--out", out, "--interval", 2, "--heldout", 0)
    assert json.loads((out / "report.json").read_text())["kept"] == 1
    trips = read_trips(out / "train.parquet")
    assert set(lines.roads["name"].iloc[trips["roads"].iloc[0]]) == {"Calle 1"}
    document = trips_map(trips, lines, 60, title="Trips", note="")
    assert "Municipality of" in document
    assert "openstreetmap.org" not in document
    assert credit_html(lines) == "© Municipality of &lt;X&gt;"


def test_a_route_leads_along_the_same_streets(lines, extract, place):
    ends = [place(20, 0), place(380, 400)]
    names = [list(city.roads["name"].iloc[city.route(ends).roads]) for city in (lines, extract)]
    assert names[0] == names[1]
    assert "Avenida 2" in names[0]
