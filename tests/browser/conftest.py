"""Serve the app over the grid city with the fake generator, and watch what the browser asks for and complains about."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Page

    from htp.city import City

HERE = Path(__file__).parent
START_S = 120  # on a machine that is busy with other tests
PATIENCE_MS = 180_000
FLAGS = (
    "--no-sandbox",
    "--use-angle=swiftshader",  # WebGL without a graphics card
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class Watched:
    """A page with what its browser asked of other hosts and what it complained about."""

    page: Page
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def app_url(grid: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the app, served in a process of its own."""
    folder = tmp_path_factory.mktemp("checkpoint")
    grid.save(folder)
    (folder / "README.md").write_text("---\nsimulated: true\n---\n", encoding="utf-8")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    log = folder / "log.txt"
    with log.open("w") as file:
        command = [sys.executable, str(HERE / "serve_with_fake.py"), str(folder), str(port)]
        server = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://localhost:{port}/_stcore/health", server, log)
        yield f"http://localhost:{port}/"
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(START_S * 2):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url):  # noqa: S310  our own address
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    pytest.fail(f"the app did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[BrowserContext]:
    """Return a headless Chromium that draws in software; its pages share a cache, as a person's do."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  where it is missing, `chromium` has skipped

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        context = browser.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
        context.set_default_timeout(PATIENCE_MS)
        yield context
        browser.close()


@pytest.fixture
def watched(browser: BrowserContext) -> Iterator[Watched]:
    """Return a new page; at the end nothing may have left the machine or gone wrong."""
    watched = Watched(browser.new_page())
    watched.page.on("request", lambda request: _note_request(watched, request.url))
    watched.page.on("console", lambda m: watched.complaints.append(m.text) if m.type == "error" else None)
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    yield watched
    watched.page.close()
    assert watched.outside == []
    assert watched.complaints == []


def _note_request(watched: Watched, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"blob", "data"} and parts.hostname != "localhost":
        watched.outside.append(url)
