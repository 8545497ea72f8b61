"""Build a city from a source: an OpenStreetMap extract, an osmnx graph, a place name, or the reference project.

source -> graph of pieces (openstreetmap, aequilibrae_project) -> roads (simplify) -> time zone, CRS -> City
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from timezonefinder import TimezoneFinder

from htp.city.aequilibrae_project import PREFIX, read_project
from htp.city.network import COLUMNS, City
from htp.city.simplify import roads_of

if TYPE_CHECKING:
    import geopandas as gpd

OSM_LICENCE = (
    "Open Database License (ODbL) 1.0, https://opendatacommons.org/licenses/odbl/1-0/; © OpenStreetMap contributors"
)


def build_city(source: str, *, name: str | None = None) -> City:
    """Build the city that `source` describes."""
    project = read_project(source)
    return _city(
        name or project.name,
        roads_of(project.graph, source),
        f"OpenStreetMap, as distributed with the package aequilibrae ({source.removeprefix(PREFIX)})",
        project.zones,
    )


def _city(name: str, roads: gpd.GeoDataFrame, source: str, zones: gpd.GeoDataFrame | None = None) -> City:
    crs = roads.estimate_utm_crs().to_string()
    roads["length_m"] = 0.0
    roads = roads[list(COLUMNS)]
    city = City(name, _timezone(roads), crs, source, OSM_LICENCE, roads, zones)
    roads["length_m"] = city.length_m
    return city


def _timezone(roads: gpd.GeoDataFrame) -> str:
    """Return the IANA time zone at the road in the middle, because the middle of the bounds may lie in the sea."""
    lonlat = shapely.get_coordinates(roads.geometry.to_numpy())
    middle = np.abs(lonlat - np.median(lonlat, axis=0)).sum(axis=1).argmin()
    lon, lat = lonlat[middle]
    return TimezoneFinder().timezone_at(lng=lon, lat=lat) or "UTC"
