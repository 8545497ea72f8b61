"""Frame every page of the app: `streamlit run app/main.py -- --checkpoint checkpoints/coquimbo`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import model
from app.components.guard import no_model
from htp.errors import InputError

STATIC = Path(__file__).parent / "static"


def main() -> None:
    """Show the page that was asked for, or what is missing."""
    st.set_page_config("HTP · generated GPS trips", STATIC / "icon.svg", "wide", initial_sidebar_state="expanded")
    st.logo(str(STATIC / "logo.svg"), size="large")
    st.html(STATIC / "app.css")
    data = st.Page("views/data.py", title="Data and models", icon=":material/database:")
    page = st.navigation(
        {
            "": [  # what makes trips: in sight at every width that the app is made for
                st.Page("views/generate.py", title="Generate", icon=":material/route:", default=True),
                st.Page("views/times_of_day.py", title="Times of day", icon=":material/schedule:"),
                st.Page("views/demand.py", title="Demand", icon=":material/groups:"),
                st.Page("views/scenario.py", title="Scenario", icon=":material/construction:"),
            ],
            "Quality": [
                st.Page("views/distributions.py", title="Distributions", icon=":material/bar_chart:"),
                st.Page("views/density.py", title="Density", icon=":material/grid_on:"),
                st.Page("views/evaluate.py", title="Evaluate", icon=":material/fact_check:"),
            ],
            "Look inside": [
                st.Page("views/codebook.py", title="Codebook", icon=":material/category:"),
                data,
            ],
        },
        position="top",
    )
    try:
        model.current()
    except InputError as error:
        if page is not data:  # which says itself what is missing, and helps to make it
            no_model(str(error))
            return
    page.run()


main()
