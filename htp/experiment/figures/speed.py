"""Draw how long each method takes for a trip, at the batch it generated in (Figure 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure

from htp.experiment.figures.subject import COLOURS, finish_page

if TYPE_CHECKING:
    from htp.experiment.figures.subject import Subject

X = "Milliseconds a trip"


@dataclass(frozen=True)
class Bar:
    """One method."""

    label: str
    ms: float  # a trip, the mean over the seeds
    batch: int  # trips finished at once


def bars(subject: Subject) -> list[Bar]:
    """Return the methods, in their order."""
    return [
        Bar(row.label, float(np.mean([r.ms_per_trip for r in row.results])), max(r.batch for r in row.results))
        for row in subject.rows
        if row.results
    ]


def draw(subject: Subject) -> Figure:
    """Return the picture."""
    shown = bars(subject)
    figure = Figure(figsize=(5.6, 0.32 * len(shown) + 1.2), layout="constrained")
    axes = figure.subplots()
    drawn = axes.barh([bar.label for bar in shown], [bar.ms for bar in shown], color=COLOURS[1])
    axes.bar_label(drawn, [f"{bar.ms:.2f} ({bar.batch} at once)" for bar in shown], padding=3, fontsize=7)
    axes.invert_yaxis()
    axes.set(xlabel=X, xmargin=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel(subject.caption, fontsize=7)
    return figure


def page(subject: Subject) -> go.Figure:
    """Return the page."""
    shown = bars(subject)
    figure = go.Figure(
        go.Bar(
            x=[bar.ms for bar in shown],
            y=[bar.label for bar in shown],
            orientation="h",
            marker_color=COLOURS[1],
            text=[f"{bar.ms:.2f}" for bar in shown],
            customdata=[bar.batch for bar in shown],
            hovertemplate="%{y}: %{x:.2f} ms, %{customdata} trips at once<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(title=X)
    return finish_page(figure, subject, "Time to generate a trip")
