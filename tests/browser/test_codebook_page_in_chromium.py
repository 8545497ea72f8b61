"""What people do on the page Codebook, in headless Chromium and without a network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import geopandas as gpd
import pytest
from links import open_link, zoomed_in

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Watched
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


def open_codebook(watched: Watched, url: str) -> Page:
    """Open a link to the page, once its gallery is there."""
    return open_link(watched, url, ".htp-gallery button")


def tile(page: Page, code: int, pressed: str | None = None) -> str:
    """Return the selector of a picture, chosen or not where it is said."""
    return f".htp-gallery button[data-code='{code}']" + (f"[aria-pressed='{pressed}']" if pressed else "")


def test_a_token_is_clicked_its_trips_are_seen_and_exported(app_url, tmp_path: Path, watched: Watched):
    page = open_codebook(watched, f"{app_url}codebook")
    assert "Choose a token" in page.locator(".htp-hint").inner_text()
    page.locator(tile(page, 1)).click()
    page.wait_for_url(re.compile(r"codebook\?tokens=a_1$"))
    page.wait_for_selector(".htp-map[data-areas]:not([data-areas='0'])")
    page.wait_for_selector(tile(page, 1, "true"))
    assert "Simulated" in page.locator(".htp-legend").inner_text()
    assert "OpenStreetMap" in page.locator(".htp-map").inner_text()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=re.compile("Download .* trips")).click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    trips = gpd.read_parquet(path)
    assert path.name == "trips-a_1.parquet"
    assert f"{len(trips)} of 300" in page.locator("p.facts").inner_text()
    assert trips["patterns"].map(lambda codes: codes[4]).eq(1).all()


def test_the_keyboard_chooses_a_token_and_a_second_time_takes_it_back(app_url, watched: Watched):
    page = open_codebook(watched, f"{app_url}codebook?sort=number")
    page.locator(tile(page, 0)).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("tokens=a_1"))
    page.wait_for_selector(".htp-map[data-trips]:not([data-trips='0'])")
    assert page.evaluate("document.activeElement.shadowRoot?.activeElement?.dataset.code") == "1"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"codebook\?sort=number$"))
    page.wait_for_selector(tile(page, 1, "false"))


def test_a_sequence_is_built_and_drilled_down(app_url, watched: Watched):
    page = open_codebook(watched, f"{app_url}codebook?tokens=a_0")
    page.get_by_role("button", name="Then").click()
    page.wait_for_url(re.compile(r"tokens=a_0%2C%2A"))
    page.wait_for_selector(".htp-gallery:not(:has(button[data-code='0']))")  # nothing is a first pattern again
    page.locator(tile(page, 1)).click()
    page.wait_for_selector("p.departure:has-text('a_0 → a_1')")
    page.get_by_role("radio", name="Layer 2").click()
    page.wait_for_url(re.compile("layer=b"))
    page.wait_for_selector(".htp-gallery button b:has-text('b_')")
    page.locator(".htp-gallery button").first.click()
    page.wait_for_selector("p.departure:has-text('a_1 b_')")
    assert page.get_by_role("radio", name="Layer 3").count() == 1


def test_a_link_brings_the_view_back_and_nothing_is_cut_off(app_url, watched: Watched):
    page = open_codebook(watched, f"{app_url}codebook?tokens=a_0&layer=b&sort=use")
    page.wait_for_selector(".htp-map[data-trips]:not([data-trips='0'])")
    assert page.get_by_role("radio", name="Layer 2").is_checked()
    assert page.get_by_role("radio", name="Most used").is_checked()
    assert page.locator(".htp-gallery b").first.inner_text().startswith("b_")
    page.locator(".js-plotly-plot").nth(3).scroll_into_view_if_needed()
    box = page.locator(".js-plotly-plot").nth(3).bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 720
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_map_stays_where_it_was_moved_when_another_token_is_chosen(app_url, watched: Watched):
    page = open_codebook(watched, f"{app_url}codebook?tokens=a_0")
    page.wait_for_selector(".htp-map[data-trips]:not([data-trips='0'])")
    page.wait_for_timeout(1000)
    scale = zoomed_in(page)
    before = page.locator(".htp-map").get_attribute("data-trips")
    page.locator(tile(page, 1)).click()
    page.wait_for_selector(f".htp-map:not([data-trips='{before}'])")
    page.wait_for_timeout(1500)
    assert page.locator(".maplibregl-ctrl-scale").inner_text() == scale
