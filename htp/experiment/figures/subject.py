"""Hold what a figure is drawn from, and write it in every format."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image

from htp.city.credit import attribution_of, credit_text
from htp.files import replacing
from htp.methods.registry import OURS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from htp.experiment.layout import Layout
    from htp.experiment.results import Result, Row

DPI = 130
MARGIN = 0.1  # inches round a figure
PNG_COLOURS = 128  # keeps pictures small
REAL = "#555555"
# Okabe and Ito's colours, which colour-blind people can tell apart, then dashes for more methods
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", ":")


@dataclass(frozen=True)
class Subject:
    """The methods that have results, and where their trips lie."""

    rows: Sequence[Row]
    layout: Layout
    simulated: bool

    @property
    def firsts(self) -> list[Result]:
        """The first seed of each method that has not failed."""
        return [row.results[0] for row in self.rows if row.results]

    @property
    def ours(self) -> list[Row]:
        """The row of HTP, if it has results."""
        return [row for row in self.rows if row.label == OURS and row.results]

    @property
    def caption(self) -> str:
        """What every figure says."""
        city = self.rows[0].any.data["city"]
        kind = ", simulated trips" if self.simulated else ""
        credit = credit_text(attribution_of(self.rows[0].any.data)).removesuffix(".")
        return f"{city}{kind}. {credit}" if credit else f"{city}{kind}"


def canvas(subject: Subject, width: float, height: float, unit: str = "") -> Figure:
    """Return an empty figure of so many inches, with its caption and the unit of its axes below."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.supxlabel(f"{unit}. {subject.caption}" if unit else subject.caption, fontsize=7)
    return figure


def style(at: int) -> tuple[str, str]:
    """Return colour and dashes of the method at a place."""
    return COLOURS[at % len(COLOURS)], DASHES[at // len(COLOURS) % len(DASHES)]


def save_pictures(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write NAME.png, in few colours, and NAME.svg; return both."""
    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    figure.draw_without_rendering()  # lays it out, which takes longest: once for both files
    figure.set_layout_engine("none")
    box, buffer = figure.get_tightbbox().padded(MARGIN), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, bbox_inches=box)
    with replacing(png) as path:
        Image.open(buffer).convert("RGB").quantize(PNG_COLOURS).save(path, format="png", optimize=True)
    with replacing(svg) as path, mpl.rc_context({"svg.hashsalt": name}):  # the same figure gives the same file
        figure.savefig(path, format="svg", dpi=DPI, bbox_inches=box, metadata={"Date": None})
    return [png, svg]
