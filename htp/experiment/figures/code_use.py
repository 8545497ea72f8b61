"""Draw the share of each layer's codes that is in use while HTP's tokenizer is trained (Figure 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from matplotlib.figure import Figure

from htp.experiment.figures.subject import COLOURS, finish_page

if TYPE_CHECKING:
    from htp.experiment.figures.subject import Subject

X = "Training steps"


@dataclass(frozen=True)
class CodeUseCurve:
    """Windows of a training."""

    window: int  # patterns
    steps: list[int]  # at the end of each window
    layers: list[list[float]]  # percent of each layer's codes, by window


def use_of(subject: Subject) -> CodeUseCurve | None:
    """Return the use of codes in the training of the first HTP; None where there is none."""
    stages = [stage for row in subject.ours for stage in row.results[0].stages]
    facts = next((stage["code_use"] for stage in stages if "code_use" in stage), None)
    if facts is None or not facts["steps"]:
        return None
    layers = [[100 * share for share in layer] for layer in zip(*facts["shares"], strict=True)]
    return CodeUseCurve(facts["window"], facts["steps"], layers)


def there(subject: Subject) -> bool:
    """Return whether there is something to draw."""
    return use_of(subject) is not None


def draw(subject: Subject) -> Figure:
    """Return the picture."""
    use = use_of(subject)
    assert use is not None, "asked for only where it is there"
    figure = Figure(figsize=(5.6, 3.2), layout="constrained")
    axes = figure.subplots()
    for at, shares in enumerate(use.layers):
        axes.plot(
            use.steps, shares, color=COLOURS[at % len(COLOURS)], linewidth=1.2, marker=".", label=f"Layer {at + 1}"
        )
    axes.set(xlabel=X, ylabel=_y(use), ylim=(0, 103))
    axes.legend(fontsize=7, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel(subject.caption, fontsize=7)
    return figure


def page(subject: Subject) -> go.Figure:
    """Return the page."""
    use = use_of(subject)
    assert use is not None, "asked for only where it is there"
    figure = go.Figure()
    for at, shares in enumerate(use.layers):
        line = {"color": COLOURS[at % len(COLOURS)]}
        figure.add_scatter(x=use.steps, y=shares, name=f"Layer {at + 1}", line=line, mode="lines+markers")
    figure.update_xaxes(title=X)
    figure.update_yaxes(title=_y(use), range=[0, 103])
    return finish_page(figure, subject, "Codes in use during the tokenizer's training")


def _y(use: CodeUseCurve) -> str:
    return f"% of codes used by {use.window:,} patterns"
