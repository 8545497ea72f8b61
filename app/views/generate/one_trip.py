"""Look at one of the generated trips: its speeds beside the limits of its roads, the tokens that it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import numpy as np
import plotly.graph_objects as go
import shapely
import streamlit as st

from htp.evaluate.codebook import LETTERS
from htp.evaluate.course import Course
from htp.evaluate.tokens import PatternToken, tokens_behind
from htp_app.components.charts import CHOSEN, GENERATED, REAL, add_line, draw, finish
from htp_app.components.markup import escaped
from htp_app.map import MarkedLine
from htp_app.state import carried

if TYPE_CHECKING:
    from htp_app.model import Model
    from htp_app.state import Choices
    from htp_app.views.generate.generation import Generated

KEY = "trip"  # of the select box
SPEED_PX = 210  # height
BAND = "rgba(128, 128, 128, 0.13)"  # every other token's stretch
NAMELESS = "unnamed street"
SPEED_HELP = (
    "The trip's speed from point to point along its route; dashed: the limit of the road. Every other token's stretch "
    "is shaded. What is above the limit is the model's, as it learned it."
)
TOKENS_HELP = (
    "The generator writes a trip as patterns of 8 points, two minutes, and for each the street that it ends on, then "
    "four codes (a to d) that refine each other. These are the codes it drew for this trip."
)
NO_TOKENS = "The service in use gives trips without the tokens that they were made from."


def trip_number(generated: Generated | None, choices: Choices) -> int | None:
    """Return the number, from 1, of the trip that is looked at; a link's own until its trips are there."""
    if generated is None:
        return choices.trip
    number: int | None = st.session_state.get(KEY, choices.trip)
    return number if number is not None and number <= len(generated.trips) else None


def marks_of(generated: Generated | None, number: int | None) -> tuple[MarkedLine, ...]:
    """Return the line of the trip that is looked at, for the map."""
    if generated is None or number is None:
        return ()
    lonlat = shapely.get_coordinates(generated.trips.geometry.iloc[number - 1])
    return (MarkedLine(CHOSEN, tuple((float(lon), float(lat)) for lon, lat in lonlat)),)


def one_trip(generated: Generated, served: Model, number: int | None) -> None:
    """Ask for a trip and draw it."""
    if st.session_state.get(KEY) != number:
        st.session_state.pop(KEY, None)  # of more trips than there are now
    st.markdown("##### One trip", help="It is purple in the diagram above and on the map.")
    count = len(generated.trips)
    st.selectbox(
        "Trip",
        [None, *range(1, count + 1)],
        number or 0,
        key=KEY,
        format_func=lambda one: "Choose a trip …" if one is None else f"Trip {one} of {count}",
        label_visibility="collapsed",
    )
    if number is None:
        return
    city = served.generator.city
    course = Course.of(generated.trips, city, number - 1)
    tokens = tokens_behind(generated.trips, city, number - 1)
    st.markdown("##### Speed along its route", help=SPEED_HELP)
    draw(speed_chart(course, tokens or []), "trip-speed")
    st.markdown("##### Tokens behind it", help=TOKENS_HELP)
    if tokens is None:
        st.caption(f":material/cloud_off: {NO_TOKENS}")
    else:
        st.html(tokens_table(tokens, linked=served.remote is None))


def speed_chart(course: Course, tokens: list[PatternToken]) -> go.Figure:
    """Draw the speed over the way, held from each point to the next, and the limits of the roads."""
    km = course.along_m / 1000
    ends_km = course.at_m(np.array([token.ends_s for token in tokens])) / 1000
    of_point = np.minimum(np.searchsorted(ends_km, km, side="right"), max(len(tokens) - 1, 0))
    names = [name_of_first(tokens[at]) if tokens else "" for at in of_point]
    minutes = course.elapsed_s / 60
    figure = go.Figure()
    style, said = {"color": GENERATED, "width": 1.8, "shape": "hv"}, np.array([minutes.round(1), names], dtype=object).T
    hover = "%{y:.0f} km/h, km %{x:.2f}, after %{customdata[0]} min<br>%{customdata[1]}<extra></extra>"
    add_line(figure, (km, course.speed_kmh), "Generated", style, hover, said)
    limits = (course.edges_m / 1000, np.r_[course.limit_kmh, course.limit_kmh[-1:]])
    style = {**style, "color": REAL, "width": 2, "dash": "dash"}
    hover = "limit %{y:.0f} km/h, %{customdata}<extra></extra>"
    add_line(
        figure, limits, "Speed limit", style, hover, [name or NAMELESS for name in [*course.names, course.names[-1]]]
    )
    for begin, end in list(zip(np.r_[0.0, ends_km], ends_km, strict=False))[1::2]:
        figure.add_vrect(begin, end, fillcolor=BAND, line_width=0, layer="below")
    return finish(figure, "Km from the first point", "Speed, km/h", SPEED_PX)


def tokens_table(tokens: list[PatternToken], *, linked: bool) -> str:
    """Return the tokens in order, when each is and the street that it ends on; `linked` to the codebook's page."""
    rows = "".join(
        f"<tr><td>{_clock(token.begins_s)}–{_clock(token.ends_s)}</td><td>{_codes(token, linked=linked)}</td>"
        f"<td>{escaped(token.ends_on or NAMELESS)}</td></tr>"
        for token in tokens
    )
    head = "<tr><th>Minutes</th><th>Codes</th><th>Ends on</th></tr>"
    return f"<table class='tokens'><thead>{head}</thead><tbody>{rows}</tbody></table>"


def name_of_first(token: PatternToken) -> str:
    """Return the name of the first layer's code, which is the token."""
    return f"{LETTERS[0]}_{token.codes[0]}"


def _codes(token: PatternToken, *, linked: bool) -> str:
    first = name_of_first(token)
    shown = f"<b>{first}</b>"
    if linked:
        shown = f"<a href='{escaped('codebook?' + urlencode({'tokens': first} | carried()))}'>{shown}</a>"
    return " ".join([shown, *(f"{LETTERS[layer + 1]}_{code}" for layer, code in enumerate(token.codes[1:]))])


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"
