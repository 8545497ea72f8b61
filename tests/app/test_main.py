"""The frame of all pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import opened

import htp_app.model

MAIN = Path(htp_app.model.__file__).parent / "main.py"
TITLES = {
    "generate": "Generate",
    "times_of_day": "Times of day",
    "demand": "Demand",
    "scenario": "Scenario",
    "distributions": "Distributions",
    "density": "Density",
    "evaluate": "Evaluate",
    "codebook": "Codebook",
    "data": "Data and models",
}


@pytest.mark.parametrize("page", TITLES)
def test_every_page_says_its_name(checkpoint, page):
    shown = opened(MAIN).switch_page(f"views/{page}/view.py").run()
    said = "".join(element.proto.body for element in shown.get("html"))
    assert f"<h1 class='heading'>{TITLES[page]}</h1>" in said
    assert f"<i class='at-{page}' hidden></i>" in said  # by which app.css marks the menu
