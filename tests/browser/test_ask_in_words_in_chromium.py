"""Trips asked for in words, in headless Chromium and without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from links import go_to

if TYPE_CHECKING:
    from conftest import Watched

pytestmark = pytest.mark.browser


def test_words_fill_the_controls_and_a_chip_takes_one_back(app_url, watched: Watched):
    page = watched.page
    page.goto(app_url)
    page.wait_for_selector(".htp-map[data-roads='10'] canvas")
    line = page.get_by_label("Ask in words")
    line.fill("7 trips from Calle 0 to Avenida 4 and Calle 4, Friday 17:30, bring cake")
    line.press("Enter")
    page.wait_for_selector(".htp-map[data-route]:not([data-route='0'])")
    chip = page.get_by_role("button", name="7 trips")
    chip.wait_for()
    count = page.get_by_label("How many")
    assert count.input_value() == "7"
    assert "bring cake" in page.locator("ul.asked").inner_text()
    chip.click()
    page.wait_for_function("document.querySelector('[aria-label=\"How many\"]').value === '20'")
    page.get_by_role("button", name="7 trips").click()
    page.wait_for_function("document.querySelector('[aria-label=\"How many\"]').value === '7'")
    assert "depart=2024-05-17T17%3A30" in page.url
    go_to(page, "Demand")
    go_to(page, "Generate")
    page.wait_for_selector(".htp-map[data-roads='10'] canvas")
    assert page.get_by_label("Ask in words").input_value().startswith("7 trips from Calle 0")
    assert page.get_by_label("How many").input_value() == "7"
