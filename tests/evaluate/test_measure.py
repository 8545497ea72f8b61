"""Measure trips in the toy cities, where every distance can be told by hand."""

import numpy as np
import pandas as pd
import pytest

from htp.city.grid import south_west_of
from htp.errors import InputError
from htp.evaluate.measure import UNMATCHED, Measures, Survey
from htp.trips import write_trips

ORIGIN_M = np.array([283_000.0, 6_690_000.0])  # of the toy cities, see tests/conftest.py
SCALE = 2e-4  # the metric CRS there is this much longer than the ground, and coordinates are exact


@pytest.fixture
def survey(triangle):
    with Survey(triangle, workers=1) as survey:
        yield survey


@pytest.fixture
def grid_survey(grid):
    with Survey(grid, workers=1) as survey:
        yield survey


def test_distances_radius_and_cells_of_a_trip_with_a_stop(survey, trips_at):
    measures = survey.measure(trips_at([(60, -5), (120, -5), (120, -5), (180, -5)]))
    assert measures.points.tolist() == [4]
    np.testing.assert_allclose(measures.step_m, [60, 0, 60], rtol=SCALE)
    np.testing.assert_allclose(measures.travel_m, [120], rtol=SCALE)
    # centroid x = 120: squares 60², 0, 0, 60², their mean 1800
    np.testing.assert_allclose(measures.radius_m, [np.sqrt(1800)], rtol=1e-5)
    np.testing.assert_allclose(measures.road_distance_m, 5, rtol=1e-4)
    np.testing.assert_array_equal(
        south_west_of(measures.cell) - ORIGIN_M, [[0, -100], [100, -100], [100, -100], [100, -100]]
    )


def test_speed_and_acceleration_by_hand_with_an_interval_of_each_trip(survey, trips_at):
    interval = np.array([10, 20], dtype=np.float32)
    lines = [(0, 0), (50, 0), (200, 0), (200, 0)], [(0, 0), (100, 0), (100, 0)]
    measures = survey.measure(trips_at(*lines, interval=interval))
    # 50, 150, 0 m in 10 s each, then 100, 0 m in 20 s each
    np.testing.assert_allclose(measures.speed_kmh, [18, 54, 0, 18, 0], rtol=SCALE)
    np.testing.assert_allclose(measures.acceleration_m_s2, [1, -1.5, -0.25], rtol=SCALE)


def test_trips_of_two_points_have_speeds_and_no_accelerations(survey, trips_at):
    measures = survey.measure(trips_at([(0, 0), (150, 0)], [(0, 0), (15, 0)]))
    np.testing.assert_allclose(measures.speed_kmh, [36, 3.6], rtol=SCALE)
    assert measures.acceleration_m_s2.tolist() == []


def test_the_hour_of_a_step_is_that_of_its_first_point_by_the_clocks_of_the_city(survey, trips_at):
    starts = pd.DatetimeIndex(["2024-05-06 23:59:50", "2024-05-06 08:15"], tz="America/Santiago")
    lines = [(0, 0), (10, 0), (20, 0)], [(0, 0), (10, 0)]
    for zone in ("America/Santiago", "UTC"):
        measures = survey.measure(trips_at(*lines, start_time=starts.tz_convert(zone)))
        assert measures.hour.tolist() == [23, 0, 0, 8, 8]
        assert measures.step_hour.tolist() == [23, 0, 8]


def test_steps_never_cross_from_one_trip_into_the_next(survey, trips_at):
    measures = survey.measure(trips_at([(0, 0), (30, 0)], [(300, 100), (300, 140), (300, 150)]))
    np.testing.assert_allclose(measures.step_m, [30, 40, 10], rtol=SCALE)
    np.testing.assert_allclose(measures.travel_m, [30, 50], rtol=SCALE)
    assert measures.points.tolist() == [2, 3]


def test_points_are_aligned_with_the_roads_they_drive_on(survey, trips_at):
    measures = survey.measure(trips_at([(100, 3), (200, -3), (280, 2), (303, 100), (298, 200)]))
    assert measures.road.tolist() == [0, 0, 0, 1, 1]
    assert measures.unmatched == 0


def test_the_two_directions_of_a_street_are_two_roads(grid_survey, trips_at):
    east = [(20, 200), (60, 201), (130, 200), (170, 199), (250, 200)]
    measures = grid_survey.measure(trips_at(east, east[::-1]))
    # Calle 2 eastward is road 16 + 2 block, westward one more
    assert measures.road.tolist() == [16, 16, 18, 18, 20, 21, 19, 19, 17, 17]


def test_a_trip_without_roads_is_measured_and_its_points_are_counted_as_unmatched(survey, trips_at):
    measures = survey.measure(trips_at([(100, 0), (200, 0)], [(9000, 0), (9040, 0), (9070, 0)]))
    assert measures.road.tolist() == [0, 0, UNMATCHED, UNMATCHED, UNMATCHED]
    assert measures.unmatched == 3
    np.testing.assert_allclose(measures.road_distance_m[2:], [8700, 8740, 8770], rtol=1e-5)
    np.testing.assert_allclose(measures.travel_m, [100, 70], rtol=SCALE)


def test_a_file_is_measured_like_its_table_and_two_workers_like_one(grid, trips_at, tmp_path):
    random = np.random.default_rng(0)
    lines = [[(x, y), (x + 40, y), (x + 90, y)] for x, y in random.uniform(0, 300, (1100, 2)).tolist()]
    trips = trips_at(*lines)
    write_trips(trips, tmp_path / "trips.parquet")
    done: list[int] = []
    with Survey(grid, workers=2) as survey:
        two = survey.measure(tmp_path / "trips.parquet", done.append)
    with Survey(grid, workers=1) as survey:
        one = survey.measure(trips)
    assert done == [512, 1024, 1100]
    assert len(one.points) == 1100
    np.testing.assert_array_equal(one.road, two.road)
    np.testing.assert_allclose(one.step_m, two.step_m, rtol=1e-6)
    np.testing.assert_array_equal(one.points, two.points)


def test_the_table_of_paths_is_kept_for_the_next_survey(grid, trips_at, tmp_path, monkeypatch):
    monkeypatch.setattr("htp.city.matching.default_cache", lambda: tmp_path)
    trips = trips_at([(0, 0), (390, 0)])
    with Survey(grid, workers=1) as survey:
        first = survey.measure(trips)
    (table,) = tmp_path.glob("*/*.bin")
    made = table.stat().st_mtime_ns
    with Survey(grid, workers=1) as survey:
        again = survey.measure(trips)
    np.testing.assert_array_equal(first.road, again.road)
    assert table.stat().st_mtime_ns == made


def test_pieces_join_in_order(survey, trips_at):
    first, second = [(0, 0), (30, 0)], [(300, 100), (300, 140), (300, 150)]
    trips = trips_at(first, second)
    joined = Measures.join([survey.measure(trips.iloc[:1]), survey.measure(trips.iloc[1:])])
    whole = survey.measure(trips)
    for name in vars(whole):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))


def test_an_empty_table_is_refused(survey, trips_at):
    with pytest.raises(InputError, match="no trips in it"):
        survey.measure(trips_at([(0, 0), (30, 0)]).iloc[:0])
