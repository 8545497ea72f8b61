"""Ask for what several pages ask for.

Widgets get their value in every run: what is only put into the session reaches no browser whose first run was cut off
by the next (the map has told its size, say), and it would answer with the least number that is allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from htp_app.links import ALL
from htp_app.state import LIKE, LINEAR, LOG, MAX_SEED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from streamlit.delta_generator import DeltaGenerator

SEED_HELP = "The same seed and settings give the same trips."
SCALES = {LOG: "Log", LINEAR: "Linear"}


def pick(
    label: str, words: Mapping[str, str], value: str, key: str, *, label_shown: bool = False, wide: bool = False
) -> str:
    """Ask for one of some words, all in sight."""
    return st.segmented_control(
        label,
        list(words),
        default=value,
        key=key,
        format_func=words.__getitem__,
        required=True,
        label_visibility="visible" if label_shown else "collapsed",
        width="stretch" if wide else "content",
    )


def scale_control(scale: str, key: str) -> str:
    """Ask for the scale of a map's colours."""
    return pick("Colour scale", SCALES, scale, key, label_shown=True)


def hours_slider(
    hours: tuple[int, int], key: str, label: str = "Hours of the day, by the city's clocks"
) -> tuple[int, int]:
    """Ask for hours of the day, one at least; return the first, and the one after the last."""
    first, last = st.slider(label, 0, 24, hours, key=key, format="%d:00")
    return min(first, 23), max(last, min(first, 23) + 1)


def seed_input(
    place: DeltaGenerator | ModuleType, seed: int, key: str, help_text: str = "The same seed makes the same trips."
) -> int:
    """Ask for a seed."""
    return int(place.number_input("Seed", 0, MAX_SEED, seed, key=key, help=help_text))


def like_select(
    place: DeltaGenerator | ModuleType, count: int | None, total: int, key: str, label: str, help_text: str
) -> int | None:
    """Ask for a number of the held-out trips, of which there are `total`; None is all."""
    options = [*(str(number) for number in LIKE if number < total), ALL]
    now = ALL if count is None or count >= total else str(count)
    text = place.selectbox(
        label,
        options,
        options.index(now),
        key=key,
        format_func=lambda text: f"All {total:,}" if text == ALL else f"{int(text):,}",
        help=help_text,
    )
    return None if text == ALL else int(text)
