"""Check cities of centre lines on a block that is checkable by hand.

C --- 2 --- D       four streets of 100 m, lines drawn A-B, B-D, C-D and A-C; Main (1) is the line A-B
|           |
3           1       two-way unless a test says else: 8 roads, all within reach of each other
|           |
A --- 0 --- B       A lies at 283 km east, 6690 km north in EPSG:32719, in La Serena
"""

from __future__ import annotations

import json
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely

from htp.city import City
from htp.city.lines.options import LineOptions
from htp.city.sources import build_city
from htp.errors import InputError

A, B, C, D = (0, 0), (100, 0), (0, 100), (100, 100)
LINES = [(A, B), (B, D), (C, D), (A, C)]
ORIGIN = np.array([283_000.0, 6_690_000.0])
NAMES = ["Main", "First", "Second", None]


def block(lines=LINES, crs="EPSG:32719", **fields) -> gpd.GeoDataFrame:
    """Return lines in metres from A, or ready geometries, with their fields."""
    drawn = [shapely.LineString(np.array(line) + ORIGIN) if isinstance(line, tuple | list) else line for line in lines]
    return gpd.GeoDataFrame(fields, geometry=drawn, crs="EPSG:32719", index=range(len(drawn))).to_crs(crs)


@pytest.fixture
def built(tmp_path):
    """Write a table of lines and build a city of it; what is said comes along."""

    def make(table, name="town.gpkg", **options) -> tuple[City, list[str]]:
        path, said = tmp_path / name, []
        if path.suffix == ".parquet":
            table.to_parquet(path)
        else:
            table.to_file(path)
        return build_city(str(path), lines=LineOptions(**options), say=said.append), said

    return make


def heard(said: list[str], part: str) -> bool:
    return any(part in sentence for sentence in said)


@pytest.mark.filterwarnings("ignore:.*TARGET_ARCGIS_VERSION")
@pytest.mark.parametrize("ending", ["gpkg", "shp", "geojson", "geojsonl", "fgb", "gdb", "gml", "kml", "parquet"])
def test_every_kind_of_file_gives_the_same_block(built, ending):
    table = block(FULLNAME=NAMES)
    degrees = ending in ("geojson", "geojsonl", "kml")
    city, _ = built(table.to_crs("EPSG:4326") if degrees else table, f"town.{ending}")
    assert len(city) == 8
    np.testing.assert_allclose(city.length_m, 100, atol=0.05)
    assert sorted(city.roads["name"].dropna()) == ["First", "First", "Main", "Main", "Second", "Second"]
    assert set(city.roads["highway"]) == {"road"}
    assert city.name == "Town"


@pytest.mark.parametrize(
    "name", ["town.geojson", "town.kml", "town.gml", "town.fgb", "town.gpkg", "town.shp", "town.zip"]
)
def test_a_file_that_leads_to_others_is_refused(built, tmp_path, name):
    """GDAL goes by what a file holds: it would follow this one, whatever it is called."""
    built(block(), "secret.gpkg")
    source = f"<SrcDataSource>{tmp_path / 'secret.gpkg'}</SrcDataSource>"
    text = f'<OGRVRTDataSource><OGRVRTLayer name="secret">{source}</OGRVRTLayer><!--<kml>--></OGRVRTDataSource>'
    (tmp_path / "town.geojson").write_text(text)
    if name == "town.zip":
        with zipfile.ZipFile(tmp_path / name, "w") as packed:
            packed.write(tmp_path / "town.geojson", "town.geojson")
    elif name != "town.geojson":
        (tmp_path / "town.geojson").rename(tmp_path / name)
    with pytest.raises(InputError, match="is not what its ending says"):
        build_city(str(tmp_path / name))


def test_a_packed_shapefile_in_a_folder_is_read(built, tmp_path):
    built(block(), "town.shp")
    with zipfile.ZipFile(tmp_path / "town.zip", "w") as packed:
        for part in tmp_path.glob("town.*"):
            if part.suffix != ".zip":
                packed.write(part, f"data/{part.name}")
    assert len(build_city(str(tmp_path / "town.zip"))) == 8


