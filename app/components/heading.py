"""Say where we are and what the page does, in the side panel."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from htp_app.model import Model

TITLE = "page-title"  # in the session: what the menu calls the page


def heading(served: Model, help_text: str) -> None:
    """Name the page, the city and the service if trips are not made in this process; say what the page is for."""
    name = html.escape(served.generator.city.name)
    at = f"<small>at {html.escape(served.backend.name)}</small>" if served.backend else ""
    title = st.session_state.get(TITLE)
    page = f"<h1 class='heading'>{html.escape(title)}</h1>" if title else ""
    st.html(f"{page}<p class='heading'><b>{name}{at}</b><span>{html.escape(help_text)}</span></p>")


def how_to_read(text: str, title: str = "How to read this") -> None:
    """Explain the page, to whoever opens it."""
    with st.expander(title, icon=":material/help:"):
        st.markdown(text)
