"""Serve the app over the grid city with the fake generator, and watch what the browser asks for and complains about."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for what the browser tests share

from serving import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Page

    from htp.city import City

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
    """Return the address of the app over the grid city."""
    with served(grid, tmp_path_factory.mktemp("checkpoint")) as url:
        yield url


_open = ExitStack()  # Playwright and its browser, from the first test that needs them until the last of this folder
_contexts: list[BrowserContext] = []


@pytest.fixture
def browser(chromium: str) -> BrowserContext:
    """Return a headless Chromium that draws in software; all pages share a cache, as a person's do."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  where it is missing, `chromium` has skipped

    if not _contexts:
        playwright = _open.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        _open.callback(browser.close)
        size = {"width": 1280, "height": 720}
        _contexts.append(browser.new_context(viewport=size, accept_downloads=True, reduced_motion="reduce"))
        _contexts[0].set_default_timeout(PATIENCE_MS)
    return _contexts[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """End the browser with the folder: Playwright keeps an event loop running, beside which no other test runs one."""
    yield
    if nextitem is None or nextitem.path.parent != item.path.parent:
        _contexts.clear()
        _open.close()


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
    if parts.scheme not in {"blob", "data", "file"} and parts.hostname != "localhost":
        watched.outside.append(url)
