"""Draw the trips that HTP generates along one route at three times of day (Figure 11(b))."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
import shapely
from matplotlib.figure import Figure
from plotly.subplots import make_subplots

from htp.city.network import City
from htp.experiment.figures.subject import COLOURS, REAL, finish_page
from htp.experiment.layout import stem_of
from htp.trips import COLUMNS, read_trips

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.experiment.figures.subject import Subject

INCHES, PIXELS = 2.3, 360  # of a panel


def panels(subject: Subject) -> list[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Return title, points and route of each time, [N, 2] kilometres from the south-west corner of the route."""
    path = _path(subject)
    assert path is not None, "asked for only where it is there"
    city, trips = City.load(subject.layout.city), read_trips(path, [*COLUMNS, "roads"])
    found = []
    for name, interval_s, roads, line in trips[["trip_id", "interval", "roads", "geometry"]].itertuples(index=False):
        route_m = np.concatenate([shapely.get_coordinates(city.lines_m[road]) for road in roads])
        points_m, corner_m = city.to_metres(shapely.get_coordinates(line)), route_m.min(axis=0)
        minutes = (len(points_m) - 1) * float(interval_s) / 60
        title = f"{name}: {minutes:.0f} min, {len(points_m)} points"
        found.append((title, (points_m - corner_m) / 1000, (route_m - corner_m) / 1000))
    return found


def there(subject: Subject) -> bool:
    """Return whether there is something to draw."""
    return _path(subject) is not None


def draw(subject: Subject) -> Figure:
    """Return the picture."""
    shown = panels(subject)
    figure = Figure(figsize=(INCHES * len(shown), INCHES + 0.7), layout="constrained")
    for axes, (title, points, route) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        axes.plot(*route.T, color=REAL, linewidth=2.5, alpha=0.3)
        axes.plot(*points.T, color=COLOURS[0], linestyle="", marker="o", markersize=2.5)
        axes.set_title(title, fontsize=8)
        axes.set_aspect("equal", adjustable="datalim")
        axes.tick_params(labelsize=6)
    figure.supxlabel(f"km. {subject.caption}", fontsize=7)
    return figure


def page(subject: Subject) -> go.Figure:
    """Return the page; its panels are moved and zoomed together."""
    shown = panels(subject)
    figure = make_subplots(1, len(shown), subplot_titles=[title for title, _, _ in shown])
    for at, (_, points, route) in enumerate(shown):
        road = go.Scatter(x=route[:, 0], y=route[:, 1], mode="lines", line={"color": REAL, "width": 5}, opacity=0.3)
        dots = go.Scatter(x=points[:, 0], y=points[:, 1], mode="markers", marker={"color": COLOURS[0], "size": 5})
        figure.add_traces([road, dots], rows=[1, 1], cols=[at + 1, at + 1])
    figure.update_xaxes(matches="x", title="km")
    figure.update_yaxes(matches="y", scaleanchor="x")
    figure.update_layout(showlegend=False, height=PIXELS + 170, width=PIXELS * len(shown) + 100)
    return finish_page(figure, subject, "One route at three times of day")


def _path(subject: Subject) -> Path | None:
    """Return the trips of the first HTP, if they are there."""
    paths = [subject.layout.times(stem_of(row.any.method, row.results[0].seed)) for row in subject.ours]
    return next((path for path in paths if path.exists()), None)
