"""Ask for trips in words: one line fills the page's controls, what was understood stands below it as chips."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import streamlit as st

from htp.city.names import Names, longest_streets
from htp.words.line import LONGEST
from htp_app.components.markup import as_text, escaped
from htp_app.state import ROUTE, show_route
from htp_app.stores import BY_PLACE
from htp_app.views.generate.asked import Understood, answer, with_value
from htp_app.views.generate.controls import fill

if TYPE_CHECKING:
    from htp_app.model import Model
    from htp_app.state import Choices

WORDS, CHIPS, ANSWERED = "ask-words", "ask-chips", "ask-answered"  # in the session
LABEL = "Ask in words"
EXAMPLE = "20 trips from {} to {}, Friday 17:30, a point every 5 s"
STREETS, LETTERS = 24, 24  # the longest streets, of which two whose names are short words are the example's


def ask_in_words(served: Model, choices: Choices) -> None:
    """Take a line of words; show what was understood of the last one, and say what was not."""
    answered: Understood = st.session_state.get(ANSWERED, Understood(""))
    with st.container(key="ask", gap=None):
        st.text_input(
            LABEL,
            answered.words,
            max_chars=LONGEST,
            key=WORDS,
            placeholder=_example(served),
            label_visibility="collapsed",
            icon=":material/chat:",
            on_change=_read,
            args=(served,),
        )
        if answered.chips:
            _chips(served, answered, choices)
        if answered.sentences:
            sentences = "".join(f"<li>{escaped(sentence)}</li>" for sentence in answered.sentences)
            st.html(f"<ul class='asked' role='status'>{sentences}</ul>")


def _chips(served: Model, answered: Understood, choices: Choices) -> None:
    """Show the chips, those that the controls follow in colour; one that is pressed changes its control."""
    on = answered.on(choices)
    st.session_state[CHIPS] = on
    st.pills(
        "Understood",
        [chip.label for chip in answered.chips],
        selection_mode="multi",
        key=CHIPS,
        format_func=as_text,
        label_visibility="collapsed",
        on_change=_press,
        args=(served, frozenset(on)),
    )


def _read(served: Model) -> None:
    """Understand the words before the page runs, and put what they say into its controls."""
    words = str(st.session_state[WORDS] or "")
    if not words.strip():
        st.session_state.pop(ANSWERED, None)
        return
    choices: Choices = st.session_state[ROUTE]
    recording = served.generator.recording
    today = dt.datetime.now(ZoneInfo(served.generator.city.timezone)).date()
    answered = answer(words, _names(served), choices, recording, today)
    st.session_state[ANSWERED] = answered
    _set(served, {chip.field: chip.value for chip in answered.chips})


def _press(served: Model, on: frozenset[str]) -> None:
    """Put back what was before a chip that is taken away, or what the chip says."""
    answered: Understood = st.session_state[ANSWERED]
    pressed = on.symmetric_difference(st.session_state[CHIPS] or ())
    chips = [chip for chip in answered.chips if chip.label in pressed]
    away = {chip.field for chip in chips if chip.label in on}
    st.session_state[ANSWERED] = replace(answered, off=answered.off - {chip.field for chip in chips} | away)
    _set(served, {chip.field: chip.before if chip.field in away else chip.value for chip in chips})


def _set(served: Model, values: dict[str, Any]) -> None:
    """Put values into the choices and into the controls that stand for them."""
    before: Choices = st.session_state[ROUTE]
    choices = before
    for field, value in values.items():
        choices = with_value(choices, field, value)
    st.session_state[ROUTE] = choices
    fill(choices, values, served.generator.recording)
    if choices.via != before.via:
        show_route()


@st.cache_resource(show_spinner=False, hash_funcs=BY_PLACE)
def _names(served: Model) -> Names:
    return Names(served.generator.city)


@st.cache_resource(show_spinner=False, hash_funcs=BY_PLACE)
def _example(served: Model) -> str:
    """Return a line for this city, of two of its longest streets."""
    longest = longest_streets(served.generator.city, STREETS)
    plain = [name for name in longest if name.replace(" ", "").isalpha() and len(name) <= LETTERS] or longest
    pair = next(combinations(plain, 2), None)
    return LABEL if pair is None else EXAMPLE.format(*pair)
