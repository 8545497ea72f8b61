"""Ask for a day and up to four times of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from htp_app.components.controls import SEED_HELP, seed_input
from htp_app.links import FIRST_DAY, LAST_DAY
from htp_app.state import MAX_COUNT_EACH, MAX_TIMES, STREET

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
    seed = seed_input(right, choices.seed, "departures-seed", SEED_HELP)
    return replace(
        choices,
        day=day or choices.day,
        times=tuple(dict.fromkeys(time for time in times if time is not None)) or choices.times,
        count=int(count),
        seed=seed,
        by=st.session_state.get("departures-by", choices.by) or STREET,
    )
