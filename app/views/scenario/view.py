"""Close roads or change their speeds, send the same demand again, and see what becomes of the trips."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from htp_app import model
from htp_app.components.guard import Need, lacking
from htp_app.components.heading import heading
from htp_app.components.markup import without_pictures
from htp_app.jobs.action import action, result
from htp_app.state import remember, restore, say_left_out
from htp_app.views.scenario import work
from htp_app.views.scenario.choices import Planning
from htp_app.views.scenario.controls import NAME, changes_panel, demand_panel, save_panel, tool_panel
from htp_app.views.scenario.maps import scenario_map, view_row
from htp_app.views.scenario.results import results_panel

if TYPE_CHECKING:
    from htp.planning.scenario import Outcome

PATHS = "scenario-paths"  # the work that finds the demand's paths


def page() -> None:
    """Ask for changes and a demand, show at once what they do, generate the trips when asked to."""
    served = model.current()
    if lacking(served, Need.heldout):
        return
    city = served.generator.city
    choices = restore(Planning(), NAME)
    choices, unknown = work.checked(served, choices)
    say_left_out(unknown)
    result(PATHS)
    made: work.ScenarioTrips | None = result(NAME)
    with st.sidebar:
        heading(served, "Close a road or change its speed, and see which trips that touches and how.")
        tool_panel(city)
        changes_panel(city, choices.scenario)
        choices = demand_panel(choices)
        button = st.container(key="action")
        choices = save_panel(city, choices)
    demand = work.known_demand(served, choices)
    outcome, trouble = work.outcome_or_problem(served, demand, choices.scenario)
    current = made if made is not None and made.made_for(choices) else None
    with st.container(key="stage", horizontal=True, gap=None):
        with st.container(key="map"):
            side, places = view_row(choices)
            choices = replace(choices, side=side, places=places)
            scenario_map(served, choices, outcome, current)
        with st.container(key="results", width=372):
            if outcome is not None and choices.scenario.changed:
                results_panel(outcome, current)
    waiting = choices.demand.show and outcome is None
    remember(replace(choices, demand=replace(choices.demand, show=current is not None or waiting)), NAME)
    with button:
        if trouble:
            st.error(without_pictures(trouble), icon=":material/cloud_off:")
            st.button("Try again", width="stretch", icon=":material/refresh:")
        else:
            _act(served, choices, outcome, current)


def _act(served: model.Model, choices: Planning, outcome: Outcome | None, made: work.ScenarioTrips | None) -> None:
    """Find the demand's paths by itself; then offer to generate its trips."""
    if outcome is None:
        key = (choices.demand.count, choices.demand.hours)
        first = st.session_state.get("scenario-asked") != key  # who stops it starts it by hand
        st.session_state["scenario-asked"] = key
        label = f"Find the paths of {choices.demand.count:,} trips"
        action(PATHS, label, lambda: work.demand_work(served, choices), at_once=first)
    elif not choices.scenario.changed:
        st.caption(f":material/check_circle: {len(outcome.demand):,} {served.real_word} trips are ready.")
    elif made is not None:
        st.caption(f":material/check_circle: {len(made.before):,} trips before and {len(made.after):,} after.")
    else:
        count = work.to_generate(served, choices, outcome)
        label = f"Generate {count:,} trips" if count else "Compare the trips"
        action(NAME, label, lambda: work.trips_work(served, choices, outcome), at_once=choices.demand.show)


page()
