"""Check by hand the cities that the other tests rely on."""

import numpy as np


def test_the_triangle_is_3_4_5(triangle):
    np.testing.assert_allclose(triangle.length_m, [300, 400, 500], atol=1e-3)
    np.testing.assert_allclose(triangle.free_flow_s, [30, 40, 50], atol=1e-3)


def test_the_grid_has_80_roads_numbered_as_its_picture_says(grid):
    assert len(grid) == 80
    assert list(grid.roads.loc[8 * 3 + 2 * 1, ["u", "v", "name"]]) == [16, 17, "Calle 3"]
    assert list(grid.roads.loc[40 + 8 * 2 + 2 * 3 + 1, ["u", "v", "name"]]) == [22, 17, "Avenida 2"]
    np.testing.assert_allclose(grid.length_m, 100, atol=1e-3)


def test_places_are_in_la_serena(place):
    lon, lat = place(0, 0)
    assert (round(lon, 1), round(lat, 1)) == (-71.2, -29.9)
