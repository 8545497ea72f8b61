"""Where things stand in windows of several sizes, and that the mouse wheel reaches all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from links import fits, open_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Watched
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

TURNS, TURN_PX = 12, 400  # of the wheel
MENU_PX = 60


@pytest.fixture
def page(watched: Watched) -> Iterator[Page]:
    yield watched.page
    watched.page.set_viewport_size({"width": 1280, "height": 720})


def shown(watched: Watched, link: str, width: int, height: int) -> Page:
    """Open a page with results in a window of this size."""
    watched.page.set_viewport_size({"width": width, "height": height})
    return open_link(watched, link, ".figures", ".htp-map[data-roads='10'] canvas")


def turn_wheel(page: Page, over: Locator) -> None:
    """Turn the wheel as a person does, with the mouse over the top of something."""
    box = over.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    for _ in range(TURNS):
        page.mouse.wheel(0, TURN_PX)
        page.wait_for_timeout(50)


def in_sight(page: Page, what: Locator) -> None:
    """Wait until something lies within the window."""
    what.wait_for()
    handle = what.element_handle()
    page.wait_for_function(
        "(one) => { const box = one.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; }",
        arg=handle,
    )


def trips_link(place) -> str:
    via = ";".join("{:.6f},{:.6f}".format(*place(*end)) for end in ((0, 0), (400, 400)))
    return f"?via={via}&n=4&show=1&trip=1"


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_the_wheel_reaches_the_end_of_the_results_beside_the_map(app_url, place, watched: Watched, page, width, height):
    shown(watched, app_url + trips_link(place), width, height)
    page.locator("table.tokens").wait_for()
    turn_wheel(page, page.locator(".st-key-results"))
    in_sight(page, page.get_by_role("button", name="Download", exact=True))
    assert page.locator(".stMain").evaluate("(main) => main.scrollTop") == 0
    assert page.locator(".htp-map").bounding_box()["y"] < MENU_PX + 5


def test_the_wheel_reaches_the_exports_of_a_scenario(app_url, watched: Watched, page):
    shown(watched, f"{app_url}scenario?closed=56-63", 1280, 720)
    turn_wheel(page, page.locator(".st-key-results"))
    in_sight(page, page.get_by_role("button", name="Roads with counts (CSV)"))
    assert page.locator(".stMain").evaluate("(main) => main.scrollTop") == 0


def test_results_are_a_drawer_below_the_map_in_a_narrow_window(app_url, place, watched: Watched, page):
    shown(watched, app_url + trips_link(place), 1000, 720)
    city, results = page.locator(".htp-map").bounding_box(), page.locator(".st-key-results").bounding_box()
    assert city["width"] == results["width"] == 1000 - 320
    assert city["height"] > 250
    colour = page.locator(".st-key-results").evaluate("(one) => getComputedStyle(one).backgroundColor")
    assert colour == "rgb(255, 255, 255)"  # the map does not shine through
    assert results["y"] == pytest.approx(city["y"] + city["height"], abs=1)
    turn_wheel(page, page.locator(".st-key-results"))
    in_sight(page, page.get_by_role("button", name="Download", exact=True))
    assert fits(page)


def test_the_menu_that_the_page_is_in_looks_active(app_url, watched: Watched, page):
    open_link(watched, f"{app_url}data", ".st-key-page")
    colour = "(menu) => getComputedStyle(menu).backgroundColor"
    quality, inside = (page.get_by_role("button", name=name, exact=True) for name in ("Quality", "Look inside"))
    assert quality.evaluate(colour) == "rgba(0, 0, 0, 0)"
    inside.wait_for()
    assert inside.evaluate(colour) != "rgba(0, 0, 0, 0)"
    assert page.title() == "Data and models · HTP"
