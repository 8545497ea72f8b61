"""Draw what a scenario does to trips: how much farther, how much longer, and which streets gain and lose."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from htp.planning.scenario.outcome import REROUTED
from htp_app.components.charts import GENERATED, REAL, add_line, finish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htp.planning.scenario import Outcome
    from htp.planning.scenario.traffic import StreetTraffic

BINS = 16
WIDTHS_M = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)  # of a bin
EACH = 5  # streets that gain, and as many that lose
LONGEST = 24  # letters of a street's name
LABEL = 0.2  # of the greatest change: room for the number at a bar's end
GREY = "#8794a5"


def detour_chart(outcome: Outcome, height: int) -> go.Figure:
    """Count trips on another path by how many metres farther they drive."""
    detour_m = outcome.detour_m[outcome.kind == REROUTED]
    low, high = detour_m.min(), detour_m.max()
    width = next((width for width in WIDTHS_M if (high - low) / width <= BINS), WIDTHS_M[-1])
    edges = np.arange(np.floor(low / width), np.floor(high / width) + 2) * width
    counts = np.histogram(detour_m, edges)[0]
    figure = go.Figure()
    figure.add_bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=counts,
        width=width * 0.92,
        marker_color=GENERATED,
        customdata=[f"{a:,.0f} to {b:,.0f} m" for a, b in pairwise(edges)],
        hovertemplate="%{customdata}: %{y} trips<extra></extra>",
    )
    figure.add_vline(float(np.median(detour_m)), line={"color": REAL, "dash": "dash", "width": 2})
    finish(figure, "Extra metres. Dashed: median", "Trips", height, bare=True)
    return figure.update_xaxes(rangemode="normal")


def travel_time_chart(outcome: Outcome, height: int) -> go.Figure:
    """Draw the travel time after over that before, a trip a point; above the line it takes longer."""
    rows = outcome.again
    before, after = outcome.demand.seconds[rows] / 60, outcome.seconds[rows] / 60
    ends = [0.0, float(max(before.max(), after.max())) * 1.05]
    figure = go.Figure()
    add_line(figure, (ends, ends), "", {"color": GREY, "width": 1.2, "dash": "dash"})
    figure.add_scatter(
        x=before,
        y=after,
        mode="markers",
        marker={"color": GENERATED, "size": 6, "opacity": 0.7},
        hovertemplate="%{x:.1f} min before, %{y:.1f} min after<extra></extra>",
    )
    return finish(figure, "Minutes before", "Minutes after", height, bare=True)


def streets_chart(found: Sequence[StreetTraffic], height: int) -> go.Figure:
    """Draw the streets that gain and lose most trips."""
    gain = [street for street in found if street.change > 0][:EACH]
    lose = [street for street in found if street.change < 0][:EACH]
    shown = [*gain, *reversed(lose)]
    figure = go.Figure()
    figure.add_bar(
        x=[street.change for street in shown],
        y=list(range(len(shown))),
        orientation="h",
        marker_color=[GENERATED if street.change > 0 else REAL for street in shown],
        customdata=[(street.name, street.before, street.after) for street in shown],
        text=[f"{street.change:+d}".replace("-", "−") for street in shown],
        textposition="outside",
        textangle=0,
        textfont={"size": 11},
        cliponaxis=False,
        hovertemplate="%{customdata[0]}: %{customdata[1]} trips before, %{customdata[2]} after<extra></extra>",
    )
    finish(figure, "Trips more or fewer", "", height, bare=True, left=8)
    figure.update_layout(bargap=0.2)
    most = max(abs(street.change) for street in shown)
    low, high = min(0, *(s.change for s in shown)), max(0, *(s.change for s in shown))
    figure.update_xaxes(range=[low - LABEL * most * (low < 0), high + LABEL * most], zeroline=True)
    labels = [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in (s.name for s in shown)]
    return figure.update_yaxes(
        autorange="reversed",
        automargin=True,
        title=None,
        tickfont={"size": 11},
        tickvals=list(range(len(shown))),
        ticktext=labels,
        rangemode="normal",
    )
