"""Compare where the points of generated trips lie with where those of held-out trips lie."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from htp.evaluate.density import cell_density, road_density
from htp_app import model
from htp_app.components.comparison import comparison_page
from htp_app.components.controls import hours_slider, pick, scale_control
from htp_app.components.guard import Need, lacking
from htp_app.state import CELLS, TOP_CELLS, TOP_ROADS, Comparison
from htp_app.views.density.maps import three_maps, top_places

if TYPE_CHECKING:
    from htp.evaluate.measure import Measures

PLACES = {CELLS: "All cells", TOP_CELLS: "Top cells", TOP_ROADS: "Top roads"}
ABOUT = "See where generated trips drive more, or less, than the held-out ones they were made like."
HELP = (
    "The city is laid out in cells of 100 m; a cell's colour is its number of GPS points. Point at a cell or road, or "
    "click it, for its counts. **Top cells** and **Top roads** are the 100 with most points on either side: those in "
    "both are hits. A point counts on the road that its own table aligns it to; the evaluation matches all trips anew, "
    "so its R-Den and R-Pat may differ a little. **Floor**: what as many trips as good as the held-out ones score "
    "by chance; a score above it is as good as chance allows. Few trips leave much to chance: generate more to judge."
)


def page() -> None:
    """Ask for trips, places, hours and scale; draw the maps."""
    served = model.current()
    if lacking(served, Need.heldout):
        return

    def draw(choices: Comparison, real: Measures, generated: Measures | None) -> None:
        count = road_density if choices.places == TOP_ROADS else cell_density
        density = count(real, generated, choices.hours)
        if choices.places == CELLS:
            three_maps(served, choices, density, ready=generated is not None)
        else:
            top_places(served, choices, density, real, generated)

    comparison_page(served, (ABOUT, HELP), draw, _view_panel)


def _view_panel(choices: Comparison) -> Comparison:
    """Ask what is drawn, for which hours and on which scale."""
    st.markdown("#### View")
    places = pick("Places", PLACES, choices.places, "density-places", label_shown=True)
    hours = hours_slider(choices.hours, "density-hours")
    scale = scale_control(choices.scale, "density-scale") if places == CELLS else choices.scale
    return replace(choices, places=places, hours=hours, scale=scale)


page()
