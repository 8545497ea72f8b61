"""Hold what the wheel promises: every file that is needed, nothing else, and it is not larger than it has to be."""

from __future__ import annotations

import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
MAX_BYTES = 40 * 2**20
INSTALLED = {"htp/": "htp/", "app/": "htp_app/", "checkpoints/": "htp/cities/"}  # where a folder of the repository goes
LEFT_OUT = "app/map/frontend/"  # what static/htp-map.js is built from


def installed_name(name: str) -> str:
    """Return where a tracked file lies in the wheel; nowhere: an empty string."""
    if name.startswith(LEFT_OUT) or (ROOT / name).is_symlink():
        return ""
    return next((there + name.removeprefix(here) for here, there in INSTALLED.items() if name.startswith(here)), "")


@pytest.fixture(scope="module")
def tracked() -> dict[str, Path]:
    """Return the tracked files that belong into the wheel, by their names there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {there: ROOT / name for name in listed.split("\0") if (there := installed_name(name))}


def test_the_wheel_holds_every_tracked_file_and_no_other(wheel, tracked):
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert held == tracked.keys()
        assert [name for name, path in tracked.items() if archive.read(name) != path.read_bytes()] == []


def test_the_licences_come_along(wheel):
    with ZipFile(wheel) as archive:
        names = {name.rsplit("/", 1)[-1] for name in archive.namelist()}
    assert {"LICENSE", "NOTICE", "LICENSE-maplibre-gl.txt", "LICENSE-leaflet.txt"} <= names


def test_the_wheel_stays_small(wheel):
    assert wheel.stat().st_size < MAX_BYTES
