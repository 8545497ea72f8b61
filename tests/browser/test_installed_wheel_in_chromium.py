"""The wheel in an environment of its own, with no checkout in reach: it generates, and its app opens in Chromium."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas
import pytest
from serving import free_port, running

if TYPE_CHECKING:
    from conftest import Watched
    from playwright.sync_api import Response

pytestmark = [pytest.mark.slow, pytest.mark.thorough]

VIA = ["--via=-71.343,-29.952", "--via=-71.252,-29.903"]  # from the port of Coquimbo to the centre of La Serena
WHENCE = "import htp, htp_app, json, sys; print(json.dumps([htp.__file__, htp_app.__file__, *sys.path]))"
DRAWN = "(image) => image.complete && image.naturalWidth > 0"


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the programs of a fresh environment with the wheel.

    It borrows what HTP depends on from the environment of the tests by naming its folder, whose own .pth files, and so
    an editable HTP, are not read.
    """
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(wheel)], check=True)
    [packages] = (folder / "lib").glob("python*/site-packages")
    borrowed = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (packages / "dependencies.pth").write_text("".join(f"{path}\n" for path in borrowed), encoding="utf-8")
    return python.parent


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, without a path to the checkout."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_comes_from_the_checkout(programs):
    shown = subprocess.run([programs / "python", "-c", WHENCE], capture_output=True, text=True, check=True).stdout
    package, app, *path = json.loads(shown)
    assert Path(package).is_relative_to(programs.parent)
    assert Path(app).is_relative_to(programs.parent)
    assert str(Path(__file__).parents[2]) not in path


def test_trips_are_generated_without_a_checkpoint_being_named(programs, elsewhere):
    command = [programs / "htp", "generate", *VIA, "--depart", "2024-05-14 08:15", "-n", "2", "--out", "trips.geojson"]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"the city that ships: {programs.parent}" in said.stderr
    assert len(geopandas.read_file(elsewhere / "trips.geojson")) == 2
    assert [path.name for path in elsewhere.iterdir()] == ["trips.geojson"]


@pytest.mark.browser
def test_the_app_opens_with_its_map_and_logo(programs, elsewhere, watched: Watched):
    port, page, refused = free_port(), watched.page, []

    def note(response: Response) -> None:
        if response.status >= 400:
            refused.append(f"{response.status} {response.url}")

    page.on("response", note)
    page.on("requestfailed", lambda request: refused.append(request.url))
    command = [str(programs / "htp"), "app", "--port", str(port)]
    with running(command, f"http://localhost:{port}/_stcore/health", elsewhere / "log.txt"):
        page.goto(f"http://localhost:{port}/")
        page.wait_for_selector(".htp-map[data-roads]:not([data-roads='0']) canvas")
        assert page.locator("[data-testid$=Logo]").first.evaluate(DRAWN)
        assert page.locator("[data-testid=stAlert]").count() == 0
    assert refused == []
    assert "the city that ships: " in (elsewhere / "log.txt").read_text()
