"""Check where lines meet, in metres, on a handful of lines at a time."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from htp.city.lines.joints import cut, joints_of

MAIN = [(0, 0), (100, 0)]


def pieces_of(*lines) -> list[tuple[int, int]]:
    """Return the pieces as the number of their line and their length in whole metres."""
    drawn = np.array([shapely.LineString(line) for line in lines], dtype=object)
    pieces = cut(drawn, joints_of(drawn))
    length_m = [shapely.LineString(places).length for places in pieces.places.split()]
    return sorted((int(line), round(metres)) for line, metres in zip(pieces.line, length_m, strict=True))


def nodes_of(*lines) -> int:
    drawn = np.array([shapely.LineString(line) for line in lines], dtype=object)
    pieces = cut(drawn, joints_of(drawn))
    return len(set(pieces.u) | set(pieces.v))


def test_ends_within_a_metre_are_one_node():
    assert nodes_of(MAIN, [(100.6, 0.6), (200, 0)]) == 3
    assert nodes_of(MAIN, [(101.2, 0), (200, 0)]) == 4


def test_ends_that_are_snapped_lie_at_one_place():
    drawn = np.array([shapely.LineString(MAIN), shapely.LineString([(100.6, 0.6), (200, 0)])], dtype=object)
    pieces = cut(drawn, joints_of(drawn))
    assert pieces.v[0] == pieces.u[1]
    np.testing.assert_array_equal(pieces.places[0][-1], pieces.places[1][0])


@pytest.mark.parametrize("gap_m", [0.0, 0.9, -0.9], ids=["touching", "short of it", "beyond it"])
def test_a_line_is_cut_where_another_ends_on_its_inside(gap_m):
    assert pieces_of(MAIN, [(40, gap_m), (40, 50)]) == [(0, 40), (0, 60), (1, 50)]


def test_an_end_farther_than_a_metre_cuts_nothing():
    assert pieces_of(MAIN, [(40, 1.2), (40, 50)]) == [(0, 100), (1, 49)]


def test_a_street_that_ends_on_both_sides_of_another_crosses_it():
    stubs = [(40, 0), (40, 50)], [(40, -50), (40, 0)]
    assert pieces_of(MAIN, *stubs) == [(0, 40), (0, 60), (1, 50), (2, 50)]
    assert nodes_of(MAIN, *stubs) == 5


def test_a_bridge_is_no_junction():
    assert pieces_of(MAIN, [(40, -50), (40, 50)]) == [(0, 100), (1, 100)]


def test_a_vertex_that_two_lines_share_inside_is_a_junction():
    crossing = [(0, 0), (40, 0), (100, 0)], [(40, -50), (40, 0), (40, 50)]
    assert pieces_of(*crossing) == [(0, 40), (0, 60), (1, 50), (1, 50)]
    assert nodes_of(*crossing) == 5


def test_a_line_that_comes_back_to_itself_is_cut_there():
    lasso = [(0, 0), (50, 0), (100, 0), (100, 50), (50, 50), (50, 0)]
    assert pieces_of(lasso) == [(0, 50), (0, 200)]
    without_a_vertex_there = [(0, 0), (100, 0), (100, 50), (50, 50), (50, 0.5)]
    assert pieces_of(without_a_vertex_there) == [(0, 50), (0, 200)]


def test_a_ring_is_a_loop_from_its_node_to_itself_and_cut_where_it_is_met():
    ring = [(0, 0), (50, 0), (50, 50), (0, 50), (0, 0)]
    assert pieces_of(ring) == [(0, 200)]
    assert pieces_of(ring, [(50, 25), (90, 25)]) == [(0, 75), (0, 125), (1, 40)]


def test_what_is_shorter_than_snapping_vanishes_and_joins_its_neighbours():
    assert pieces_of([(0, 0), (50, 0)], [(50, 0), (50.5, 0)], [(50.5, 0), (99, 0)]) == [(0, 50), (2, 49)]
    assert nodes_of([(0, 0), (50, 0)], [(50, 0), (50.5, 0)], [(50.5, 0), (99, 0)]) == 3


def test_many_vertices_near_an_end_do_not_cut_their_own_line():
    fine = [(x / 5, 0) for x in range(101)]
    assert pieces_of(fine, [(20, 0), (60, 0)]) == [(0, 20), (1, 40)]
