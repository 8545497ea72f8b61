# ruff: noqa: INP001
"""Take the README's picture of the app and measure the wait for the first trip: `docs/screenshot.py [CHECKPOINT]`.

Drives headless Chromium as a person would: opens a link to a route, presses Generate, waits for the trips.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PORT = 8599
VIA = "-71.343,-29.952;-71.252,-29.903"  # from the port of Coquimbo to the centre of La Serena
LINK = f"http://localhost:{PORT}/?via={VIA}&depart=2024-05-14T08:00&n=20"
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PATIENCE_MS = 120_000


def main() -> None:
    """Serve the app, take the picture, print the seconds from the click to the trips."""
    checkpoint = sys.argv[1] if len(sys.argv) > 1 else "checkpoints/coquimbo"
    command = [sys.executable, "-m", "htp", "app", "--checkpoint", checkpoint, "--port", str(PORT)]
    server = subprocess.Popen(command, start_new_session=True)  # noqa: S603  our own command
    try:
        _wait()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 810})
            page.set_default_timeout(PATIENCE_MS)
            for run in ("first", "second"):
                print(f"{run} time: {_generate(page):.2f} s from the click to the trips on the map")  # noqa: T201
            page.screenshot(path=str(Path(__file__).with_name("app.png")))
            browser.close()
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # `htp app` and the Streamlit that it started
        server.wait()


def _generate(page: Page) -> float:
    """Open the link, press Generate and return the seconds until the trips are drawn."""
    page.goto(LINK)
    page.wait_for_selector(".htp-map[data-route]:not([data-route='0'])")
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="Generate").click()
    started = time.monotonic()
    page.wait_for_selector(".htp-map[data-trips='20']")
    seconds = time.monotonic() - started
    page.wait_for_selector(".figures")
    page.wait_for_timeout(2500)
    return seconds


def _wait() -> None:
    for _ in range(120):
        try:
            with urllib.request.urlopen(f"http://localhost:{PORT}/_stcore/health"):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)


main()
