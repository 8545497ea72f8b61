"""Make the trips of a whole day from a table of trips between zones."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from htp.errors import InputError
from htp.planning.demand.day import Timetable
from htp_app import model
from htp_app.components.heading import heading
from htp_app.jobs import background
from htp_app.state import LINEAR, LOG, remember, restore
from htp_app.views.demand.choices import DemandChoices
from htp_app.views.demand.controls import DemandTables, demand_panel, has_files, profile_panel, table_source
from htp_app.views.demand.maps import demand_map
from htp_app.views.demand.results import results_panel
from htp_app.views.demand.work import DayRequest, Run, run_of, work_for

NAME = "demand"  # of the choices and of the work
WAIT_S = 0.5  # for the work to end before its progress is shown
POLL_S = 0.1  # from one such wait to the next
SCALES = {LOG: "Log", LINEAR: "Linear"}
HELP = (
    "Each trip of the table starts and ends on a road of its zones (each metre of road as likely, main roads less, "
    "motorways never), departs in an hour of the profile, takes the fastest route and is then generated like all "
    "others. Trips shorter than 4¾ or longer than about 50 minutes are drawn anew in their zones, five times at most. "
    "The trips are made in random order: what is there at any time is a sample of the whole day. The work goes on "
    "while you look at other pages; who asks for the same day again finds what has been made."
)


def page() -> None:
    """Ask for the demand, make the trips when asked to, show them by hour."""
    served = model.current()
    before, problems = restore(DemandChoices(day=served.first_day), NAME)
    background.collect(NAME)
    with st.sidebar:
        heading(served, "Make the trips of a whole day from how many go from which zone to which.")
        choices, demand = demand_panel(served, before)
        choices, shares, bad_profile = profile_panel(served, choices)
        button = st.container(key="action")
        choices = _view_panel(choices)
        table_source(served, demand)
        with st.expander("How to read this", icon=":material/help:"):
            st.markdown(HELP)
    problem = demand.problem or bad_profile
    run = None if problem else _run(served, demand, Timetable(choices.day, shares, choices.seed))
    counts = run.counts if run else None
    density = counts.density(choices.hours) if counts else None
    with st.container(key="stage", horizontal=True, gap=None):
        with st.container(key="map"):
            demand_map(served, demand, choices, density)
        with st.container(key="results", width=372):
            results_panel(demand, shares, run, choices, density)
    wanted = before.show and before.same_day(choices) and counts is None and not has_files()
    remember(replace(choices, show=counts is not None and not has_files()), NAME)
    for sentence in problems:
        st.toast(sentence, icon=":material/link_off:", duration="long")
    with button:
        _act(served, run, problem, at_once=wanted)


def _run(served: model.Model, demand: DemandTables, timetable: Timetable) -> Run | None:
    return (
        run_of(DayRequest(served.checkpoint, demand.zones, demand.flows, timetable))
        if demand.flows is not None
        else None
    )


def _view_panel(choices: DemandChoices) -> DemandChoices:
    """Ask which hours are on the map and on which scale."""
    st.markdown("#### View")
    first, last = st.slider(
        "Hours of the day, by the city's clocks", 0, 24, choices.hours, key="demand-hours", format="%d:00"
    )
    first, last = min(first, 23), max(last, min(first, 23) + 1)  # an hour at least
    scale = st.segmented_control(
        "Colour scale", list(SCALES), default=choices.scale, key="demand-scale", format_func=SCALES.__getitem__
    )
    return replace(choices, hours=(first, last), scale=scale or LOG)


def _act(served: model.Model, run: Run | None, problem: str | None, *, at_once: bool) -> None:
    """Offer to make the trips, or show how far it is and offer to stop."""
    if background.running(NAME):
        _progress(st.session_state["demand-run"], current=st.session_state["demand-run"] is run)
        return
    trouble = problem or background.trouble(NAME)
    if trouble:
        st.error(trouble)
    if run is None:
        st.button("Make the day's trips", type="primary", width="stretch", disabled=True, icon=":material/play_arrow:")
        return
    if run.finished:
        st.caption(f":material/check_circle: All {len(run.day or ()):,} trips of this day have been made.")
        return
    label = "Go on making trips" if run.parts else f"Make {run.asked.flows.total:,} trips"
    pressed = st.button(label, type="primary", width="stretch", icon=":material/play_arrow:")
    if pressed or (at_once and not trouble):
        try:
            background.start(NAME, work_for(served, run))
        except InputError as error:
            st.session_state[f"{NAME}-trouble"] = str(error)
        st.session_state["demand-run"] = run
        st.rerun()


@st.fragment(run_every=POLL_S)
def _progress(run: Run, *, current: bool) -> None:
    """Show how far the work is; look again soon, and run the whole page for every new part."""
    job = background.running(NAME)
    if job is not None:
        job.wait(WAIT_S)
    made = len(run.parts)
    if job is None or not job.running or st.session_state.setdefault("demand-shown", made) != made:
        st.session_state["demand-shown"] = made
        st.rerun()
    share = job.done / job.total if job.total else 0.0
    stage = "Routes found" if run.day is None else "Trips made"
    if not current:
        st.caption(":material/history: A day with other settings is still being made.")
    st.progress(share, text=f"{stage}: {job.done:,} of {job.total:,}" if job.done else "Starting …")
    if st.button("Stop", width="stretch", icon=":material/stop:"):
        background.stop(NAME)
        st.rerun()


page()
