"""Draw one quantity of generated trips over that of real ones, and say in a line how far apart they are."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import plotly.graph_objects as go

from htp_app.components.charts import REAL, add_generated, add_line, finish

if TYPE_CHECKING:
    from htp.evaluate.distributions import Distribution


class QuantityLabel(NamedTuple):
    """What a quantity is called and what it means."""

    title: str
    axis: str
    help: str


WORDS = {
    "Length": QuantityLabel("Length", "Points per trip", "How many GPS points a trip has."),
    "T-Dist": QuantityLabel("Travel distance", "Travel distance, m", "From point to point, summed up along each trip."),
    "S-Dist": QuantityLabel("Step distance", "Step, m", "From each point to the next."),
    "Radius": QuantityLabel(
        "Radius", "Radius of gyration, m", "How far a trip's points lie from their centre: root mean square."
    ),
    "PR-Dist": QuantityLabel(
        "Distance from the road", "Point to nearest road, m", "How far each point lies beside its road."
    ),
    "Speed": QuantityLabel("Speed", "Speed, km/h", "From each point to the next, as the crow flies."),
    "Hour of day": QuantityLabel(
        "Hour of day", "Hour, by the city's clocks", "When points are recorded; given to the generator."
    ),
}
CLOSE = 3.0  # times the noise floor: as much is seen in the divergence, hardly in the picture


def distribution_chart(distribution: Distribution, real_name: str, height: int, *, legend: bool) -> go.Figure:
    """Draw shares: generated as bars, real as a stepped line."""
    edges = distribution.edges
    spans = [f"{low:g}–{high:g}" for low, high in pairwise(edges)]
    if distribution.open_end:
        spans[-1] = f"{edges[-2]:g} and more"
    hover = "%{customdata}: %{y:.1f} %"
    figure = go.Figure()
    if distribution.generated is not None:
        add_generated(figure, edges, distribution.generated, spans, hover)
    real = np.r_[distribution.real, distribution.real[-1]]
    add_line(figure, (edges, real), real_name, {"color": REAL, "width": 2.2, "shape": "hv"}, hover, [*spans, spans[-1]])
    finish(figure, WORDS[distribution.metric].axis, "Share, %", height)
    figure.update_layout(showlegend=legend, margin={"t": 26 if legend else 6})
    figure.update_yaxes(title=None, ticksuffix=" %", nticks=4)
    return figure.update_xaxes(rangemode="normal", range=[edges[0], edges[-1]])


def verdict(distribution: Distribution) -> str:
    """Say how far apart both sides are, beside the noise floor."""
    floor = f"noise floor {distribution.floor:.4f}"
    if distribution.divergence is None:
        return f"{floor[0].upper()}{floor[1:]}"
    times = distribution.divergence / distribution.floor if distribution.floor > 0 else np.inf
    if times <= 1:
        word = ":green-badge[:material/check: within noise]"
    elif times <= CLOSE:
        word = f":blue-badge[{times:.1f} × noise]"
    else:
        word = f":orange-badge[{times:.0f} × noise]" if np.isfinite(times) else ":orange-badge[apart]"
    return f"{word} divergence {distribution.divergence:.4f}, {floor}"
