"""Bring a layer's lines to metres, by what the file, the person or the coordinates themselves say of where they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyproj
import shapely

from htp.city.metric_crs import DEGREES, metric_crs
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from htp.city.lines.layer import Layer

WIDEST_DEGREES = 10.0  # ours: a city is never wider, so that a local grid's metres are no degrees


def in_metres(layer: Layer, given: str | None, say: Callable[[str], None]) -> tuple[Layer, pyproj.Transformer]:
    """Return the layer with its lines in metres, and the way back to degrees.

    `InputError` where nothing says where they are.
    """
    crs = _crs_of(layer, given, say)
    lonlat = _moved(layer.lines, crs, DEGREES)
    west, south, east, north = shapely.total_bounds(lonlat)
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InputError(
            f"{layer.source}: its coordinates are none of {crs.name}; say their reference system with --crs, "
            "such as --crs EPSG:32719."
        )
    metres = metric_crs(west, south, east, north)
    moved = replace(layer, lines=_moved(lonlat, DEGREES, metres), crs=metres)
    return moved, pyproj.Transformer.from_crs(metres, DEGREES, always_xy=True)


def _crs_of(layer: Layer, given: str | None, say: Callable[[str], None]) -> pyproj.CRS:
    if given is not None:
        try:
            return pyproj.CRS.from_user_input(given)
        except pyproj.exceptions.CRSError as error:
            raise InputError(
                f"--crs {given[:60]!r} is no reference system of coordinates; write one such as EPSG:32719."
            ) from error
    if layer.crs is not None:
        return layer.crs
    west, south, east, north = shapely.total_bounds(layer.lines)
    in_degrees = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    if not in_degrees or max(east - west, north - south) > WIDEST_DEGREES:
        raise InputError(
            f"{layer.source}: does not say the reference system of its coordinates, which lie about "
            f"{(west + east) / 2:,.0f}, {(south + north) / 2:,.0f}; say it with --crs, such as --crs EPSG:32719."
        )
    say(f"{layer.source}: does not say its reference system; its coordinates are taken as degrees (EPSG:4326).")
    return DEGREES


def _moved(lines: NDArray[np.object_], source: pyproj.CRS, target: pyproj.CRS) -> NDArray[np.object_]:
    way = pyproj.Transformer.from_crs(source, target, always_xy=True)
    return np.asarray(shapely.transform(lines, lambda xy: np.column_stack(way.transform(xy[:, 0], xy[:, 1]))))
