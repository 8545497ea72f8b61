"""Files are whole or not there, on the disk before they have their name, and a lack of rights is a sentence."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from htp.errors import InputError, no_right
from htp.files import replacing
from htp.scale.store import Store

AS_NOBODY = """
import os, sys
from pathlib import Path
from htp.errors import InputError
from htp.files import replacing
if os.getuid() == 0:
    os.setuid(65534)
try:
    with replacing(Path(sys.argv[1])) as path:
        path.write_text("x")
except InputError as error:
    print(error)
"""


@pytest.mark.parametrize("kind", ["a file", "a part in a store"])
def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch, kind):
    done, fsync = [], os.fsync

    def force(handle):
        done.append((os.fstat(handle).st_size, (tmp_path / "a.json").exists()))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", force)
    if kind == "a file":
        with replacing(tmp_path / "a.json") as path:
            path.write_text("whole")
    else:
        Store(str(tmp_path)).write("a.json", b"whole")
    assert done == [(5, False)]
    assert (tmp_path / "a.json").read_text() == "whole"


def test_a_folder_that_one_may_not_write_into_is_a_sentence(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o555)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, kept / "a.json"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"{kept}/a.json: may not be read or written (Permission denied); name another place")
    assert done.stdout.count("\n") == 1


def test_what_is_no_matter_of_rights_is_none():
    assert no_right(FileNotFoundError(2, "No such file", "x")) is None
    assert no_right(InputError("x")) is None


def test_a_file_may_be_read_by_others_whoever_made_it(tmp_path):
    with replacing(tmp_path / "model.safetensors") as path:
        path.unlink()
        path.touch(mode=0o600)  # as a library does that writes beside it and renames
    assert (tmp_path / "model.safetensors").stat().st_mode & 0o777 == 0o644
