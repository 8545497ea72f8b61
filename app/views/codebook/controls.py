"""Ask for a sequence of tokens, and say which trips share it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from htp.errors import InputError
from htp.evaluate.codebook import LETTERS, name_of
from htp_app.components.files import FORMATS, download, file_bytes, format_choice
from htp_app.components.markup import escaped, without_pictures
from htp_app.views.codebook.browsing import MAX_STEPS, NUMBER, SPEED, USE, Browsing
from htp_app.views.codebook.maps import MAX_DRAWN

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from htp_app.model import Model
    from htp_app.views.codebook.browsing import Encoded, Shared

NAME = "codebook"  # of the choices
TRY = "codebook-try"  # in the session where an example is asked for: the slowest token, as soon as it is known
WRITTEN = "Consecutive patterns of a trip. `a_17.b_4` is token a_17 with code b_4 of layer 2, `*` any pattern."
THEN = "Choose the token of the pattern that comes next in the trip."
ORDERS = {SPEED: "Slow to fast", USE: "Most used", NUMBER: "Number"}


def sequence_panel(choices: Browsing, slowest: int | None) -> None:
    """Ask for the sequence, its step and a step more or less; `slowest` is the token that a first visitor may try."""
    st.session_state["codebook-tokens"] = choices.written
    st.session_state["codebook-step"] = choices.step
    st.markdown("#### Tokens", help=WRITTEN)
    st.text_input(
        "Tokens of consecutive patterns",
        key="codebook-tokens",
        placeholder="a_17, or one after another: a_17,a_3",
        on_change=lambda: _change(lambda it: it.reading(st.session_state["codebook-tokens"])),
        label_visibility="collapsed",
    )
    problem = st.session_state.pop("codebook-problem", None)
    if problem:
        st.error(without_pictures(problem))
    if len(choices.sequence) > 1:
        st.segmented_control(
            "Step of the sequence to choose",
            range(len(choices.sequence)),
            key="codebook-step",
            format_func=lambda step: name_of(choices.sequence[step]).replace("*", "any"),
            required=True,
            on_change=lambda: _change(lambda it: it.at(st.session_state["codebook-step"])),
            label_visibility="collapsed",
        )
    if choices.empty and slowest is not None:
        st.button("Try the slowest token", on_click=choose, args=(slowest,), width="stretch", icon=":material/speed:")
        return
    left, right = st.columns(2)
    full = not choices.sequence[-1] or len(choices.sequence) == MAX_STEPS
    go_on = partial(_change, Browsing.extended)
    left.button("Then …", on_click=go_on, disabled=full, width="stretch", icon=":material/add:", help=THEN)
    take_out = partial(_change, Browsing.shortened)
    right.button("Take out", on_click=take_out, disabled=choices.empty, width="stretch", icon=":material/close:")


def layer_control(choices: Browsing) -> None:
    """Offer the layers whose codes can be chosen: those that are, and the next."""
    st.session_state["codebook-layer"] = choices.layer
    st.segmented_control(
        "Layer",
        range(choices.layers),
        key="codebook-layer",
        format_func=lambda layer: _layer_name(choices, layer),
        required=True,
        on_change=_to("layer", "codebook-layer"),
        label_visibility="collapsed",
    )


def order_control(choices: Browsing) -> None:
    """Ask for the order of the codes."""
    st.markdown("#### Order of the pictures")
    st.session_state["codebook-order"] = choices.order
    st.segmented_control(
        "Order of the pictures",
        list(ORDERS),
        key="codebook-order",
        format_func=ORDERS.__getitem__,
        required=True,
        on_change=_to("order", "codebook-order"),
        label_visibility="collapsed",
    )


def trips_panel(served: Model, encoded: Encoded, choices: Browsing, found: Shared) -> None:
    """Say how many trips share the sequence, and offer them as a file."""
    total, trips, times = len(encoded.trips), len(found.rows), len(found.begins)
    st.markdown("#### Trips that share it")
    some = f"; {MAX_DRAWN} of them on the map" if trips > MAX_DRAWN else ""
    st.html(
        f"<p class='facts'><b>{trips:,}</b> of {total:,} held-out {escaped(served.real_word)} trips, {times:,} "
        f"times{some}</p>"
    )
    if not trips:
        return
    ending = FORMATS[format_choice("codebook-format")]
    download(
        f"Download {trips:,} trips" if trips > 1 else "Download the trip",
        lambda: file_bytes(exported(encoded, choices, found), ending),
        f"trips-{choices.written.replace(',', '-').replace('*', 'any')}{ending}",
    )


def exported(encoded: Encoded, choices: Browsing, found: Shared) -> gpd.GeoDataFrame:
    """Return the trips that share the sequence, with it and the patterns (from 0) at which it begins."""
    row = encoded.book.trip[found.begins]
    number = pd.Series((found.begins - encoded.book.first[row]).astype(str))
    begins = number.groupby(row).agg(";".join)  # in the order of the trips
    trips = encoded.trips.iloc[found.rows]
    return trips.assign(sequence=choices.written, begins_at=begins.to_numpy())


def choose(code: int) -> None:
    """Take over a code that was clicked, before the page runs."""
    _change(lambda choices: choices.toggled(code))


def _layer_name(choices: Browsing, layer: int) -> str:
    if layer < len(choices.prefix):
        return f"Layer {layer + 1}: {LETTERS[layer]}_{choices.prefix[layer]}"
    return f"Layer {layer + 1}"


def _change(change: Callable[[Browsing], Browsing]) -> None:
    """Take over what was clicked or typed, before the page runs."""
    try:
        st.session_state[NAME] = change(st.session_state[NAME])
    except InputError as error:
        st.session_state["codebook-problem"] = str(error)


def _to(field: str, key: str) -> Callable[[], None]:
    """Return what takes over a widget's value as a field."""
    return lambda: _change(lambda choices: replace(choices, **{field: st.session_state[key]}))
