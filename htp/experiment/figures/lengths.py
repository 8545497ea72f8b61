"""Draw how trips are distributed over their numbers of points, real ones and those of each method (Figure 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure

from htp.experiment.figures.subject import REAL, finish_page, style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from htp.experiment.figures.subject import Subject

BINS = 40
X, Y = "Points of a trip", "Density"


def density(lengths: dict[int, int], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of trips a point of length in each bin, [bins]; trips beyond the edges count in the whole."""
    points, trips = np.array(list(lengths), dtype=float), np.array(list(lengths.values()), dtype=float)
    counts, _ = np.histogram(points, edges, weights=trips)
    return counts / trips.sum() / np.diff(edges)


def edges_of(real: dict[int, int]) -> NDArray[np.float64]:
    """Return the edges of bins over the real lengths, whole numbers in each, [bins + 1]."""
    low, high = min(real), max(real) + 1
    width = max(1, -(-(high - low) // BINS))
    return np.arange(low, high + width, width, dtype=float) - 0.5


def curves(subject: Subject) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield name, edges and density of the real trips, then of the first seed of each method."""
    firsts = [row.results[0] for row in subject.rows if row.results]
    real = firsts[0].lengths["real"]
    edges = edges_of(real)
    yield "Real trips", edges, density(real, edges)
    for result in firsts:
        yield result.label, edges, density(result.lengths["generated"], edges)


def there(subject: Subject) -> bool:
    """Return whether there is something to draw: a method that has not failed."""
    return any(row.results for row in subject.rows)


def draw(subject: Subject) -> Figure:
    """Return the picture."""
    figure = Figure(figsize=(5.6, 3.2), layout="constrained")
    axes = figure.subplots()
    for at, (name, edges, values) in enumerate(curves(subject)):
        if at == 0:
            axes.stairs(values, edges, fill=True, color=REAL, alpha=0.35, label=name)
            continue
        colour, (dash, _) = style(at - 1)
        axes.stairs(values, edges, color=colour, linestyle=dash, linewidth=1.2, label=name)
    axes.set(xlabel=X, ylabel=Y)
    axes.legend(fontsize=7, frameon=False)
    figure.supxlabel(subject.caption, fontsize=7)
    return figure


def page(subject: Subject) -> go.Figure:
    """Return the page."""
    figure = go.Figure()
    for at, (name, edges, values) in enumerate(curves(subject)):
        middle = (edges[:-1] + edges[1:]) / 2
        colour, (_, dash) = (REAL, ("-", "solid")) if at == 0 else style(at - 1)
        line = {"color": colour, "dash": dash, "shape": "hvh"}
        figure.add_scatter(x=middle, y=values, name=name, line=line, mode="lines", fill=None if at else "tozeroy")
    figure.update_xaxes(title=X)
    figure.update_yaxes(title=Y)
    return finish_page(figure, subject, "Lengths of trips")
