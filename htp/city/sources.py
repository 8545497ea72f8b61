"""Build a city from an OpenStreetMap extract, a graph saved by osmnx, a place name or the reference project.

source -> graph of pieces (openstreetmap, aequilibrae_project) -> roads (simplify) -> time zone and metric CRS -> City
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely
from timezonefinder import TimezoneFinder

from htp.city.aequilibrae_project import PREFIX, read_project
from htp.city.extract import EXTRACT_ENDINGS, OVERPASS_ENDINGS, read_extract, read_overpass
from htp.city.network import COLUMNS, City
from htp.city.openstreetmap import fetch_place, graph_of, read_graphml
from htp.city.simplify import roads_of
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    import networkx as nx

OSM_LICENCE = (
    "Open Database License (ODbL) 1.0, https://opendatacommons.org/licenses/odbl/1-0/; © OpenStreetMap contributors"
)
ENDINGS = (*EXTRACT_ENDINGS, *OVERPASS_ENDINGS, ".graphml")
KINDS = "an .osm.pbf, .osm, Overpass .json or .graphml file or a place name"


def build_city(source: str, *, name: str | None = None, say: Callable[[str], None] = lambda _: None) -> City:
    """Build the city that `source` describes.

    `source` is the path of an `.osm.pbf`, `.osm` (also packed), Overpass `.json` or osmnx `.graphml` file, a place name
    such as `Porto, Portugal` (online), or `aequilibrae:coquimbo`, the city that ships. The file's or place's name is
    the city's where `name` is not given; `say` is told, in sentences, what is missing in a file and what was replaced.
    `InputError` where it cannot be read or holds no network that can be driven.
    """
    zones = None
    if source.startswith(PREFIX):
        project = read_project(source)
        graph, zones, its_name = project.graph, project.zones, project.name
        origin = f"OpenStreetMap, as distributed with the package {source.replace(':', ', project ')}"
    else:
        graph, its_name, origin = _openstreetmap(source, say)
    return _city(name or its_name, roads_of(graph, source), origin, zones)


def _openstreetmap(source: str, say: Callable[[str], None]) -> tuple[nx.MultiDiGraph, str, str]:
    """Return the graph, the name and the origin of a file or place."""
    path = Path(source)
    ending = next((ending for ending in ENDINGS if source.lower().endswith(ending)), None)
    if ending is None and (path.exists() or re.fullmatch(r"\.\w{2,7}", path.suffix) or not source.strip()):
        raise InputError(f"{source!r} is no source of roads; give {KINDS}.")
    if ending is None:
        return fetch_place(source, say), source.partition(",")[0].strip(), f"OpenStreetMap, {source}"
    if not path.is_file():
        raise InputError(f"{source}: no such file; give {KINDS}.")
    if ending == ".graphml":
        graph = read_graphml(path, say)
    else:
        read = read_overpass if ending in OVERPASS_ENDINGS else read_extract
        graph = graph_of(read(path), path, say)
    name = path.name[: -len(ending)].replace("_", " ")
    return graph, name[:1].upper() + name[1:], f"OpenStreetMap, {path.name}"


def _city(name: str, roads: gpd.GeoDataFrame, origin: str, zones: gpd.GeoDataFrame | None) -> City:
    west, south, east, north = roads.total_bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InputError(
            f"{origin}: its coordinates are no degrees, longitude first; they may be swapped or projected."
        )
    crs = roads.estimate_utm_crs().to_string()
    roads = roads.assign(length_m=0.0)[list(COLUMNS)]
    city = City(name, _timezone(roads), crs, origin, OSM_LICENCE, roads, zones)
    roads["length_m"] = city.length_m
    return city


def _timezone(roads: gpd.GeoDataFrame) -> str:
    """Return the IANA time zone at the road in the middle, because the middle of the bounds may lie in the sea."""
    lonlat = shapely.get_coordinates(roads.geometry.to_numpy())
    middle = np.abs(lonlat - np.median(lonlat, axis=0)).sum(axis=1).argmin()
    lon, lat = lonlat[middle]
    return TimezoneFinder().timezone_at(lng=lon, lat=lat) or "UTC"
