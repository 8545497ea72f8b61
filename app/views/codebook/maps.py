"""Draw trips that share a sequence: each whole trip as a thin line, the shared part stronger, with points by speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import streamlit as st

from htp.city.credit import credit_html
from htp_app.map import Hint, Picture, city_map, corners
from htp_app.map.areas import packed_areas
from htp_app.map.trips import top_kmh, trip_points
from htp_app.views.codebook.browsing import BY_PLACE, KEPT, shared

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.city import City
    from htp.evaluate.codebook import Prefix
    from htp_app.map.table import PackedTable
    from htp_app.model import Model
    from htp_app.views.codebook.browsing import Browsing, Encoded, Shared

MAX_DRAWN = 150  # trips
HALF_M = 2.0  # of the width of a line's area, whose rim is what is seen from afar
RIM_PX = 1.7
AHEAD = 0.3  # cosine of the greatest turn within a piece of a line
STANDS_M = 1e-3
WHOLE, PART = 0, 255  # shades
LIGHT, DARK = ("#8794a3", "#1f2a37"), ("#566475", "#e8edf3")  # of whole trips and of their parts
CHOOSE = Hint("Choose a token to see the trips that share it")
NOBODY = Hint("No held-out trip has this sequence")


def shared_map(served: Model, encoded: Encoded, choices: Browsing, height: str) -> None:
    """Draw up to `MAX_DRAWN` trips of those that share the chosen sequence."""
    bounds = corners(served.generator.city.bounds)
    areas = points = None
    if not choices.empty and len(shared(encoded, choices.sequence).rows):
        areas, points, bounds = _tables(served, encoded, choices.sequence)
    picture = Picture(
        basemap=served.basemap,
        bounds=bounds,
        credit=credit_html(served.generator.city),
        trips=points,
        max_kmh=top_kmh(served.profile.speed_kmh),
        areas=areas,
        ramp=DARK if st.context.theme.type == "dark" else LIGHT,
        rim_px=RIM_PX,
        badge=served.badge,
        hint=CHOOSE if choices.empty else NOBODY if areas is None else None,
        height=height,
    )
    city_map("codebook-map", picture)


def drawn(encoded: Encoded, found: Shared) -> NDArray[np.int64]:
    """Return the beginnings in the trips that are drawn: the same ones on every look, spread over all."""
    rows = found.rows[np.linspace(0, len(found.rows) - 1, min(MAX_DRAWN, len(found.rows))).astype(int)]
    return found.begins[np.isin(encoded.book.trip[found.begins], rows)]


@st.cache_resource(show_spinner=False, max_entries=KEPT, hash_funcs=BY_PLACE)
def _tables(
    served: Model, encoded: Encoded, sequence: tuple[Prefix, ...]
) -> tuple[PackedTable, PackedTable, tuple[tuple[float, float], tuple[float, float]]]:
    """Return the tables of the lines and of the parts' points, and the box around the trips."""
    trips, book, first_point = encoded.trips, encoded.book, served.profile.first
    begins = drawn(encoded, shared(encoded, sequence))
    lonlat = shapely.get_coordinates(trips.geometry.to_numpy())
    of_part = book.trip[begins]
    rows, nth = np.unique(of_part, return_inverse=True)
    start = np.maximum(book.first_point[begins] - 1, first_point[of_part])  # with the step into the first point
    stop = book.stop_point[begins + len(sequence) - 1]
    whole, inside = first_point[rows + 1] - first_point[rows], np.bincount(nth, stop - start).astype(np.int64)
    lines = Lines(
        start=np.r_[first_point[rows], start],
        stop=np.r_[first_point[rows + 1], stop],
        shade=np.repeat([WHOLE, PART], [len(rows), len(start)]),
        trip=np.r_[np.arange(len(rows)), nth],
    )
    names = [f"Trip {name}" for name in trips["trip_id"].iloc[rows]]
    areas = line_table(served.generator.city, lonlat, lines, (whole, inside), names)
    taken = places(start, stop)
    elapsed = pd.to_timedelta(served.profile.elapsed_s[start], unit="s")
    parts = gpd.GeoDataFrame(
        {
            "start_time": pd.DatetimeIndex(trips["start_time"])[of_part] + elapsed,
            "interval": trips["interval"].to_numpy()[of_part],
        },
        geometry=shapely.linestrings(lonlat[taken], indices=np.repeat(np.arange(len(start)), stop - start)),
        crs=trips.crs,
    )
    west, south, east, north = (float(edge) for edge in trips.geometry.iloc[rows].total_bounds)
    points = trip_points(parts, served.profile.speed_kmh[taken], [names[trip] for trip in nth])  # a row is a part
    return areas, points, ((west, south), (east, north))


@dataclass(frozen=True)
class Lines:
    """Lines to draw, each through points that lie one after another."""

    start: NDArray[np.int64]  # first point
    stop: NDArray[np.int64]  # after the last point
    shade: NDArray[np.int64]
    trip: NDArray[np.int64]  # place of the trip that it is of among those that are drawn


def line_table(
    city: City,
    lonlat: NDArray[np.float64],
    lines: Lines,
    counts: tuple[NDArray[np.int64], NDArray[np.int64]],
    names: list[str],
) -> PackedTable:
    """Return the table of lines as narrow areas; `counts` are each trip's points, all and those of shared parts."""
    xy_m = city.to_metres(lonlat[places(lines.start, lines.stop)])
    pieces = straight_pieces(xy_m, lines.stop - lines.start)
    line = np.searchsorted(np.cumsum(lines.stop - lines.start), pieces[:, 0], side="right")
    rings = [ribbon(xy_m[first:stop]) for first, stop in pieces]
    trip = lines.trip[line]
    columns = {"shade": lines.shade[line], "real": counts[0][trip], "generated": counts[1][trip], "name": trip}
    outlines = [len(ring) for ring in rings], np.concatenate(rings)
    return packed_areas(city, columns, outlines, names=names, sides=["whole trip", "shared part"], unit="points")


def straight_pieces(xy_m: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cut lines where they turn, so that no piece crosses itself; return first place and place after the last, [K, 2].

    An area whose border crosses itself is filled wrongly by MapLibre.
    """
    heading = np.diff(xy_m, axis=0, append=xy_m[-1:])
    heading /= np.maximum(np.hypot(*heading.T), STANDS_M)[:, None]
    pieces = []
    for first, stop in zip(np.cumsum(counts) - counts, np.cumsum(counts), strict=True):
        begin, ahead = first, heading[first]
        for at in range(first + 1, stop - 1):
            if not heading[at].any():
                continue
            if ahead.any() and ahead @ heading[at] < AHEAD:
                pieces.append((begin, at + 1))
                begin, ahead = at, heading[at]
            elif not ahead.any():
                ahead = heading[at]
        pieces.append((begin, stop))
    return np.array(pieces)


def ribbon(xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the border of the area around a line, there on its left and back on its right."""
    side = across(xy_m) * HALF_M
    return np.concatenate([xy_m + side, (xy_m - side)[::-1], (xy_m + side)[:1]])


def across(xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return unit vectors to the left at each point of a line, [N, 2]."""
    step = np.gradient(xy_m, axis=0)
    step[np.hypot(*step.T) < STANDS_M] = (1.0, 0.0)  # what stands still has no direction
    return np.column_stack([-step[:, 1], step[:, 0]]) / np.hypot(*step.T)[:, None]


def places(start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places from each start to its stop, one range after another."""
    counts = stop - start
    return np.arange(counts.sum()) + np.repeat(start - (np.cumsum(counts) - counts), counts)
