"""Hold what a figure is drawn from, and write it in every format."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
from PIL import Image

from htp.experiment.tables import OURS
from htp.files import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import plotly.graph_objects as go
    from matplotlib.figure import Figure

    from htp.experiment.layout import Layout
    from htp.experiment.results import Row

DPI = 130
PNG_COLOURS = 128  # keeps pictures small
REAL = "#555555"
# Okabe and Ito's colours, which colour-blind people can tell apart, then dashes for more methods
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = (("-", "solid"), ("--", "dash"), (":", "dot"))  # matplotlib's name, plotly's


@dataclass(frozen=True)
class Subject:
    """The methods that have results, and where their trips lie."""

    rows: Sequence[Row]
    layout: Layout
    simulated: bool

    @property
    def ours(self) -> list[Row]:
        """The row of HTP, if it has results."""
        return [row for row in self.rows if row.label == OURS and row.results]

    @property
    def caption(self) -> str:
        """What every figure says."""
        city = self.rows[0].any.data["city"]
        kind = ", simulated trips" if self.simulated else ""
        return f"{city}{kind}. Roads: © OpenStreetMap contributors"


def style(at: int) -> tuple[str, tuple[str, str]]:
    """Return colour and dashes of the method at a place."""
    return COLOURS[at % len(COLOURS)], DASHES[at // len(COLOURS) % len(DASHES)]


def save_pictures(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write NAME.png, in few colours, and NAME.svg; return both."""
    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight")
    with replacing(png) as path:
        Image.open(buffer).convert("RGB").quantize(PNG_COLOURS).save(path, format="png", optimize=True)
    with replacing(svg) as path, mpl.rc_context({"svg.hashsalt": name}):  # the same figure gives the same file
        figure.savefig(path, format="svg", dpi=DPI, bbox_inches="tight", metadata={"Date": None})
    return [png, svg]


def save_page(figure: go.Figure, folder: Path, name: str) -> Path:
    """Write NAME.html; all pages share the plotly.min.js beside them, so they open without internet."""
    page = folder / f"{name}.html"
    figure.write_html(page, include_plotlyjs="directory", config={"displaylogo": False})
    return page


def finish_page(figure: go.Figure, subject: Subject, title: str) -> go.Figure:
    """Give a page its title, its caption and a plain look."""
    heading = {"text": title, "subtitle": {"text": subject.caption}}
    return figure.update_layout(template="simple_white", title=heading, margin={"l": 60, "r": 20, "t": 110, "b": 50})
