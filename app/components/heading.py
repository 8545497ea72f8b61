"""Say where we are and what the page does, in the side panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from htp_app.components.markup import escaped

if TYPE_CHECKING:
    from htp_app.model import Model

TITLE = "page-title"  # in the session: what the menu calls the page


def heading(served: Model, help_text: str) -> None:
    """Name the page, the city and the service if trips are not made in this process; say what the page is for."""
    name = escaped(served.generator.city.name)
    at = f"<small>at {escaped(served.backend.name)}</small>" if served.backend else ""
    title = st.session_state.get(TITLE)
    page = f"<h1 class='heading'>{escaped(title)}</h1>" if title else ""
    st.html(f"{page}<p class='heading'><b>{name}{at}</b><span>{escaped(help_text)}</span></p>")


def how_to_read(text: str, title: str = "How to read this") -> None:
    """Explain the page, to whoever opens it."""
    with st.expander(title, icon=":material/help:"):
        st.markdown(text)
