"""Generate trips along a route that is picked on the map."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import streamlit as st

from htp.errors import InputError
from htp_app import model
from htp_app.components.heading import heading
from htp_app.map import Hint, Picked, Picture, city_map, corners
from htp_app.plan import PlannedRoute, expected_or_problem, plan_or_problem
from htp_app.state import Choices, remember, restore
from htp_app.views.generate import generation
from htp_app.views.generate.controls import advanced_panel, departure_panel, route_panel, trips_panel
from htp_app.views.generate.first_visit import first_visit
from htp_app.views.generate.one_trip import marks_of, one_trip, trip_number
from htp_app.views.generate.results import download_panel, results_panel

HEIGHT = "calc(100dvh - 3.75rem)"  # of the map, below Streamlit's header
WAIT_S = 0.5  # for the work to end before its progress is shown; the end itself is shown at once
POLL_S = 0.1  # from one such wait to the next


def page() -> None:
    """Ask for choices, draw the route, generate when asked to, show the trips."""
    served = model.current()
    city = served.generator.city
    start = _defaults(served)
    choices, problems = restore(start)
    plan, problem = plan_or_problem(city, choices.via)
    with st.sidebar:
        heading(served, f"Pick a route and a departure: get GPS trips that drive it as {served.traffic} does.")
        route_panel(served, choices, plan)
        choices = departure_panel(choices)
        expected, unknown = expected_or_problem(served, plan, choices.depart)
        choices = trips_panel(choices, expected)
        if unknown:
            st.caption(f":material/cloud_off: No travel time to expect: {unknown}")
        action = st.container(key="action")
        choices = advanced_panel(choices)
    generated = generation.collected(choices)
    choices = replace(choices, trip=trip_number(generated, choices))
    with st.container(key="stage", horizontal=True, gap=None):
        with st.container(key="map"):
            city_map("city-map", _picture(served, choices, plan, problem, generated), _pick)
            if choices == start:
                first_visit(served, start)
        with st.container(key="results", width=372):
            if generated:
                results_panel(generated, served, choices.trip, current=generated.made_for(choices))
                one_trip(generated, served, choices.trip)
                download_panel(generated, served)
    remember(replace(choices, show=generated is not None and generated.made_for(choices)))
    for sentence in problems:
        st.toast(sentence, icon=":material/link_off:", duration="long")
    with action:
        _act(served, choices, plan, again=generated is not None)


def _defaults(served: model.Model) -> Choices:
    """Return the choices of somebody who comes without a link: 08:00 on the first day of the held-out trips."""
    return Choices(depart=dt.datetime.combine(served.first_day, dt.time(8)))


def _picture(
    served: model.Model,
    choices: Choices,
    plan: PlannedRoute | None,
    problem: str | None,
    generated: generation.Generated | None,
) -> Picture:
    steps = ["Click the map to set the origin", "Now click the destination"]
    step = steps[len(choices.via)] if len(choices.via) < len(steps) else None
    hint = Hint(problem, "error") if problem else Hint(step) if step else None
    return Picture(
        basemap=served.basemap,
        bounds=corners(served.generator.city.bounds),
        waypoints=choices.via,
        revision=st.session_state.get("revision", 0),
        route=plan.line if plan else (),
        trips=generated.table if generated else None,
        max_kmh=generated.max_kmh if generated else 60,
        marks=marks_of(generated, choices.trip),
        badge=served.badge,
        hint=hint,
        fit=str(st.session_state.get("fit", 0)),
        height=HEIGHT,
        play=True,
    )


def _pick(picked: Picked) -> None:
    """Take over what was clicked on the map, before the page runs."""
    st.session_state["choices"] = replace(st.session_state["choices"], via=picked.waypoints, show=False)
    st.session_state["revision"] = picked.revision


def _act(served: model.Model, choices: Choices, plan: PlannedRoute | None, *, again: bool) -> None:
    """Offer to generate, or show how far it is and offer to stop."""
    if generation.running():
        _progress()
        return
    trouble = st.session_state.pop("trouble", None)
    if trouble:
        st.error(trouble)
    word = "Generate again" if again else "Generate"
    pressed = st.button(word, type="primary", width="stretch", disabled=plan is None, icon=":material/play_arrow:")
    if plan and (pressed or (choices.show and not again)):
        try:
            generation.start(served, choices, plan)
        except InputError as error:
            st.session_state["trouble"] = str(error)
        st.rerun()


@st.fragment(run_every=POLL_S)
def _progress() -> None:
    """Show how far the work is; look again soon."""
    job = st.session_state.get("job")
    if job is not None:
        job.wait(WAIT_S)
    if job is None or not job.running:
        st.rerun()
    share = job.done / job.total if job.total else 0.0
    st.progress(share, text=f"{job.done} of {job.total} trips" if job.done else "Starting …")
    if st.button("Stop generating", width="stretch", icon=":material/stop:"):
        job.stop()


page()
