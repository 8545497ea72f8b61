"""Build a city from OpenStreetMap's roads, from centre lines or from the reference project.

source -> graph of pieces (openstreetmap, lines, aequilibrae_project) -> roads (simplify) -> time zone, CRS -> City
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely
from timezonefinder import TimezoneFinder

from htp.city.aequilibrae_project import PREFIX, read_project
from htp.city.coastline import CREDIT, coast
from htp.city.extract import EXTRACT_ENDINGS, OVERPASS_ENDINGS, is_history, read_extract, read_overpass
from htp.city.land_cover import has_land_cover, land_cover
from htp.city.landscape import BUILT, SEA, Feature, around, built_up, table
from htp.city.lines.centre_lines import read_centre_lines
from htp.city.lines.layer import LINE_ENDINGS
from htp.city.lines.options import LineOptions
from htp.city.metric_crs import metric_crs
from htp.city.network import COLUMNS, OSM_ATTRIBUTION, City
from htp.city.openstreetmap import fetch_place, graph_of, read_graphml
from htp.city.simplify import ReadRoads, roads_of
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    import networkx as nx

OSM_LICENCE = f"Open Database License (ODbL) 1.0, https://opendatacommons.org/licenses/odbl/1-0/; {OSM_ATTRIBUTION}"
OSM_ENDINGS = (*EXTRACT_ENDINGS, *OVERPASS_ENDINGS, ".graphml")
KINDS = (
    "an .osm.pbf, .osm, Overpass .json or .graphml file, centre lines (.gpkg, .shp, .parquet, .geojson) or a place name"
)
HEAD_BYTES = 4096  # of a .json file, among which GeoJSON says that it is that


def build_city(
    source: str,
    *,
    name: str | None = None,
    lines: LineOptions | None = None,
    coastline: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> City:
    """Build the city that `source` describes.

    `source` is the path of an `.osm.pbf`, `.osm` (also packed), Overpass `.json` or osmnx `.graphml` file, or of a
    layer of centre lines (`LINE_ENDINGS`), of which `lines` says what the file does not; a place name such as
    `Porto, Portugal` (online), or `aequilibrae:coquimbo`, the city that ships. The file's or place's name is the city's
    where `name` is not given; `say` is told, in sentences, what is missing in a file and what was replaced.
    What maps show beside roads comes from extracts that have it; `coastline` takes the sea from `htp.city.coastline`.
    `InputError` where it cannot be read or holds no network that can be driven.
    """
    city = _city_of(source, name, lines, say)
    landscape = _landscape(city, source, say, coastline=coastline)
    if landscape.empty:
        return city
    credit = ", ".join(filter(None, (city.attribution, CREDIT))) if coastline else city.attribution
    return replace(city, landscape=landscape, attribution=credit)


def _landscape(city: City, source: str, say: Callable[[str], None], *, coastline: bool) -> gpd.GeoDataFrame:
    """Return what is beside the roads: of an extract what it has, of other sources the coast where it is wanted."""
    box = around(city.bounds)
    features: list[Feature] = []
    if source.lower().endswith(EXTRACT_ENDINGS) and not is_history(Path(source)):
        try:
            features = land_cover(Path(source), box)
        except RuntimeError as error:  # osmium's, of files out of order; their roads are read all the same
            if has_land_cover(Path(source)):
                say(f"{Path(source).name}: only its roads can be read ({error}); maps show the roads alone.")
    if coastline:
        features = [feature for feature in features if feature[0] != SEA] + coast(box)
    if features and not any(kind == BUILT for kind, *_ in features):
        features += built_up(city.roads, city.crs)
    return table(features, box)


def _city_of(source: str, name: str | None, lines: LineOptions | None, say: Callable[[str], None]) -> City:
    ending = next((ending for ending in LINE_ENDINGS if source.lower().endswith(ending)), None)
    if ending or _is_geojson(source):
        if not Path(source).exists():
            raise InputError(f"{source}: no such file; give {KINDS}.")
        read = read_centre_lines(Path(source), lines or LineOptions(), say)
        return _city(name or _title(source, ending or ".json"), roads_of(read.graph, source, say), read)
    if lines not in (None, LineOptions()):
        raise InputError(
            f"{source} is OpenStreetMap's, where fields and credit are known; leave out what is for lines."
        )
    zones = None
    if source.startswith(PREFIX):
        project = read_project(source)
        graph, zones, its_name = project.graph, project.zones, project.name
        origin = f"OpenStreetMap, as distributed with the package {source.replace(':', ', project ')}"
    else:
        graph, its_name, origin = _openstreetmap(source, say)
    read = ReadRoads(graph, origin, OSM_LICENCE, OSM_ATTRIBUTION)
    return _city(name or its_name, roads_of(graph, source, say), read, zones)


def _is_geojson(source: str) -> bool:
    """Say whether a .json file is GeoJSON and no answer of Overpass."""
    path = Path(source)
    if not source.lower().endswith(".json") or not path.is_file():
        return False
    with path.open("rb") as stream:
        return b'"FeatureCollection"' in stream.read(HEAD_BYTES)


def _title(source: str, ending: str) -> str:
    name = Path(source).name[: -len(ending)].replace("_", " ")
    return name[:1].upper() + name[1:]


def _openstreetmap(source: str, say: Callable[[str], None]) -> tuple[nx.MultiDiGraph, str, str]:
    """Return the graph, the name and the origin of a file or place."""
    path = Path(source)
    ending = next((ending for ending in OSM_ENDINGS if source.lower().endswith(ending)), None)
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
    return graph, _title(source, ending), f"OpenStreetMap, {path.name}"


def _city(name: str, roads: gpd.GeoDataFrame, read: ReadRoads, zones: gpd.GeoDataFrame | None = None) -> City:
    west, south, east, north = roads.total_bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InputError(
            f"{read.origin}: its coordinates are no degrees, longitude first; they may be swapped or projected."
        )
    crs = metric_crs(west, south, east, north).to_string()
    roads = roads.assign(length_m=0.0)[list(COLUMNS)]
    city = City(name, _timezone(roads), crs, read.origin, read.licence, roads, zones, read.attribution)
    roads["length_m"] = city.length_m
    return city


def _timezone(roads: gpd.GeoDataFrame) -> str:
    """Return the IANA time zone at the road in the middle, because the middle of the bounds may lie in the sea."""
    lonlat = shapely.get_coordinates(roads.geometry.to_numpy())
    middle = np.abs(lonlat - np.median(lonlat, axis=0)).sum(axis=1).argmin()
    lon, lat = lonlat[middle]
    return TimezoneFinder().timezone_at(lng=lon, lat=lat) or "UTC"
