"""Find the reference system in which a city is measured in metres: the UTM zone of its middle."""

from __future__ import annotations

from functools import lru_cache

import geopandas as gpd
import pyproj

DEGREES = pyproj.CRS("EPSG:4326")


def metric_crs(west: float, south: float, east: float, north: float) -> pyproj.CRS:
    """Return the UTM zone of the middle of what lies between these degrees."""
    return _zone_at((west + east) / 2, (south + north) / 2)


@lru_cache(maxsize=64)
def _zone_at(lon: float, lat: float) -> pyproj.CRS:
    """Return the UTM zone of a place; remembered, since PROJ searches all that it knows, a tenth of a second each."""
    return gpd.GeoSeries(gpd.points_from_xy([lon], [lat]), crs=DEGREES).estimate_utm_crs()
