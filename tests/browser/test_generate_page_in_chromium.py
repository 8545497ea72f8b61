"""What people do on the page that generates trips, in headless Chromium and without a network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from links import zoomed_in
from person import IDLE

from htp.trips import read_trips

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Watched
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
ORIGIN, DESTINATION = (0.0, 0.0), (400.0, 400.0)  # corners of the grid city, metres


def link(place, *points: tuple[float, float], **more: object) -> str:
    """Return the parameters of a link to a route through points in metres."""
    via = ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in (place(*point) for point in points))
    return "?" + "&".join([f"via={via}", *(f"{name}={value}" for name, value in more.items())])


def open_map(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector(".htp-map[data-roads='10'] canvas")  # the ten streets are on the map


def click_map(page: Page, x: float, y: float) -> None:
    """Click the map at a share of its width and height."""
    box = page.locator(".htp-map").bounding_box()
    page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)


def vertices(page: Page) -> int:
    """Return the number of vertices of the route on the map."""
    return int(page.locator(".htp-map").get_attribute("data-route") or 0)


def wait_for_route(page: Page) -> None:
    page.wait_for_selector(".htp-map[data-route]:not([data-route='0'])")


def wait_for_trips(page: Page, count: int) -> None:
    page.wait_for_selector(f".htp-map[data-trips='{count}']")
    page.wait_for_selector(".figures")


def text(page: Page, selector: str) -> str:
    return page.locator(selector).inner_text()


def choose_format(page: Page, name: str) -> None:
    """Choose a format to download as, and wait until the page has run with it."""
    page.get_by_text(name, exact=True).click()
    page.wait_for_selector(f"[role=radiogroup] label:has(input:checked):has-text('{name}')")
    page.wait_for_timeout(500)
    page.wait_for_selector(IDLE)


def test_a_route_is_clicked_and_trips_are_generated_along_it(app_url, watched: Watched):
    page = watched.page
    open_map(page, app_url)
    assert "origin" in text(page, ".htp-hint")
    click_map(page, 0.4, 0.7)
    page.wait_for_selector(".htp-hint:has-text('destination')")
    click_map(page, 0.6, 0.3)
    wait_for_route(page)
    page.get_by_role("button", name="Generate").click()
    wait_for_trips(page, 20)
    assert "Speed, km/h" in text(page, ".htp-legend")
    assert "km" in text(page, ".figures")
    page.wait_for_url(re.compile("via=.*show=1"))


@pytest.mark.thorough
def test_a_route_is_set_without_a_mouse(app_url, watched: Watched):
    page = watched.page
    open_map(page, app_url)
    page.keyboard.press("Tab")
    canvas = page.locator(".htp-map canvas.maplibregl-canvas")
    canvas.focus()
    page.wait_for_selector(".htp-crosshair:not([hidden])")
    canvas.press("Enter")
    page.wait_for_selector(".htp-hint:has-text('destination')")
    pin = page.locator(".htp-pin.origin")
    middle = pin.bounding_box()["x"]
    canvas.press("ArrowRight")  # moves the map by 100 px
    while pin.bounding_box()["x"] > middle - 90:
        page.wait_for_timeout(100)
    canvas.press("Enter")
    wait_for_route(page)


@pytest.mark.thorough
def test_credit_and_the_word_simulated_are_on_the_map_from_the_start(app_url, watched: Watched):
    open_map(watched.page, app_url)
    assert "© OpenStreetMap contributors" in text(watched.page, ".maplibregl-ctrl-attrib")
    assert "Simulated" in text(watched.page, ".htp-legend")


@pytest.mark.thorough
def test_trips_are_played_paused_and_shown_whole_again(app_url, place, watched: Watched):
    page = watched.page
    open_map(page, app_url + link(place, ORIGIN, DESTINATION, n=3, interval=5, show=1))
    wait_for_trips(page, 3)
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_selector(".htp-map[data-at]")
    page.wait_for_selector(".htp-clock:has-text('08:00:')")
    page.get_by_label("Time since departure").press("End")
    page.wait_for_selector(".htp-clock:has-text('3 of 3 arrived')")
    page.get_by_role("button", name=re.compile("How fast")).click()
    assert "120×" in page.locator(".htp-play").inner_text()
    page.get_by_role("button", name="Show all points again").click()
    assert not page.locator(".htp-clock").is_visible()


@pytest.mark.thorough
def test_a_first_visitor_tries_an_example_and_the_examples_are_gone(app_url, watched: Watched):
    page = watched.page
    open_map(page, app_url)
    page.get_by_role("button", name="Trips that share a token").wait_for()
    page.get_by_role("button", name="A trip ").click()
    wait_for_trips(page, 20)
    page.wait_for_url(re.compile("show=1"))
    assert page.locator(".st-key-examples").count() == 0


def test_a_link_brings_back_route_and_trips(app_url, place, watched: Watched):
    page = watched.page
    open_map(page, app_url + link(place, ORIGIN, DESTINATION, n=7, seed=5, interval=5, show=1))
    wait_for_trips(page, 7)
    assert page.get_by_label("How many").input_value() == "7"


@pytest.mark.thorough
def test_a_trip_is_chosen_and_its_way_speeds_and_tokens_are_seen(app_url, place, watched: Watched):
    page = watched.page
    open_map(page, app_url + link(place, ORIGIN, DESTINATION, n=3, interval=5, show=1))
    wait_for_trips(page, 3)
    page.wait_for_selector(IDLE)
    box = page.get_by_role("combobox", name=re.compile("Trip"))
    box.scroll_into_view_if_needed()
    page.evaluate(DRAWN)  # a list that drops down closes when the page is scrolled, and so is told of it before
    box.click()
    page.get_by_role("option", name="Trip 2 of 3").click()
    page.wait_for_selector(".htp-map[data-marks='1']")
    page.wait_for_selector("table.tokens a:has-text('a_0')")
    page.wait_for_selector(".js-plotly-plot .legend:has-text('Speed limit')")
    page.wait_for_url(re.compile("trip=2"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_points_can_be_undone_reversed_dragged_removed_and_cleared(app_url, place, watched: Watched):
    page = watched.page
    open_map(page, app_url + link(place, ORIGIN, (400.0, 0.0), DESTINATION))
    wait_for_route(page)
    assert page.locator(".htp-pin").count() == 3
    page.get_by_label("Undo the last point").click()
    page.wait_for_function("() => decodeURIComponent(location.search).match(/via=([^&]*)/)[1].split(';').length === 2")
    before = page.url
    page.get_by_label("Reverse the route").click()
    page.wait_for_function("(url) => location.href !== url", arg=before)
    before = page.url
    pin = page.locator(".htp-pin.origin").bounding_box()
    page.mouse.move(pin["x"] + 13, pin["y"] + 13)
    page.mouse.down()
    page.mouse.move(pin["x"] - 60, pin["y"] - 40, steps=6)
    page.mouse.up()
    page.wait_for_function("(url) => location.href !== url", arg=before)
    assert page.locator(".htp-pin").count() == 2
    page.locator(".htp-pin.origin").hover()
    page.get_by_label("Remove Origin").click()
    page.wait_for_selector(".htp-hint:has-text('destination')")
    page.get_by_label("Clear the route").click()
    page.wait_for_selector(".htp-hint:has-text('origin')")
    assert vertices(page) == 0


@pytest.mark.thorough
def test_the_map_keeps_its_place_when_something_is_changed(app_url, place, watched: Watched):
    page = watched.page
    open_map(page, app_url + link(place, ORIGIN, DESTINATION))
    wait_for_route(page)
    page.evaluate("document.querySelector('[data-testid=stBidiComponentIsolated]').marked = true")
    scale = zoomed_in(page)
    page.get_by_label("How many").fill("9")
    page.get_by_label("How many").press("Enter")
    page.wait_for_url(re.compile("n=9"))
    assert text(page, ".maplibregl-ctrl-scale") == scale
    assert page.evaluate("document.querySelector('[data-testid=stBidiComponentIsolated]').marked")


@pytest.mark.thorough
def test_a_click_out_of_town_is_explained_on_the_map(app_url, watched: Watched):
    page = watched.page
    open_map(page, app_url)
    for _ in range(4):
        page.get_by_label("Zoom out").click()
        page.wait_for_timeout(500)
    click_map(page, 0.9, 0.5)
    page.wait_for_selector(".htp-hint[data-kind='error']")
    assert "Grid" in text(page, ".htp-hint")


@pytest.mark.parametrize("name", ["GeoParquet", "CSV"])
@pytest.mark.thorough
def test_the_download_can_be_read_back(app_url, place, watched: Watched, tmp_path: Path, name: str):
    page = watched.page
    open_map(page, app_url + link(place, ORIGIN, DESTINATION, n=4, show=1))
    wait_for_trips(page, 4)
    if name != "GeoParquet":
        choose_format(page, name)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    if name == "GeoParquet":
        assert len(read_trips(path)) == 4
    else:
        assert path.read_text().startswith("trip_id,time,lon,lat")


@pytest.mark.thorough
def test_the_downloaded_map_opens_alone_and_asks_nobody_for_anything(app_url, place, watched: Watched, tmp_path: Path):
    page = watched.page
    open_map(page, app_url + link(place, ORIGIN, DESTINATION, n=4, show=1))
    wait_for_trips(page, 4)
    choose_format(page, "Map (HTML)")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector(".leaflet-container[data-points]:not([data-points='0']) canvas")
    assert asked == [path.as_uri()]
    assert "4 generated trips" in text(page, ".panel h1")
    assert "simulated" in text(page, ".panel .note")
    assert "© OpenStreetMap contributors" in text(page, ".leaflet-control-attribution")
    box = page.locator(".leaflet-container").bounding_box()
    assert (box["width"], box["height"]) == (1280, 720)


def test_a_long_generation_shows_progress_and_stops(app_url, place, watched: Watched):
    page = watched.page
    open_map(page, app_url + link(place, ORIGIN, DESTINATION, n=500))
    wait_for_route(page)
    page.get_by_role("button", name="Generate").click()
    page.wait_for_selector("text=of 500 trips")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Generate", exact=True).wait_for()
    assert page.locator(".figures").count() == 0


@pytest.mark.thorough
def test_a_slow_connection_loses_no_map_though_the_page_runs_meanwhile(app_url, place, watched: Watched):
    page = watched.page

    def late(route: Route) -> None:
        page.wait_for_timeout(4000)  # the page runs several times until the trips of the link are there
        route.continue_()

    page.route("**/htp-map.js*", late)
    open_map(page, app_url + link(place, ORIGIN, DESTINATION, n=100, show=1))
    wait_for_trips(page, 100)
    assert page.locator(".htp-map").count() == 1


@pytest.mark.thorough
def test_everything_fits_a_small_screen(app_url, place, watched: Watched):
    page = watched.page
    open_map(page, app_url + link(place, ORIGIN, DESTINATION, n=4, show=1))
    wait_for_trips(page, 4)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    button = page.get_by_role("button", name="Generate again").bounding_box()
    assert button["y"] + button["height"] <= 720
    box = page.locator(".htp-map").bounding_box()
    assert box["y"] + box["height"] <= 720.5
    assert box["width"] > 500


@pytest.mark.thorough
def test_the_map_follows_the_dark_theme(app_url, watched: Watched):
    watched.page.emulate_media(color_scheme="dark")
    open_map(watched.page, app_url)
    watched.page.wait_for_selector(".htp-map[data-dark]")


@pytest.mark.thorough
def test_the_online_background_is_asked_for_only_when_wanted_and_may_be_missing(app_url, watched: Watched):
    page = watched.page
    page.route("https://tile.openstreetmap.org/**", lambda route: route.abort())
    open_map(page, app_url)
    assert watched.outside == []
    page.get_by_label("Online background map").click()
    page.wait_for_selector(".htp-hint:has-text('cannot be reached')")
    assert [url.startswith("https://tile.openstreetmap.org/0/0/0") for url in watched.outside] == [True]
    watched.outside.clear()
    watched.complaints.clear()  # Chromium reports the refused request
