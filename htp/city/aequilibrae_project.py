"""Read the links and zones of a reference project that ships in the package aequilibrae: `aequilibrae:coquimbo`.

Only the package's files are used, with the standard library's sqlite3. A geometry there is a SpatiaLite blob: a byte
0x00, the byte order, the reference system and the bounds, 39 bytes in all; then well-known binary without its byte
order, in which each part of a collection begins with 0x69 instead; then 0xFE.
"""

from __future__ import annotations

import importlib.util
import sqlite3
import struct
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import networkx as nx
import numpy as np
import pyproj
import shapely

from htp.city.simplify import DECIMALS, Link
from htp.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

PREFIX = "aequilibrae:"
NAMES = {"coquimbo": "La Serena–Coquimbo"}
HEADER_BYTES = 39
LINKS = """
    SELECT a_node, b_node, direction, osm_id, name, link_type, lanes_ab, lanes_ba, speed_ab, speed_ba, geometry
    FROM links WHERE modes LIKE '%c%' AND link_type <> 'centroid_connector' ORDER BY link_id
"""


@dataclass(frozen=True)
class Project:
    """What a reference project holds of a city."""

    name: str
    graph: nx.MultiDiGraph  # of pieces, see htp.city.simplify
    zones: gpd.GeoDataFrame  # zone_id, population, geometry; EPSG:4326


def read_project(source: str) -> Project:
    """Read the reference project that `source` names, for example `aequilibrae:coquimbo`.

    `InputError` where the package is not installed or has no such project.
    """
    archive = _archive(source)
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(archive) as files:
        database = files.extract("project_database.sqlite", folder)
        connection = sqlite3.connect(database)
        try:
            graph, zones = _graph(connection), _zones(connection)
        finally:
            connection.close()
    return Project(NAMES.get(archive.stem, archive.stem.replace("_", " ").title()), graph, zones)


def _archive(source: str) -> Path:
    spec = importlib.util.find_spec("aequilibrae")
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"{source}: the package aequilibrae is not installed; run `pip install 'htp[demo]'`.")
    folder = Path(spec.submodule_search_locations[0]) / "reference_files"
    name = source.removeprefix(PREFIX)
    archives = {path.stem: path for path in folder.glob("*.zip")}
    if name not in archives:
        known = ", ".join(PREFIX + stem for stem in sorted(archives))
        raise InputError(f"{source}: aequilibrae has no project {name!r}; it has {known}.")
    return archives[name]


def _graph(connection: sqlite3.Connection) -> nx.MultiDiGraph:
    """Return a graph with a node at every vertex of every link, as osmnx expects it before it simplifies."""
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    geod = pyproj.Geod(ellps="WGS84")
    for a, b, direction, osm_id, name, highway, *tags, blob in connection.execute(LINKS):
        lonlat = shapely.get_coordinates(line_from_spatialite(blob)).round(DECIMALS)
        inner = [-(len(graph) + i) for i in range(1, len(lonlat) - 1)]  # negative: no node of the project
        nodes = [a, *inner, b]
        graph.add_nodes_from((node, {"x": x, "y": y}) for node, (x, y) in zip(nodes, lonlat.tolist(), strict=True))
        steps_m = geod.line_lengths(lonlat[:, 0], lonlat[:, 1])
        about = {"osm_id": osm_id, "name": name, "highway": highway, "one_way": direction != 0}
        lanes_ab, lanes_ba, speed_ab, speed_ba = tags
        if direction >= 0:
            _add_edges(graph, nodes, steps_m, {**about, "lanes": lanes_ab, "speed_kmh": speed_ab})
        if direction <= 0:
            _add_edges(graph, nodes[::-1], steps_m[::-1], {**about, "lanes": lanes_ba, "speed_kmh": speed_ba})
    return graph


def _add_edges(graph: nx.MultiDiGraph, nodes: list[int], steps_m: NDArray[np.float64], about: dict) -> None:
    for u, v, length_m in zip(nodes, nodes[1:], steps_m, strict=False):
        graph.add_edge(u, v, length=length_m, pieces=(Link(length_m=length_m, **about),))


def _zones(connection: sqlite3.Connection) -> gpd.GeoDataFrame:
    rows = connection.execute("SELECT zone_id, population, geometry FROM zones ORDER BY zone_id").fetchall()
    zones = gpd.GeoDataFrame(
        {"zone_id": [row[0] for row in rows], "population": [float(row[1] or 0.0) for row in rows]},
        geometry=[polygons_from_spatialite(row[2]) for row in rows],
        crs="EPSG:4326",
    )
    return zones.astype({"zone_id": np.int32})


def line_from_spatialite(blob: bytes) -> BaseGeometry:
    """Return the line of a SpatiaLite blob, which is well-known binary behind another header."""
    return shapely.from_wkb(b"\x01" + blob[HEADER_BYTES:-1])


def polygons_from_spatialite(blob: bytes) -> BaseGeometry:
    """Return the polygons of a SpatiaLite MULTIPOLYGON blob (little-endian, uncompressed)."""
    wkb = bytearray(b"\x01" + blob[HEADER_BYTES:-1])
    (polygons,) = struct.unpack_from("<I", wkb, 5)
    place = 9
    for _ in range(polygons):
        wkb[place] = 1  # the byte order, where SpatiaLite writes 0x69
        (rings,) = struct.unpack_from("<I", wkb, place + 5)
        place += 9
        for _ in range(rings):
            (points,) = struct.unpack_from("<I", wkb, place)
            place += 4 + 16 * points
    return shapely.from_wkb(bytes(wkb))
