"""Frame every page of the app: `htp app`, or `streamlit run` on this file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from htp.errors import InputError

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage
from htp_app import model
from htp_app.components.guard import no_model
from htp_app.components.heading import TITLE
from htp_app.components.markup import escaped

STATIC = Path(__file__).parent / "static"
FIRST = "generate"  # page


def main() -> None:
    """Show the page that was asked for, or what is missing."""
    st.set_page_config("HTP · generated GPS trips", STATIC / "icon.svg", "wide", initial_sidebar_state="expanded")
    page, data = _chosen()  # before all that is shown, see `htp_app.jobs.action`
    st.set_page_config(f"{page.title} · HTP")
    st.session_state[TITLE] = page.title
    # app.css marks the menu that the page is in
    st.html(f"<i class='at-{escaped(page.url_path or FIRST)}' hidden></i>")
    st.logo(str(STATIC / "logo.svg"), size="large")
    st.html(STATIC / "app.css")
    try:
        model.current()
    except InputError as error:
        if page is not data:  # which says itself what is missing, and helps to make it
            no_model(str(error))
            return
    page.run()


def _chosen() -> tuple[StreamlitPage, StreamlitPage]:
    """Show the menu; return the page that was chosen in it, and that of data and models."""
    data = _page("data", "Data and models", ":material/database:")
    page = st.navigation(
        {
            "": [  # what makes trips: in sight at every width that the app is made for
                _page("generate", "Generate", ":material/route:"),
                _page("times_of_day", "Times of day", ":material/schedule:"),
                _page("demand", "Demand", ":material/groups:"),
                _page("scenario", "Scenario", ":material/construction:"),
            ],
            "Quality": [
                _page("distributions", "Distributions", ":material/bar_chart:"),
                _page("density", "Density", ":material/grid_on:"),
                _page("evaluate", "Evaluate", ":material/fact_check:"),
            ],
            "Look inside": [
                _page("codebook", "Codebook", ":material/category:"),
                data,
            ],
        },
        position="top",
    )
    return page, data


def _page(name: str, title: str, icon: str) -> StreamlitPage:
    """Return the page in the folder `name`, which is also its address; the first visit begins on Generate."""
    first = name == FIRST
    return st.Page(f"views/{name}/view.py", title=title, icon=icon, url_path=name, default=first)


main()
