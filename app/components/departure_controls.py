"""Ask for a day and up to four times of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from app.state import FIRST_DAY, LAST_DAY, MAX_COUNT_EACH, MAX_SEED, MAX_TIMES, STREET

if TYPE_CHECKING:
    from app.state import Departures


def departures_panel(choices: Departures) -> Departures:
    """Ask when to start, in the city's time, and for how many trips."""
    st.markdown("#### Departures")
    day = st.date_input("Day", key="departures-day", min_value=FIRST_DAY, max_value=LAST_DAY)
    columns = st.columns(2)
    times = [
        columns[at % 2].time_input(f"Time {at + 1}", key=f"departures-time-{at}", step=300, value=None)
        for at in range(MAX_TIMES)
    ]
    left, right = st.columns(2)
    count = left.number_input("Trips at each", 1, MAX_COUNT_EACH, key="departures-count")
    seed = right.number_input(
        "Seed", 0, MAX_SEED, key="departures-seed", help="The same seed and settings give the same trips."
    )
    return replace(
        choices,
        day=day or choices.day,
        times=tuple(dict.fromkeys(time for time in times if time is not None)) or choices.times,
        count=int(count),
        seed=int(seed),
        by=st.session_state["departures-by"] or STREET,
    )


def seed_widgets(choices: Departures) -> None:
    """Give the widgets the values of the choices, where Streamlit does not know them yet (first run, another page)."""
    values = {
        "departures-day": choices.day,
        "departures-count": choices.count,
        "departures-seed": choices.seed,
        "departures-by": choices.by,
    }
    for at in range(MAX_TIMES):
        values[f"departures-time-{at}"] = choices.times[at] if at < len(choices.times) else None
    for key, value in values.items():
        st.session_state.setdefault(key, value)
