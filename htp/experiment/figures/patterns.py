"""Draw pieces of generated trips that share their first-layer code (Figure 11(a)).

A pattern stands for eight points. Codes are free of place, so all pieces begin at one point and head upwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import shapely

from htp.city.network import City
from htp.experiment.figures.subject import COLOURS, canvas
from htp.experiment.layout import stem_of
from htp.trips import COLUMNS, POINTS_PER_PATTERN, read_trips

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from htp.experiment.figures.subject import Subject

CODES, ACROSS = 8, 4  # panels, the codes most often used
PIECES = 60  # of each
HEADING_M = 20.0  # a piece heads for its first point so far from where it begins
PANEL_INCHES = 1.7


@dataclass(frozen=True)
class CodePanel:
    """The pieces of one code."""

    code: int
    count: int  # of its patterns in all trips
    xy_m: NDArray[np.float64]  # [pieces, POINTS_PER_PATTERN, 2] from where they begin, heading upwards


def patterns(subject: Subject) -> Figure | None:
    """Draw the pieces of the codes that the first HTP's trips use most, a code in a panel."""
    path = _path(subject)
    if path is None:
        return None
    shown = panels(path, City.load(subject.layout.city))
    down = -(-len(shown) // ACROSS)
    figure = canvas(subject, PANEL_INCHES * ACROSS, PANEL_INCHES * down + 0.5, "metres")
    axes = figure.subplots(down, ACROSS, squeeze=False).ravel()
    for one in axes[len(shown) :]:
        one.set_axis_off()
    for one, panel in zip(axes, shown, strict=False):
        for xy_m in panel.xy_m:
            one.plot(*xy_m.T, color=COLOURS[1], alpha=0.25, linewidth=0.7, marker=".", markersize=2)
        one.set_title(f"a_{panel.code} ({panel.count:,} times)", fontsize=7)
        one.set_aspect("equal", adjustable="datalim")
        one.tick_params(labelsize=6)
    return figure


def panels(path: Path, city: City) -> list[CodePanel]:
    """Return the codes that trips use most, the most frequent first."""
    trips = read_trips(path, [*COLUMNS, "patterns"])
    codes, pieces = [], []
    for patterns, line in zip(trips["patterns"], trips.geometry, strict=True):
        xy_m = city.to_metres(shapely.get_coordinates(line))
        count = -(-len(xy_m) // POINTS_PER_PATTERN)
        whole = len(xy_m) // POINTS_PER_PATTERN  # the last pattern of a trip may have fewer points
        codes.append(np.asarray(patterns).reshape(count, -1)[:whole, 0])
        pieces.append(xy_m[: whole * POINTS_PER_PATTERN].reshape(whole, POINTS_PER_PATTERN, 2))
    code, piece = np.concatenate(codes), np.concatenate(pieces)
    used, counts = np.unique(code, return_counts=True)
    most = np.argsort(-counts, kind="stable")[:CODES]
    generator = np.random.default_rng(0)
    found = []
    for at in most:
        rows = generator.permutation(np.flatnonzero(code == used[at]))[:PIECES]
        found.append(CodePanel(int(used[at]), int(counts[at]), np.stack([upwards(piece[row]) for row in rows])))
    return found


def upwards(xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points [N, 2] moved to begin at 0 and turned to head north; not turned where they stay near."""
    moved = xy_m - xy_m[0]
    distance_m = np.hypot(*moved.T)
    far = np.flatnonzero(distance_m >= HEADING_M)
    if not len(far):
        return moved
    sine, cosine = moved[far[0]] / distance_m[far[0]]
    return moved @ np.array([[cosine, sine], [-sine, cosine]])


def _path(subject: Subject) -> Path | None:
    """Return the trips of the first HTP, if they are there and carry patterns."""
    paths = [subject.layout.trips(stem_of(row.any.method, row.results[0].seed)) for row in subject.ours]
    return next((path for path in paths if path.exists() and "patterns" in pq.read_schema(path).names), None)
