"""Ask for how many held-out trips others are generated like, and start that.

Why widgets get their value in every run is said in `controls`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from htp_app import sample
from htp_app.jobs.action import action
from htp_app.state import ALL, LIKE, MAX_SEED

if TYPE_CHECKING:
    from htp_app.model import Model
    from htp_app.state import Comparison

NAME = "comparison"  # of the choices and of the work, which the pages of both sides share
HELP = (
    "For each of these {real} trips, which the generator was never trained on, one trip is generated with its route, "
    "start time, travel time and distance. It stays in memory and is shared by all who use this app."
)


def comparison_panel(served: Model, choices: Comparison) -> Comparison:
    """Ask for a number of held-out trips and a seed; other ones than before ask for no trips by themselves."""
    total = len(served.heldout)
    options = [*(str(count) for count in LIKE if count < total), ALL]
    now = ALL if choices.count is None or choices.count >= total else str(choices.count)
    st.markdown("#### Trips")
    left, right = st.columns(2)
    count = left.selectbox(
        "Held-out trips",
        options,
        options.index(now),
        key="comparison-count",
        format_func=lambda text: f"All {total:,}" if text == ALL else f"{int(text):,}",
        help=HELP.format(real=served.real_word),
    )
    seed = right.number_input(
        "Seed", 0, MAX_SEED, choices.seed, key="comparison-seed", help="The same seed makes the same trips."
    )
    same = (count, int(seed)) == (now, choices.seed)
    return replace(choices, count=None if count == ALL else int(count), seed=int(seed), show=choices.show and same)


def comparison_button(served: Model, choices: Comparison, *, ready: bool) -> None:
    """Offer to generate trips where there are none yet, or show how far that is."""
    total = len(served.heldout) if choices.count is None else choices.count
    if ready:
        st.caption(f":material/check_circle: {total:,} generated trips beside {total:,} held-out ones.")
        return
    label = f"Generate {total:,} trips like the held-out ones"
    action(NAME, label, lambda: sample.work_for(served, choices), at_once=choices.show)
