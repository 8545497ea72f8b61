"""Check places along routes by hand, on the triangle (roads of 300, 400 and 500 m) and on the grid."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from htp.city.linear_referencing import RouteLines, lines_through
from htp.errors import InputError

ORIGIN_M = np.array([283_000.0, 6_690_000.0])


@pytest.fixture(scope="module")
def lines(triangle):
    """Return two routes: A -> B -> C, and C -> A -> B, each 700 and 800 m long."""
    return RouteLines.of(triangle, [np.array([0, 1]), np.array([2, 0])])


def test_lengths_and_starts_of_roads_are_counted_along_each_route(lines):
    np.testing.assert_allclose(lines.length_m, [700, 800], atol=0.5)
    np.testing.assert_allclose(lines.road_start_m, [0, 300, 0, 500], atol=0.5)
    np.testing.assert_allclose(lines.road_length_m, [300, 400, 500, 300], atol=0.5)
    assert lines.roads.first.tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    ("row", "along_m", "place_m"),
    [
        (0, 0.0, (0, 0)),
        (0, 120.0, (120, 0)),
        (0, 300.0, (300, 0)),
        (0, 400.0, (300, 100)),
        (0, 700.0, (300, 400)),
        (1, 0.0, (300, 400)),
        (1, 100.0, (240, 320)),
        (1, 500.0, (0, 0)),
        (1, 650.0, (150, 0)),
        (1, 800.0, (300, 0)),
        (0, -50.0, (0, 0)),
        (0, 900.0, (300, 400)),
        (1, 9e9, (300, 0)),
    ],
)
def test_a_place_along_a_route_is_a_place_on_the_map_and_ends_are_clipped(lines, row, along_m, place_m):
    found = lines.place(np.array([row]), np.array([along_m]))[0] - ORIGIN_M
    np.testing.assert_allclose(found, place_m, atol=0.5)


@pytest.mark.parametrize(
    ("row", "along_m", "direction"),
    [
        (0, 0.0, (1, 0)),
        (0, 299.0, (1, 0)),
        (0, 301.0, (0, 1)),
        (0, 700.0, (0, 1)),
        (1, 0.0, (-0.6, -0.8)),
        (1, 499.0, (-0.6, -0.8)),
        (1, 501.0, (1, 0)),
        (1, 900.0, (1, 0)),
        (0, -5.0, (1, 0)),
    ],
)
def test_the_direction_is_that_of_the_drive(lines, row, along_m, direction):
    np.testing.assert_allclose(lines.direction(np.array([row]), np.array([along_m]))[0], direction, atol=2e-3)


def test_the_road_at_a_place_is_counted_within_its_route(lines):
    row, along_m = np.array([0, 0, 0, 1, 1, 1, 0, 1]), np.array([0.0, 299.0, 301, 0, 499, 501, -9, 9e3])
    assert lines.road_at(row, along_m).tolist() == [0, 0, 1, 0, 0, 1, 0, 1]


def test_many_places_of_many_routes_are_found_at_once(grid):
    rng = np.random.default_rng(0)
    routes = [np.array([0, 2, 4, 6]), np.array([58]), np.array([46, 44, 42, 40])[:1]]
    lines = RouteLines.of(grid, routes)
    row = rng.integers(0, 3, 200)
    along_m = rng.uniform(0, 1, 200) * lines.length_m[row]
    for at, place in zip(range(200), lines.place(row, along_m), strict=True):
        coordinates = np.concatenate([shapely.get_coordinates(grid.lines_m[road]) for road in routes[row[at]]])
        line = shapely.LineString(coordinates)
        expected = shapely.line_interpolate_point(line, along_m[at])
        np.testing.assert_allclose(place, [expected.x, expected.y], atol=1e-6)


def test_a_route_that_drives_a_road_twice_knows_both_times(triangle):
    lines = RouteLines.of(triangle, [np.array([0, 1, 2, 0])])
    row = np.zeros(2, dtype=np.int64)
    first, second = lines.place(row, np.array([100.0, 100 + triangle.length_m.sum()]))
    np.testing.assert_allclose(first, second, atol=1e-6)
    assert lines.road_at(row, np.array([100.0, 1300.0])).tolist() == [0, 3]


@pytest.mark.parametrize("route", [[], [0, 3], [-1]], ids=["empty", "a road too many", "before the first"])
def test_a_route_of_another_city_is_refused(triangle, route):
    with pytest.raises(InputError, match="route 1 is empty or drives roads that Triangle does not have, whose 3 count"):
        RouteLines.of(triangle, [np.array([0, 1]), np.array(route, dtype=np.int32)])


def test_points_become_lines_rounded_to_a_tenth_of_a_metre():
    xy = np.array([[0.12345678, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0], [8.0, 9.0]])
    first, second = lines_through(xy, np.array([2, 3]))
    assert first.wkt == "LINESTRING (0.123457 1, 2 3)"
    assert second.wkt == "LINESTRING (4 5, 6 7, 8 9)"
