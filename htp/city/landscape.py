"""Say what a map shows beside roads: sea, water, parks, built-up land, names of places.

One table a city, `landscape.parquet`: `kind` (`KINDS`), `name` ("" if none), `rank` (of a place, 0 the greatest) and
`geometry` in degrees: polygons, points for places. Nothing but the map reads it, and a city may lack it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

SEA, WATER, PARK, BUILT, PLACE = KINDS = ("sea", "water", "park", "built", "place")
COLUMNS = ("kind", "name", "rank", "geometry")
AROUND_DEG = 0.5  # what lies this near to the roads is kept
TOLERANCE_DEG = 3e-5  # of outlines, some 3 m
SMALLEST_DEG2 = 2e-7  # of areas, some 2,000 m²
NEAR_STREET_M = 90.0  # land this near to a street counts as built up where the source does not say what is
STREETS_OF_HOUSES = ("residential", "living_street", "unclassified", "tertiary", "secondary")

Feature = tuple[str, str, int, "BaseGeometry"]


def around(bounds: tuple[float, float, float, float]) -> Polygon:
    """Return the box of which a landscape is kept: `bounds` (west, south, east, north in degrees) and some way on."""
    west, south, east, north = bounds
    return shapely.box(west - AROUND_DEG, south - AROUND_DEG, east + AROUND_DEG, north + AROUND_DEG)


def table(features: Iterable[Feature], box: Polygon) -> gpd.GeoDataFrame:
    """Return features cut to a box, simplified, without the smallest areas; sea first, places last."""
    rows = []
    for kind, name, rank, geometry in features:
        if kind != PLACE:
            cut = shapely.simplify(shapely.intersection(shapely.make_valid(geometry), box), TOLERANCE_DEG)
            parts = [part for part in shapely.get_parts(cut) if part.geom_type == "Polygon"]
            rows += [(kind, name, rank, part) for part in parts if part.area >= SMALLEST_DEG2]
        elif box.contains(geometry):
            rows.append((kind, name, rank, geometry))
    rows.sort(key=lambda row: (KINDS.index(row[0]), row[2], row[1]))
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"rank": "int8"})
    return gpd.GeoDataFrame(frame, geometry="geometry", crs="EPSG:4326")


def built_up(roads: gpd.GeoDataFrame, crs: str) -> list[Feature]:
    """Return the land near to streets with houses: a guess, for sources that have roads alone.

    `roads` are a city's (EPSG:4326), `crs` its metric reference system.
    """
    streets = roads.geometry[roads["highway"].isin(STREETS_OF_HOUSES)].to_crs(crs).to_numpy()
    near = shapely.union_all(shapely.buffer(shapely.simplify(streets, 5.0), NEAR_STREET_M, quad_segs=2))
    closed = shapely.buffer(shapely.buffer(near, NEAR_STREET_M / 2, quad_segs=2), -NEAR_STREET_M, quad_segs=2)
    outline = gpd.GeoSeries([closed], crs=crs).simplify(8.0).to_crs("EPSG:4326")
    return [(BUILT, "", 0, outline.iloc[0])]


def sea_from_coastlines(coastlines: Sequence[BaseGeometry], box: Polygon) -> list[Feature]:
    """Return the sea within a box: what lies to the right of OpenStreetMap's coastlines (lines in degrees)."""
    lines = shapely.line_merge(shapely.union_all(coastlines))
    cut = [line for line in shapely.get_parts(shapely.intersection(lines, box)) if line.length > 0]
    if not cut:
        return []
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all([*cut, box.boundary])]))
    seas = [face for face in faces if _is_right_of(face, cut)]
    return [(SEA, "", 0, shapely.union_all(seas))] if seas else []


def _is_right_of(face: Polygon, lines: list[BaseGeometry]) -> bool:
    """Say whether a face lies to the right of the line that runs along it, by the longest common stretch."""
    best, right = 0.0, False
    for line in lines:
        corners = shapely.get_coordinates(line)
        middles = (corners[1:] + corners[:-1]) / 2
        steps = np.diff(corners, axis=0)
        length = np.hypot(*steps.T)
        longest = int(length.argmax())
        aside = np.array([steps[longest, 1], -steps[longest, 0]]) / length[longest] * 1e-7  # to the right, 1 cm
        if length[longest] > best and shapely.dwithin(face, shapely.Point(middles[longest]), 1e-9):
            best, right = float(length[longest]), bool(face.contains(shapely.Point(middles[longest] + aside)))
    return right
