"""Draw the reconstruction loss over codebook sizes and over the number of layers (Figure 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go
from matplotlib.figure import Figure
from plotly.subplots import make_subplots

from htp.experiment.codebooks import LAYERS, SIZES, name_of
from htp.experiment.figures.subject import COLOURS, finish_page
from htp.experiment.layout import read_json

if TYPE_CHECKING:
    from htp.experiment.figures.subject import Subject

Y = "Reconstruction loss"
TITLES = ("(a) codebook sizes of four layers", "(b) number of layers")


def losses(subject: Subject) -> tuple[dict[str, float], dict[str, float]]:
    """Return the loss of held-out trips by sizes and by number of layers, of what was trained on these trips."""
    fingerprint = subject.rows[0].any.data["fingerprint"]
    sizes: dict[str, float] = {}
    layers: dict[str, float] = {}
    for found, books in ((sizes, SIZES), (layers, LAYERS)):
        for book in books:
            facts = read_json(subject.layout.codebooks(name_of(book)))
            if facts is not None and facts["fingerprint"] == fingerprint:
                found[name_of(book) if found is sizes else str(len(book))] = facts["loss"]
    return sizes, layers


def there(subject: Subject) -> bool:
    """Return whether there is something to draw."""
    return any(losses(subject))


def draw(subject: Subject) -> Figure:
    """Return the picture."""
    sizes, layers = losses(subject)
    figure = Figure(figsize=(6.4, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    drawn = left.bar([_lines(name) for name in sizes], list(sizes.values()), color=COLOURS[1], width=0.6)
    left.bar_label(drawn, fmt="%.3f", fontsize=7)
    left.tick_params(axis="x", labelsize=7)
    right.plot(list(layers), list(layers.values()), color=COLOURS[0], marker="o")
    right.set_xlabel("Layers")
    left.set_ylabel(Y)
    for axes, title in zip((left, right), TITLES, strict=True):
        axes.set_title(title, fontsize=8)
        axes.set_ylim(bottom=0.0)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel(subject.caption, fontsize=7)
    return figure


def page(subject: Subject) -> go.Figure:
    """Return the page."""
    sizes, layers = losses(subject)
    figure = make_subplots(1, 2, subplot_titles=TITLES, shared_yaxes=True)
    bars = go.Bar(x=[f"{name} " for name in sizes], y=list(sizes.values()), marker_color=COLOURS[1])
    line = go.Scatter(x=list(layers), y=list(layers.values()), mode="lines+markers", marker_color=COLOURS[0])
    figure.add_traces([bars, line], rows=[1, 1], cols=[1, 2])
    figure.update_layout(showlegend=False)
    figure.update_yaxes(title=Y, rangemode="tozero", col=1)
    figure.update_xaxes(title="Layers", type="category", col=2)
    return finish_page(figure, subject, "Reconstruction loss of held-out trips")


def _lines(name: str) -> str:
    """Return sizes one under another, so that they fit below their bar."""
    return name.replace("-", "\n")
