"""Names that are HTML, scripts or Markdown, in everything a city says of itself, do nothing on any page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import pytest
import shapely
from person import IDLE
from serving import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Watched

    from htp.city import City

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

NAMES = (
    '<img src="http://localhost:9/street" onerror="window.harmed = 1">',
    "<script>window.harmed = 2</script>",
    "</style><svg onload='window.harmed = 3'>",
    "![picture](http://localhost:9/markdown) [click](javascript:window.harmed=4)",
    "%{x} ${y} {{7*7}} <b>",
)
PAGES = ("", "times_of_day", "demand", "scenario", "density", "distributions", "evaluate", "codebook", "data")
ROUTE = "?via={};{}&n=3&interval=5&times=08:00,23:00&like=200&show=1"


@pytest.fixture(scope="module")
def hostile_url(grid: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of an app whose city has such names everywhere."""
    roads = grid.roads.assign(name=[NAMES[i % len(NAMES)] for i in range(len(grid))])
    place = gpd.GeoDataFrame(
        {"kind": ["place"], "name": [NAMES[0]], "rank": [0]},
        geometry=[shapely.Point(*grid.bounds[:2])],
        crs="EPSG:4326",
    )
    said = {name: NAMES[i] for i, name in enumerate(("name", "source", "licence", "attribution"))}
    city = replace(grid, roads=roads, landscape=place, **said)
    with served(city, tmp_path_factory.mktemp("hostile")) as url:
        yield url


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_such_names_and_does_nothing_else(page, hostile_url, place, watched: Watched):
    asked: list[str] = []
    watched.page.on("request", lambda request: asked.append(request.url))
    ends = ["{:.6f},{:.6f}".format(*place(*xy)) for xy in ((0.0, 0.0), (400.0, 400.0))]
    watched.page.goto(hostile_url + page + ROUTE.format(*ends))
    watched.page.wait_for_selector(IDLE)
    watched.page.wait_for_timeout(3000)  # for what a name might load
    found = watched.page.locator(".htp-map").first
    if found.count():
        box = found.bounding_box()
        for share in (0.3, 0.5, 0.7):  # what lies under the mouse is explained
            watched.page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
    assert watched.page.get_by_text(NAMES[0]).first.is_visible()  # the city's name, as it is
    assert watched.page.evaluate("window.harmed") is None
    assert not [url for url in asked if ":9/" in url]
    assert not watched.page.locator("img[src*=':9/'], a[href^='javascript:']").count()
    watched.complaints[:] = [
        each for each in watched.complaints if "404" not in each
    ]  # Streamlit's own, on pages by name
