"""Bring coordinates of any reference system to longitude and latitude in WGS 84."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyproj

from htp.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@cache
def transformer(crs: str) -> pyproj.Transformer:
    """Return the way from a reference system to WGS 84; `InputError` where there is no such system."""
    try:
        return pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except pyproj.exceptions.CRSError as error:
        raise InputError(
            f"{crs[:60]!r} is no reference system of coordinates; write one such as EPSG:32719."
        ) from error


def to_lonlat(xy: NDArray[np.float64], crs: str | None) -> NDArray[np.float64]:
    """Return coordinates [N, 2], east or longitude first, in degrees of WGS 84; None: they are that already."""
    if crs is None:
        return xy
    lonlat = np.column_stack(transformer(crs).transform(xy[:, 0], xy[:, 1]))
    return np.where(np.isfinite(lonlat), lonlat, np.nan)
