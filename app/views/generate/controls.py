"""The side panel of choices: route, departure, trips, travel time."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from htp.errors import InputError
from htp.recording import minutes_of
from htp_app.components.controls import SEED_HELP, seed_input
from htp_app.components.markup import escaped, without_pictures
from htp_app.components.street_search import street_search
from htp_app.links import FIRST_DAY, LAST_DAY, parse_waypoints
from htp_app.plan import oriented
from htp_app.state import (
    INTERVALS_S,
    MAX_COUNT,
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    ROUTE,
    Choices,
    set_route,
)
from htp_app.views.generate.asked import CLOCK, COUNT, DAY, DURATION, INTERVAL, SEED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from htp.recording import Recording
    from htp_app.model import Model
    from htp_app.plan import Expected, PlannedRoute
    from htp_app.state import Departures

USUAL_MINUTES = 15.0  # where there is no route yet to expect a travel time of
MODEL, SET = "From the model", "Set"


def route_panel(served: Model, choices: Choices | Departures, plan: PlannedRoute | None, name: str = ROUTE) -> None:
    """Name the route's ends and its length, or say how to pick one; take streets and coordinates into `name`."""
    st.markdown("#### Route")
    if plan is None:
        st.caption("Click the map: origin, destination, and further if you like. Drag a pin to move it.")
    else:
        letters = ["A", *(str(i) for i in range(1, len(plan.names) - 1)), "B"]
        rows = "".join(
            f"<li><b>{letter}</b>{escaped(name)}</li>" for letter, name in zip(letters, plan.names, strict=True)
        )
        facts = f"{plan.distance_m / 1000:.1f} km · {plan.free_flow_s / 60:.0f} min at the speed limits"
        st.html(f"<ul class='stops'>{rows}</ul><p class='facts'>{facts}</p>")
    street_search(served, choices, name)
    with st.expander("Paste coordinates", icon=":material/content_paste:"), st.form("paste", border=False):
        text = st.text_area(
            "Longitude, latitude: a point a line", placeholder="-71.34, -29.95\n-71.25, -29.90", height=90, key="pasted"
        )
        if st.form_submit_button("Use these points", width="stretch"):
            _take(text, served.generator.city.bounds, name)


def departure_panel(choices: Choices) -> Choices:
    """Ask when the trips start, in the city's time."""
    st.markdown("#### Departure")
    day, hour = st.columns(2)
    date = day.date_input(
        "Date", choices.depart.date(), key="date", label_visibility="collapsed", min_value=FIRST_DAY, max_value=LAST_DAY
    )
    time = hour.time_input("Time", choices.depart.time(), key="time", label_visibility="collapsed", step=300)
    return replace(choices, depart=dt.datetime.combine(date or choices.depart.date(), time or choices.depart.time()))


def trips_panel(choices: Choices, expected: Expected | None, recording: Recording) -> Choices:
    """Ask how many trips and how long; `expected` is what the travel-time model says, where there is a route."""
    st.markdown("#### Trips")
    left, right = st.columns(2)
    count = left.number_input("How many", 1, MAX_COUNT, choices.count, key="count")
    with right:
        interval_s = _interval(choices.interval_s, recording)
    if interval_s is not None:
        st.caption(f"Made every {recording.interval_s:g} s, as learned; read off every {interval_s} s along the route.")
    duration_s = _travel_time(choices.duration_s, expected, recording)
    return replace(choices, count=int(count), interval_s=interval_s, duration_s=duration_s)


def advanced_panel(choices: Choices) -> Choices:
    """Offer what few people change."""
    with st.expander("Advanced", icon=":material/tune:"):
        seed = seed_input(st, choices.seed, "seed", SEED_HELP)
        temperature = st.slider(
            "Temperature",
            MIN_TEMPERATURE,
            MAX_TEMPERATURE,
            choices.temperature,
            step=0.05,
            key="temperature",
            help="1 is as varied as the trips learned from; less is more alike.",
        )
    return replace(choices, seed=seed, temperature=float(temperature))


def fill(choices: Choices, fields: Iterable[str], recording: Recording) -> None:
    """Put what is chosen for these fields into the controls that hold something already, before the page runs."""
    own, duration_s = recording.interval_s, choices.duration_s
    held: dict[str, dict[str, Any]] = {
        COUNT: {"count": choices.count},
        DAY: {"date": choices.depart.date()},
        CLOCK: {"time": choices.depart.time()},
        INTERVAL: {"interval": own if choices.interval_s is None else choices.interval_s},
        SEED: {"seed": choices.seed},
        DURATION: {"travel_time": MODEL} if duration_s is None else {"travel_time": SET, "minutes": duration_s / 60},
    }
    for field in fields:
        st.session_state.update(held.get(field, {}))


def _interval(interval_s: int | None, recording: Recording) -> int | None:
    """Ask for the sampling interval; None is the one that the model learned."""
    own = recording.interval_s
    options = sorted({*INTERVALS_S, own, own if interval_s is None else interval_s})
    said = (
        "The model learned trips with a point every {:g} s. Others are read off those, straight between their points."
    )
    chosen = st.selectbox(
        "A point every",
        options,
        options.index(own if interval_s is None else interval_s),
        key="interval",
        format_func="{:g} s".format,
        help=said.format(own),
    )
    return None if chosen == own else int(chosen)


def _travel_time(duration_s: int | None, expected: Expected | None, recording: Recording) -> int | None:
    source = st.radio("Travel time", (MODEL, SET), int(duration_s is not None), key="travel_time", horizontal=True)
    if source == MODEL:
        if expected:
            st.caption(
                f"Expected {expected.middle:.0f} min; 8 of 10 trips take {expected.low:.0f} to {expected.high:.0f} min."
            )
        return None
    usual = float(round(expected.middle)) if expected else USUAL_MINUTES
    low, high = recording.shortest_s / 60, recording.longest_s / 60
    wanted = usual if duration_s is None else duration_s / 60
    minutes = st.number_input(
        f"Minutes, {recording.minutes.removesuffix(' min')}",
        low,
        high,
        min(max(wanted, low), high),
        key="minutes",
        step=1.0,
        format="%.1f",
        help="The model makes trips as long as those that it learned from.",
    )
    if not low <= wanted <= high:
        st.caption(f"The link asks for {minutes_of(wanted * 60)} min; the model makes {recording.minutes}.")
    return round(minutes * 60)


def _take(text: str, bounds: tuple[float, float, float, float], name: str) -> None:
    """Make pasted points the route."""
    try:
        points, swapped = oriented(parse_waypoints(text), bounds)
    except InputError as error:
        st.error(without_pictures(f"{error}."))
        return
    if len(points) < 2:
        st.error("Give two points or more, longitude, latitude, a point a line.")
        return
    if swapped:
        st.toast("The points were read as latitude, longitude: the other way round they are not in this city.")
    set_route(points, name)
    st.rerun()
