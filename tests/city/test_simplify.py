"""Check how pieces of streets become roads, on graphs of a few nodes."""

from __future__ import annotations

import networkx as nx
import pytest

from htp.city.simplify import Link, roads_of
from htp.errors import InputError


def graph_of(places: dict[int, tuple[float, float]], edges: list[tuple[int, int]]) -> nx.MultiDiGraph:
    """Return a graph of one-way residential pieces between places given in degrees."""
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    graph.add_nodes_from((node, {"x": x, "y": y}) for node, (x, y) in places.items())
    for u, v in edges:
        (x0, y0), (x1, y1) = places[u], places[v]
        length_m = 111_000 * (abs(x1 - x0) + abs(y1 - y0))
        graph.add_edge(u, v, length=length_m, pieces=(Link(length_m, 10 * u + v, "residential", one_way=True),))
    return graph


SQUARE = {0: (0.0, 0.0), 1: (0.001, 0.0), 2: (0.001, 0.001), 3: (0.0, 0.001), 4: (0.002, 0.0)}


@pytest.mark.parametrize(
    ("lanes", "highway", "one_way", "expected"),
    [
        (None, "primary", True, 2),
        (None, "primary", False, 1),
        (None, "residential", True, 1),
        (0.5, "residential", False, 1),  # one lane for both directions
        (1.5, "tertiary", False, 2),
        (3, "primary", True, 3),
    ],
)
def test_lanes_that_are_not_given_follow_from_the_class(lanes, highway, one_way, expected):
    assert Link(10, 1, highway, one_way, lanes=lanes).lanes_or_default == expected


@pytest.mark.parametrize(
    ("speed_kmh", "highway", "expected"), [(35, "primary", 35), (None, "primary", 50), (None, "service", 30)]
)
def test_a_speed_that_is_not_given_follows_from_the_class(speed_kmh, highway, expected):
    assert Link(10, 1, highway, one_way=False, speed_kmh=speed_kmh).speed_or_default_kmh == expected


def test_streets_that_lead_out_of_the_network_or_into_it_are_left_away():
    roads = roads_of(graph_of(SQUARE, [(0, 1), (1, 0), (1, 2), (4, 1)]), "toy")
    assert roads[["road_id", "u", "v"]].to_numpy().tolist() == [[0, 0, 1], [1, 1, 0]]


def test_a_street_that_is_drawn_twice_is_one_road():
    roads = roads_of(graph_of(SQUARE, [(0, 1), (0, 1), (1, 0), (1, 2), (2, 1), (1, 4), (4, 1)]), "toy")
    assert sorted(roads[["u", "v"]].itertuples(index=False, name=None)) == [
        (0, 1), (1, 0), (1, 2), (1, 4), (2, 1), (4, 1)
    ]  # fmt: skip


def test_a_street_without_length_is_no_road():
    places = {**SQUARE, 5: SQUARE[2]}  # a dead end at the place of node 2
    there = [(1, 0), (1, 4), (1, 2), (2, 3), (2, 5)]
    roads = roads_of(graph_of(places, there + [(v, u) for u, v in there]), "toy")
    assert set(roads["u"]) == {0, 1, 2, 3, 4}


def test_a_network_without_a_way_back_is_refused():
    with pytest.raises(InputError, match="toy: no two of its roads can be driven there and back"):
        roads_of(graph_of(SQUARE, [(0, 1), (1, 2), (1, 4)]), "toy")


def test_an_empty_network_is_refused():
    with pytest.raises(InputError, match="toy: there is no road for cars"):
        roads_of(nx.MultiDiGraph(crs="EPSG:4326"), "toy")
