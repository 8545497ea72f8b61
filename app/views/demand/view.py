"""Make the trips of a whole day from a table of trips between zones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from htp.planning.demand.day import Timetable
from htp_app import model
from htp_app.components.controls import hours_slider, scale_control
from htp_app.components.heading import heading, how_to_read
from htp_app.components.markup import without_pictures
from htp_app.jobs.action import action, result, running
from htp_app.state import remember, restore
from htp_app.views.demand.choices import DemandChoices
from htp_app.views.demand.controls import DemandTables, demand_panel, has_files, profile_panel, table_source
from htp_app.views.demand.maps import demand_map
from htp_app.views.demand.results import results_panel
from htp_app.views.demand.work import DayRequest, Run, run_of, work_for

if TYPE_CHECKING:
    from htp_app.jobs.action import Work
    from htp_app.jobs.job import Job

NAME = "demand"  # of the choices and of the work
RUN = "demand-run"  # in the session: what the work makes
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
    before = restore(DemandChoices(day=served.first_day), NAME)
    result(NAME)
    with st.sidebar:
        heading(served, "Make the trips of a whole day from how many go from which zone to which.")
        choices, demand = demand_panel(served, before)
        choices, shares, bad_profile = profile_panel(served, choices)
        button = st.container(key="action")
        choices = _view_panel(choices)
        table_source(served, demand)
        how_to_read(HELP)
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
    hours = hours_slider(choices.hours, "demand-hours")
    return replace(choices, hours=hours, scale=scale_control(choices.scale, "demand-scale"))


def _act(served: model.Model, run: Run | None, problem: str | None, *, at_once: bool) -> None:
    """Offer to make the trips, or show how far it is and offer to stop."""
    if running(NAME):
        made: Run = st.session_state[RUN]
        parts = len(made.parts)
        if made is not run:
            st.caption(":material/history: A day with other settings is still being made.")
        action(NAME, "", None, words=lambda job: _words(job, made), news=lambda: len(made.parts) != parts)
        return
    if problem:
        st.error(without_pictures(problem))
    if run is None:
        action(NAME, "Make the day's trips", None)
    elif run.finished:
        st.caption(f":material/check_circle: All {len(run.day or ()):,} trips of this day have been made.")
    else:
        label = "Go on making trips" if run.parts else f"Make {run.asked.flows.total:,} trips"
        action(NAME, label, lambda: _work(served, run), at_once=at_once)


def _work(served: model.Model, run: Run) -> Work:
    st.session_state[RUN] = run
    return work_for(served, run)


def _words(job: Job[None], run: Run) -> str:
    stage = "Routes found" if run.day is None else "Trips made"
    return f"{stage}: {job.done:,} of {job.total:,}" if job.done else "Starting …"


page()
