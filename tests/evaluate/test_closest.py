"""Find the closest training trip where every distance can be told by hand, and by trying all."""

import numpy as np
import pytest
from scipy.spatial import KDTree

from htp.errors import InputError
from htp.evaluate.closest import NEAR_COPY_M, closest_m, closest_training, mean_distance_m, vectors
from htp.trips import read_trips

ORIGIN_M = np.array([283_000.0, 6_690_000.0])  # of the toy cities, see tests/conftest.py


def eastward(y_m, x_m=(0, 155, 310)):
    """Points along a line, `y_m` north of the origin."""
    return [(x, y_m) for x in x_m]


def test_a_trip_is_cut_into_parts_of_equal_time(trips_at, triangle):
    even, stopping = vectors(trips_at(eastward(7), eastward(7, [0, 0, 310])), triangle).reshape(2, 32, 2) - ORIGIN_M
    np.testing.assert_allclose(even[:, 0], np.arange(32) * 10, atol=1e-6)
    np.testing.assert_allclose(even[:, 1], 7, atol=1e-6)
    np.testing.assert_allclose(stopping[:, 0], np.maximum(0, np.arange(32) * 20 - 310), atol=1e-6)


def test_trips_are_cut_alike_however_many_points_they_have(trips_at, triangle):
    few, many = vectors(trips_at(eastward(0, [0, 310]), eastward(0, range(0, 311, 31))), triangle)
    np.testing.assert_allclose(few, many, atol=1e-6)


def test_the_distance_is_the_mean_over_points_and_tells_another_pace(trips_at, triangle):
    even, beside, stopping = vectors(trips_at(eastward(0), eastward(-40), eastward(0, [0, 0, 310])), triangle)
    assert mean_distance_m(even, even) == 0
    assert mean_distance_m(even, beside) == pytest.approx(40)
    # the stopping one lags by 0, 10 ... 150 m, then by 150 ... 10, 0
    assert mean_distance_m(even, stopping) == pytest.approx(2 * sum(range(0, 151, 10)) / 32)


def test_copies_are_found_among_generated_trips(trips_at, triangle):
    train = trips_at(*[eastward(100 * i) for i in range(10)])
    heldout = trips_at(*[eastward(100 * i + 30 + i) for i in range(5)])  # 30 to 34 m away
    generated = trips_at(eastward(205), eastward(150), eastward(419.9), eastward(320.1))  # 5, 50, 19.9, 20.1
    found = closest_training(train, heldout, generated, triangle, workers=1)
    assert (found.train, found.heldout.trips, found.generated.trips) == (10, 5, 4)
    assert found.limit_m == NEAR_COPY_M == 20
    assert found.heldout.closest_m == pytest.approx(30)
    assert found.heldout.median_m == pytest.approx(32)
    assert found.heldout.near_copies == 0
    assert found.generated.closest_m == pytest.approx(5)
    assert found.generated.median_m == pytest.approx(20)
    assert found.generated.near_copies == 0.5


def test_where_people_drive_that_alike_a_near_copy_has_to_be_closer_than_they_are(trips_at, triangle):
    train = trips_at(*[eastward(100 * i) for i in range(10)])
    heldout = trips_at(*[eastward(4 + i) for i in range(11)])  # 4 to 14 m: the 1st percentile is 4.1
    found = closest_training(train, heldout, trips_at(eastward(4.05), eastward(4.2), eastward(6)), triangle)
    assert found.limit_m == pytest.approx(4.1)
    assert found.heldout.near_copies == pytest.approx(1 / 11)
    assert found.generated.near_copies == pytest.approx(1 / 3)


def test_the_closest_of_the_candidates_is_the_closest_of_all(random_trips, grid):
    train = vectors(random_trips(grid, [30] * 400, seed=1), grid)
    wanted = vectors(random_trips(grid, [20, 50] * 20, seed=2), grid)
    expected = [min(np.linalg.norm((one - two).reshape(32, 2), axis=1).mean() for two in train) for one in wanted]
    np.testing.assert_allclose(closest_m(KDTree(train), wanted), expected)


def test_files_are_compared_like_tables(tiny_data, grid):
    paths = [tiny_data / name for name in ("train.parquet", "heldout.parquet", "train.parquet")]
    found = closest_training(*paths, grid)
    assert found == closest_training(*(read_trips(path) for path in paths), grid)
    assert found.generated.near_copies == 1
    assert found.generated.median_m == 0


def test_real_trips_that_were_trained_on_are_no_reference(trips_at, triangle):
    trips = trips_at(*[eastward(100 * i) for i in range(3)])
    with pytest.raises(InputError, match="3 of the 3 real trips are training trips themselves"):
        closest_training(trips, trips, trips, triangle)


def test_an_empty_table_is_refused(trips_at, triangle):
    trips = trips_at(eastward(0))
    with pytest.raises(InputError, match="no trips in it"):
        closest_training(trips.iloc[:0], trips, trips, triangle)
