"""Ask for a day and up to four times of it; why widgets get their value in every run is said in `controls`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from htp_app.state import FIRST_DAY, LAST_DAY, MAX_COUNT_EACH, MAX_SEED, MAX_TIMES, STREET

if TYPE_CHECKING:
    from htp_app.state import Departures


def departures_panel(choices: Departures) -> Departures:
    """Ask when to start, in the city's time, and for how many trips."""
    st.markdown("#### Departures")
    day = st.date_input("Day", choices.day, key="departures-day", min_value=FIRST_DAY, max_value=LAST_DAY)
    columns = st.columns(2)
    times = [
        columns[at % 2].time_input(
            f"Time {at + 1}",
            choices.times[at] if at < len(choices.times) else None,
            key=f"departures-time-{at}",
            step=300,
        )
        for at in range(MAX_TIMES)
    ]
    left, right = st.columns(2)
    count = left.number_input("Trips at each", 1, MAX_COUNT_EACH, choices.count, key="departures-count")
    seed = right.number_input(
        "Seed", 0, MAX_SEED, choices.seed, key="departures-seed", help="The same seed and settings give the same trips."
    )
    return replace(
        choices,
        day=day or choices.day,
        times=tuple(dict.fromkeys(time for time in times if time is not None)) or choices.times,
        count=int(count),
        seed=int(seed),
        by=st.session_state.get("departures-by", choices.by) or STREET,
    )
