"""Draw how long each method takes for a trip (Figure 8): side by side where that was measured, else as it generated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure

from htp.experiment.figures.subject import COLOURS, finish_page
from htp.experiment.speeds import read_speeds

if TYPE_CHECKING:
    from htp.experiment.figures.subject import Subject

X = "Milliseconds a trip"
THICK = 0.8  # of all bars of a method


@dataclass(frozen=True)
class SpeedBar:
    """One method at one batch."""

    label: str
    ms: float  # a trip
    batch: int  # trips generated at once


def bars(subject: Subject) -> list[list[SpeedBar]]:
    """Return the methods in their order, a list for each batch, from one measurement.

    Where there is none: one list of what each method took in generating all trips, the mean over the seeds.
    """
    speeds = read_speeds(subject.layout, subject.rows)
    if speeds is not None:
        return [
            [SpeedBar(label, ms[at], batch) for label, ms in speeds.ms.items()]
            for at, batch in enumerate(speeds.batches)
        ]
    return [
        [
            SpeedBar(row.label, float(np.mean([r.ms_per_trip for r in row.results])), max(r.batch for r in row.results))
            for row in subject.rows
            if row.results
        ]
    ]


def there(subject: Subject) -> bool:
    """Return whether there is something to draw: a method that has not failed."""
    return any(row.results for row in subject.rows)


def draw(subject: Subject) -> Figure:
    """Return the picture."""
    shown = bars(subject)
    thick, labels = THICK / len(shown), [bar.label for bar in shown[0]]
    figure = Figure(figsize=(5.6, (0.16 * len(shown) + 0.16) * len(labels) + 1.2), layout="constrained")
    axes = figure.subplots()
    for at, of_batch in enumerate(shown):
        places = np.arange(len(labels)) + (at - (len(shown) - 1) / 2) * thick
        ms = [bar.ms for bar in of_batch]
        drawn = axes.barh(places, ms, thick, color=COLOURS[(at + 1) % len(COLOURS)], label=_name(of_batch))
        texts = [f"{bar.ms:.2f}" if len(shown) > 1 else f"{bar.ms:.2f} ({bar.batch} at once)" for bar in of_batch]
        axes.bar_label(drawn, texts, padding=3, fontsize=6)
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set(xlabel=X, xmargin=0.3)
    if len(shown) > 1:
        axes.set_xscale("log")  # from under one to thousands
        axes.legend(fontsize=7, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel(subject.caption, fontsize=7)
    return figure


def page(subject: Subject) -> go.Figure:
    """Return the page."""
    shown = bars(subject)
    figure = go.Figure()
    for at, of_batch in enumerate(shown):
        figure.add_bar(
            x=[bar.ms for bar in of_batch],
            y=[bar.label for bar in of_batch],
            orientation="h",
            name=_name(of_batch),
            marker_color=COLOURS[(at + 1) % len(COLOURS)],
            text=[f"{bar.ms:.2f}" for bar in of_batch],
            customdata=[bar.batch for bar in of_batch],
            hovertemplate="%{y}: %{x:.2f} ms, %{customdata} trips at once<extra></extra>",
        )
    figure.update_layout(showlegend=len(shown) > 1)
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(title=X, type="log" if len(shown) > 1 else "linear")
    return finish_page(figure, subject, "Time to generate a trip")


def _name(of_batch: list[SpeedBar]) -> str:
    return f"{of_batch[0].batch} at once"
