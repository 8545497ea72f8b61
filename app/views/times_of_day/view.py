"""Compare one route at several times of a day."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from htp_app import model
from htp_app.components.charts import draw
from htp_app.components.controls import pick
from htp_app.components.heading import heading
from htp_app.jobs.action import action, result
from htp_app.plan import known_plan
from htp_app.state import BLOCK, ROUTE, STREET, Departures, remember, restore, set_route
from htp_app.views.generate.controls import route_panel
from htp_app.views.times_of_day import departures
from htp_app.views.times_of_day.charts import lost_chart, progress_chart, travel_time_chart
from htp_app.views.times_of_day.controls import departures_panel
from htp_app.views.times_of_day.maps import departure_maps

NAME = "departures"  # of the choices and of the work
CHART_PX = 285  # height
LOST_BY = {STREET: "By street", BLOCK: "By block"}
PROGRESS_HELP = "A trip a line, in its departure's colour. Flat stretches are stops. Dashed: at the speed limits."
LOST_HELP = (
    "Mean seconds that a trip spends on a road beyond the drive at its speed limit: at lights, in queues. "
    "Positions come every 15 s, so neighbouring blocks share some of it."
)


def page() -> None:
    """Ask for a route and times, generate when asked to, show the departures side by side."""
    served = model.current()
    choices = restore(_defaults(served), NAME)
    plan, problem = known_plan(served, choices.via)
    with st.sidebar:
        heading(served, "See one route at up to four times of a day: how long it takes, and where time is lost.")
        route_panel(served, choices, plan, NAME)
        if plan is None:
            st.button(
                "Try an example route", on_click=_example, args=(served,), width="stretch", icon=":material/route:"
            )
        choices = departures_panel(choices)
        button = st.container(key="action")
    compared = _collected(choices)
    current = compared is not None and compared.made_for(choices)
    with st.container(key="page"):
        departure_maps(served, choices, plan, problem, compared)
        if compared:
            _charts(compared, choices, current=current)
    remember(replace(choices, show=current), NAME)
    with button:
        label = "Compare again" if compared else "Compare"
        work = (lambda: departures.work_for(served, choices, plan)) if plan else None
        action(NAME, label, work, at_once=choices.show and compared is None)


def _defaults(served: model.Model) -> Departures:
    """Return the choices of somebody who comes without a link: the route of the page before, 08:00 against 23:00."""
    before = st.session_state.get(ROUTE)
    return Departures(day=served.first_day, via=before.via if before else ())


def _collected(choices: Departures) -> departures.Compared | None:
    """Return the trips of the last work, unless their route is no longer the chosen one."""
    compared: departures.Compared | None = result(NAME)
    return compared if compared is not None and compared.choices.via == choices.via else None


def _charts(compared: departures.Compared, choices: Departures, *, current: bool) -> None:
    if not current:
        st.caption(":material/history: The settings have changed since; compare again to see them at work.")
    left, middle, right = st.columns([1, 1.25, 0.85], gap="small")
    with left:
        st.markdown("##### Progress along the route", help=PROGRESS_HELP)
        draw(progress_chart(compared, CHART_PX), "progress")
    with middle:
        where = st.container(horizontal=True, key="lost", vertical_alignment="center")
        where.markdown("##### Where time is lost", help=LOST_HELP)
        with where:
            pick("Lost by", LOST_BY, choices.by, "departures-by")
        draw(lost_chart(compared, choices.by, CHART_PX), "lost-chart")
    with right:
        st.markdown("##### Travel time", help="A trip a point; the box holds the middle half. Dashed: at the limits.")
        draw(travel_time_chart(compared, CHART_PX), "times-chart")


def _example(served: model.Model) -> None:
    """Take over the example route, before the page runs."""
    set_route(departures.example_route(served), NAME)


page()
