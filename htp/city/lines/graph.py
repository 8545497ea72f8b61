"""Make the graph of pieces, as `htp.city.simplify` takes it, of lines and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import shapely

from htp.city.lines.joints import cut, joints_of
from htp.city.lines.values import Driven
from htp.city.simplify import DECIMALS, Link

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import pyproj
    from numpy.typing import NDArray

    from htp.city.lines.joints import Joints

ABOUT = ("number", "name", "highway", "driven", "lanes", "along_kmh", "against_kmh")


@dataclass(frozen=True)
class Streets:
    """Lines for cars and what is known of each."""

    lines: NDArray[np.object_]  # [N] in metres, without repeated points
    about: pd.DataFrame  # [N] ABOUT: lanes of both directions; NaN and None where nothing is said
    joints: Joints | None = None  # where they meet, if the source says it


def graph_of_lines(streets: Streets, to_degrees: pyproj.Transformer, say: Callable[[str], None]) -> nx.MultiDiGraph:
    """Return the streets cut where they meet, an edge a piece and direction; what lies on another is said."""
    joints = streets.joints or joints_of(streets.lines)
    pieces = cut(streets.lines, joints)
    rows = pieces.places
    length_m = np.asarray(shapely.length(shapely.linestrings(rows.flat, indices=rows.row)))
    lonlat = np.column_stack(to_degrees.transform(rows.flat[:, 0], rows.flat[:, 1])).round(DECIMALS)
    graph, seen, twice = nx.MultiDiGraph(crs="EPSG:4326"), set(), set()
    links = [_links(row) for row in streets.about[list(ABOUT)].itertuples(index=False)]
    parts = zip(pieces.line.tolist(), pieces.u.tolist(), pieces.v.tolist(), length_m.tolist(), strict=True)
    for (line, u, v, metres), places in zip(parts, rows.like(lonlat).split(), strict=True):
        for node, at in ((u, 0), (v, -1)):
            graph.add_node(node, x=float(places[at, 0]), y=float(places[at, 1]))
        for known, (a, b), drawn in zip(links[line], ((u, v), (v, u)), (places, places[::-1]), strict=True):
            key = (a, b, drawn.tobytes())
            if known is None:
                continue
            if key in seen:
                twice.add(line)
                continue
            seen.add(key)
            graph.add_edge(a, b, length=metres, pieces=(Link(metres, *known),), places=drawn)
    if twice:
        say(f"{len(twice):,} lines lie on others, at least in part; what is drawn twice is one road.")
    return graph


def _links(row: tuple) -> tuple[tuple | None, tuple | None]:
    """Return what a `Link` says behind its length, along a line and against it; None where it is not driven so."""
    number, name, highway, way, lanes, along_kmh, against_kmh = row
    one_way = bool(way != Driven.both)
    of_way = None if np.isnan(lanes) else lanes if one_way else lanes / 2
    known = (int(number), highway, one_way, name, of_way)
    along = (*known, None if np.isnan(along_kmh) else along_kmh)
    against = (*known, None if np.isnan(against_kmh) else against_kmh)
    return along if way != Driven.against else None, against if way != Driven.along else None
