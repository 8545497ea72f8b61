"""Check which roads may follow which."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse.csgraph import connected_components

from htp.city import City
from htp.city.turns import turn_degrees


def city_of_lines(lines: list[list[tuple[float, float]]]) -> City:
    """Return a city at the equator whose roads are lines in thousandths of a degree; nodes are where lines end."""
    ends = sorted({point for line in lines for point in (line[0], line[-1])})
    roads = gpd.GeoDataFrame(
        {
            "road_id": range(len(lines)),
            "u": [ends.index(line[0]) for line in lines],
            "v": [ends.index(line[-1]) for line in lines],
            "speed_kmh": 36.0,
        },
        geometry=[shapely.LineString(np.array(line) / 1000) for line in lines],
        crs="EPSG:4326",
    )
    return City("Lines", "Etc/UTC", "EPSG:32631", "made up", "CC0-1.0", roads)


def following(city: City, road: int) -> list[int]:
    turns = city.successors
    return sorted(turns.indices[turns.indptr[road] : turns.indptr[road + 1]].tolist())


def test_one_way_roads_have_no_opposite(triangle):
    assert triangle.opposite.tolist() == [-1, -1, -1]
    assert [following(triangle, road) for road in range(3)] == [[1], [2], [0]]


def test_opposites_are_the_two_directions_of_a_street(grid):
    assert grid.opposite[:4].tolist() == [1, 0, 3, 2]
    np.testing.assert_array_equal(grid.opposite[grid.opposite], np.arange(80))


def test_nobody_turns_back_at_a_crossing(grid):
    # Calle 0 east from (0, 0) to (1, 0): on along Calle 0 (road 2) or up Avenida 1 (road 48), not back (road 1)
    assert following(grid, 0) == [2, 48]


def test_a_dead_end_leads_back():
    city = city_of_lines([[(0, 0), (1, 0)], [(1, 0), (0, 0)], [(1, 0), (2, 0)], [(2, 0), (1, 0)]])
    assert [following(city, road) for road in range(4)] == [[2], [0], [3], [1]]


NORTH, SOUTH = [(0, 0), (1, 1), (2, 0)], [(0, 0), (1, -1), (2, 0)]  # two streets between the same junctions
TAIL = [(2, 0), (3, 0)]


def test_parallel_streets_are_told_apart():
    city = city_of_lines([NORTH, NORTH[::-1], SOUTH, SOUTH[::-1], TAIL, TAIL[::-1]])
    assert city.opposite.tolist() == [1, 0, 3, 2, 5, 4]
    assert following(city, 0) == [3, 4]  # around the ring or into the tail, not back


def test_turning_back_is_allowed_where_one_direction_would_be_out_of_reach():
    city = city_of_lines([NORTH, NORTH[::-1], SOUTH, SOUTH[::-1]])  # a ring without a tail to turn in
    assert following(city, 0) == [1, 3]
    assert connected_components(city.successors, connection="strong")[0] == 1


def test_a_loop_may_be_driven_both_ways_but_not_turned_in():
    loop = [(1, 0), (2, 1), (2, -1), (1, 0)]
    city = city_of_lines([[(0, 0), (1, 0)], [(1, 0), (0, 0)], loop, loop[::-1]])
    assert city.opposite.tolist() == [1, 0, 3, 2]
    assert following(city, 0) == [2, 3]
    assert 3 not in following(city, 2)


def test_turns_are_measured_in_degrees(triangle, grid):
    degrees = turn_degrees(triangle, np.array([0, 1]), np.array([1, 2]))
    np.testing.assert_allclose(degrees, [90, 180 - np.degrees(np.arctan2(3, 4))], atol=0.01)
    np.testing.assert_allclose(turn_degrees(grid, np.array([0, 0]), np.array([2, 1])), [0, 180], atol=0.01)
