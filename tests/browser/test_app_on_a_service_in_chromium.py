"""The app on a real `htp serve`, which goes away and comes back while somebody uses it, in headless Chromium."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from serving import free_port, running

import htp_app.model

if TYPE_CHECKING:
    from conftest import Watched
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

MAIN = Path(htp_app.model.__file__).with_name("main.py")
MANY, FEW = 7, 5  # trips at first, and later


def wait_for_trips(page: Page, count: int) -> None:
    page.wait_for_selector(f".htp-map[data-trips='{count}']")


def generate_again(page: Page) -> None:
    page.get_by_role("button", name="Generate again").click()


def test_trips_stay_while_the_service_is_away_and_new_ones_come_when_it_is_back(
    tiny_checkpoint, place, tmp_path, watched: Watched
):
    """The service is killed and started anew on its port; the app and the browser's page stay as they are."""
    port, app_port = free_port(), free_port()
    url, app_url = f"http://127.0.0.1:{port}", f"http://localhost:{app_port}/"
    serve = [sys.executable, "-m", "htp", "serve", "--checkpoint", str(tiny_checkpoint), "--port", str(port)]
    serve += ["--device", "cpu", "--share-heldout"]
    start = [sys.executable, "-m", "streamlit", "run", str(MAIN), "--server.port", str(app_port)]
    start += ["--", "--checkpoint", "nowhere", "--backend", url, "--workspace", str(tmp_path / "workspace")]
    via = ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in (place(0.0, 0.0), place(400.0, 400.0)))
    page = watched.page

    with running(start, f"{app_url}_stcore/health", tmp_path / "app.txt"):
        page.goto(f"{app_url}?via={via}&n={MANY}&seed=5&duration=420")
        page.get_by_role("alert").filter(has_text="no service answers").wait_for()
        with running(serve, f"{url}/healthz", tmp_path / "serve.txt") as service:
            page.get_by_role("button", name="Try again").click()
            page.wait_for_selector(".htp-map[data-roads='10'] canvas")
            assert f"at 127.0.0.1:{port}" in page.locator("p.heading").inner_text()
            page.get_by_role("button", name="Generate").click()
            wait_for_trips(page, MANY)
            service.kill()
            service.wait()
            page.get_by_label("How many").fill(str(FEW))
            page.get_by_label("How many").press("Enter")
            page.wait_for_url(re.compile(f"n={FEW}&"))
            generate_again(page)
            page.get_by_role("alert").filter(has_text="no service answers").wait_for()
            wait_for_trips(page, MANY)  # those from before are still there
        with running(serve, f"{url}/healthz", tmp_path / "serve.txt"):
            generate_again(page)
            wait_for_trips(page, FEW)
            page.wait_for_url(re.compile("show=1"))
            assert page.get_by_role("alert").count() == 0