def test_a_json_file_may_be_geojson(built, tmp_path):
    built(block(crs="EPSG:4326"), "town.geojson")
    (tmp_path / "town.geojson").rename(tmp_path / "town.json")
    assert len(build_city(str(tmp_path / "town.json"))) == 8


def test_feet_are_feet(built):
    lines = [shapely.LineString(np.add(line, (985_000, 200_000))) for line in LINES]
    city, _ = built(gpd.GeoDataFrame(geometry=lines, crs="EPSG:2263"))  # New York's, in feet
    assert city.length_m.sum() == pytest.approx(800 * 0.3048, rel=0.01)
    assert city.timezone == "America/New_York"


def test_a_file_without_a_reference_system_is_degrees_or_asked_for_it(built):
    city, said = built(block(crs="EPSG:4326").set_crs(None, allow_override=True), "plain.gpkg")
    assert len(city) == 8
    assert heard(said, "its coordinates are taken as degrees")
    metres = block().set_crs(None, allow_override=True)
    with pytest.raises(
        InputError, match=r"plain2\.gpkg: does not say the reference system .* about 283,050, 6,690,050; say"
    ):
        built(metres, "plain2.gpkg")
    assert len(built(metres, "plain3.gpkg", crs="EPSG:32719")[0]) == 8
    with pytest.raises(InputError, match="--crs 'nonsense' is no reference system"):
        built(metres, "plain4.gpkg", crs="nonsense")


def test_geojson_in_metres_is_refused_with_what_to_say(built):
    with pytest.raises(InputError, match="say their reference system with --crs"):
        built(block().set_crs("EPSG:4326", allow_override=True), "metres.geojson")


def test_parts_heights_and_what_is_no_road_are_counted(built):
    high = shapely.force_3d(shapely.LineString(np.array(LINES[3]) + ORIGIN), 12.0)
    both = shapely.multilinestrings([np.array(LINES[0]) + ORIGIN, np.array(LINES[1]) + ORIGIN])
    point = shapely.LineString([ORIGIN, ORIGIN])
    city, said = built(block([both, LINES[2], high, None, shapely.LineString(), point]), "town.gpkg")
    assert len(city) == 8
    assert not shapely.has_z(city.roads.geometry.to_numpy()).any()
    assert heard(said, "left out 1 lines without length, 2 features without a line.")


def test_a_line_drawn_twice_is_one_road(built):
    city, said = built(block([*LINES, LINES[0], LINES[1][::-1]]))
    assert len(city) == 8
    assert heard(said, "2 lines lie on others, at least in part")


def test_one_way_lines_drawn_over_each_other_are_both_directions(built):
    city, said = built(block([*LINES, *[line[::-1] for line in LINES]], ONEWAY=["FT"] * 8))
    assert len(city) == 8
    assert not heard(said, "lie on others")


def test_one_way_streets_are_driven_as_their_field_says(built):
    city, said = built(block(ONE_WAY=["FT", "B", "TF", "TF"], FULLNAME=NAMES))  # A -> B <-> D -> C -> A
    assert heard(said, "oneway from ONE_WAY")
    assert heard(said, "by ONE_WAY lines are driven: 2 against, 1 both, 1 along.")
    assert sorted(city.length_m.round()) == [100, 100, 300]  # C and A are no junctions
    around = city.roads.geometry.iloc[int(city.length_m.argmax())]
    driven_m = (city.to_metres(shapely.get_coordinates(around)) - ORIGIN).round()
    assert [tuple(place) for place in driven_m] == [D, C, A, B]


def test_an_unknown_direction_is_two_way_and_said(built):
    city, said = built(block(ONEWAY=["X", "", "", ""]))
    assert len(city) == 8
    assert heard(said, "1 values of ONEWAY say no direction, such as 'X' of line 1; these lines are driven both ways.")


