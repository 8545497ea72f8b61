# ruff: noqa: INP001
"""Take the README's pictures of the app and measure the wait for the first trips: `docs/screenshot.py [CHECKPOINT]`.

Drives headless Chromium as a person would. `docs/app.webp` is the large picture, `docs/images/` has the small ones.
Pages named by `--only`, and all in the dark theme, are for looking at: they go to the folder that `--out` names.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image
from playwright.sync_api import Page, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
PORT = 8599
URL = f"http://localhost:{PORT}/"
VIA = "-71.343,-29.952;-71.252,-29.903"  # from the port of Coquimbo to the centre of La Serena
COAST = "-71.335551,-29.958001;-71.287567,-29.941789"  # Avenida Costanera
LINK = f"{URL}?via={VIA}&depart=2024-05-14T08:00&n=20"
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PATIENCE_MS = 600_000
LARGE, SMALL = {"width": 1440, "height": 810}, {"width": 1280, "height": 720}
COLOURS, ROUNDS = 256, 3  # of the palette, and of moving it to where the picture's colours are
REST_MS = 2500  # for maps and charts to come to rest
NO_PLACES = """(here) => {  // where folders lie on this machine is no matter to anybody else
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) words.currentNode.data = words.currentNode.data.replace(here, "");
}"""
WORKING = "[data-testid=stStatusWidget], [data-testid=stSkeleton]"
SOME = ":not([data-areas='0'])"


class View(NamedTuple):
    """A page as it is shown: its link, what has to be there, what is then done."""

    link: str
    parts: tuple[str, ...]
    act: Callable[[Page], object] = lambda _: None


def _play(seconds: int) -> Callable[[Page], object]:
    def play(page: Page) -> None:
        slider = page.get_by_label("Time since departure")
        slider.fill(str(seconds))
        slider.blur()

    return play


VIEWS = {
    "generate": View(f"?via={VIA}&depart=2024-05-14T08:00&n=20&show=1", (".htp-map[data-trips='20']", ".figures")),
    "times-of-day": View(
        f"times_of_day?via={COAST}&times=08:00,23:00&day=2024-05-14&by=block&n=20&show=1",
        ("p.departure:has-text('23:00')", ".htp-map[data-trips='20']", ".js-plotly-plot"),
        _play(300),
    ),
    "demand": View("demand?n=300&show=1", ("text=trips of this day have been made", f".htp-map[data-areas]{SOME}")),
    "scenario": View("scenario?closed=6439,22248", (".figures:has-text('Trips affected')", ".htp-map[data-marks='1']")),
    "distributions": View("distributions?like=200&show=1", ("text=200 generated trips beside",)),
    "density": View("density?like=200&show=1", ("text=200 generated trips beside", f".htp-map[data-areas]{SOME}")),
    "evaluate": View("evaluate?like=200&show=1", ("table.metrics",)),
    "codebook": View("codebook?tokens=a_17", (f".htp-map[data-areas]{SOME}",)),
    "data": View("data", (".st-key-card",)),
}
README = ("times-of-day", "scenario", "codebook", "density")  # the pages of its small pictures


def main() -> None:
    """Serve the app, take the pictures, print the seconds from the click to the trips."""
    options = _options()
    command = [sys.executable, "-m", "htp", "app", "--checkpoint", options.checkpoint, "--port", str(PORT)]
    server = subprocess.Popen(command, start_new_session=True)  # noqa: S603  our own command
    try:
        _wait()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            scheme = "dark" if options.dark else "light"
            if not options.only:
                _large(browser.new_page(viewport=LARGE, color_scheme=scheme), options.out.parent / "app.webp")
            for name in options.only or README:
                page = browser.new_page(viewport=SMALL, color_scheme=scheme)
                _save(_shown(page, VIEWS[name]), options.out / f"{name}.webp")
                page.close()
            browser.close()
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # `htp app` and the Streamlit that it started
        server.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Take the README's pictures of the app.")
    parser.add_argument("checkpoint", nargs="?", default="checkpoints/coquimbo", help="folder of a trained generator")
    parser.add_argument("--out", type=Path, default=HERE / "images", help="folder of the small pictures")
    parser.add_argument("--only", action="append", choices=VIEWS, help="a page; may be given again")
    parser.add_argument("--dark", action="store_true", help="in the dark theme")
    return parser.parse_args()


def _large(page: Page, path: Path) -> None:
    """Generate twice, as the first time also loads the model, and take the README's large picture."""
    page.set_default_timeout(PATIENCE_MS)
    for run in ("first", "second"):
        print(f"{run} time: {_generate(page):.2f} s from the click to the trips on the map")  # noqa: T201
    _save(page, path)
    page.close()


def _generate(page: Page) -> float:
    """Open the link, press Generate and return the seconds until the trips are drawn."""
    page.goto(LINK)
    page.wait_for_selector(".htp-map[data-route]:not([data-route='0'])")
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="Generate", exact=True).click()
    started = time.monotonic()
    page.wait_for_selector(".htp-map[data-trips='20']")
    seconds = time.monotonic() - started
    page.wait_for_selector(".figures")
    _settle(page)
    return seconds


def _shown(page: Page, view: View) -> Page:
    """Open a link and wait for what it shows."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(URL + view.link)
    for part in view.parts:
        page.locator(part).first.wait_for()
    _settle(page)
    view.act(page)
    _settle(page)
    page.evaluate(NO_PLACES, f"{Path.cwd()}/")
    return page


def _settle(page: Page) -> None:
    """Wait until the page has run, its charts are drawn and its maps have moved."""
    page.wait_for_timeout(REST_MS)
    page.wait_for_function("(working) => !document.querySelector(working)", arg=WORKING)
    page.wait_for_timeout(REST_MS)


def _save(page: Page, path: Path) -> None:
    """Write what is on the screen with few colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    coverage = Image.Quantize.MAXCOVERAGE  # keeps colours that are rare, as a map's
    few = picture.quantize(COLOURS, method=coverage, kmeans=ROUNDS, dither=Image.Dither.NONE)
    few.convert("RGB").save(path, lossless=True, quality=100, method=6)  # the quality of the search
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")  # noqa: T201


def _wait() -> None:
    for _ in range(120):
        try:
            with urllib.request.urlopen(f"{URL}_stcore/health"):  # noqa: S310  our own address
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)


main()
