"""Keep what a person has chosen, in the session and in the URL, so that a link reproduces the view.

The names in the URL are those of `htp generate`'s options. Streamlit forgets a widget's value when another page is
shown; the choices are kept beside the widgets.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from htp_app import links
from htp_app.links import ALL_DAY, DAY, FLAG, HOURS, MINUTE, WAYPOINTS, Linked, LonLat, linked, one_of, whole_number

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_COUNT = 500  # trips at a time in the app
MAX_COUNT_EACH = 200  # trips at each of several departures
INTERVALS_S, MAX_INTERVAL_S = (1, 2, 5, 10, 15, 20, 30, 60), 120  # that are offered; that a link may ask for
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.1, 2.0
MAX_SEED = 2**31 - 1
MIN_DURATION_S, MAX_DURATION_S = 6, 4 * 3600
MAX_TIMES = 4  # departures beside each other
STREET, BLOCK = "street", "block"
LIKE = (200, 500, 1000, 2000)  # held-out trips to make trips like; or all
LOG, LINEAR = "log", "linear"
CELLS, TOP_CELLS, TOP_ROADS = "cells", "top-cells", "top-roads"
SEED = whole_number(0, MAX_SEED)
CHECKPOINT = "checkpoint"  # in every link of a session that has chosen another than the app was started with
BACKEND = "backend"  # likewise
ROUTE = "choices"  # in the session, where the page Generate keeps its choices


@dataclass(frozen=True)
class Choices(Linked):
    """What to generate."""

    depart: dt.datetime = linked("depart", MINUTE)  # noqa: RUF009  a field; local time of the city, without a time zone
    via: tuple[LonLat, ...] = linked("via", WAYPOINTS, ())
    duration_s: int | None = linked("duration", whole_number(MIN_DURATION_S, MAX_DURATION_S), None)  # None: the model's
    interval_s: int | None = linked("interval", whole_number(1, MAX_INTERVAL_S), None)  # None: the model's
    count: int = linked("n", whole_number(1, MAX_COUNT), 20, always=True)
    seed: int = linked("seed", SEED, 1, always=True)
    temperature: float = linked("temperature", links.number(MIN_TEMPERATURE, MAX_TEMPERATURE), 1.0, always=True)
    show: bool = linked("show", FLAG, default=False)  # whether the trips are on the map
    trip: int | None = linked("trip", whole_number(1, MAX_COUNT), None)  # that is looked at, from 1


@dataclass(frozen=True)
class Departures(Linked):
    """One route at several times of a day, by the city's clocks."""

    day: dt.date = linked("day", DAY)  # noqa: RUF009  a field
    via: tuple[LonLat, ...] = linked("via", WAYPOINTS, ())
    times: tuple[dt.time, ...] = linked(
        "times", links.times(MAX_TIMES), (dt.time(8), dt.time(23)), always=True
    )  # the city's
    count: int = linked("n", whole_number(1, MAX_COUNT_EACH), 20, always=True)  # trips at each
    seed: int = linked("seed", SEED, 1, always=True)
    by: str = linked("by", one_of(STREET, BLOCK), STREET, always=True)  # what the lost time is added up by
    show: bool = linked("show", FLAG, default=False)  # whether the trips are on the maps


@dataclass(frozen=True)
class Comparison(Linked):
    """Generated trips beside the held-out ones that they were made like, and how both are looked at."""

    count: int | None = linked("like", links.counts(*LIKE), 500, always=True)  # held-out trips; None: all
    seed: int = linked("seed", SEED, 1, always=True)
    hours: tuple[int, int] = linked("hours", HOURS, ALL_DAY)  # of the day, without the second
    scale: str = linked("scale", one_of(LOG, LINEAR), LOG)
    places: str = linked("places", one_of(CELLS, TOP_CELLS, TOP_ROADS), CELLS)
    show: bool = linked("show", FLAG, default=False)  # whether there are generated trips


Page = TypeVar("Page", bound=Linked)


def restore(defaults: Page, name: str = ROUTE) -> Page:
    """Return this session's choices of that name, at first those of the link; say what was wrong with the link."""
    if name not in st.session_state:
        st.session_state[name], problems = defaults.with_query(st.query_params.to_dict())
        say_left_out(problems)
    choices: Page = st.session_state[name]
    return choices


def say_left_out(problems: Iterable[str]) -> None:
    """Say what of a link could not be used, over the page."""
    for sentence in problems:
        st.toast(sentence, icon=":material/link_off:", duration="long")


def remember(choices: Linked, name: str = ROUTE) -> None:
    """Keep the choices for the next run and write them into the URL."""
    st.session_state[name] = choices
    query = choices.to_query() | carried()
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def carried() -> dict[str, str]:
    """Return what is in every link of this session, whatever the page."""
    return {name: st.session_state[name] for name in (CHECKPOINT, BACKEND) if st.session_state.get(name)}


def set_route(via: tuple[LonLat, ...], name: str = ROUTE, revision: int | None = None) -> None:
    """Take a route into the choices of that name: one picked on a map, with its revision there, or from elsewhere."""
    st.session_state[name] = replace(st.session_state[name], via=via, show=False)
    if revision is None:
        show_route()
    else:
        st.session_state["revision"] = revision


def show_route() -> None:
    """Have the maps take over the route of the choices, and move to it."""
    for name in ("revision", "fit"):
        st.session_state[name] = st.session_state.get(name, 0) + 1
