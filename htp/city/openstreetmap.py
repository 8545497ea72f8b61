"""Read OpenStreetMap into a graph of pieces: an extract, a graph saved by osmnx, or a place fetched by its name.

Which ways are for cars is decided by their class alone, `DRIVABLE`. Access tags are not read: taxis and residents,
whose trips are to lie on these roads, drive where others may not.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import networkx as nx
import osmium
import osmnx
import pyproj
import requests

from htp.city.simplify import DEFAULT_SPEED_KMH, Link
from htp.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

DRIVABLE = frozenset(DEFAULT_SPEED_KMH)
EXTRACT_ENDINGS = (".osm.pbf", ".pbf", ".osm")
# as osmnx reads the tag, https://wiki.openstreetmap.org/wiki/Key:oneway; the second kind runs against the way
ONE_WAY = ("yes", "true", "1", "-1", "reverse", "T", "F")
REVERSED = ("-1", "reverse", "T")
GEOD = pyproj.Geod(ellps="WGS84")
KM_PER_MILE = 1.609344


def read_extract(path: Path) -> nx.MultiDiGraph:
    """Read the drivable ways of an `.osm.pbf` or `.osm` file; `InputError` where it is no such file."""
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    try:
        for way in osmium.FileProcessor(path).with_locations().with_filter(osmium.filter.KeyFilter("highway")):
            if isinstance(way, osmium.osm.Way) and way.tags["highway"] in DRIVABLE and way.tags.get("area") != "yes":
                _add_way(graph, way)
    except RuntimeError as error:  # osmium's, for whatever it cannot read
        raise InputError(f"{path}: not a readable OpenStreetMap file ({error}); give a whole extract.") from error
    return graph


def _add_way(graph: nx.MultiDiGraph, way: osmium.osm.Way) -> None:
    """Add a way's edges, in the direction of travel; those to nodes that the extract lacks are left out."""
    tags = dict(way.tags)
    one_way = tags.get("oneway") in ONE_WAY or tags.get("junction") == "roundabout"
    about = {**tags, "osmid": way.id, "oneway": one_way}
    for a, b in itertools.pairwise(reversed(way.nodes) if tags.get("oneway") in REVERSED else way.nodes):
        if a.ref == b.ref or not (a.location.valid() and b.location.valid()):
            continue
        for node in (a, b):
            graph.add_node(node.ref, x=node.lon, y=node.lat)
        length_m = GEOD.line_length((a.lon, b.lon), (a.lat, b.lat))
        piece = _piece({**about, "length": length_m})
        graph.add_edge(a.ref, b.ref, length=length_m, pieces=(piece,))
        if not one_way:
            graph.add_edge(b.ref, a.ref, length=length_m, pieces=(piece,))


def read_graphml(path: Path) -> nx.MultiDiGraph:
    """Read a graph saved by `osmnx.save_graphml`, simplified or not; `InputError` where it is no such file."""
    try:
        graph = osmnx.load_graphml(path)
        return _with_pieces(osmnx.project_graph(graph, to_latlong=True))
    except (nx.NetworkXError, SyntaxError, ValueError, KeyError, TypeError) as error:  # ParseError is a SyntaxError
        raise InputError(f"{path}: not a graph saved by osmnx; save one with osmnx.save_graphml.") from error


def fetch_place(place: str) -> nx.MultiDiGraph:
    """Fetch the drivable ways within a place's boundary, online; `InputError` without a network or such a place."""
    osmnx.settings.use_cache = False  # or a folder `cache` appears where the command is run
    try:
        graph = osmnx.graph_from_place(place, network_type="drive", simplify=False, retain_all=True)
    except requests.RequestException as error:
        raise InputError(
            f"{place!r} cannot be fetched, OpenStreetMap's servers do not answer; go online or give an .osm.pbf file."
        ) from error
    except (ValueError, TypeError) as error:  # nothing found, or no boundary
        raise InputError(
            f"OpenStreetMap knows no place {place!r} with a boundary and roads; add the country or give a file."
        ) from error
    return _with_pieces(graph)


def _with_pieces(graph: nx.MultiDiGraph) -> nx.MultiDiGraph:
    """Return the graph with one `Link` an edge in place of osmnx's attributes, its length and geometry kept."""
    for _, _, data in graph.edges(data=True):
        kept = {key: data[key] for key in ("length", "geometry") if key in data}
        piece = _piece(data)
        data.clear()
        data.update(kept, pieces=(piece,))
    return graph


def _piece(data: dict[str, Any]) -> Link:
    one_way = bool(data.get("oneway", False))
    lanes = _number(_first(data.get("lanes")))
    name = _first(data.get("name"))
    return Link(
        length_m=float(data["length"]),
        osm_id=int(_first(data.get("osmid")) or 0),
        highway=str(_first(data.get("highway")) or "road"),
        one_way=one_way,
        name=str(name) if name else None,
        lanes=lanes if lanes is None or one_way else lanes / 2,  # the tag counts both directions
        speed_kmh=_speed_kmh(_first(data.get("maxspeed"))),
    )


def _first(value: Any) -> Any:
    """Return the first value where osmnx has joined several ways that differ."""
    return value[0] if isinstance(value, list) and value else value


def _number(text: str | float | None) -> float | None:
    found = re.match(r"\s*(\d+(?:\.\d+)?)", str(text))
    return float(found[1]) if found and float(found[1]) > 0 else None


def _speed_kmh(text: str | float | None) -> float | None:
    """Return a `maxspeed` tag such as `50` or `30 mph`; None for one without a number, such as `PT:urban`."""
    speed = _number(text)
    return speed * KM_PER_MILE if speed and "mph" in str(text) else speed
