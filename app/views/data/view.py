"""Show which data and models are in use, and add cities and trips of one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from htp.errors import InputError
from htp.workspace import Kind
from htp_app import model
from htp_app.components.heading import heading, how_to_read
from htp_app.state import remember, restore
from htp_app.views.data.add import add_city, add_trips, city_choice, show_report
from htp_app.views.data.choices import ADD_CITY, ADD_TRIPS, PARTS, STORED, USED, DataChoices
from htp_app.views.data.stored import stored, training, workspace_line
from htp_app.views.data.used import in_use, not_in_use

if TYPE_CHECKING:
    from htp.workspace import Workspace

NAME = "data"  # of the choices
HELP = (
    "A **city** is a network of roads. **Trips** are prepared for a city once: cleaned, matched, labelled. A "
    "**checkpoint** is a generator trained on prepared trips, with its city. It runs in this process or in a service "
    "(`htp serve`) that the app was started with. What you choose is used in this browser session alone; its name is "
    "in the link."
)


def page() -> None:
    """Ask which part to see; draw it."""
    choices = restore(DataChoices(), NAME)
    served, trouble = _served()
    with st.sidebar:
        if served is not None:
            heading(served, "See which city and model are in use; add a city or trips of your own.")
        st.session_state.setdefault("data-part", choices.part)
        part = st.radio("Show", list(PARTS), key="data-part", format_func=PARTS.__getitem__)
        how_to_read(HELP, "How this fits together")
    with st.container(key="page"), st.container(key="wide"):
        choices = _part(replace(choices, part=part), model.workspace(), served, trouble)
    remember(choices, NAME)


def _served() -> tuple[model.Model | None, str]:
    """Return the model in use, or None and what is wrong with it: then this page is what helps."""
    try:
        return model.current(), ""
    except InputError as error:
        return None, str(error)


def _part(choices: DataChoices, workspace: Workspace, served: model.Model | None, trouble: str) -> DataChoices:
    """Draw the part; return the choices made in it."""
    if choices.part == USED:
        if served is None:
            not_in_use(trouble)
        else:
            in_use(served)
        return choices
    if choices.part == STORED:
        stored(workspace)
        choices = replace(choices, trips=_trips(workspace, choices.trips, "Report of"))
        if choices.trips:
            show_report(workspace, choices.trips)
        return choices
    workspace_line(workspace)
    if choices.part == ADD_CITY:
        add_city(workspace)
        return choices
    if choices.part == ADD_TRIPS:
        return replace(choices, city=add_trips(served, workspace, choices.city))
    choices = replace(choices, trips=_trips(workspace, choices.trips, "Trips to train on"))
    own = served is not None and served.remote is None  # a service's city lies in no folder here
    choices = replace(choices, city=city_choice(workspace, choices.city, offered=own))
    used = served.checkpoint if served is not None and own else Path("CHECKPOINT")
    training(workspace, choices.trips, choices.city, used)
    return choices


def _trips(workspace: Workspace, name: str | None, label: str) -> str | None:
    """Ask for prepared trips; None where there are none."""
    names = [entry.name for entry in workspace.entries(Kind.trips) if entry.whole]
    if not names:
        return None
    if st.session_state.setdefault("data-trips", name) not in names:
        st.session_state["data-trips"] = names[0]
    return st.selectbox(label, names, key="data-trips")


page()
