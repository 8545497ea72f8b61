"""What becomes of a route that is picked on the map."""

from __future__ import annotations

import datetime as dt

import pytest

from htp_app.map import Picked
from htp_app.map.route import PROBLEM, pick
from htp_app.state import ROUTE, Choices

DAY = dt.datetime.fromisoformat("2024-05-14T08:00")


@pytest.fixture
def state(place, monkeypatch):
    """Return a session whose route begins at a corner of the grid city."""
    state = {ROUTE: Choices(depart=DAY, via=(place(0, 0),), show=True), "revision": 3}
    monkeypatch.setattr("streamlit.session_state", state)
    return state


def test_a_point_on_a_road_is_taken_over(grid, place, state):
    pick(grid, Picked((place(0, 0), place(400, 400)), 4), ROUTE)
    assert state[ROUTE].via == (place(0, 0), place(400, 400))
    assert state["revision"] == 4
    assert PROBLEM not in state


def test_a_point_in_the_sea_leaves_the_route_as_it_was_and_is_said_in_numbers_that_can_be_read(grid, place, state):
    before = state[ROUTE]
    lon, lat = place(900, 123.456789)
    pick(grid, Picked((place(0, 0), (lon + 1e-9, lat)), 4), ROUTE)
    assert state[ROUTE] == before
    assert state["revision"] == 5  # the map draws it anew, without the pin
    assert f"({round(lon, 5)}, {round(lat, 5)}) is" in state[PROBLEM]
    assert "m from the nearest road of Grid" in state[PROBLEM]
