"""Places by street names, in the grid: Calle j runs along y = 100 j m, Avenida i along x = 100 i m."""

from __future__ import annotations

import numpy as np
import pytest

from htp.city.addresses import corners_of, crossing_streets, middle_of, street_names


def apart_m(city, one, other) -> np.ndarray:
    """Return how far east and north a place lies of another, in metres."""
    return np.diff(city.to_metres(np.array([other, one])), axis=0)[0]


def near(city, one, other) -> bool:
    return np.abs(apart_m(city, one, other)).max() < 1.0


def test_every_street_has_its_name_once_and_the_nameless_are_left_out(grid, triangle):
    assert street_names(grid) == [*(f"Avenida {i}" for i in range(5)), *(f"Calle {i}" for i in range(5))]
    assert street_names(triangle) == ["Calle Dos", "Calle Uno"]


def test_a_corner_is_where_both_streets_meet(grid, place):
    corners = corners_of(grid, "Calle 1")
    assert list(corners) == [f"Avenida {i}" for i in range(5)]
    assert near(grid, corners["Avenida 3"], place(300, 100))


def test_a_corner_of_a_street_of_one_direction_is_found_at_either_end(triangle, place):
    assert list(corners_of(triangle, "Calle Uno")) == ["Calle Dos"]
    assert near(triangle, corners_of(triangle, "Calle Uno")["Calle Dos"], place(300, 0))


def test_the_middle_of_a_street_lies_on_one_of_its_blocks(grid, triangle, place):
    assert near(triangle, middle_of(triangle, "Calle Uno"), place(150, 0))
    x, y = apart_m(grid, middle_of(grid, "Calle 1"), place(0, 100))
    assert abs(y) < 1
    assert min(abs(x - 150), abs(x - 250)) < 1  # of four blocks one of the two in the middle


@pytest.mark.parametrize("name", ["Calle 1", "Avenida 2"])
def test_a_street_is_no_crossing_of_itself(grid, name):
    found = crossing_streets(grid, name, grid.u)
    assert name not in found.values()
