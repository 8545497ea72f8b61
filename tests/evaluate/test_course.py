"""One trip along the triangle: 300 m, 400 m and 500 m of road, all at 36 km/h."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from htp.evaluate.course import Course


@pytest.fixture
def trips(triangle) -> gpd.GeoDataFrame:
    """Return a trip from 70 m along Calle Uno (300 m) to 280 m along Calle Dos: 510 of the two roads' 700 m."""
    percent = np.array([0.1, 0.3, 0.3, 580 / 700])  # 140 m, 0 m, 370 m in steps of 15 s
    line = shapely.LineString([(0, 0), (0, 1), (0, 2), (0, 3)])
    facts = {"start_time": [pd.Timestamp("2024-05-14 08:00", tz=triangle.timezone)], "interval": [15.0]}
    columns = facts | {"trip_id": ["one"], "roads": [np.array([0, 1])], "percent": [percent]}
    return gpd.GeoDataFrame(columns, geometry=[line], crs="EPSG:4326")


def test_places_and_speeds_are_those_computed_by_hand(trips, triangle):
    course = Course.of(trips, triangle, 0)
    assert course.along_m == pytest.approx([0, 140, 140, 510], abs=0.5)
    assert course.speed_kmh == pytest.approx([33.6, 0, 88.8, 88.8], abs=0.1)
    assert course.elapsed_s.tolist() == [0, 15, 30, 45]


def test_roads_begin_where_they_are_driven_and_have_their_own_limits(trips, triangle):
    city = replace(triangle, roads=triangle.roads.assign(speed_kmh=[36.0, 50.0, 60.0]))
    course = Course.of(trips, city, 0)
    assert course.edges_m == pytest.approx([0, 230, 510], abs=0.5)
    assert course.limit_kmh.tolist() == [36, 50]
    assert course.names == ("Calle Uno", "Calle Dos")


def test_a_place_between_two_points_is_found_by_its_time(trips, triangle):
    assert Course.of(trips, triangle, 0).at_m(np.array([7.5, 99.0])) == pytest.approx([70, 510], abs=0.5)


def test_another_row_is_another_trip(trips, triangle):
    two = pd.concat([trips, trips.assign(percent=[np.array([0.0, 0.1, 0.2, 0.3])])], ignore_index=True)
    assert Course.of(two, triangle, 1).along_m == pytest.approx([0, 70, 140, 210], abs=0.5)
