"""Lines of streets, counted by hand in the grid city."""

from __future__ import annotations

import shapely

from htp.city.streets import MAJOR, MINOR, street_lines


def test_eighty_roads_of_the_grid_are_ten_lines_each_as_long_as_its_street(grid):
    streets = street_lines(grid.roads)
    assert sorted(streets["name"]) == [*(f"Avenida {i}" for i in range(5)), *(f"Calle {i}" for i in range(5))]
    once = shapely.unary_union(grid.roads.geometry.to_numpy())
    assert abs(streets["geometry"].map(lambda line: line.length).sum() - once.length) < 1e-6


def test_a_primary_road_is_major_and_the_others_come_before_it(grid):
    streets = street_lines(grid.roads)
    assert streets["kind"].tolist() == [MINOR] * 9 + [MAJOR]
    assert streets["name"].iloc[-1] == "Avenida 2"


def test_a_street_without_a_name_is_drawn_without_one(triangle):
    assert sorted(street_lines(triangle.roads)["name"]) == ["", "Calle Dos", "Calle Uno"]
