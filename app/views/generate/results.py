"""Say in figures and charts what was generated, and offer it as a file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from htp_app.components.charts import draw, length_histogram, time_distance
from htp_app.components.figures import figures
from htp_app.components.files import FORMATS, download, file_bytes, format_choice
from htp_app.views.generate.question import question_panel

if TYPE_CHECKING:
    from htp_app.model import Model
    from htp_app.views.generate.generation import Generated

MAP, MAP_ENDING = "Map (HTML)", ".html"


def results_panel(generated: Generated, served: Model, number: int | None, *, current: bool) -> None:
    """Draw figures and charts, trip `number` (from 1) in a colour of its own."""
    real_word = served.real_word
    st.html(_figures(generated))
    question_panel(generated, served, number)
    if not current:
        st.caption(":material/history: The settings have changed since; generate again to see them at work.")
    st.markdown("##### Length", help=_compared_with(generated, real_word))
    figure = length_histogram(generated.points, generated.real_points, f"Held-out {real_word} trips")
    draw(figure, "lengths")
    st.markdown(
        "##### Progress along the route", help="A trip a line. Flat stretches are stops, at lights or in queues."
    )
    figure = time_distance(generated.profile, generated.free_flow_s, number)
    draw(figure, "time-distance")


def _figures(generated: Generated) -> str:
    minutes = generated.profile.duration_s / 60
    speed = generated.profile.distance_m.sum() / generated.profile.duration_s.sum() * 3.6
    few, many = generated.points.min(), generated.points.max()
    cells = [
        ("Distance", f"{np.median(generated.profile.distance_m) / 1000:.1f} km", f"{len(generated.trips)} trips"),
        ("Travel time", f"{np.median(minutes):.0f} min", f"{minutes.min():.0f} to {minutes.max():.0f} min"),
        ("Mean speed", f"{speed:.0f} km/h", f"free flow {generated.free_flow_kmh:.0f} km/h"),
        ("Points per trip", f"{np.median(generated.points):.0f}", f"{few} to {many}" if few < many else "all the same"),
    ]
    return figures(cells)


def _compared_with(generated: Generated, real_word: str) -> str:
    like = generated.comparable
    if not len(like.rows):
        return "The service does not give out held-out trips, so there is nothing to compare with."
    which = f"{len(like.rows)} held-out {real_word} trips, never trained on"
    if like.share is None:
        return f"Beside all {which}: too few of them are like this route."
    when = "at any time of day" if like.hours is None else f"within {like.hours:g} h of this time of day"
    return f"Beside {which}: within {like.share:.0%} of this distance, {when}."


@st.fragment
def download_panel(generated: Generated, served: Model) -> None:
    """Offer the trips as a file."""
    name = format_choice("format", [*FORMATS, MAP])
    content = (
        partial(map_bytes, generated, served) if name == MAP else partial(file_bytes, generated.trips, FORMATS[name])
    )
    help_text = "One file that opens in any browser, without a network." if name == MAP else None
    download("Download", content, f"trips{FORMATS.get(name, MAP_ENDING)}", help_text=help_text)


def map_bytes(generated: Generated, served: Model) -> bytes:
    """Return the trips as a map of its own, an HTML document, that says what they are."""
    from htp.webmap import trips_map  # noqa: PLC0415  brings folium, which nothing else needs

    count = len(generated.trips)
    title = "One generated trip" if count == 1 else f"{count} generated trips"
    note = f"Made by a model of {served.traffic}; nobody drove them."
    return trips_map(generated.trips, served.generator.city, generated.max_kmh, title=title, note=note).encode()
