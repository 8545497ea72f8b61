"""Open checkpoints whose files are not their own: nothing outside the folder is read, published or written."""

from __future__ import annotations

import json
import shutil

import pytest
from fastapi.testclient import TestClient

from htp.checkpoint import GENERATOR, MANIFEST, Checkpoint
from htp.city.network import City
from htp.errors import InputError
from htp.generate import Generator, load_tokenizer
from htp.serve.admission import ServiceSettings
from htp.serve.application import ServedCheckpoint
from htp.workspace import Kind, Workspace

OUTSIDE = "what lies in another folder"
PARTS = ("README.md", "heldout.parquet", "recording.json", "city", "tokenizer", "language", "routes", "conditions")
INNER = ("city/city.json", "tokenizer/config.json", "language/config.json", "conditions/travel_time.json")


@pytest.fixture
def foreign(tiny_checkpoint, tmp_path):
    """Return a checkpoint that may be changed, beside it a secret."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "file").write_text(OUTSIDE)
    return Checkpoint(shutil.copytree(tiny_checkpoint, tmp_path / "foreign"))


def unlist(checkpoint, *names):
    """Take files out of the manifest."""
    path = checkpoint.folder / MANIFEST
    manifest = json.loads(path.read_text())
    for name in names:
        manifest["files"].pop(name, None)
    path.write_text(json.dumps(manifest))


def lead_out(checkpoint, name):
    """Put a link to the secret in the place of a file or folder, and leave it out of the manifest."""
    path, secret = checkpoint.folder / name, checkpoint.folder.parent / "secret"
    if path.is_dir():
        unlist(checkpoint, *(str(one.relative_to(checkpoint.folder)) for one in path.rglob("*")))
        shutil.rmtree(path)
        path.symlink_to(secret)
    else:
        unlist(checkpoint, name)
        path.unlink(missing_ok=True)
        path.symlink_to("../" * (name.count("/") + 1) + "secret/file")
    return path


@pytest.mark.parametrize("name", [*PARTS, *INNER, MANIFEST, ".hidden", "language/extra.json"])
def test_a_link_that_leads_out_is_refused_whatever_part_it_is(foreign, name):
    path = lead_out(foreign, name)
    with pytest.raises(InputError) as caught:
        Generator.load(foreign.folder, "cpu")
    assert str(caught.value) == f"{path}: is a link out of the checkpoint; take one whose files are its own."
    with pytest.raises(InputError, match="is a link out of the checkpoint"):
        foreign.seal()


def test_the_service_publishes_nothing_but_the_checkpoint(foreign):
    lead_out(foreign, "README.md")
    with pytest.raises(InputError, match="is a link out of the checkpoint"):
        ServedCheckpoint(foreign.folder, "cpu", ServiceSettings(share_heldout=True)).load()


def test_a_card_that_becomes_a_link_after_loading_is_not_read_either(foreign):
    app = ServedCheckpoint(foreign.folder, "cpu", ServiceSettings()).load()
    lead_out(foreign, "README.md")
    for read in (lambda: foreign.card_text, lambda: foreign.simulated):
        with pytest.raises(InputError, match="is a link out of the checkpoint"):
            read()
    assert OUTSIDE not in TestClient(app).get("/v1/model").text


@pytest.mark.parametrize("name", ["tokenizer", "city", *INNER[:2]])
def test_commands_that_take_the_tokenizer_alone_follow_no_link_out(foreign, name):
    lead_out(foreign, name)
    with pytest.raises(InputError, match="is a link out of the checkpoint"):
        load_tokenizer(foreign.folder)


def test_held_out_trips_are_not_taken_from_elsewhere(foreign, tiny_checkpoint):
    generator = Generator.load(foreign.folder, "cpu")
    foreign.heldout.unlink()
    (foreign.folder / "heldout.parquet").symlink_to(tiny_checkpoint / "heldout.parquet")
    with pytest.raises(InputError, match="is a link out of the checkpoint"):
        generator.heldout()


@pytest.mark.parametrize(
    "name", ["README.md", "heldout.parquet", "language/generation_config.json", "city/x/y.parquet"]
)
def test_a_file_that_the_manifest_does_not_list_is_refused(foreign, name):
    path = foreign.folder / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    unlist(foreign, name)
    with pytest.raises(InputError) as caught:
        Generator.load(foreign.folder, "cpu")
    assert str(caught.value) == f"{path}: is not in {MANIFEST}; remove it, or take a whole checkpoint."


@pytest.mark.parametrize("name", GENERATOR)
def test_a_manifest_that_lacks_a_file_that_is_needed_is_refused(foreign, name):
    (foreign.folder / name).unlink()
    unlist(foreign, name)
    with pytest.raises(InputError, match=f"{MANIFEST}: does not list {name}; this checkpoint is not complete"):
        Generator.load(foreign.folder, "cpu")


def test_a_checkpoint_may_itself_be_reached_by_a_link_and_have_links_within(foreign, tmp_path):
    (tmp_path / "link").symlink_to(foreign.folder)
    card = foreign.folder / "README.md"
    card.write_text("# Card")
    foreign.seal()
    (foreign.folder / ".card").write_text("# Card")
    card.unlink()
    card.symlink_to(".card")
    assert Generator.load(tmp_path / "link", "cpu").heldout() is not None


def test_a_link_that_leads_in_a_circle_is_refused(foreign):
    (foreign.folder / "a").symlink_to(foreign.folder / "b")
    (foreign.folder / "b").symlink_to(foreign.folder / "a")
    with pytest.raises(InputError):
        Generator.load(foreign.folder / "a", "cpu")


def test_the_workspace_lists_a_checkpoint_with_a_link_out_of_it_as_unfinished(foreign, tmp_path):
    workspace = Workspace(tmp_path / "work")
    (tmp_path / "work" / "checkpoints").mkdir(parents=True)
    moved = foreign.folder.rename(tmp_path / "work" / "checkpoints" / "town")
    other = tmp_path / "work" / "other"
    (moved / "language").rename(other)
    (moved / "language").symlink_to(other)
    assert [(entry.name, entry.whole) for entry in workspace.entries(Kind.checkpoint)] == [("town", False)]


DEEP = "[" * 100_000 + "]" * 100_000
MANIFESTS = {
    "deep": DEEP,
    "deep files": f'{{"version": 5, "files": {{"a": {DEEP}}}}}',
    "a list of files": '{"version": 5, "files": [["README.md", {}]]}',
    "a name of 5,000 letters": json.dumps({"version": 5, "files": {"n" * 5_000: {}}}),
    "a name of 300 letters": json.dumps({"version": 5, "files": {"n" * 300: {}}}),
    "facts that are a list": json.dumps({"version": 5, "files": {"recording.json": []}}),
    "a version of 5,000 letters": json.dumps({"version": "5" * 5_000, "files": {}}),
}


@pytest.mark.parametrize("content", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_an_odd_manifest_is_one_short_sentence(foreign, content):
    (foreign.folder / MANIFEST).write_text(content)
    with pytest.raises(InputError) as caught:
        Generator.load(foreign.folder, "cpu")
    assert len(str(caught.value)) < 500
    foreign.fingerprint("tokenizer")  # no fault


CITIES = {
    "a name that is a list": {"name": ["x"]},
    "a name of 5,000 letters": {"name": "x" * 5_000},
    "a time zone that is markup": {"timezone": "<img src=http://elsewhere.example/x>"},
    "a time zone that is a path": {"timezone": "../../../etc/passwd"},
    "a time zone that is a folder": {"timezone": "Europe"},
    "a time zone that is empty": {"timezone": ""},
    "a time zone of 150 letters": {"timezone": "x" * 150},
    "a reference system that is a path": {"crs": "/etc/passwd"},
    "a reference system that reads a file": {"crs": "+init=/etc/passwd:1"},
    "a reference system that nobody knows": {"crs": "EPSG:1"},
    "degrees": {"crs": "EPSG:4326"},
    "feet": {"crs": "EPSG:2263"},
    "an attribution that is an object": {"attribution": {}},
    "a licence that is a number": {"licence": 1},
}


@pytest.mark.parametrize("change", CITIES.values(), ids=CITIES.keys())
def test_an_odd_city_is_one_short_sentence(foreign, change):
    path = foreign.city / "city.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError) as caught:
        City.load(foreign.city)
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [*INNER, "recording.json", "language/language.json", "language/tokenizer_config.json"])
def test_json_nested_without_end_is_a_sentence_in_every_part(foreign, name):
    (foreign.folder / name).write_text(DEEP)
    foreign.seal()
    with pytest.raises(InputError):
        Generator.load(foreign.folder, "cpu")
