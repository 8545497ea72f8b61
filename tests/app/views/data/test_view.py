"""The page Data and models, driven without a browser; commands run here in name only, but for one."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import streamlit as st
from driving import finished, opened, query
from streamlit.testing.v1 import AppTest

import htp.checkpoint
import htp_app.model
from htp.city.lines.layer import LINE_ENDINGS
from htp.city.sources import OSM_ENDINGS
from htp.errors import InputError
from htp_app.jobs import command
from htp_app.views.data.additions import ROADS
from htp_app.views.data.choices import PARTS, DataChoices
from htp_app.views.data.report import report_panel
from htp_app.views.data.used import card_of

FOLDER = Path(htp_app.model.__file__).parent
REPORT = {
    "sources": [{"name": "rides.csv"}],
    "city": {"name": "Grid"},
    "settings": {"interval_s": 15.0},
    "rows": 10,
    "kept": 7,
    "train": 6,
    "heldout": 1,
    "dropped": {"too_short": 2, "out_of_town": 1},
    "offset_m": {"0.5": 3.05, "0.9": 8.95},
    "matched_to_gps_length": {"0.5": 1.04},
    "left_out": {"jump": 3, "unmatched": 40},
    "points": 260,
    "points_read": 400,
    "examples": {"too_short": "trip 8"},
    "notes": ["rides.csv: took the columns 'id' as trip_id."],
    "seconds": 1.5,
}


@pytest.fixture
def space(checkpoint, tmp_path, monkeypatch) -> Path:
    """Serve the fake with an empty workspace; return its folder."""
    folder = tmp_path / "space"
    monkeypatch.setattr("sys.argv", ["app/main.py", "--checkpoint", str(checkpoint), "--workspace", str(folder)])
    return folder


@pytest.fixture
def ran(space, monkeypatch):
    """Return the commands that were run, which here do nothing but leave their last file."""
    commands = []

    def run(arguments, folder, progress):
        commands.append((arguments, sorted(path.name for path in folder.iterdir() if path.is_file())))
        out = Path(arguments[arguments.index("--out") + 1])
        out.mkdir(parents=True)
        progress(1, 2)
        (out / ("city.json" if arguments[0] == "city" else "report.json")).write_text(
            json.dumps({"name": "Town", "roads": 12} if arguments[0] == "city" else REPORT)
        )
        return f"{out}: Town, 12 roads\n"

    monkeypatch.setattr(command, "run", run)
    return commands


@pytest.fixture
def block_of_lines() -> bytes:
    """Return GeoJSON of four streets around a block."""
    corners = [(-71.3, -29.95), (-71.298, -29.95), (-71.298, -29.948), (-71.3, -29.948)]
    features = [
        {
            "type": "Feature",
            "properties": {"FULLNAME": "Main"},
            "geometry": {"type": "LineString", "coordinates": [corner, corners[(number + 1) % 4]]},
        }
        for number, corner in enumerate(corners)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def open_page(**link: str) -> AppTest:
    return opened(FOLDER / "views" / "data" / "view.py", **link)


def finish(page: AppTest) -> AppTest:
    """Run the page until its work in the background has ended."""
    return finished(page, "add-city-job", "add-trips-job")


def said(page: AppTest) -> str:
    kinds = (page.error, page.toast, page.caption, page.markdown, page.success)
    return " ".join(message.value for kind in kinds for message in kind) + " ".join(
        block.proto.body for block in page.get("html")
    )


def add(page: AppTest, name: str, *files: tuple[str, bytes]) -> AppTest:
    """Give a name and files, press the button, wait."""
    page.text_input[0].set_value(name).run()
    given = [(*file, "application/octet-stream") for file in files]
    page.file_uploader[0].set_value(given if len(given) > 1 else given[0]).run()
    return finish(next(button for button in page.button if button.icon == ":material/play_arrow:").click().run())


def other_checkpoint(space: Path, grid, name: str = "other") -> Path:
    folder = space / "checkpoints" / name
    (folder / "language").mkdir(parents=True)
    grid.save(folder / "city")
    (folder / "manifest.json").write_text("{}")
    return folder


def test_what_is_in_use_is_shown_with_the_card(space):
    page = open_page()
    assert "Grid<small>80 roads, time zone America/Santiago</small>" in said(page)
    assert "In this process" in said(page)
    assert "### Grid" in said(page)
    assert query(page) == {}
    assert not page.exception


def test_a_card_is_shown_without_its_header_and_without_pictures(tmp_path):
    (tmp_path / "README.md").write_text("---\nsimulated: true\n---\n# Card\n\n## Data\n![spy](http://x.y/z.png) ok\n")
    assert card_of(tmp_path) == "### Card\n\n#### Data\nspy ok"
    assert not card_of(tmp_path / "nowhere")


def test_every_part_of_an_empty_workspace_says_what_to_do(space):
    for part in PARTS:
        page = open_page(part=part)
        assert not page.exception, part
        assert query(page).get("part", "used") == part
    assert "None yet: add one from an OpenStreetMap extract" in said(open_page(part="stored"))
    assert not space.exists()


def test_a_city_is_added_from_an_upload(ran, space):
    page = add(open_page(part="add-city"), "town", ("../my town.osm", b"<osm/>"))
    assert "**town** is in the workspace: Town, 12 roads" in said(page)
    [(arguments, files)] = ran
    assert arguments == ["city", "my_town.osm", "--out", str(space / "cities" / "town")]
    assert files == ["my_town.osm"]
    assert list((space / "incoming").iterdir()) == []
    assert "Town, 12 roads" in said(open_page(part="stored"))


def test_a_city_is_added_from_centre_lines_with_what_their_file_does_not_say(ran, space):
    page = open_page(part="add-city")
    page.text_input(key="add-city-fields").set_value("oneway=WAY speed=LIMIT")
    page.selectbox(key="add-city-unit").set_value("mph")
    page.text_input(key="add-city-attribution").set_value(" © X ").run()
    add(page, "town", ("streets.gpkg", b"x"))
    [(arguments, files)] = ran
    assert files == ["streets.gpkg"]
    assert arguments[:2] == ["city", "streets.gpkg"]
    assert arguments[4:] == ["--field=oneway=WAY", "--field=speed=LIMIT", "--speed-unit=mph", "--attribution=© X"]


def test_the_guesses_of_the_reader_are_shown_and_a_bad_file_is_a_sentence(space, block_of_lines):
    page = add(open_page(part="add-city"), "town", ("streets.geojson", block_of_lines))
    assert "**town** is in the workspace: Streets, 8 roads" in said(page)
    assert any("streets.geojson: 4 lines, name from FULLNAME" in note.value for note in page.text)
    page = add(open_page(part="add-city"), "bad", ("bad.gpkg", b"no layer"))
    assert "bad.gpkg is not what its ending says" in page.error[0].value
    assert not page.exception


def test_the_app_takes_what_htp_city_takes():
    taken = (*OSM_ENDINGS, *LINE_ENDINGS)
    assert all(one.endswith(taken) for one in ROADS)
    elsewhere = {".shp", ".gdb", ".kml", ".gml", ".geojsons", ".shz"}  # files beside it, folders, or rare
    assert {one for one in taken if not one.endswith(ROADS) and ".os" not in one} - elsewhere == {".pbf"}


def test_trips_are_added_for_the_city_in_use_with_the_report_of_what_was_dropped(ran, space):
    page = add(open_page(part="add-trips"), "taxis", ("a.csv", b"x"), ("b.gpx", b"y"))
    [(arguments, _)] = ran
    assert arguments[:3] == ["prepare", "a.csv", "b.gpx"]
    assert "--interval" not in arguments  # as recorded
    assert "7 of 10<small>70.0%</small>" in said(page)
    assert "Too short" in said(page)
    assert "sample more often with --interval (trip 8)" in said(page)
    assert "Unmatched</th><td>40</td><td>10.0%</td><td>points lie beyond the parts" in said(page)
    assert not page.exception


def test_trips_are_brought_to_the_interval_that_is_chosen(ran):
    page = open_page(part="add-trips")
    page.selectbox(key="add-trips-interval").set_value(5)
    add(page, "taxis", ("a.csv", b"x"))
    [(arguments, _)] = ran
    assert arguments[-2:] == ["--interval", "5"]


def test_trips_that_lie_in_the_workspace_are_prepared_for_one_of_its_cities(ran, space, grid):
    grid.save(space / "cities" / "grid")
    (space / "incoming").mkdir()
    (space / "incoming" / "rides.csv").write_text("x")
    page = open_page(part="add-trips", city="grid")
    page.text_input[0].set_value("taxis").run()
    page.segmented_control(key="add-trips-source").set_value("From the folder").run()
    page.multiselect[0].set_value(["rides.csv"]).run()
    finish(next(button for button in page.button if button.label == "Prepare the trips").click().run())
    [(arguments, _)] = ran
    assert arguments[:2] == ["prepare", "rides.csv"]
    assert arguments[arguments.index("--city") + 1] == str(space / "cities" / "grid")
    assert query(page) == {"part": "add-trips", "city": "grid"}


@pytest.mark.parametrize("name", ["../up", "a b", "town"], ids=["a path", "a space", "taken"])
def test_a_name_that_cannot_be_used_is_a_sentence_and_nothing_is_run(ran, space, name):
    (space / "cities" / "town").mkdir(parents=True)
    (space / "cities" / "town" / "city.json").write_text("{}")
    page = add(open_page(part="add-city"), name, ("x.osm", b"<osm/>"))
    assert ("already" if name == "town" else "is no name for a city") in page.error[0].value
    assert not ran
    assert not page.exception


def test_two_files_of_one_name_are_a_sentence(ran):
    page = add(open_page(part="add-trips"), "taxis", ("a b.csv", b"x"), ("a_b.csv", b"y"))
    assert "two files are called a_b.csv" in page.error[0].value


def test_the_sentence_of_the_command_is_shown_and_the_upload_is_gone(space, monkeypatch):
    def refuse(*_):
        raise InputError("x.osm: holds no roads.")

    monkeypatch.setattr(command, "run", refuse)
    page = add(open_page(part="add-city"), "town", ("x.osm", b"<osm/>"))
    assert page.error[0].value == "x.osm: holds no roads."
    assert list((space / "incoming").iterdir()) == []
    assert not page.exception


def test_the_file_after_a_broken_one_takes_its_place(ran, space):
    page = open_page(part="add-city")
    assert not page.file_uploader[0].proto.multiple_files  # else the browser keeps the first beside it
    add(page, "town", ("broken.osm", b"x"))
    add(page, "town2", ("whole.osm", b"<osm/>"))
    assert [arguments[1] for arguments, _ in ran] == ["broken.osm", "whole.osm"]


def test_work_that_goes_on_can_be_stopped(space, monkeypatch):
    def work(arguments, folder, progress):
        while True:
            progress(1, 4)
            time.sleep(0.02)

    monkeypatch.setattr(command, "run", work)
    page = open_page(part="add-city")
    page.text_input[0].set_value("town").run()
    page.file_uploader[0].set_value(("x.osm", b"<osm/>", "")).run()
    next(button for button in page.button if button.label == "Add the city").click().run()
    next(button for button in page.button if button.label == "Stop").click().run()
    assert "add-city-job" not in page.session_state
    assert any(button.label == "Add the city" for button in page.button)


def test_the_report_of_prepared_trips_is_read_again_from_a_link(space):
    for name in ("first", "second"):
        (space / "trips" / name).mkdir(parents=True)
        (space / "trips" / name / "report.json").write_text(
            json.dumps(REPORT | {"rows": 14 if name == "second" else 10})
        )
    page = open_page(part="stored", trips="second")
    assert "7 of 14<small>50.0%</small>" in said(page)
    assert query(page) == {"part": "stored", "trips": "second"}


def test_a_checkpoint_of_the_workspace_is_used_by_the_link_that_names_it(space, grid):
    other_checkpoint(space, grid)
    page = open_page(part="stored")
    assert "<a href='?checkpoint=other'>Use other</a>" in said(page)
    page = open_page(checkpoint="other", part="stored")
    assert "in use" in said(page)
    assert query(page) == {"checkpoint": "other", "part": "stored"}
    page.radio[0].set_value("used").run()
    assert str(space / "checkpoints" / "other") in said(page)
    assert query(page) == {"checkpoint": "other"}


def test_a_city_that_comes_with_the_app_is_used_by_its_link(space, grid, monkeypatch, tmp_path):
    folder = other_checkpoint(space, grid).rename(tmp_path / "ships")
    monkeypatch.setattr(htp.checkpoint, "CITIES", tmp_path)
    page = open_page()
    assert "<a href='?checkpoint=ships'>Use ships</a>" in said(page)
    page = open_page(checkpoint="ships")
    assert "in use" in said(page)
    assert str(folder) in said(page)
    assert query(page) == {"checkpoint": "ships"}


@pytest.mark.parametrize("name", ["missing", "../space/checkpoints/other", "/etc", ".."])
def test_a_checkpoint_that_is_not_in_the_workspace_is_a_sentence(space, grid, name):
    other_checkpoint(space, grid)
    page = open_page(checkpoint=name)
    assert "is not in" in page.error[0].value
    assert "there: other" in page.error[0].value
    assert not page.exception


def test_the_whole_app_offers_this_page_where_no_checkpoint_can_be_used(space, monkeypatch):
    def refuse(_: str) -> None:
        raise InputError("nowhere: no such checkpoint")

    monkeypatch.setattr(htp_app.model, "load_generator", refuse)
    st.cache_resource.clear()
    page = AppTest.from_file(str(FOLDER / "main.py"), default_timeout=60).run()
    assert "No generator to show yet" in said(page)
    page.switch_page("views/data/view.py").run()
    assert "No generator to show yet" not in said(page)
    assert page.error[0].value == "nowhere: no such checkpoint"
    assert not page.exception


def test_the_commands_that_train_name_the_folders(space, grid):
    grid.save(space / "cities" / "grid")
    (space / "trips" / "taxis").mkdir(parents=True)
    (space / "trips" / "taxis" / "report.json").write_text(json.dumps(REPORT))
    page = open_page(part="train", trips="taxis", city="grid")
    assert f"htp train tokenizer {space}/trips/taxis --city {space}/cities/grid" in page.code[0].value
    assert f"--out {space}/checkpoints/taxis" in page.code[0].value


@pytest.mark.parametrize(("name", "value"), [("part", "cellar"), ("trips", "../x"), ("city", "a/b")])
def test_a_broken_part_of_a_link_is_a_message(space, name, value):
    page = open_page(**{name: value})
    assert f"The link's {name}={value} was left out" in said(page)
    assert not page.exception


def test_choices_become_a_link_and_come_back():
    chosen = DataChoices("train", "taxis", "grid")
    assert DataChoices().with_query(chosen.to_query()) == (chosen, [])
    assert DataChoices().to_query() == {}


def test_a_report_of_nothing_is_no_division_by_zero():
    report_panel(REPORT | {"rows": 0, "kept": 0, "dropped": {}, "offset_m": {}})


def test_the_real_command_prepares_a_small_csv(space, grid, place, monkeypatch):
    rows = ["trip_id,time,lon,lat"]
    for at in range(25):
        lon, lat = place(15.0 * at, 1.0)
        rows.append(f"ride,{1_715_672_400 + 15 * at},{lon:.6f},{lat:.6f}")
    page = add(open_page(part="add-trips"), "rides", ("rides.csv", "\n".join(rows).encode()))
    assert "1 of 1<small>100.0%</small>" in said(page)
    assert {path.name for path in (space / "trips" / "rides").iterdir()} == {
        "train.parquet",
        "heldout.parquet",
        "report.json",
    }
