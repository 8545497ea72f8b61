"""Draw the charts of trips with plotly; colours come from the theme and are safe for colour-blind people."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.evaluate.profile import Profile

GENERATED = "#1f9bb9"
REAL = "#e08a2e"
CHOSEN = "#c2479b"  # one trip among many; on the map as well
MAX_CURVES = 200  # trips drawn in a time–distance diagram
MARGIN = {"l": 44, "r": 8, "t": 8, "b": 38}


def length_histogram(generated: NDArray[np.int64], real: NDArray[np.int64], real_name: str) -> go.Figure:
    """Compare numbers of points: generated trips as bars, real trips as a stepped line, both in percent of trips.

    No real trips, no line.
    """
    edges = _edges(np.concatenate([generated, real]))
    middle = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure()
    hover = "%{customdata} points: %{y:.1f} %"
    spans = [f"{low:g}–{high - 1:g}" if high - low > 1 else f"{low:g}" for low, high in pairwise(edges)]
    add_generated(figure, edges, _percent(generated, edges), spans, hover)
    if len(real):
        style = {"color": REAL, "width": 2.5, "shape": "hvh"}
        add_line(figure, (middle, _percent(real, edges)), real_name, style, hover, spans)
    return finish(figure, "Points per trip", "Trips, %", height=190)


def add_generated(
    figure: go.Figure, edges: NDArray[np.float64], percent: NDArray[np.float64], spans: list[str], hover: str
) -> None:
    """Draw shares of generated trips as bars between edges; `hover` says what a bar's span and share are."""
    figure.add_bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=percent,
        width=np.diff(edges) * 0.94,
        name="Generated",
        marker_color=GENERATED,
        opacity=0.85,
        customdata=spans,
        hovertemplate=hover,
    )


def add_line(
    figure: go.Figure,
    xy: tuple[Any, Any],
    name: str,
    style: dict[str, Any],
    hover: str | None = None,
    customdata: Any = None,
) -> None:
    """Draw a line; `hover` says what stands at the mouse, None: nothing."""
    said = {"hoverinfo": "skip"} if hover is None else {"hovertemplate": hover, "customdata": customdata}
    figure.add_scatter(x=xy[0], y=xy[1], name=name, mode="lines", line=style, **said)


def add_at_limits(figure: go.Figure, free_flow_s: float, distance_m: float) -> None:
    """Draw the drive at the speed limits, in minutes and km."""
    way = ([0, free_flow_s / 60], [0, distance_m / 1000])
    add_line(figure, way, "At the speed limits", {"color": REAL, "width": 2, "dash": "dash"})


def time_distance(profile: Profile, free_flow_s: float, number: int | None = None) -> go.Figure:
    """Draw how far each trip has come at each time; flat stretches are stops. Dashed: at the speed limits.

    Trip `number` (from 1) is drawn over the others.
    """
    figure = go.Figure()
    hover = "%{y:.2f} km after %{x:.1f} min"
    opacity = float(np.clip(10 / min(len(profile.first) - 1, MAX_CURVES), 0.45, 0.85))
    add_line(figure, curves(profile), "Generated", {"color": GENERATED, "width": 1.2}, hover)
    figure.update_traces(opacity=opacity)
    add_at_limits(figure, free_flow_s, float(profile.distance_m.max()))
    if number is not None:
        own = slice(profile.first[number - 1], profile.first[number])
        way = (profile.elapsed_s[own] / 60, profile.along_m[own] / 1000)
        add_line(figure, way, f"Trip {number}", {"color": CHOSEN, "width": 3}, hover)
    return finish(figure, "Minutes since departure", "Distance, km", height=240)


def curves(profile: Profile) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return minutes and km of the points of the first `MAX_CURVES` trips, a gap (NaN) after each trip."""
    gaps = profile.first[1 : MAX_CURVES + 1]
    end = gaps[-1]
    return np.insert(profile.elapsed_s[:end] / 60, gaps, np.nan), np.insert(profile.along_m[:end] / 1000, gaps, np.nan)


def _edges(points: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the edges of at most 18 bins of a whole, round width that hold all values."""
    low, high = points.min(), points.max()
    width = next(width for width in (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000) if (high - low) / width <= 16)
    first = low // width * width
    return np.arange(first, high + width + 1, width).astype(float)


def _percent(values: NDArray[np.int64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.histogram(values, edges)[0] / max(len(values), 1) * 100


def finish(figure: go.Figure, x: str, y: str, height: int, *, bare: bool = False, left: int = MARGIN["l"]) -> go.Figure:
    """Give a chart its axes' titles, a legend above it unless `bare`, and the look of all others; `left` is in px."""
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 11}}
    figure.update_layout(
        height=height,
        margin={**MARGIN, "t": 8 if bare else 30, "l": left},
        legend=legend,
        showlegend=False if bare else None,
        bargap=0,
        hovermode="closest",
        dragmode=False,
    )
    figure.update_xaxes(title={"text": x, "font": {"size": 11}, "standoff": 6}, rangemode="tozero")
    figure.update_yaxes(title={"text": y, "font": {"size": 11}, "standoff": 6}, rangemode="tozero")
    return figure


def draw(figure: go.Figure, key: str) -> None:
    """Put a chart on the page."""
    st.plotly_chart(figure, key=key, config={"displayModeBar": False})
