"""Set a point of the route by a street's name: its middle, or its corner with another street."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from htp.city.addresses import corners_of, middle_of, street_names
from htp_app.state import set_route
from htp_app.stores import BY_PLACE

if TYPE_CHECKING:
    from htp_app.links import LonLat
    from htp_app.model import Model
    from htp_app.state import Choices, Departures

KEY, CORNER = "route-street", "route-corner"  # of the select boxes
MIDDLE = "In its middle"
WORDS = ("Set as origin", "Set as destination", "Drive on to there")  # by the number of points that there are


def street_search(served: Model, choices: Choices | Departures, name: str) -> None:
    """Ask for a street and a place on it; put it behind the points of the choices `name`."""
    street = st.selectbox(
        "Search a street",
        _names(served),
        index=None,
        key=KEY,
        placeholder="Or search a street by name",
        label_visibility="collapsed",
    )
    if street is None:
        return
    corners = _corners(served, street)
    corner = st.selectbox(
        "Where on it",
        [MIDDLE, *corners],
        key=CORNER,
        format_func=lambda other: other if other == MIDDLE else f"Corner of {other}",
        label_visibility="collapsed",
    )
    place = middle_of(served.generator.city, street) if corner == MIDDLE else corners[corner]
    word = WORDS[min(len(choices.via), len(WORDS) - 1)]
    st.button(word, width="stretch", icon=":material/add_location_alt:", on_click=_add, args=(place, name))


def _add(place: LonLat, name: str) -> None:
    """Take over the place, before the page runs."""
    set_route((*st.session_state[name].via, place), name)
    st.session_state[KEY] = None


@st.cache_resource(show_spinner=False, hash_funcs=BY_PLACE)
def _names(served: Model) -> list[str]:
    return street_names(served.generator.city)


@st.cache_resource(show_spinner=False, hash_funcs=BY_PLACE, max_entries=64)
def _corners(served: Model, street: str) -> dict[str, LonLat]:
    return corners_of(served.generator.city, street)
