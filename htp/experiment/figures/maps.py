"""Draw the points of each method's trips on the roads, real trips first (Figures 5 and 6).

Points are counted in square cells of the frame that holds nearly all real points; all panels share their colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
import shapely
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from plotly.subplots import make_subplots

from htp.city.network import City
from htp.experiment.figures.subject import finish_page
from htp.experiment.layout import stem_of
from htp.trips import COLUMNS, read_trips

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.experiment.figures.subject import Subject

CELLS = 220  # along the longer side
WITHIN = (0.5, 99.5)  # percentiles of the real points that the frame holds
MARGIN = 0.04  # of the frame's longer side
ACROSS = 4  # panels
PANEL_INCHES, PANEL_PIXELS = 2.6, 330
ROAD, COLOURS = "#d9d9d9", "magma_r"


@dataclass(frozen=True)
class Frame:
    """The part of the city that is drawn, in square cells."""

    low_m: NDArray[np.float64]  # [2] south-west corner, metric CRS
    cell_m: float
    shape: tuple[int, int]  # cells northward, eastward

    @classmethod
    def around(cls, xy_m: NDArray[np.float64]) -> Frame:
        """Return the frame of nearly all of the points [N, 2]."""
        low, high = np.percentile(xy_m, WITHIN, axis=0)
        margin = MARGIN * max(*(high - low), 1.0)
        width, height = high - low + 2 * margin
        cell_m = max(width, height) / CELLS
        return cls(low - margin, cell_m, (int(np.ceil(height / cell_m)), int(np.ceil(width / cell_m))))

    def count(self, xy_m: NDArray[np.float64]) -> tuple[NDArray[np.int64], float]:
        """Return how many of the points [N, 2] lie in each cell, row by row from the south, and the share outside."""
        column, row = np.floor((xy_m - self.low_m) / self.cell_m).T
        inside = (row >= 0) & (row < self.shape[0]) & (column >= 0) & (column < self.shape[1])
        cell = (row[inside] * self.shape[1] + column[inside]).astype(np.int64)
        counts = np.bincount(cell, minlength=self.shape[0] * self.shape[1]).reshape(self.shape)
        return counts, 1.0 - float(inside.mean())


@dataclass(frozen=True)
class MapPanel:
    """One set of trips."""

    title: str  # with the share of points outside the frame, where there are any to speak of
    counts: NDArray[np.int64]  # [rows, columns] points in each cell, from the south


@dataclass(frozen=True)
class Maps:
    """What both ways of drawing need."""

    roads: NDArray[np.bool_]  # [rows, columns] cells that a road passes
    panels: list[MapPanel]
    cell_km: float

    @classmethod
    def of(cls, subject: Subject) -> Maps:
        """Count the points of the real trips and of the first seed of each method."""
        city, layout = City.load(subject.layout.city), subject.layout
        firsts = [row.results[0] for row in subject.rows if row.results]
        files = {r.label: layout.trips(stem_of(r.method, r.seed)) for r in firsts}
        real = _points_m(layout.real, city)
        frame = Frame.around(real)
        panels = [MapPanel("Real trips", frame.count(real)[0])]
        for label, path in files.items():
            counts, outside = frame.count(_points_m(path, city))
            title = f"{label} ({100 * outside:.0f} % outside)" if outside >= 0.02 else label  # 1 % of the real ones are
            panels.append(MapPanel(title, counts))
        dense = shapely.get_coordinates(shapely.segmentize(city.lines_m, frame.cell_m / 2))
        return cls(frame.count(dense)[0] > 0, panels, frame.cell_m / 1000)

    @property
    def most(self) -> int:
        """Real points in the fullest cell, the end of the colours."""
        return max(int(self.panels[0].counts.max()), 2)

    @property
    def grid(self) -> tuple[int, int]:
        """Panels down and across."""
        across = min(ACROSS, len(self.panels))
        return -(-len(self.panels) // across), across


def there(subject: Subject) -> bool:
    """Return whether there is something to draw: a method that has not failed."""
    return any(row.results for row in subject.rows)


def draw(subject: Subject) -> Figure:
    """Return the picture."""
    maps = Maps.of(subject)
    (down, across), (rows, columns) = maps.grid, maps.roads.shape
    figure = Figure(figsize=(PANEL_INCHES * across, PANEL_INCHES * down * rows / columns + 0.4 * down))
    figure.set_layout_engine("constrained")
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for one in axes:
        one.set_axis_off()
    shown = None
    for one, panel in zip(axes, maps.panels, strict=False):
        roads = np.ma.masked_equal(maps.roads, 0)
        one.imshow(roads, origin="lower", cmap=ListedColormap([ROAD]), interpolation="nearest")
        counts = np.ma.masked_equal(panel.counts, 0)
        norm = LogNorm(1, maps.most)
        shown = one.imshow(counts, origin="lower", cmap=COLOURS, norm=norm, interpolation="nearest")
        one.set_title(panel.title, fontsize=8)
    assert shown is not None, "there is always the panel of the real trips"
    figure.colorbar(shown, ax=list(axes), label="GPS points in a cell", shrink=0.7 / down, pad=0.01)
    figure.supxlabel(subject.caption, fontsize=7)
    return figure


def page(subject: Subject) -> go.Figure:
    """Return the page; its panels are moved and zoomed together."""
    maps = Maps.of(subject)
    down, across = maps.grid
    titles = [panel.title for panel in maps.panels]
    figure = make_subplots(down, across, subplot_titles=titles, horizontal_spacing=0.01, vertical_spacing=0.15 / down)
    place = {"x0": maps.cell_km / 2, "dx": maps.cell_km, "y0": maps.cell_km / 2, "dy": maps.cell_km}
    roads = maps.roads.astype(np.uint8)
    for at, panel in enumerate(maps.panels):
        cell = {"rows": [at // across + 1] * 2, "cols": [at % across + 1] * 2}
        grey = go.Heatmap(z=roads, colorscale=["rgba(0,0,0,0)", ROAD], showscale=False, hoverinfo="skip", **place)
        logs = np.full(panel.counts.shape, np.nan, dtype=np.float32)
        np.log10(panel.counts, out=logs, where=panel.counts > 0, casting="same_kind")
        figure.add_traces([grey, go.Heatmap(z=logs, coloraxis="coloraxis", hoverinfo="skip", **place)], **cell)
    figure.update_xaxes(matches="x", visible=False)
    figure.update_yaxes(matches="y", visible=False, scaleanchor="x")
    bar = {"title": "GPS points<br>in a cell", "tickvals": [0, 1, 2, 3, 4], "ticktext": ["1", "10", "100", "1k", "10k"]}
    figure.update_layout(coloraxis={"colorscale": COLOURS, "cmin": 0, "cmax": np.log10(maps.most), "colorbar": bar})
    height = PANEL_PIXELS * down * maps.roads.shape[0] / maps.roads.shape[1] + 150
    figure.update_layout(height=height, width=PANEL_PIXELS * across + 120)
    return finish_page(figure, subject, "Points of generated trips")


def _points_m(path: Path, city: City) -> NDArray[np.float64]:
    return city.to_metres(shapely.get_coordinates(read_trips(path, list(COLUMNS)).geometry.to_numpy()))
