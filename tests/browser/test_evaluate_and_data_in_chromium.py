"""What people do on the pages Evaluate and Data and models, in headless Chromium and without a network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from links import fits, open_link

if TYPE_CHECKING:
    from conftest import Watched
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


def upload(page: Page, name: str, content: bytes) -> None:
    """Choose a file and wait until it has arrived."""
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/plain", "buffer": content})
    page.locator(f"[data-testid='stFileChip']:has-text('{name}')").wait_for()


def rides(place, count: int) -> bytes:
    """Return a CSV: so many rides along the grid's first street and one of two points."""
    rows = ["trip_id,time,lon,lat"]
    for ride in range(count):
        for at in range(25):
            lon, lat = place(15.0 * at, 1.0 + ride)
            rows.append(f"ride-{ride},{1_715_672_400 + 15 * at},{lon:.6f},{lat:.6f}")
    rows += [f"short,{1_715_672_400 + at},{lon:.6f},{lat:.6f}" for at in (0, 15)]
    return "\n".join(rows).encode()


def test_a_broken_file_is_one_sentence_and_then_trips_are_evaluated(app_url, watched: Watched):
    page = open_link(watched, f"{app_url}evaluate?like=200&generated=file")
    page.wait_for_selector("text=Choose the file first")
    upload(page, "broken.geojson", b"{")
    page.get_by_role("button", name="Evaluate", exact=True).click()
    error = page.locator("[data-testid='stSidebar'] .stAlert")
    error.wait_for()
    assert error.inner_text().strip().startswith("broken.geojson: is no GeoJSON FeatureCollection")
    page.get_by_role("radio", name="Make now").click()
    page.get_by_role("button", name="Evaluate", exact=True).click()
    table = page.locator("table.metrics").first
    table.wait_for()
    rows = table.locator("tbody tr")
    assert rows.count() == 9
    assert re.search(r"Travel distance T-Dist\s.*\s0\.\d{4}\s", rows.nth(0).inner_text(), re.DOTALL)
    assert all(re.search(r"\d ×|beyond", text) for text in table.locator(".floors").all_inner_texts())
    assert "200 generated trips" in page.locator(".st-key-page").inner_text()
    page.wait_for_url(re.compile("like=200.*show=1"))
    assert fits(page)


def test_trips_are_added_from_a_csv_with_the_report_of_what_was_dropped(app_url, place, watched: Watched):
    page = open_link(watched, f"{app_url}data?part=add-trips")
    page.get_by_role("textbox", name="Name of the trips").fill("rides")
    page.keyboard.press("Enter")
    upload(page, "rides.csv", rides(place, 3))
    page.get_by_role("button", name="Prepare the trips").click()
    page.wait_for_selector("text=is in the workspace")
    report = page.locator("table.report").inner_text()
    assert re.search(r"Kept\s+3\s+75\.0%", report)
    assert re.search(r"Too short\s+1\s+25\.0%", report)
    page.get_by_text("Workspace", exact=True).click()
    page.wait_for_url(re.compile(r"part=stored&trips=rides"))
    assert "3 of 4 trips kept" in page.locator("table.stored").first.inner_text()
    assert fits(page)


def test_a_bad_name_and_a_bad_extract_are_sentences(app_url, watched: Watched):
    page = open_link(watched, f"{app_url}data?part=add-city")
    name = page.get_by_role("textbox", name="Name of the city")
    name.fill("../up")
    page.keyboard.press("Enter")
    upload(page, "town.osm", b"<osm/>")
    page.get_by_role("button", name="Add the city").click()
    page.wait_for_selector("text=is no name for a city")
    name.fill("town")
    page.keyboard.press("Enter")
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Add the city").click()
    error = page.locator(".stAlert:has-text('town.osm')")
    error.wait_for()
    assert "Traceback" not in error.inner_text()
    assert "/" not in error.inner_text()


def test_the_model_in_use_is_shown_and_a_wrong_checkpoint_in_a_link_is_a_sentence(app_url, watched: Watched):
    page = open_link(watched, f"{app_url}data")
    page.wait_for_selector(".st-key-card")
    assert "80 roads" in page.locator(".figures.facts").inner_text()
    page = open_link(watched, f"{app_url}data?checkpoint=../secret")
    page.wait_for_selector(".stAlert:has-text('is not in')")
    assert fits(page)
