"""Open links to pages of the app in a browser, and see whether they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Watched
    from playwright.sync_api import Page

# Streamlit looks for its server below the page's own path first, which Chromium reports
PROBE = "Failed to load resource: the server responded with a status of 404 (Not Found)"
RESTS, REST_MS, MOST_LOOKS = 4, 500, 100  # looks at the scale, a moment between them, that find the same

MENUS = {"Quality": ("Distributions", "Density", "Evaluate"), "Look inside": ("Codebook", "Data and models")}


def go_to(page: Page, title: str) -> None:
    """Go to another page by the navigation at the top, where some pages are in a menu."""
    menu = next((menu for menu, titles in MENUS.items() if title in titles), None)
    if menu is None:
        page.get_by_role("link", name=title).click()
        return
    page.get_by_role("button", name=menu, exact=True).click()
    page.get_by_role("menuitem", name=title).click()


def open_link(watched: Watched, url: str, *parts: str) -> Page:
    """Open a link to a page and wait for parts of it; Streamlit's own two questions below its path are no complaint."""
    watched.page.goto(url)
    for selector in parts or (".st-key-page",):
        watched.page.wait_for_selector(selector)
    assert watched.complaints in ([], [PROBE] * 2)
    watched.complaints.clear()
    return watched.page


def fits(page: Page) -> bool:
    """Return whether nothing of a page lies beside the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def zoomed_in(page: Page) -> str:
    """Zoom into the map; return what its scale says when it has come to rest, however slowly it is drawn."""
    scale = page.locator(".maplibregl-ctrl-scale")
    said = [scale.inner_text()]
    page.get_by_role("button", name="Zoom in").click()
    while len(said) < MOST_LOOKS and (len(said) < RESTS or len(set(said[-RESTS:])) > 1 or said[-1] == said[0]):
        page.wait_for_timeout(REST_MS)
        said.append(scale.inner_text())
    assert said[-1] != said[0]
    return said[-1]
