"""Check that files in a store are whole or not there, on disk and on S3 (moto's server on this machine)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from htp.errors import InputError
from htp.scale.store import TEMPORARY, Store


@pytest.fixture(params=["disk", "s3"])
def store(request, tmp_path):
    """Return an empty store on disk, then one on S3."""
    if request.param == "disk":
        return Store(str(tmp_path / "folder"))
    request.getfixturevalue("s3_server")
    return Store(f"s3://day/{uuid4().hex}")


def test_what_is_written_is_read_and_listed(store):
    assert store.sizes() == {}
    store.make()
    store.write("a", b"one")
    store.write("b", b"twotwo")
    assert store.sizes() == {"a": 3, "b": 6}
    assert store.read("b") == b"twotwo"


def test_a_file_takes_the_place_of_the_one_before(store):
    store.make()
    store.write("a", b"one")
    store.write("a", b"three")
    assert store.sizes() == {"a": 5}
    assert store.read("a") == b"three"


def test_what_a_dead_writer_left_is_not_listed_and_goes_with_sweep(store):
    store.make()
    store.write("a", b"one")
    files, folder = store._place()
    files.pipe_file(f"{folder}/{TEMPORARY}0", b"ha")
    assert store.sizes() == {"a": 3}
    store.sweep()
    files.invalidate_cache()
    assert [name.rsplit("/", 1)[-1] for name in files.ls(folder, detail=False)] == ["a"]


def test_a_file_is_removed(store):
    store.make()
    store.write("a", b"one")
    store.write("b", b"two")
    store.remove("a")
    assert store.sizes() == {"b": 3}


def test_a_writer_that_is_stopped_leaves_no_file_of_that_name(tmp_path, monkeypatch):
    store = Store(str(tmp_path))
    files, _ = store._place()

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(files), "mv", stop)
    with pytest.raises(KeyboardInterrupt):
        store.write("a", b"one")
    assert store.sizes() == {}


def test_a_folder_that_a_worker_does_not_see_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"sees no such folder; give one that all machines share, or a URL\.$"):
        Store(str(tmp_path / "none")).write("a", b"one")


@pytest.mark.parametrize("address", ["nothing://bucket/folder", "gs://bucket/folder"], ids=["unknown", "no driver"])
def test_an_address_that_nothing_reaches_is_one_sentence(address):
    with pytest.raises(InputError, match=r"cannot be reached .*install the fsspec driver"):
        Store(address)