@pytest.mark.parametrize(
    ("name", "values", "options", "kmh", "sentence"),
    [
        ("SPEED_MPH", [30, 30, 30, 0], {}, 48.3, "read in mph, as its name says"),
        ("SPEEDLIMIT", [60, 60, 60, None], {}, 60.0, "read in km/h, as nothing says another unit (--speed-unit mph)"),
        ("SPEEDLIMIT", [30, 30, 30, None], {"speed_unit": "mph"}, 48.3, None),
        ("SPEEDLIMIT", ["30 mph", "30 mph", "30 MPH", ""], {}, 48.3, None),
        ("V", [60, 60, 60, -1], {"fields": {"speed": "V"}}, 60.0, "read in km/h"),
    ],
    ids=["unit in name", "no unit", "unit given", "unit in text", "field given"],
)
def test_speeds_have_the_unit_that_is_said(built, name, values, options, kmh, sentence):
    city, said = built(block(**{name: values}, FULLNAME=NAMES), **options)
    by_name = city.roads.set_index(city.roads["name"].fillna("none"))["speed_kmh"]
    assert by_name["Main"].tolist() == pytest.approx([kmh, kmh])
    assert by_name["none"].tolist() == [40.0, 40.0]  # the default of `road`
    assert heard(said, "are read in") == (sentence is not None)
    assert sentence is None or heard(said, sentence)


def test_a_speed_that_no_road_has_is_replaced_and_said(built):
    city, said = built(block(MAXSPEED=[500, 50, 50, 50]))
    assert sorted(set(city.roads["speed_kmh"])) == [40.0, 50.0]
    assert heard(said, "1 values that no road has were replaced by the default of their road's class, such as")
    assert heard(said, "=500 of line 1.")


def test_classes_are_mapped_left_out_or_taken_as_road(built):
    lines = [*LINES, (A, D), (B, C)]
    kinds = ["Arterial", "Local", "7", "9", "Footway", "Track"]
    city, said = built(block(lines, CLASS=kinds), classes={"9": "tertiary"})
    assert sorted(set(city.roads["highway"])) == ["primary", "residential", "road", "tertiary"]
    assert heard(said, "left out 2 lines that are not for cars by their class.")
    assert heard(said, "1 lines have a class that is not known, most often '7'")


def test_closed_lines_are_left_out_and_counted(built):
    city, said = built(block([*LINES, (A, D)], DIR_TRAVEL=["B", "B", "B", "B", "N"]))
    assert len(city) == 8
    assert heard(said, "left out 1 lines that are closed.")


def test_lanes_count_both_directions(built):
    city, _ = built(block(NUM_LANES=[4, 4, 4, 4]))
    assert set(city.roads["lanes"]) == {2}


def test_roads_carry_the_numbers_of_their_lines(built):
    assert set(built(block())[0].roads["osm_id"]) == {1, 2, 3, 4}
    assert set(built(block(OBJECTID=[11, 12, 13, 14]), "own.gpkg")[0].roads["osm_id"]) == {11, 12, 13, 14}


def test_nodes_that_are_no_junction_are_merged_away(built):
    middle = (50, 0)
    city, _ = built(block([(A, middle), (middle, B), *LINES[1:], (D, (200, 100))]))
    assert sorted(city.length_m.round()) == [100, 100, 400, 400]  # around the block, and out of it and back


def test_what_cannot_be_driven_to_and_from_the_rest_is_left_out_and_said(built):
    city, said = built(block([*LINES, ((500, 0), (700, 0))]))
    assert len(city) == 8
    assert heard(said, "left out 0.4 of 1.2 km of roads, which cannot be driven to and from the rest")


