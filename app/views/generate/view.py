"""Generate trips along a route that is picked on the map."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import streamlit as st

from htp_app import model
from htp_app.components.heading import heading
from htp_app.components.markup import without_pictures
from htp_app.jobs.action import action
from htp_app.map import Picture, city_map
from htp_app.map.route import pick, route_picture
from htp_app.plan import PlannedRoute, expected_or_problem, known_plan
from htp_app.state import ROUTE, Choices, remember, restore
from htp_app.views.generate import generation
from htp_app.views.generate.ask import ask_in_words
from htp_app.views.generate.controls import advanced_panel, departure_panel, route_panel, trips_panel
from htp_app.views.generate.first_visit import first_visit
from htp_app.views.generate.one_trip import marks_of, one_trip, trip_number
from htp_app.views.generate.results import download_panel, results_panel

HEIGHT = "var(--htp-map)"  # of the map, below Streamlit's header


def page() -> None:
    """Ask for choices, draw the route, generate when asked to, show the trips."""
    served = model.current()
    start = _defaults(served)
    choices = restore(start)
    plan, problem = known_plan(served, choices.via)
    with st.sidebar:
        heading(served, f"Pick a route and a departure: get GPS trips that drive it as {served.traffic} does.")
        route_panel(served, choices, plan)
        choices = departure_panel(choices)
        expected, unknown = expected_or_problem(served, plan, choices.depart)
        choices = trips_panel(choices, expected, served.generator.recording)
        if unknown:
            st.caption(without_pictures(f":material/cloud_off: No travel time to expect: {unknown}"))
        button = st.container(key="action")
        choices = advanced_panel(choices)
    generated = generation.collected(choices)
    choices = replace(choices, trip=trip_number(generated, choices))
    with st.container(key="stage", horizontal=True, gap=None):
        with st.container(key="map"):
            ask_in_words(served, choices)
            city_map(
                "city-map",
                _picture(served, choices, plan, problem, generated),
                lambda picked: pick(served.generator.city, picked, ROUTE),
            )
            if choices == start:
                first_visit(served, start)
        with st.container(key="results", width=372):
            if generated:
                results_panel(generated, served, choices.trip, current=generated.made_for(choices))
                one_trip(generated, served, choices.trip)
                download_panel(generated, served)
    remember(replace(choices, show=generated is not None and generated.made_for(choices)))
    with button:
        work = (lambda: generation.work_for(served, choices, plan)) if plan else None
        again = generated is not None
        action(generation.NAME, "Generate again" if again else "Generate", work, at_once=choices.show and not again)


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
    return replace(
        route_picture(served, choices.via, plan, problem),
        trips=generated.table if generated else None,
        max_kmh=generated.max_kmh if generated else 60,
        marks=marks_of(generated, choices.trip),
        height=HEIGHT,
    )


page()
