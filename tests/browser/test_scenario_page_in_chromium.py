"""What people do on the page Scenario, in headless Chromium and without a network."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from links import open_link

from htp.trips import read_trips

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Watched
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

SOME_AREAS = ".htp-map[data-areas]:not([data-areas='0'])"


def open_scenario(watched: Watched, url: str) -> Page:
    """Open a link to the page, once the ten streets and the trips on them are on the map."""
    return open_link(watched, url, ".htp-map[data-roads='10'] canvas", SOME_AREAS)


def click_avenue(page: Page) -> None:
    """Click the grid's middle avenue, which runs through the middle of the map, between two crossings."""
    box = page.locator(".htp-map").bounding_box()
    side = min(box["width"], box["height"]) - 80  # the city's, with the room around it
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 - side / 8)


def save(page: Page, button: Locator, folder: Path) -> Path:
    with page.expect_download() as download:
        button.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_road_is_closed_by_a_click_and_its_trips_are_generated_and_saved(app_url, watched: Watched, tmp_path):
    page = open_scenario(watched, f"{app_url}scenario")
    assert "Click a road" in page.locator(".htp-hint").inner_text()
    click_avenue(page)
    page.wait_for_selector(".figures:has-text('Trips affected')")
    page.wait_for_selector(".htp-map[data-marks='1']")
    page.wait_for_url(re.compile("closed="))
    table = pd.read_csv(save(page, page.get_by_role("button", name="Roads with counts"), tmp_path))
    closed = table[table["closed"]]
    assert closed["name"].tolist() == ["Avenida 2"] * 2
    assert closed["trips_before"].sum() > 0
    assert closed["trips_after"].eq(0).all()
    page.get_by_role("button", name=re.compile(r"Generate \d+ trips")).click()
    page.wait_for_url(re.compile("show=1"))
    sides = [
        read_trips(save(page, page.get_by_role("button", name=f"Trips {name}"), tmp_path))
        for name in ("before", "after")
    ]
    assert not any({*closed["road_id"]} & set(roads) for roads in sides[1]["roads"])
    assert any({*closed["road_id"]} & set(roads) for roads in sides[0]["roads"])
    page.get_by_role("radio", name="Points by cell").click()
    page.wait_for_url(re.compile("places=cells"))
    assert "© OpenStreetMap contributors" in page.locator(".maplibregl-ctrl-attrib").inner_text()
    assert "Simulated" in page.locator(".htp-legend").inner_text()


def test_the_link_of_a_scenario_brings_it_back_and_a_second_click_opens_the_road(app_url, watched: Watched):
    page = open_scenario(watched, f"{app_url}scenario?closed=60-61&name=Works&show=1&side=after")
    page.wait_for_selector("text=trips before and")
    counts = page.locator(".figures").inner_text()
    page.get_by_text("Save and load").click()
    assert page.get_by_label("Name").input_value() == "Works"
    other = open_scenario(watched, page.url)
    other.wait_for_selector("text=trips before and")
    assert other.locator(".figures").inner_text() == counts
    other.get_by_role("button", name="Take back").click()
    other.wait_for_selector(".htp-map[data-marks='0']")
    other.wait_for_function("() => !location.search.includes('closed')")


def test_a_scenario_is_saved_and_loaded_and_a_broken_file_is_explained(app_url, watched: Watched, tmp_path):
    page = open_scenario(watched, f"{app_url}scenario?closed=60-61&name=Works")
    page.get_by_text("Save and load").click()
    path = save(page, page.get_by_role("button", name="Save scenario"), tmp_path)
    assert path.name == "Works.json"
    assert json.loads(path.read_text())["closed"] == [60, 61]
    page.get_by_role("button", name="Take back").click()
    page.wait_for_selector(".htp-map[data-marks='0']")
    page.locator("input[type=file]").set_input_files(path)
    page.wait_for_selector(".htp-map[data-marks='1']")
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    page.locator("input[type=file]").set_input_files(broken)
    page.wait_for_selector("text=The file is no JSON")
    assert page.locator(".htp-map").get_attribute("data-marks") == "1"


def test_a_long_generation_shows_progress_and_stops(app_url, watched: Watched):
    page = open_scenario(watched, f"{app_url}scenario?closed=60-61&like=all&seed=77")
    page.get_by_role("button", name=re.compile(r"Generate \d+ trips")).click()
    page.wait_for_selector("text=/[1-9][0-9]* of [0-9]+ trips/")
    page.get_by_test_id("stSidebarUserContent").get_by_role("button", name="Stop").click()
    page.get_by_role("button", name=re.compile(r"Generate \d+ trips")).wait_for()


def test_everything_fits_a_small_screen(app_url, watched: Watched):
    page = open_scenario(watched, f"{app_url}scenario?closed=60-61")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    button = page.get_by_role("button", name=re.compile(r"Generate \d+ trips")).bounding_box()
    assert button["y"] + button["height"] <= 720
    legend = page.locator(".legend.scenario").bounding_box()
    assert legend["y"] + legend["height"] <= 720.5
    assert page.locator(".htp-map").bounding_box()["width"] > 500
