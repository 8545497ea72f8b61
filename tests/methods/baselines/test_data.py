"""Check resampling, normalising, the attributes and road polylines by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import torch

from htp.errors import InputError
from htp.methods.baselines.data import AttributeBatch, Normalisation, numbers_of, points_of, polylines, resample


@pytest.fixture
def trip(triangle, place):
    """Two trips in the triangle: along road 0 and 1 in 4 points, 500 m in 90 s, and a short one of 3 points."""
    lines = [
        shapely.LineString([place(100, 0), place(200, 0), place(300, 100), place(300, 300)]),
        shapely.LineString([place(0, 0), place(50, 0), place(148, 0)]),
    ]
    columns = {
        "trip_id": ["a", "b"],
        "start_time": pd.DatetimeIndex(["2024-05-06 12:07:00", "2024-05-06 03:59:00"], tz="UTC"),
        "interval": np.array([30.0, 15.0], dtype=np.float32),
        "roads": [np.array([0, 1], dtype=np.int32), np.array([0], dtype=np.int32)],
        "percent": [np.array([1 / 7, 2 / 7, 4 / 7, 6 / 7]), np.array([0.0, 1 / 6, 0.5])],
    }
    return gpd.GeoDataFrame(columns, geometry=lines, crs="EPSG:4326")


def test_three_points_become_five_and_come_back():
    points = np.array([[0.0, 0.0], [2.0, 4.0], [2.0, 8.0]])
    five = resample(points, np.array([3]), np.array([5]))
    np.testing.assert_allclose(five, [[0, 0], [1, 2], [2, 4], [2, 6], [2, 8]])
    np.testing.assert_allclose(resample(five, np.array([5]), np.array([3])), points)


def test_polylines_do_not_run_into_each_other():
    points = np.array([[0.0, 0.0], [1.0, 1.0], [9.0, 9.0], [5.0, 5.0], [7.0, 7.0]])
    found = resample(points, np.array([2, 3]), np.array([3, 2]))
    np.testing.assert_allclose(found[:, 0], [0, 0.5, 1, 9, 7])


def test_any_trip_survives_a_finer_grid_of_its_own_places():
    rng = np.random.default_rng(0)
    counts = rng.integers(2, 60, 30)
    points = rng.normal(size=(counts.sum(), 2))
    fine = resample(points, counts, (counts - 1) * 7 + 1)
    np.testing.assert_allclose(resample(fine, (counts - 1) * 7 + 1, counts), points, atol=1e-12)


def test_resampling_agrees_with_interpolation_by_index():
    points = np.random.default_rng(1).normal(size=(23, 2))
    found = resample(points, np.array([23]), np.array([200]))
    expected = [np.interp(np.linspace(0, 22, 200), np.arange(23), points[:, axis]) for axis in (0, 1)]
    np.testing.assert_allclose(found, np.column_stack(expected), atol=1e-12)


def test_distance_duration_points_step_and_speed_by_hand(trip, triangle):
    numbers = numbers_of(trip, triangle)
    np.testing.assert_allclose(numbers[0], [500, 90, 4, 500 / 3, 500 / 90], rtol=1e-3)
    np.testing.assert_allclose(numbers[1], [150, 30, 3, 75, 5], rtol=1e-3)


def test_conditions_are_normalised_and_local(trip, triangle):
    wanted = AttributeBatch.of(trip, triangle, Normalisation.of(trip, triangle))
    assert wanted.slots.tolist() == [8 * 12 + 1, 23 * 12 + 11]  # 08:07 and 23:59, four hours behind UTC
    np.testing.assert_allclose(wanted.numbers.numpy(), [[1, 1, 1, 1, 1], [-1, -1, -1, -1, -1]], atol=1e-4)
    assert wanted.cells.tolist() == [
        [5, 15 * 16 + 15],
        [0, 7],
    ]  # the box is 300 by 300 m, cells of 18.75 m; 148 m lie in the eighth
    part = wanted.rows(np.array([1]), torch.device("cpu"))
    assert part.slots.tolist() == [287]
    assert part.roads[0].tolist() == [0]


def test_places_outside_the_trained_area_have_the_nearest_cell(trip, triangle, place):
    scale = Normalisation.of(trip, triangle)
    assert scale.cells(np.array([place(-500, -500), place(900, 10), place(900, 900)])).tolist() == [0, 15, 255]


def test_what_never_varies_becomes_zero(trip, triangle):
    same = pd.concat([trip.iloc[:1]] * 2, ignore_index=True)
    wanted = AttributeBatch.of(same, triangle, Normalisation.of(same, triangle))
    np.testing.assert_array_equal(wanted.numbers.numpy(), np.zeros((2, 5)))


def test_normalised_points_come_back(trip, triangle):
    scale = Normalisation.of(trip, triangle)
    points = points_of(trip, scale, 4)
    assert points.shape == (2, 2, 4)
    back = scale.to_lonlat(points[0].T.numpy())
    np.testing.assert_allclose(back, shapely.get_coordinates(trip.geometry.iloc[0]), atol=1e-8)


def test_a_scale_is_kept_in_a_file(trip, triangle, tmp_path):
    scale = Normalisation.of(trip, triangle)
    scale.save(tmp_path / "scale.json")
    assert Normalisation.load(tmp_path / "scale.json") == scale


def test_a_route_is_one_line_with_each_joint_once(trip, triangle, place):
    scale = Normalisation.of(trip, triangle)
    lines = polylines(triangle, [np.array([0, 1]), np.array([2])], scale, 5)
    found = [scale.to_lonlat(line.T.numpy()) for line in lines]
    corners = [place(0, 0), place(300, 0), place(300, 400)]
    np.testing.assert_allclose(found[0][[0, 2, 4]], corners, atol=1e-7)
    np.testing.assert_allclose(found[1][[0, 4]], [corners[2], corners[0]], atol=1e-7)


def test_trips_of_another_city_are_refused(trip, triangle):
    with pytest.raises(InputError, match="another city"):
        numbers_of(trip.assign(roads=[[0, 7], [0]]), triangle)
