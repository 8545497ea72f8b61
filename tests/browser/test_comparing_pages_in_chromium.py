"""What people do on the pages that compare, in headless Chromium and without a network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from links import MENUS, fits, go_to, open_link

if TYPE_CHECKING:
    from conftest import Watched
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def areas(page: Page, at: int) -> int:
    """Return the number of areas on a map."""
    return int(page.locator(".htp-map").nth(at).get_attribute("data-areas") or 0)


@pytest.mark.thorough
def test_one_route_is_compared_at_three_times_of_day(app_url, place, watched: Watched):
    via = ";".join("{:.6f},{:.6f}".format(*place(*xy)) for xy in ((0, 0), (400, 400)))
    page = open_link(watched, f"{app_url}times_of_day?via={via}&times=08:00,13:00,23:00&n=4")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_selector("p.departure:has-text('23:00')")
    for at in range(3):
        page.locator(".htp-map").nth(at).and_(page.locator("[data-trips='4']")).wait_for()
    page.locator(".js-plotly-plot").nth(2).wait_for()
    assert "Speed, km/h" in page.locator(".htp-legend").nth(0).inner_text()
    assert all("Simulated" in text for text in page.locator(".htp-legend").all_inner_texts())
    page.get_by_role("radio", name="By block").click()
    page.wait_for_url(re.compile("by=block.*show=1"))
    assert fits(page)


@pytest.mark.thorough
def test_all_departures_are_played_in_step_by_one_bar(app_url, place, watched: Watched):
    via = ";".join("{:.6f},{:.6f}".format(*place(*xy)) for xy in ((0, 0), (400, 400)))
    page = open_link(watched, f"{app_url}times_of_day?via={via}&times=08:00,23:00&n=4&show=1")
    for at in range(2):
        page.locator(".htp-map").nth(at).and_(page.locator("[data-trips='4']")).wait_for()
    assert page.locator(".htp-play").count() == 1
    assert not page.locator(".htp-clock").first.is_visible()
    page.get_by_role("button", name="Play", exact=True).click()
    page.locator(".htp-play[data-playing='false']").wait_for()  # at the end of the longest trip
    assert page.locator(".htp-clock:has-text('4 of 4 arrived')").count() == 2
    page.get_by_label("Time since departure").fill("15")
    assert [text.split(" ")[0] for text in page.locator(".htp-clock").all_inner_texts()] == ["08:00:15", "23:00:15"]
    assert page.locator(".htp-play output").inner_text().startswith("0:15 of ")
    page.get_by_role("button", name="Show all points again").click()
    assert not page.locator(".htp-clock").first.is_visible()


@pytest.mark.thorough
def test_distributions_are_drawn_at_once_and_over_generated_trips_when_asked(app_url, watched: Watched):
    page = open_link(watched, f"{app_url}distributions?like=200")
    page.locator(".js-plotly-plot").nth(6).wait_for()
    assert "Generated" not in page.locator(".js-plotly-plot .legend").first.text_content()
    page.get_by_role("button", name="Generate 200 trips").click()
    page.wait_for_selector("text=200 generated trips beside")
    page.wait_for_selector(".js-plotly-plot .legend:has-text('Generated')")
    page.wait_for_url(re.compile("like=200.*show=1"))
    assert fits(page)


@pytest.mark.thorough
def test_density_is_compared_by_hour_and_by_the_top_places(app_url, watched: Watched):
    page = open_link(watched, f"{app_url}density?like=200&seed=2&show=1&hours=7-10")
    page.wait_for_selector("text=200 generated trips beside")
    for at in range(3):
        page.locator(".htp-map").nth(at).and_(page.locator("[data-areas]:not([data-areas='0'])")).wait_for()
    few = areas(page, 2)
    thumb = page.get_by_role("slider").nth(1)
    thumb.focus()
    page.keyboard.press("End")
    page.wait_for_url(re.compile("hours=7-24"))
    page.locator(".htp-map").nth(2).and_(page.locator(f"[data-areas]:not([data-areas='{few}'])")).wait_for()
    assert areas(page, 2) > few
    box = page.locator(".htp-map").nth(0).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -600)
    page.wait_for_timeout(1000)
    page.get_by_role("radio", name="Top roads").click()
    page.wait_for_selector(".legend.kinds:has-text('In both')")
    page.wait_for_url(re.compile("places=top-roads"))
    assert fits(page)


@pytest.mark.thorough
def test_the_pages_are_a_click_apart_and_share_their_trips(app_url, watched: Watched):
    page = open_link(watched, f"{app_url}distributions?like=200&seed=3&show=1")
    page.wait_for_selector("text=200 generated trips beside")
    go_to(page, "Density")
    page.wait_for_selector(".htp-map[data-areas]:not([data-areas='0'])")
    page.wait_for_url(re.compile(r"density\?like=200&seed=3&show=1"))
    assert page.locator("text=200 generated trips beside").count() == 1


def test_every_page_is_two_clicks_away_on_a_small_screen(app_url, watched: Watched):
    page = open_link(watched, f"{app_url}distributions?like=200", ".js-plotly-plot")
    for title, part in (("Evaluate", "evaluate"), ("Codebook", "codebook"), ("Data and models", "data")):
        go_to(page, title)
        page.wait_for_url(re.compile(f"/{part}"))
    for title in ("Generate", "Times of day", "Demand", "Scenario"):
        assert page.get_by_role("link", name=title, exact=True).is_visible()
    assert all(page.get_by_role("button", name=menu, exact=True).is_visible() for menu in MENUS)
