"""Offer a first visitor examples of the city at hand, each a click away from something to see."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from htp.city.examples import bottleneck, main_street, morning_peak
from htp.planning.scenario import Scenario
from htp_app.state import BLOCK, ROUTE, Departures, show_route
from htp_app.stores import BY_PLACE
from htp_app.views.codebook.controls import TRY
from htp_app.views.scenario.choices import Planning
from htp_app.views.scenario.controls import NAME as SCENARIO
from htp_app.views.times_of_day.departures import example_route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from htp_app.model import Model
    from htp_app.state import Choices

NEAR_PEAK_S = 1800
NAMELESS = "a street without a name"


class Example(NamedTuple):
    """A page with choices."""

    label: str
    help: str
    icon: str
    view: str
    kept: dict[str, Any]  # what is put into the session


def first_visit(served: Model, start: Choices) -> None:
    """Offer the examples; `start` are the choices of somebody who has chosen nothing."""
    offered = examples(served, start)  # before anything is drawn: "Try" alone would lie across the menu meanwhile
    with st.container(key="examples", horizontal=True, gap="small", vertical_alignment="center"):
        st.html("<b>Try</b>")
        for example in offered:
            key, icon = f"example-{example.view}", f":material/{example.icon}:"
            if st.button(example.label, key=key, help=example.help, icon=icon):
                _open(example)


@st.cache_resource(show_spinner=False, hash_funcs=BY_PLACE)
def examples(served: Model, start: Choices) -> list[Example]:
    """Return the examples that work with this model: a service may keep held-out trips and networks to itself."""
    found = list(_on_main_street(served, start))
    if len(served.heldout):
        found += [_at_peak(served, start), *_without_bottleneck(served)]
    if served.remote is None:
        words = "What the slowest token stands for, and the trips that have it"
        found.append(Example("Trips that share a token", words, "category", "codebook", {TRY: True}))
    return found


def _on_main_street(served: Model, start: Choices) -> Iterator[Example]:
    street = main_street(served.generator.city)
    if street is not None:
        where = "the coast road" if street.coastal else street.name
        kept = {"departures": Departures(start.depart.date(), street.via, by=BLOCK, show=True)}
        label, words = f"08:00 against 23:00 on {where}", f"Along {street.name}, both departures side by side"
        yield Example(label, words, "schedule", "times_of_day", kept)


def _at_peak(served: Model, start: Choices) -> Example:
    peak = morning_peak(pd.DatetimeIndex(served.heldout["start_time"]))
    away = dt.datetime.combine(start.depart.date(), peak) - start.depart
    when = "through the morning peak" if abs(away.total_seconds()) <= NEAR_PEAK_S else f"at {start.depart:%H:%M}"
    kept = {ROUTE: replace(start, via=example_route(served), show=True)}
    return Example(f"A trip {when}", f"{start.count} cars on one route across town", "route", "generate", kept)


def _without_bottleneck(served: Model) -> Iterator[Example]:
    city = served.generator.city
    driven = np.bincount(np.concatenate(served.heldout["roads"].to_numpy()), minlength=len(city))
    closed = bottleneck(city, driven)
    if closed is not None:
        name = closed.name or NAMELESS
        kept = {SCENARIO: Planning(Scenario(name=f"Without {name}").close(closed.roads))}
        label = "Close a bridge" if closed.bridge else "Close a bottleneck"
        yield Example(label, f"Close {name}: which trips does that touch?", "construction", "scenario", kept)


def _open(example: Example) -> None:
    st.session_state.update(example.kept)
    show_route()
    st.switch_page(f"views/{example.view}/view.py")
