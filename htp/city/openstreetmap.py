"""Make a graph of pieces of OpenStreetMap: of an extract, a graph saved by osmnx, or a place fetched by its name.

Which ways are for cars is decided by their class alone, `DRIVABLE`. Access tags are not read: taxis and residents,
whose trips are to lie on these roads, drive where others may not.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import networkx as nx
import osmnx
import pyproj
import requests

from htp.city.simplify import Link
from htp.city.tags import Oddities, Tags, first
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from htp.city.extract import Extract, Way

# as osmnx reads the tag, https://wiki.openstreetmap.org/wiki/Key:oneway; the second kind runs against the way
ONE_WAY = ("yes", "true", "1", "-1", "reverse", "T", "F")
REVERSED = ("-1", "reverse", "T")
GEOD = pyproj.Geod(ellps="WGS84")


def graph_of(extract: Extract, path: Path, say: Callable[[str], None]) -> nx.MultiDiGraph:
    """Return the streets of an extract; `say` is told what is missing in it and what was replaced."""
    graph, odd = nx.MultiDiGraph(crs="EPSG:4326"), Oddities()
    for way in extract.drivable():
        _add_way(graph, way, extract.places, odd)
    missing = extract.missing()
    if missing and not len(graph):
        raise InputError(f"{path}: it lacks all nodes of its streets; export them too, in Overpass `(._;>;); out;`.")
    for sentence in (missing, odd.said()):
        if sentence:
            say(f"{path.name}: {sentence}")
    return graph


def _add_way(graph: nx.MultiDiGraph, way: Way, places: dict[int, tuple[float, float]], odd: Oddities) -> None:
    """Add a way's edges, in the direction of travel; those to nodes that the extract lacks are left out."""
    tags = way.tags
    one_way = tags.get("oneway") in ONE_WAY or tags.get("junction") == "roundabout"
    about = {**tags, "osmid": way.id, "oneway": one_way}
    against = tags.get("oneway") in REVERSED
    there, back = _piece(about, odd, forward=not against), None if one_way else _piece(about, odd, forward=False)
    for a, b in itertools.pairwise(reversed(way.nodes) if against else way.nodes):
        if a == b or a not in places or b not in places:
            continue
        for node in (a, b):
            graph.add_node(node, x=places[node][0], y=places[node][1])
        lon, lat = zip(places[a], places[b], strict=True)
        length_m = GEOD.line_length(lon, lat)
        graph.add_edge(a, b, length=length_m, pieces=(replace(there, length_m=length_m),))
        if back:
            graph.add_edge(b, a, length=length_m, pieces=(replace(back, length_m=length_m),))


def read_graphml(path: Path, say: Callable[[str], None]) -> nx.MultiDiGraph:
    """Read a graph saved by `osmnx.save_graphml`, simplified or not; `InputError` where it is no such file."""
    unlike = InputError(f"{path}: not a graph saved by osmnx; save one with osmnx.save_graphml.")
    try:
        directed = nx.read_graphml(path).is_directed()
        graph = osmnx.load_graphml(path)
    except (nx.NetworkXError, SyntaxError, ValueError, KeyError, TypeError) as error:  # ParseError is a SyntaxError
        raise unlike from error
    if not directed:
        raise InputError(
            f"{path}: is an undirected graph, which does not say which way its streets are driven; save the directed "
            "one, before osmnx.convert.to_undirected."
        )
    if not graph.number_of_edges():
        raise InputError(f"{path}: holds {len(graph):,} nodes and no street between them; save a larger graph.")
    try:
        graph = osmnx.project_graph(graph, to_latlong=True)
        if any("length" not in data for *_, data in graph.edges(data=True)):
            graph = osmnx.distance.add_edge_lengths(graph)
        return _with_pieces(graph, path.name, say)
    except (nx.NetworkXError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise unlike from error


def fetch_place(place: str, say: Callable[[str], None]) -> nx.MultiDiGraph:
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
    return _with_pieces(graph, place, say)


def _with_pieces(graph: nx.MultiDiGraph, name: str, say: Callable[[str], None]) -> nx.MultiDiGraph:
    """Return the graph with one `Link` an edge in place of osmnx's attributes, its length and geometry kept."""
    odd = Oddities()
    for _, _, data in graph.edges(data=True):
        kept = {key: data[key] for key in ("length", "geometry") if key in data}
        piece = _piece(data, odd, forward=data.get("reversed") is not True)
        data.clear()
        data.update(kept, pieces=(piece,))
    if odd.count:
        say(f"{name}: {odd.said()}")
    return graph


def _piece(data: dict[str, Any], odd: Oddities, *, forward: bool) -> Link:
    one_way = bool(data.get("oneway", False))
    tags, name = Tags(data, odd), first(data.get("name"))
    return Link(
        length_m=float(data.get("length", 0.0)),
        osm_id=int(first(data.get("osmid")) or 0),
        highway=str(first(data.get("highway")) or "road"),
        one_way=one_way,
        name=str(name) if name else None,
        lanes=tags.lanes(one_way=one_way, forward=forward),
        speed_kmh=tags.speed_kmh(forward=forward),
    )
