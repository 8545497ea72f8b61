"""Draw trips on the roads: the points of each method's (Figures 5 and 6), and one route at three times (Figure 11(b)).

Points are counted in square cells of the frame that holds nearly all real points; all panels share their colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm

from htp.city.network import City
from htp.experiment.figures.subject import COLOURS, REAL, canvas
from htp.experiment.layout import stem_of
from htp.trips import COLUMNS, read_trips

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from htp.experiment.figures.subject import Subject

CELLS = 220  # along the longer side
WITHIN = (0.5, 99.5)  # percentiles of the real points that the frame holds
MARGIN = 0.04  # of the frame's longer side
ACROSS = 4  # panels
PANEL_INCHES, TIME_INCHES = 2.6, 2.3
OUTSIDE = 0.02  # share of points that is said; 1 % of the real ones are
ROAD, COUNTS = "#d9d9d9", "magma_r"  # colours


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


def maps(subject: Subject) -> Figure | None:
    """Draw the real trips and the first seed of each method, each set in a panel."""
    if not subject.firsts:
        return None
    roads, panels = panels_of(subject)
    across = min(ACROSS, len(panels))
    down, (rows, columns) = -(-len(panels) // across), roads.shape
    figure = canvas(subject, PANEL_INCHES * across, PANEL_INCHES * down * rows / columns + 0.4 * down)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    norm = LogNorm(1, max(int(panels["Real trips"].max()), 2))  # to the real points in the fullest cell
    for one in axes:
        one.set_axis_off()
    for one, (title, counts) in zip(axes, panels.items(), strict=False):
        shown = np.ma.masked_equal(roads, 0)
        one.imshow(shown, origin="lower", cmap=ListedColormap([ROAD]), interpolation="nearest")
        counted = np.ma.masked_equal(counts, 0)
        one.imshow(counted, origin="lower", cmap=COUNTS, norm=norm, interpolation="nearest")
        one.set_title(title, fontsize=8)
    scale = ScalarMappable(norm, COUNTS)
    figure.colorbar(scale, ax=list(axes), label="GPS points in a cell", shrink=0.7 / down, pad=0.01)
    return figure


def panels_of(subject: Subject) -> tuple[NDArray[np.bool_], dict[str, NDArray[np.int64]]]:
    """Return the cells that a road passes and, by title, the points in each cell, [rows, columns] from the south.

    A title has the share of points outside the frame, where there are any to speak of.
    """
    city, layout = City.load(subject.layout.city), subject.layout
    real = _points_m(layout.real, city)
    frame = Frame.around(real)
    panels = {"Real trips": frame.count(real)[0]}
    for result in subject.firsts:
        counts, outside = frame.count(_points_m(layout.trips(stem_of(result.method, result.seed)), city))
        beyond = f" ({100 * outside:.0f} % outside)" if outside >= OUTSIDE else ""
        panels[result.label + beyond] = counts
    dense = shapely.get_coordinates(shapely.segmentize(city.lines_m, frame.cell_m / 2))
    return frame.count(dense)[0] > 0, panels


def times_of_day(subject: Subject) -> Figure | None:
    """Draw the trips on their route, a time in a panel."""
    path = _times_path(subject)
    if path is None:
        return None
    shown = drives_of(path, City.load(subject.layout.city))
    figure = canvas(subject, TIME_INCHES * len(shown), TIME_INCHES + 0.7, "km")
    for axes, (title, points, route) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        axes.plot(*route.T, color=REAL, linewidth=2.5, alpha=0.3)
        axes.plot(*points.T, color=COLOURS[0], linestyle="", marker="o", markersize=2.5)
        axes.set_title(title, fontsize=8)
        axes.set_aspect("equal", adjustable="datalim")
        axes.tick_params(labelsize=6)
    return figure


def drives_of(path: Path, city: City) -> list[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Return title, points and route of each time, [N, 2] kilometres from the south-west corner of the route."""
    trips, found = read_trips(path, [*COLUMNS, "roads"]), []
    for name, interval_s, roads, line in trips[["trip_id", "interval", "roads", "geometry"]].itertuples(index=False):
        route_m = np.concatenate([shapely.get_coordinates(city.lines_m[road]) for road in roads])
        points_m, corner_m = city.to_metres(shapely.get_coordinates(line)), route_m.min(axis=0)
        minutes = (len(points_m) - 1) * float(interval_s) / 60
        title = f"{name}: {minutes:.0f} min, {len(points_m)} points"
        found.append((title, (points_m - corner_m) / 1000, (route_m - corner_m) / 1000))
    return found


def _points_m(path: Path, city: City) -> NDArray[np.float64]:
    return city.to_metres(shapely.get_coordinates(read_trips(path, list(COLUMNS)).geometry.to_numpy()))


def _times_path(subject: Subject) -> Path | None:
    """Return the trips of the first HTP, if they are there."""
    paths = [subject.layout.times(stem_of(row.any.method, row.results[0].seed)) for row in subject.ours]
    return next((path for path in paths if path.exists()), None)
