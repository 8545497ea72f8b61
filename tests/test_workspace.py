"""The folder of cities, trips and checkpoints: names, listing, and nothing outside it."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from htp.errors import InputError
from htp.workspace import Kind, Workspace, plain_name, report_of

REPORT = {"city": {"name": "Grid", "roads": 80}, "rows": 10, "kept": 7}


@pytest.fixture
def workspace(grid, tmp_path) -> Workspace:
    """Return a workspace with a city, prepared trips, a checkpoint without a language model and two files."""
    folder = tmp_path / "data"
    grid.save(folder / "cities" / "grid")
    (folder / "trips" / "taxis").mkdir(parents=True)
    (folder / "trips" / "taxis" / "report.json").write_text(json.dumps(REPORT))
    grid.save(folder / "checkpoints" / "first" / "city")
    (folder / "checkpoints" / "first" / "manifest.json").write_text("{}")
    (folder / "incoming").mkdir()
    for name in ("town.osm.pbf", "rides.CSV", ".hidden.csv", "-x.csv"):
        (folder / "incoming" / name).write_text("x")
    return Workspace(folder)


def whole(workspace: Workspace, name: str) -> None:
    (workspace.folder / "checkpoints" / name / "language").mkdir(parents=True)
    (workspace.folder / "checkpoints" / name / "manifest.json").write_text("{}")


def test_what_is_in_the_workspace_is_listed_with_what_is_in_it(workspace):
    [city] = workspace.entries(Kind.city)
    assert (city.name, city.whole, city.about) == ("grid", True, "Grid, 80 roads")
    assert city.size > (city.folder / "roads.parquet").stat().st_size
    written = dt.datetime.fromtimestamp((city.folder / "city.json").stat().st_mtime, tz=dt.UTC)  # to microseconds
    assert city.changed >= written
    [trips] = workspace.entries(Kind.trips)
    assert trips.about == "Grid, 7 of 10 trips kept"


def test_a_checkpoint_without_a_language_model_is_unfinished_and_cannot_be_used(workspace):
    assert [entry.whole for entry in workspace.entries(Kind.checkpoint)] == [False]
    with pytest.raises(InputError, match=r"“first” is unfinished .* none yet"):
        workspace.existing(Kind.checkpoint, "first")
    whole(workspace, "first")
    assert workspace.existing(Kind.checkpoint, "first") == workspace.folder / "checkpoints" / "first"


def test_an_empty_or_missing_workspace_holds_nothing(tmp_path):
    workspace = Workspace(tmp_path / "nowhere")
    assert [workspace.entries(kind) for kind in Kind] == [[], [], []]
    assert workspace.incoming((".csv",)) == []
    assert not workspace.folder.exists()


@pytest.mark.parametrize(
    "name", ["", "..", ".", "../x", "a/b", "/etc", "a\\b", ".hidden", "-rf", "a b", "ñandú", "a.b", "a\n", "x" * 41]
)
def test_a_name_is_a_plain_word(workspace, name):
    with pytest.raises(InputError, match="is no name for a city"):
        workspace.new(Kind.city, name)
    with pytest.raises(InputError, match="is not in"):
        workspace.existing(Kind.city, name)


def test_a_new_name_gets_a_folder_that_is_not_there_yet(workspace):
    folder = workspace.new(Kind.city, "Porto-2")
    assert folder == workspace.folder / "cities" / "Porto-2"
    assert not folder.exists()
    assert folder.parent.is_dir()


def test_a_name_that_is_taken_is_refused_but_unfinished_work_may_go_on(workspace):
    with pytest.raises(InputError, match="there is a city “grid” already"):
        workspace.new(Kind.city, "grid")
    (workspace.folder / "trips" / "half" / "parts-1").mkdir(parents=True)
    assert workspace.new(Kind.trips, "half").name == "half"


def test_a_link_that_leads_out_is_neither_listed_nor_written_through(workspace, tmp_path):
    outside = tmp_path / "secret"
    outside.mkdir()
    (workspace.folder / "cities" / "out").symlink_to(outside)
    (workspace.folder / "checkpoints" / "first" / "language").symlink_to(outside)
    (workspace.folder / "incoming" / "passwd.csv").symlink_to("/etc/passwd")
    assert [entry.name for entry in workspace.entries(Kind.city)] == ["grid"]
    assert workspace.entries(Kind.checkpoint) == []
    assert workspace.incoming((".csv",)) == ["rides.CSV"]
    with pytest.raises(InputError, match="already"):
        workspace.new(Kind.city, "out")
    with pytest.raises(InputError, match="is not in"):
        workspace.existing(Kind.checkpoint, "first")


def test_a_kind_of_things_that_lies_elsewhere_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere" / "taken").mkdir(parents=True)
    (tmp_path / "data" / "trips").symlink_to(tmp_path / "elsewhere")
    workspace = Workspace(tmp_path / "data")
    assert workspace.entries(Kind.trips) == []
    with pytest.raises(InputError, match="leads out of the workspace"):
        workspace.new(Kind.trips, "mine")


def test_files_to_read_are_found_by_their_ending(workspace):
    assert workspace.incoming((".osm.pbf", ".osm")) == ["town.osm.pbf"]
    assert workspace.incoming((".csv",)) == ["rides.CSV"]


def test_a_folder_that_nobody_may_write_to_is_a_sentence(workspace, monkeypatch):
    monkeypatch.setattr("htp.workspace.os.access", lambda *_: False)  # root may write anywhere
    with pytest.raises(InputError, match=r"incoming: nobody may write there; start with another --workspace"):
        workspace.incoming_folder()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"cannot be made .* another --workspace"):
        Workspace(tmp_path / "file").incoming_folder()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"city": 3}'])
def test_a_damaged_report_is_a_sentence(workspace, text):
    folder = workspace.folder / "trips" / "taxis"
    assert report_of(folder) == REPORT
    (folder / "report.json").write_text(text)
    with pytest.raises(InputError, match=r"is no report of `htp prepare`"):
        report_of(folder)
    assert [entry.about for entry in workspace.entries(Kind.trips)] == [""]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("trips.csv", "trips.csv"),
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\me\\my trips.csv", "my_trips.csv"),
        ("--city=x.csv", "city_x.csv"),
        (".hidden.gpx", "hidden.gpx"),
        ("Año 1.csv", "A_o_1.csv"),
        ("..", "file"),
    ],
)
def test_an_uploaded_file_gets_a_plain_name(name, plain):
    assert plain_name(name) == plain
