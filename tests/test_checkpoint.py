"""Check that a checkpoint with a missing, damaged or foreign file is refused in one sentence that names it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from htp.checkpoint import MANIFEST, VERSION, Checkpoint, shipped
from htp.errors import InputError


@pytest.fixture
def checkpoint(tmp_path):
    folder = tmp_path / "town"
    (folder / "tokenizer").mkdir(parents=True)
    (folder / "tokenizer" / "model.safetensors").write_bytes(bytes(range(256)))
    (folder / "heldout.parquet").write_bytes(b"trips")
    Checkpoint(folder).seal()
    return Checkpoint(folder)


def refusal(checkpoint):
    with pytest.raises(InputError) as caught:
        checkpoint.verify()
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def rewrite(checkpoint, **change):
    path = checkpoint.folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


def test_a_sealed_checkpoint_is_whole(checkpoint):
    checkpoint.verify()
    files = json.loads((checkpoint.folder / MANIFEST).read_text())["files"]
    assert sorted(files) == ["heldout.parquet", "tokenizer/model.safetensors"]
    assert files["heldout.parquet"]["bytes"] == 5
    assert len(files["heldout.parquet"]["sha256"]) == 64


def test_everything_lies_where_the_design_says(checkpoint):
    folder = checkpoint.folder
    assert checkpoint.city == folder / "city"
    assert checkpoint.tokenizer == folder / "tokenizer"
    assert checkpoint.language == folder / "language"
    assert checkpoint.conditions == folder / "conditions"
    assert checkpoint.heldout == folder / "heldout.parquet"
    assert checkpoint.card == folder / "README.md"


def test_a_missing_file_is_named(checkpoint):
    checkpoint.heldout.unlink()
    assert refusal(checkpoint) == f"{checkpoint.heldout}: missing; this checkpoint is not complete, take a whole one."


def test_one_changed_byte_is_noticed(checkpoint):
    path = checkpoint.tokenizer / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    assert refusal(checkpoint).startswith(f"{path}: damaged (its checksum differs")


def test_a_file_that_was_cut_off_is_noticed(checkpoint):
    checkpoint.heldout.write_bytes(b"trip")
    assert refusal(checkpoint).startswith(f"{checkpoint.heldout}: damaged")


def test_a_checkpoint_of_another_version_is_refused(checkpoint):
    rewrite(checkpoint, version=VERSION + 1)
    assert refusal(checkpoint) == (
        f"{checkpoint.folder}: a checkpoint of version {VERSION + 1}, not {VERSION}; train it anew."
    )


@pytest.mark.parametrize("name", ["../elsewhere", "tokenizer/../../elsewhere", "/etc/hostname"])
def test_a_manifest_that_names_a_file_outside_is_refused(checkpoint, name):
    rewrite(checkpoint, files={name: {"bytes": 0, "sha256": ""}})
    assert f"names a file outside the checkpoint ({name})" in refusal(checkpoint)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"version": 1}', '{"version": 1, "files": 7}', "\udcff"], ids=repr
)
def test_a_damaged_manifest_is_a_sentence(checkpoint, content):
    (checkpoint.folder / MANIFEST).write_bytes(content.encode(errors="surrogateescape"))
    assert refusal(checkpoint) == f"{checkpoint.folder}: {MANIFEST} is missing or damaged; take a whole checkpoint."


def test_a_folder_without_a_manifest_is_refused(checkpoint):
    (checkpoint.folder / MANIFEST).unlink()
    assert f"{MANIFEST} is missing" in refusal(checkpoint)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    assert refusal(Checkpoint(tmp_path / "none")).startswith(f"{tmp_path / 'none'}: no such checkpoint")


def test_sealing_again_takes_in_what_was_added_and_lets_go_of_what_was_taken_away(checkpoint):
    checkpoint.card.write_text("# Card")
    checkpoint.heldout.unlink()
    checkpoint.seal()
    checkpoint.verify()
    files = json.loads((checkpoint.folder / MANIFEST).read_text())["files"]
    assert sorted(files) == ["README.md", "tokenizer/model.safetensors"]


def test_hidden_files_are_no_part_of_a_checkpoint_but_it_may_lie_below_a_hidden_folder(tmp_path):
    folder = tmp_path / ".cache" / "town"
    (folder / ".ipynb_checkpoints").mkdir(parents=True)
    (folder / ".ipynb_checkpoints" / "card.md").write_text("x")
    (folder / ".DS_Store").write_text("x")
    (folder / "README.md").write_text("x")
    Checkpoint(folder).seal()
    assert list(json.loads((folder / MANIFEST).read_text())["files"]) == ["README.md"]


def test_a_whole_checkpoint_of_both_stages_is_sealed(tiny_checkpoint):
    Checkpoint(tiny_checkpoint).verify()
    suffixes = {path.suffix for path in tiny_checkpoint.rglob("*") if path.is_file()}
    assert suffixes == {".json", ".jsonl", ".parquet", ".safetensors"}  # no pickle


def test_the_checkpoint_that_ships_is_the_repositorys_own():
    assert shipped().samefile(Path(__file__).parents[1] / "checkpoints" / "coquimbo")


def test_a_part_is_known_again_by_its_files_alone(checkpoint):
    known = checkpoint.fingerprint("tokenizer")
    (checkpoint.folder / "heldout.parquet").write_bytes(b"other trips")
    checkpoint.seal()
    assert checkpoint.fingerprint("tokenizer") == known
    assert checkpoint.fingerprint("tokenizer", "heldout.parquet") != known
    (checkpoint.folder / "tokenizer" / "model.safetensors").write_bytes(b"other weights")
    checkpoint.seal()
    assert checkpoint.fingerprint("tokenizer") != known


def test_what_has_no_manifest_is_not_known_again(tmp_path):
    assert Checkpoint(tmp_path).fingerprint("tokenizer") is None


def test_all_files_are_on_the_disk_before_the_manifest_has_its_name(checkpoint, monkeypatch):
    forced, fsync, rename = [], os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (forced.append(os.fstat(handle).st_ino), fsync(handle)))
    monkeypatch.setattr(Path, "replace", lambda path, other: (forced.append(other.name), rename(path, other)))
    checkpoint.seal()
    files = [checkpoint.heldout, checkpoint.tokenizer / "model.safetensors", checkpoint.folder / MANIFEST]
    assert sorted(forced[:-1]) == sorted(path.stat().st_ino for path in files)
    assert forced[-1] == MANIFEST
    checkpoint.verify()
