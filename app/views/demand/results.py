"""Show a day's trips: how many depart in each hour, how big they are, what was left out, and all of them as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from htp.planning.demand.day import HOURS, apportion
from htp.planning.demand.parts import ALL_HOURS
from htp_app.components.charts import GENERATED, REAL, add_line, draw, finish
from htp_app.components.figures import figures
from htp_app.components.files import FORMATS, download, format_choice
from htp_app.components.shades import bar, legend, ticks
from htp_app.state import LINEAR
from htp_app.views.demand.maps import zone_trips

if TYPE_CHECKING:
    from htp.evaluate.density import Density
    from htp.planning.demand.counts import Counts
    from htp_app.views.demand.choices import DemandChoices
    from htp_app.views.demand.controls import DemandTables
    from htp_app.views.demand.work import Run

TABLES = ("GeoParquet", "CSV", "GeoJSON")  # formats that a whole day comes in
CHART_PX = 230  # height
PALE = 0.35  # opacity of the hours that are not on the map


def results_panel(
    demand: DemandTables, shares: tuple[float, ...], run: Run | None, choices: DemandChoices, density: Density | None
) -> None:
    """Draw figures, the chart of departures, the map's legend and the download; before, what is asked for."""
    counts = run.counts if run else None
    asked = apportion(shares, demand.flows.total) if demand.flows else np.zeros(HOURS, np.int64)
    st.html(_figures(demand, run))
    if run and run.day and run.day.left_out:
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in run.day.left_out.items())
        st.caption(f"Left out: {reasons}.", help="After five tries with other places in the same zones.")
    st.markdown("##### Departures by hour", help="Pale: hours that are not on the map. Line: what the table asks for.")
    made = counts.trips if counts else np.zeros(HOURS, np.int64)
    draw(departures_chart(asked, made, choices.hours), "demand-chart")
    if density is not None:
        st.html(legend(int(density.real.max(initial=0)), None, choices.scale))
    elif demand.flows:
        start, end = zone_trips(demand.zones, demand.flows)
        most = int((start + end).max(initial=0))
        st.html(f"<div class='legend'>{bar('Trips that start or end in a zone', ticks(most, LINEAR))}</div>")
    if run and counts:
        _download(run, counts, choices.hours)


def departures_chart(asked: np.ndarray, made: np.ndarray, hours: tuple[int, int]) -> go.Figure:
    """Draw the trips made in each hour as bars over those asked for, a stepped line."""
    hour = np.arange(HOURS)
    chosen = (hour >= hours[0]) & (hour < hours[1])
    spans = [_span(at, at + 1) for at in range(HOURS)]
    figure = go.Figure()
    figure.add_bar(
        x=hour + 0.5,
        y=made,
        width=0.94,
        name="Made",
        marker={"color": GENERATED, "opacity": np.where(chosen, 0.9, PALE)},
        customdata=spans,
        hovertemplate="%{customdata}: %{y:,} made<extra></extra>",
    )
    steps, style = (np.arange(HOURS + 1), np.r_[asked, asked[-1]]), {"color": REAL, "width": 2.2, "shape": "hv"}
    said = "%{customdata}: %{y:,} asked for<extra></extra>"
    add_line(figure, steps, "Asked for", style, said, [*spans, spans[-1]])
    finish(figure, "Hour of the day", "Trips", CHART_PX)
    return figure.update_xaxes(range=[0, HOURS], dtick=4)


def _figures(demand: DemandTables, run: Run | None) -> str:
    total = demand.flows.total if demand.flows else 0
    counts = run.counts if run else None
    if counts is None:
        cells = [
            ("Trips asked for", f"{total:,}", "of a whole day"),
            ("Zones", f"{len(demand.zones):,}", f"{len(demand.flows.trips):,} pairs" if demand.flows else ""),
        ]
    else:
        minutes, km = counts.duration_s / 60, counts.distance_m / 1000
        left_out = sum(run.day.left_out.values()) if run and run.day else 0
        cells = [
            ("Trips", f"{len(minutes):,}", f"of {total:,} asked for"),
            ("Left out", f"{left_out:,}", f"{left_out / max(total, 1):.1%}"),
            ("Travel time", f"{np.median(minutes):.0f} min", f"mean {minutes.mean():.1f} min"),
            ("Distance", f"{np.median(km):.1f} km", f"{km.sum():,.0f} km in all"),
        ]
    return figures(cells)


@st.fragment
def _download(run: Run, counts: Counts, hours: tuple[int, int]) -> None:
    """Offer the trips that depart in the hours on the map."""
    ending = FORMATS[format_choice("demand-format", TABLES)]
    label = "Download" if run.finished else "Download those made so far"
    some, name = ("", "demand") if hours == ALL_HOURS else (f", {_span(*hours)}", f"demand-{hours[0]}-{hours[1]}")
    none = not counts.trips[slice(*hours)].any()
    download(label + some, lambda: run.file(ending, hours), name + ending, disabled=none)


def _span(first: int, last: int) -> str:
    return f"{first:02d}:00 to {last:02d}:00"
