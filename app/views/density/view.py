"""Compare where the points of generated trips lie with where those of held-out trips lie."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from htp.evaluate.density import cell_density, road_density
from htp_app import model, sample
from htp_app.components.comparison_controls import NAME, comparison_button, comparison_panel
from htp_app.components.guard import Need, lacking
from htp_app.components.heading import heading
from htp_app.jobs import background
from htp_app.state import CELLS, LINEAR, LOG, TOP_CELLS, TOP_ROADS, Comparison, remember, restore
from htp_app.views.density.maps import three_maps, top_places

PLACES = {CELLS: "All cells", TOP_CELLS: "Top cells", TOP_ROADS: "Top roads"}
SCALES = {LOG: "Log", LINEAR: "Linear"}
HELP = (
    "The city is laid out in cells of 100 m; a cell's colour is its number of GPS points. Point at a cell or road, or "
    "click it, for its counts. **Top cells** and **Top roads** are the 100 with most points on either side: those in "
    "both are hits. A point counts on the road that its own table aligns it to; the evaluation matches all trips anew, "
    "so its R-Den and R-Pat may differ a little. **Floor**: what one random half of the held-out trips scores against "
    "the other; a score above it is as good as chance allows. Few trips leave much to chance: generate more to judge."
)


def page() -> None:
    """Ask for trips, places, hours and scale; draw the maps."""
    served = model.current()
    if lacking(served, Need.heldout):
        return
    choices, problems = restore(Comparison(), NAME)
    background.collect(NAME)
    with st.sidebar:
        heading(served, "See where generated trips drive more, or less, than the held-out ones they were made like.")
        choices = comparison_panel(served, choices)
        button = st.container(key="action")
        choices = _view_panel(choices)
        with st.expander("How to read this", icon=":material/help:"):
            st.markdown(HELP)
    real, generated = sample.heldout_measures(served, choices.count), sample.generated_measures(served, choices)
    count = road_density if choices.places == TOP_ROADS else cell_density
    density = count(real, generated, choices.hours)
    with st.container(key="page"):
        if choices.places == CELLS:
            three_maps(served, choices, density, ready=generated is not None)
        else:
            top_places(served, choices, density, real, generated)
    remember(replace(choices, show=generated is not None), NAME)
    for sentence in problems:
        st.toast(sentence, icon=":material/link_off:", duration="long")
    with button:
        comparison_button(served, choices, ready=generated is not None)


def _view_panel(choices: Comparison) -> Comparison:
    """Ask what is drawn, for which hours and on which scale."""
    st.markdown("#### View")
    places = st.segmented_control(
        "Places", list(PLACES), default=choices.places, key="density-places", format_func=PLACES.__getitem__
    )
    first, last = st.slider(
        "Hours of the day, by the city's clocks", 0, 24, choices.hours, key="density-hours", format="%d:00"
    )
    first, last = min(first, 23), max(last, min(first, 23) + 1)  # an hour at least
    scale: str | None = choices.scale
    if places == CELLS:
        scale = st.segmented_control(
            "Colour scale", list(SCALES), default=choices.scale, key="density-scale", format_func=SCALES.__getitem__
        )
    return replace(choices, places=places or CELLS, hours=(first, last), scale=scale or LOG)


page()
