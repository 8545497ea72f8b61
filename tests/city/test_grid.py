"""Check cells of 100 m by 100 m."""

import numpy as np

from htp.city.grid import cells_of, density, south_west_of


def test_a_cell_owns_its_west_and_south_edges():
    inside, edge, next_one = cells_of(np.array([[199.9, 100.0], [100.0, 100.0], [200.0, 100.0]]))
    assert inside == edge
    assert next_one != edge


def test_corners_come_back_from_the_keys_also_west_and_south_of_the_origin():
    xy_m = np.array([[283_042.0, 6_690_099.9], [-0.1, -0.1], [5.0, -250.0], [-250.0, 5.0]])
    corners = [[283_000.0, 6_690_000.0], [-100.0, -100.0], [0.0, -300.0], [-300.0, 0.0]]
    np.testing.assert_array_equal(south_west_of(cells_of(xy_m)), corners)


def test_the_size_of_the_cells_can_be_chosen():
    cells = cells_of(np.array([[0.0, 0.0], [499.0, 499.0], [500.0, 0.0]]), cell_m=500.0)
    assert cells[0] == cells[1]
    np.testing.assert_array_equal(south_west_of(cells, cell_m=500.0), [[0, 0], [0, 0], [500, 0]])


def test_density_counts_the_points_of_each_cell():
    cells, counts = density(cells_of(np.array([[10.0, 10.0], [150.0, 10.0], [20.0, 90.0]])))
    np.testing.assert_array_equal(south_west_of(cells), [[0, 0], [100, 0]])
    assert counts.tolist() == [2, 1]
