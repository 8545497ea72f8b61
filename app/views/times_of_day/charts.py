"""Draw the trips of several departures over each other: progress, time lost, travel times; a colour a departure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from htp_app.components.charts import MAX_CURVES, REAL, add_at_limits, add_line, curves, finish
from htp_app.state import BLOCK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from htp_app.views.times_of_day.departures import Compared

COLOURS = ("#2f8fd6", "#e69f00", "#12a37f", "#cc79a7")  # Okabe and Ito's, lighter: for either theme
MAX_BARS = 9  # streets or blocks
NAMELESS = "Unnamed street"
LONGEST = 22  # letters of a street's name


def progress_chart(compared: Compared, height: int) -> go.Figure:
    """Draw how far each trip has come at each time. Dashed: at the speed limits."""
    figure = go.Figure()
    for departure, colour in zip(compared.departures, COLOURS, strict=False):
        hover = f"{departure.name}: %{{y:.2f}} km after %{{x:.1f}} min<extra></extra>"
        add_line(figure, curves(departure.profile), departure.name, {"color": colour, "width": 1.2}, hover)
    figure.update_traces(opacity=float(np.clip(10 / min(compared.choices.count, MAX_CURVES), 0.4, 0.85)))
    far_m = max(float(departure.profile.distance_m.max()) for departure in compared.departures)
    add_at_limits(figure, compared.free_flow_s, far_m)
    return finish(figure, "Minutes since departure", "Distance, km", height, bare=True)


def lost_chart(compared: Compared, by: str, height: int) -> go.Figure:
    """Draw the mean seconds lost on the streets or blocks where most is lost, in the order driven from above."""
    names, lost_s = lost_by(compared, by)
    figure = go.Figure()
    for departure, colour, seconds in zip(compared.departures, COLOURS, lost_s, strict=False):
        figure.add_bar(
            x=seconds,
            y=names,
            orientation="h",
            name=departure.name,
            marker_color=colour,
            hovertemplate=f"%{{y}}, {departure.name}: %{{x:.0f}} s lost a trip<extra></extra>",
        )
    finish(figure, "Seconds lost a trip", "", height, bare=True, left=8)
    figure.update_layout(bargap=0.25)
    figure.update_xaxes(rangemode="normal", zeroline=True)
    figure.update_yaxes(autorange="reversed", automargin=True, title=None, tickfont={"size": 11}, rangemode="normal")
    return figure


def travel_time_chart(compared: Compared, height: int) -> go.Figure:
    """Draw the travel times of each departure: every trip a point, the box holds the middle half."""
    figure = go.Figure()
    for departure, colour in zip(compared.departures, COLOURS, strict=False):
        figure.add_box(
            x=departure.profile.duration_s / 60,
            name=departure.name,
            marker={"color": colour, "size": 4, "opacity": 0.6},
            line={"width": 1.5},
            boxpoints="all",
            jitter=0.5,
            pointpos=0,
            hovertemplate="%{x:.1f} min<extra></extra>",
        )
    figure.add_vline(compared.free_flow_s / 60, line={"color": REAL, "dash": "dash", "width": 2})
    finish(figure, "Travel time, minutes", "", height, bare=True, left=8)
    figure.update_xaxes(rangemode="normal")
    figure.update_yaxes(autorange="reversed", automargin=True, title=None, rangemode="normal")
    return figure


def lost_by(compared: Compared, by: str) -> tuple[list[str], NDArray[np.float64]]:
    """Return the names of the `MAX_BARS` places where most is lost, in the order driven, and the seconds, [D, places].

    What is lost on other streets is added up under a name of its own; other blocks are too many for that.
    """
    delays = [departure.delays for departure in compared.departures]
    if by == BLOCK:
        name_of = {at: stretch.name for stretch in compared.stretches for at in range(stretch.first, stretch.stop)}
        names = [f"{_short(name_of[at])}, km {start_m / 1000:.1f}" for at, start_m in enumerate(delays[0].start_m)]
        firsts = np.arange(len(names))
    else:
        names = [_short(stretch.name) for stretch in compared.stretches]
        firsts = np.array([stretch.first for stretch in compared.stretches])
    lost_s = np.array([np.add.reduceat(delay.lost_s, firsts) for delay in delays])
    keep = np.sort(np.argsort(-lost_s.max(axis=0), kind="stable")[:MAX_BARS])
    shown, elsewhere_s = lost_s[:, keep], np.delete(lost_s, keep, axis=1).sum(axis=1)
    labels = _distinct([names[at] for at in keep])
    if by != BLOCK and len(keep) < len(names):
        return [*labels, "Other streets"], np.column_stack([shown, elsewhere_s])
    return labels, shown


def _short(name: str | None) -> str:
    name = name or NAMELESS
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _distinct(names: Sequence[str]) -> list[str]:
    """Give names that come again a number, as a chart would stack their bars."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found