def test_what_is_not_there_or_holds_no_lines_is_a_sentence(built, tmp_path):
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0, 1], [0, 1]), crs="EPSG:4326")
    with pytest.raises(InputError, match=r"holds no lines \(Point\); give the layer of centre lines"):
        built(points)
    with pytest.raises(InputError, match=r"holds no lines \(Point\)"):
        built(points, "points.parquet")
    with pytest.raises(InputError, match="no such file"):
        build_city(str(tmp_path / "nowhere.gpkg"))
    (tmp_path / "broken.gpkg").write_bytes(b"no database")
    with pytest.raises(InputError, match=r"broken\.gpkg: cannot be read as a layer of lines"):
        build_city(str(tmp_path / "broken.gpkg"))
    (tmp_path / "broken.zip").write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"broken\.zip: cannot be unpacked"):
        build_city(str(tmp_path / "broken.zip"))
    (tmp_path / "broken.parquet").write_bytes(b"no table")
    with pytest.raises(InputError, match=r"broken\.parquet: not a readable GeoParquet file of lines"):
        build_city(str(tmp_path / "broken.parquet"))
    with pytest.raises(InputError, match="none of its lines is for cars"):
        built(block(HIGHWAY=["footway"] * 4), "feet.gpkg")


def test_several_layers_are_asked_for(tmp_path):
    path = tmp_path / "town.gpkg"
    block().to_file(path, layer="streets")
    block().to_file(path, layer="tracks")
    with pytest.raises(InputError, match="has the layers streets, tracks; name the one of centre lines with --layer"):
        build_city(str(path))
    assert len(build_city(str(path), lines=LineOptions(layer="streets"))) == 8
    with pytest.raises(InputError, match="has no layer 'roads'; it has streets, tracks"):
        build_city(str(path), lines=LineOptions(layer="roads"))


def test_options_that_mean_nothing_are_refused(built, tmp_path):
    with pytest.raises(InputError, match=r"has no field 'V' for --field speed=…; it has FULLNAME\."):
        built(block(FULLNAME=NAMES), fields={"speed": "V"})
    with pytest.raises(InputError, match="--field width=…: a field says one of oneway"):
        LineOptions(fields={"width": "W"})
    with pytest.raises(InputError, match="--class 7=street: the classes are motorway"):
        LineOptions(classes={"7": "street"})
    with pytest.raises(InputError, match="--speed-unit furlongs: give km/h or mph"):
        LineOptions(speed_unit="furlongs")
    with pytest.raises(InputError, match="is OpenStreetMap's, where fields and credit are known"):
        build_city("Porto, Portugal", lines=LineOptions(attribution="me"))


def test_a_field_may_be_left_alone(built):
    city, said = built(block(ONEWAY=["FT"] * 4), fields={"oneway": ""})
    assert len(city) == 8
    assert heard(said, "nothing says oneway or speed or name or class")


def test_credit_and_licence_are_kept_with_the_city(built, tmp_path):
    city, said = built(block(), attribution="© Municipality of X", licence="CC BY 4.0")
    city.save(tmp_path / "city")
    kept = City.load(tmp_path / "city")
    assert (kept.attribution, kept.licence, kept.source) == (
        "© Municipality of X",
        "CC BY 4.0",
        "centre lines, town.gpkg",
    )
    assert not heard(said, "credit nobody")
    silent, said = built(block(), "silent.gpkg")
    assert silent.attribution == ""
    assert heard(said, "no --attribution was given, so maps of this city credit nobody for its roads.")


def test_a_folder_of_an_older_version_is_openstreetmaps(built, tmp_path):
    built(block())[0].save(tmp_path / "city")
    facts = json.loads((tmp_path / "city" / "city.json").read_text())
    del facts["attribution"]
    (tmp_path / "city" / "city.json").write_text(json.dumps(facts))
    assert City.load(tmp_path / "city").attribution == "© OpenStreetMap contributors"


def test_a_small_archive_that_holds_very_much_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("town.shp", bytes(100 << 20))
    with pytest.raises(InputError, match="far more than its size"):
        build_city(str(tmp_path / "bomb.zip"))
