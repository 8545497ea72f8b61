"""Turn a graph of street pieces into the table of roads: nodes that are no junction merged away, a road is a block.

A reader (openstreetmap, aequilibrae_project) gives a networkx graph whose nodes have `x`, `y` (degrees) and whose
edges carry `length` (metres) and `pieces`, a tuple with one `Link`; `places` [·, 2] where an edge is no straight line.
osmnx merges the edges between two junctions and joins their pieces, from which every road takes its name, class, lanes
and speed. The largest strongly connected component is kept, so that there is a route between any two roads.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx
import shapely

from htp.compute.ragged import Ragged
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

# Where no speed limit is given; ours, after the medians of the tagged roads of Porto and La Serena–Coquimbo.
DEFAULT_SPEED_KMH = {
    "motorway": 90.0,
    "trunk": 70.0,
    "primary": 50.0,
    "secondary": 50.0,
    "tertiary": 50.0,
    "unclassified": 40.0,
    "residential": 40.0,
    "road": 40.0,
    "living_street": 20.0,
    "motorway_link": 50.0,
    "trunk_link": 50.0,
    "primary_link": 40.0,
    "secondary_link": 40.0,
    "tertiary_link": 40.0,
}
OTHER_SPEED_KMH = 30.0  # ours, a class that the table lacks (service roads of a graphml file)
# A one-way street of these classes has two lanes where none are given, every other direction one; ours, after the same.
TWO_LANE_CLASSES = ("motorway", "trunk", "primary", "secondary")
MUCH = 0.05  # ours, of the roads' length: an extract's rim is less
DECIMALS = 7  # of a degree: 1 cm


@dataclass(frozen=True)
class Link:
    """One stretch of one street, driven in one direction, as the source describes it; None where it says nothing."""

    length_m: float
    osm_id: int
    highway: str
    one_way: bool
    name: str | None = None
    lanes: float | None = None  # in this direction
    speed_kmh: float | None = None

    @property
    def lanes_or_default(self) -> int:
        """Lanes in this direction, by class where the source says nothing."""
        if self.lanes is None:
            return 2 if self.one_way and self.highway in TWO_LANE_CLASSES else 1
        return max(1, int(np.ceil(self.lanes)))  # a street of one lane for both directions counts half a lane in each

    @property
    def speed_or_default_kmh(self) -> float:
        """Speed limit, by class where the source says nothing."""
        return self.speed_kmh or DEFAULT_SPEED_KMH.get(self.highway, OTHER_SPEED_KMH)


@dataclass(frozen=True)
class ReadRoads:
    """What a reader gives."""

    graph: nx.MultiDiGraph  # of pieces
    origin: str  # where it came from
    licence: str
    attribution: str  # whom maps credit


def roads_of(graph: nx.MultiDiGraph, source: str, say: Callable[[str], None] = lambda _: None) -> gpd.GeoDataFrame:
    """Return the roads of a graph of pieces, all of `htp.city.network.COLUMNS` but `length_m`, EPSG:4326.

    A graph that osmnx has simplified already is taken as it is. `say` hears how much of it cannot be driven to and
    from the rest, where that is much. `InputError`, naming `source`, where nothing is left.
    """
    if not graph.graph.get("simplified") and len(graph):
        joined = {"length": sum, "pieces": _join, "places": np.concatenate}
        graph = osmnx.simplify_graph(graph, remove_rings=False, edge_attr_aggs=joined)
    # Two junctions at the same place have a road without length between them, along which nothing can be placed.
    empty = [(u, v, key) for u, v, key, length in graph.edges(keys=True, data="length") if length <= 0]
    graph.remove_edges_from(empty)
    if not graph.number_of_edges():
        raise InputError(f"{source}: there is no road for cars in it; give an extract that covers a town.")
    largest = max(nx.strongly_connected_components(graph), key=len)
    whole_m = graph.size("length")
    graph.remove_nodes_from([node for node in graph if node not in largest])  # osmnx would copy the rest, slowly
    lost_m = whole_m - graph.size("length")
    if lost_m > MUCH * whole_m:
        say(
            f"{source}: left out {lost_m / 1000:,.1f} of {whole_m / 1000:,.1f} km of roads, which cannot be driven to "
            "and from the rest; one-way streets may be read the wrong way, or lines may not meet."
        )
    roads = _table(graph)
    if roads.empty:
        raise InputError(f"{source}: no two of its roads can be driven there and back; give a larger extract.")
    return roads


def _join(pieces: list[tuple[Link, ...]]) -> tuple[Link, ...]:
    return tuple(piece for group in pieces for piece in group)


def _table(graph: nx.MultiDiGraph) -> gpd.GeoDataFrame:
    xy = {node: (data["x"], data["y"]) for node, data in graph.nodes(data=True)}
    rows, places = [], []
    for u, v, _, data in sorted(graph.edges(keys=True, data=True), key=lambda edge: edge[:3]):
        rows.append({"u": u, "v": v, **_describe(data["pieces"])})
        line = data.get("geometry")
        places.append(data.get("places", [xy[u], xy[v]] if line is None else line.coords))
    if not rows:
        return gpd.GeoDataFrame(rows, geometry=[], crs="EPSG:4326")
    drawn = Ragged.of(places, dtype=float)
    geometry = shapely.linestrings(drawn.flat.round(DECIMALS), indices=drawn.row)
    roads = gpd.GeoDataFrame(rows, geometry=shapely.remove_repeated_points(geometry), crs="EPSG:4326")
    # A street that is drawn twice is one road.
    roads = roads[~roads.geometry.to_wkb().duplicated()].reset_index(drop=True)
    roads.insert(0, "road_id", np.arange(len(roads), dtype=np.int32))
    return roads.astype({"u": np.int64, "v": np.int64, "osm_id": np.int64, "lanes": np.int16, "speed_kmh": np.float32})


def _describe(pieces: tuple[Link, ...]) -> dict[str, int | str | float | None]:
    """Return a road's attributes: of the longest stretch with one value each, the speed that keeps the driving time."""
    seconds = sum(piece.length_m / piece.speed_or_default_kmh for piece in pieces)
    return {
        "osm_id": _longest((piece.osm_id, piece.length_m) for piece in pieces),
        "name": _longest((piece.name, piece.length_m) for piece in pieces if piece.name),
        "highway": _longest((piece.highway, piece.length_m) for piece in pieces),
        "lanes": _longest((piece.lanes_or_default, piece.length_m) for piece in pieces),
        "speed_kmh": round(sum(piece.length_m for piece in pieces) / seconds, 1),
    }


def _longest(values: Iterable[tuple[T, float]]) -> T | None:
    total: defaultdict[T, float] = defaultdict(float)
    for value, length_m in values:
        total[value] += length_m
    return max(total, key=total.__getitem__, default=None)
