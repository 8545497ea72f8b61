"""Say in figures and charts what was generated, and offer it as a file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from htp.trips import write_trips
from htp_app.components.charts import length_histogram, time_distance

if TYPE_CHECKING:
    import geopandas as gpd

    from htp_app.model import Model
    from htp_app.views.generate.generation import Generated

FORMATS = {"GeoParquet": ".parquet", "GeoJSON": ".geojson", "GPX": ".gpx", "CSV": ".csv"}
MAP, MAP_ENDING = "Map (HTML)", ".html"
PLAIN = {"displayModeBar": False}


def results_panel(generated: Generated, served: Model, number: int | None, *, current: bool) -> None:
    """Draw figures and charts, trip `number` (from 1) in a colour of its own."""
    real_word = served.real_word
    st.html(_figures(generated))
    if not current:
        st.caption(":material/history: The settings have changed since; generate again to see them at work.")
    st.markdown("##### Length", help=_compared_with(generated, real_word))
    figure = length_histogram(generated.points, generated.real_points, f"Held-out {real_word} trips")
    st.plotly_chart(figure, key="lengths", config=PLAIN)
    st.markdown(
        "##### Progress along the route", help="A trip a line. Flat stretches are stops, at lights or in queues."
    )
    figure = time_distance(generated.profile, generated.free_flow_s, number)
    st.plotly_chart(figure, key="time-distance", config=PLAIN)


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
    items = "".join(f"<div><span>{name}</span><b>{value}</b><small>{note}</small></div>" for name, value, note in cells)
    return f"<div class='figures'>{items}</div>"


def _compared_with(generated: Generated, real_word: str) -> str:
    like = generated.comparable
    if not len(like.rows):
        return "The service does not give out held-out trips, so there is nothing to compare with."
    which = f"{len(like.rows)} held-out {real_word} trips, never trained on"
    if like.share is None:
        return f"Beside all {which}: too few of them are like this route."
    when = "at any time of day" if like.hours is None else f"within {like.hours:g} h of this time of day"
    return f"Beside {which}: within {like.share:.0%} of this distance, {when}."


def download_panel(generated: Generated, served: Model) -> None:
    """Offer the trips as a file."""
    # all in sight: of a list that drops down, the first click just after the trips came left it closed
    name = st.radio("Download as", [*FORMATS, MAP], key="format", horizontal=True)
    st.download_button(
        "Download",
        lambda: map_bytes(generated, served) if name == MAP else file_bytes(generated.trips, FORMATS[name]),
        f"trips{FORMATS.get(name, MAP_ENDING)}",
        on_click="ignore",
        icon=":material/download:",
        width="stretch",
        help="One file that opens in any browser, without a network." if name == MAP else None,
    )


def file_bytes(trips: gpd.GeoDataFrame, ending: str) -> bytes:
    """Return trips as a file of the format with this ending."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"trips{ending}"
        write_trips(trips, path)
        return path.read_bytes()


def map_bytes(generated: Generated, served: Model) -> bytes:
    """Return the trips as a map of its own, an HTML document, that says what they are."""
    from htp.webmap import trips_map  # noqa: PLC0415  brings folium, which nothing else needs

    count = len(generated.trips)
    title = "One generated trip" if count == 1 else f"{count} generated trips"
    note = f"Made by a model of {served.traffic}; nobody drove them."
    return trips_map(generated.trips, served.generator.city, generated.max_kmh, title=title, note=note).encode()
