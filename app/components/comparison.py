"""Frame the pages that compare: ask for how many held-out trips others are generated like, start that, draw both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from htp_app import sample
from htp_app.components.controls import like_select, seed_input
from htp_app.components.heading import heading, how_to_read
from htp_app.jobs.action import action, result
from htp_app.state import Comparison, remember, restore

if TYPE_CHECKING:
    from collections.abc import Callable

    from htp.evaluate.measure import Measures
    from htp_app.model import Model

NAME = "comparison"  # of the choices and of the work, which the pages of both sides share
HELP = (
    "For each of these {real} trips, which the generator was never trained on, one trip is generated with its route, "
    "start time, travel time and distance. It stays in memory and is shared by all who use this app."
)


def comparison_page(
    served: Model,
    words: tuple[str, str],
    draw: Callable[[Comparison, Measures, Measures | None], None],
    view: Callable[[Comparison], Comparison] = lambda choices: choices,
) -> None:
    """Ask for trips, and by `view` how they are looked at; `draw` both sides. `words`: what for, and how to read it.

    The choices and the generated trips are the same on all these pages.
    """
    choices = restore(Comparison(), NAME)
    result(NAME)
    with st.sidebar:
        heading(served, words[0])
        choices = comparison_panel(served, choices)
        button = st.container(key="action")
        choices = view(choices)
        how_to_read(words[1])
    real, generated = sample.heldout_measures(served, choices.count), sample.generated_measures(served, choices)
    with st.container(key="page"):
        draw(choices, real, generated)
    remember(replace(choices, show=generated is not None), NAME)
    with button:
        comparison_button(served, choices, ready=generated is not None)


def comparison_panel(served: Model, choices: Comparison) -> Comparison:
    """Ask for a number of held-out trips and a seed; other ones than before ask for no trips by themselves."""
    st.markdown("#### Trips")
    left, right = st.columns(2)
    total, help_text = len(served.heldout), HELP.format(real=served.real_word)
    count = like_select(left, choices.count, total, "comparison-count", "Held-out trips", help_text)
    seed = seed_input(right, choices.seed, "comparison-seed")
    before = choices.count if choices.count and choices.count < total else None
    same = (count, seed) == (before, choices.seed)
    return replace(choices, count=count, seed=seed, show=choices.show and same)


def comparison_button(served: Model, choices: Comparison, *, ready: bool) -> None:
    """Offer to generate trips where there are none yet, or show how far that is."""
    total = len(served.heldout) if choices.count is None else choices.count
    if ready:
        st.caption(f":material/check_circle: {total:,} generated trips beside {total:,} held-out ones.")
        return
    label = f"Generate {total:,} trips like the held-out ones"
    action(NAME, label, lambda: sample.work_for(served, choices), at_once=choices.show)
