"""Draw what stands behind each code as a small picture, and how often the codes of a layer are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from htp.evaluate.codebook import LETTERS
from htp.trips import POINTS_PER_PATTERN
from htp_app.components.charts import GENERATED, REAL, finish
from htp_app.components.gallery import Tile
from htp_app.views.codebook.browsing import NUMBER, SPEED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.evaluate.codebook import Behind, CodebookUse
    from htp_app.views.codebook.browsing import Offered

WIDTH, HEIGHT = 100, 46  # of a picture, its own units
SHAPE = (36.0, 46.0)  # width and height of its left part, the movement seen from above
START = np.array([18.0, 43.0])  # where in it a pattern begins
PROFILE = (42.0, 4.0, 56.0, 38.0)  # left, top, width and height of its right part, the speeds
LONG_UNITS = 39.0  # that the long ones of a gallery's mean movements take; what is longer takes as much
LONG_SHARE = 0.9  # of the mean movements are no longer than the long ones
LEAST_M = 80.0  # a gallery whose movements are all shorter is drawn small: what stands still is a dot
TOP_KMH = 60.0  # end of the speed axis, the same for all
USE_PX = 165  # height


def tiles(offered: Offered, layer: int, order: str) -> list[Tile]:
    """Return the tile of every code on offer, in the order asked for; all movements on one scale."""
    keys = {SPEED: lambda one: one.mean_kmh, NUMBER: lambda one: one.code}
    ordered = sorted(offered.behind, key=keys.get(order, lambda one: -one.count))
    most = max((one.count for one in offered.behind), default=1)
    reach_m = [reach(one) for one in ordered]
    long_m = max(float(np.quantile(reach_m, LONG_SHARE)), LEAST_M) if reach_m else LEAST_M
    return [
        _tile(one, layer, (one.count / offered.patterns, one.count / most), LONG_UNITS / max(long_m, own_m))
        for one, own_m in zip(ordered, reach_m, strict=True)
    ]


def _tile(one: Behind, layer: int, shares: tuple[float, float], scale: float) -> Tile:
    times = "once" if one.count == 1 else f"{one.count:,} times"
    return Tile(
        code=one.code,
        title=f"{LETTERS[layer]}_{one.code}",
        note=f"{shares[0]:.1%}" if one.count > 1 else "once",
        share=round(shares[1], 4),
        svg=picture(one, scale),
        help=f"used {times}, {shares[0]:.1%} of the patterns here; {one.mean_kmh:.0f} km/h",
    )


def reach(one: Behind) -> float:
    """Return how far a mean movement gets from where it starts, in metres."""
    return float(np.nanmax(np.hypot(*one.path_m.T)))


def picture(one: Behind, scale: float) -> str:
    """Draw the movement, heading up, with a dot a point, and beside it the speed of each step with its middle half.

    `scale` is in units of the picture a metre.
    """
    single = "".join(_line(_placed(path, scale)) for path in one.examples_m.astype(float))
    mean = _placed(one.path_m, scale)
    dots = "".join(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="1.4"/>' for x, y in mean)
    width, height = SHAPE
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true"><svg width="{width}" height="{height}">'
        f'<path class="one" d="{single}"/><path class="mean" d="{_line(mean)}"/>{dots}</svg>{_profile(one.speed_kmh)}'
        "</svg>"
    )


def _placed(path_m: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Return the points that there are in the picture's units, where y runs down."""
    return START + path_m[~np.isnan(path_m[:, 0])] * [scale, -scale]


def _profile(speed_kmh: NDArray[np.float64]) -> str:
    left, top, width, height = PROFILE
    x = left + width * np.arange(POINTS_PER_PATTERN) / (POINTS_PER_PATTERN - 1)
    low, middle, high = top + height * (1 - np.clip(speed_kmh, 0, TOP_KMH) / TOP_KMH)
    known = ~np.isnan(middle)
    around = np.r_[np.c_[x, high][known], np.c_[x, low][known][::-1]]
    return (
        f'<path class="axis" d="M{left} {top + height}h{width}M{left} {top}h{width}"/>'
        f'<path class="band" d="{_line(around)}Z"/><path class="mean" d="{_line(np.c_[x, middle][known])}"/>'
    )


def _line(points: NDArray[np.float64]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def use_chart(use: CodebookUse, layer: int, chosen: int | None) -> go.Figure:
    """Draw the share of each code of a layer, the most used first; dashed: all used alike (Figure 9)."""
    order = np.argsort(-use.counts, kind="stable")
    names = [f"{LETTERS[layer]}_{code}" for code in order]
    figure = go.Figure()
    figure.add_bar(
        x=np.arange(len(order)) + 1,
        y=use.share[order] * 100,
        customdata=np.array(names),
        marker={"color": [REAL if code == chosen else GENERATED for code in order], "line_width": 0},
        hovertemplate="%{customdata}: %{y:.2f} %<extra></extra>",
    )
    figure.add_hline(100 / len(order), line={"color": REAL, "width": 1.2, "dash": "dash"})
    finish(figure, "Codes, the most used first", "Share, %", USE_PX)
    figure.update_layout(showlegend=False, margin={"t": 6, "b": 34}, bargap=0.15 if len(order) < 100 else 0)
    figure.update_yaxes(title=None, ticksuffix=" %", nticks=4)
    return figure.update_xaxes(range=[0.3, len(order) + 0.7], rangemode="normal")


def use_words(use: CodebookUse) -> str:
    """Say how evenly the codes of a layer are used."""
    none = "all used" if not use.unused else f"{use.unused} unused"
    return f"{len(use.counts)} codes, {none}; perplexity {use.perplexity:.0f}"
