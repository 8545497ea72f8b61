"""What people do on the page Demand, in headless Chromium and without a network.

The app is served over the grid city ten times as large, so that trips take minutes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import shapely
from links import go_to, open_link
from serving import served

from htp.trips import read_trips

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Watched
    from playwright.sync_api import Page

    from htp.city import City

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

SECONDS_PER_TRIP = 0.01
TABLE = b"origin,destination,trips\n1,20,60\n20,1,30\n"


@pytest.fixture(scope="module")
def wide_url(grid: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the app over the wide city, served in a process of its own."""
    origin_m = grid.xy_m.min(axis=0)
    roads = grid.roads.assign(length_m=grid.roads["length_m"] * 10)
    lines = shapely.transform(
        roads.geometry.to_numpy(), lambda xy: grid.to_lonlat(origin_m + (grid.to_metres(xy) - origin_m) * 10)
    )
    wide = replace(grid, roads=roads.set_geometry(lines))
    with served(wide, tmp_path_factory.mktemp("wide"), str(SECONDS_PER_TRIP)) as url:
        yield url


def open_demand(watched: Watched, url: str) -> Page:
    """Open a link to the page, once its figures are there."""
    return open_link(watched, url, ".figures")


def upload(page: Page, name: str, content: bytes) -> None:
    page.locator("input[type=file]").first.set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})


def download(page: Page, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download", exact=True).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_a_table_is_uploaded_and_the_day_s_trips_come_down_as_files(wide_url, watched: Watched, tmp_path: Path):
    page = open_demand(watched, f"{wide_url}demand")
    page.locator(".htp-map[data-areas]:not([data-areas='0'])").wait_for()  # the zones
    upload(page, "od.csv", TABLE)
    page.get_by_role("button", name="Make 90 trips").click()
    page.wait_for_selector("text=trips of this day have been made")
    page.wait_for_selector(".figures:has-text('of 90 asked for')")
    assert "Points in a cell" in page.locator("div.legend").inner_text()
    assert "Simulated" in page.locator(".htp-legend").inner_text()
    trips = read_trips(download(page, tmp_path))
    assert set(zip(trips["origin"], trips["destination"], strict=True)) == {("1", "20"), ("20", "1")}
    assert 60 < len(trips) <= 90
    page.get_by_text("CSV", exact=True).last.click()
    page.wait_for_selector("[role=radiogroup] label:has(input:checked):has-text('CSV')")
    page.wait_for_timeout(500)  # for the page to run with it
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    assert pd.read_csv(download(page, tmp_path))["trip_id"].nunique() == len(trips)
    assert "show" not in page.url  # no link carries a table of one's own


def test_a_broken_table_is_explained_and_can_be_taken_away(wide_url, watched: Watched):
    page = open_demand(watched, f"{wide_url}demand?n=50")
    upload(page, "broken.csv", b"origin,destination,trips\n1,20,5\n1,nowhere,7\n")
    page.wait_for_selector("text=broken.csv, line 3, destination: no zone is called “nowhere”")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Make 50 trips").wait_for()


def test_a_long_day_goes_on_while_another_page_is_shown_and_can_be_stopped(wide_url, watched: Watched):
    page = open_demand(watched, f"{wide_url}demand?n=8000&seed=2")
    page.get_by_role("button", name="Make 8,000 trips").click()
    page.wait_for_selector("text=/(Routes found|Trips made): [1-9]/")
    go_to(page, "Distributions")
    page.wait_for_selector(".js-plotly-plot")
    go_to(page, "Demand")
    page.wait_for_selector("text=Trips made:")
    page.wait_for_selector(".figures:has-text('of 8,000 asked for')")  # the first part, while others are made
    page.locator(".st-key-action").get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Go on making trips").wait_for()
    page.get_by_role("button", name="Download those made so far").wait_for()


def test_a_link_brings_back_the_day_and_its_hours(wide_url, watched: Watched):
    page = open_demand(watched, f"{wide_url}demand?n=80&seed=3&hours=7-10&scale=linear&show=1")
    page.wait_for_selector("text=trips of this day have been made")
    page.locator(".htp-map[data-areas]:not([data-areas='0'])").wait_for()
    few = int(page.locator(".htp-map").get_attribute("data-areas") or 0)
    thumb = page.get_by_role("slider").nth(1)
    thumb.focus()
    page.keyboard.press("End")
    page.wait_for_url(re.compile("hours=7-24.*show=1"))
    page.locator(f".htp-map[data-areas]:not([data-areas='{few}'])").wait_for()
    assert int(page.locator(".htp-map").get_attribute("data-areas") or 0) > few
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
