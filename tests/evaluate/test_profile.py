"""Profiles of trips in the grid city: roads of 100 m."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from htp.evaluate.profile import ENOUGH, Profile, comparable

LINE = [(-71.25, -29.9), (-71.249, -29.9), (-71.248, -29.9), (-71.247, -29.9)]


def trips_of(*percents: list[float]) -> gpd.GeoDataFrame:
    """Trips over roads 0 and 2, 200 m in all, a point every 10 s."""
    lines = [shapely.LineString(LINE[: len(percent)]) for percent in percents]
    columns = {"roads": [[0, 2]] * len(lines), "percent": percents, "interval": [10.0] * len(lines)}
    return gpd.GeoDataFrame(columns, geometry=lines, crs="EPSG:4326")


def test_speed_is_that_towards_the_next_point_along_the_route(grid):
    profile = Profile.of(trips_of([0.0, 0.5, 0.5, 1.0]), grid)
    assert profile.speed_kmh == pytest.approx([36, 0, 36, 36], abs=0.1)


def test_distance_and_time_begin_at_the_first_point_of_each_trip(grid):
    profile = Profile.of(trips_of([0.25, 0.75], [0.0, 0.5, 1.0]), grid)
    assert profile.first.tolist() == [0, 2, 5]
    assert profile.along_m == pytest.approx([0, 100, 0, 100, 200], abs=0.2)
    assert profile.elapsed_s.tolist() == [0, 10, 0, 10, 20]
    assert profile.distance_m == pytest.approx([100, 200], abs=0.2)
    assert profile.duration_s.tolist() == [10, 20]
    assert profile.speed_kmh == pytest.approx([36, 36, 36, 36, 36], abs=0.1)


def real_trips(distance_m: list[float]) -> Profile:
    count = len(distance_m)
    along_m = np.column_stack([np.zeros(count), distance_m]).ravel()
    return Profile(np.arange(count + 1) * 2, np.tile([0.0, 600.0], count), along_m, np.zeros(2 * count))


def hours(*values: float) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([pd.Timestamp("2024-05-14", tz="America/Santiago") + pd.Timedelta(hours=h) for h in values])


def test_real_trips_of_this_distance_and_hour_are_compared_with():
    real = real_trips([1000.0] * ENOUGH + [2000.0] * ENOUGH + [1000.0] * ENOUGH)
    starts = hours(*[8.5] * ENOUGH, *[8.5] * ENOUGH, *[15.0] * ENOUGH)
    found = comparable(real, starts, 1100.0, hours(8)[0])
    assert found.rows.tolist() == list(range(ENOUGH))
    assert (found.share, found.hours) == (0.15, 1.0)


def test_midnight_is_near_to_a_minute_before_midnight():
    found = comparable(real_trips([1000.0] * ENOUGH), hours(*[23.9] * ENOUGH), 1000.0, hours(0.2)[0])
    assert found.hours == 1.0


def test_too_few_real_trips_make_the_search_wider():
    real = real_trips([1000.0] * (ENOUGH - 1) + [1400.0])
    found = comparable(real, hours(*[8.0] * ENOUGH), 1000.0, hours(20)[0])
    assert (found.share, found.hours, len(found.rows)) == (0.5, None, ENOUGH)


def test_where_nothing_is_comparable_all_real_trips_are():
    found = comparable(real_trips([1000.0, 9000.0]), hours(8, 9), 1e6, hours(8)[0])
    assert (found.rows.tolist(), found.share, found.hours) == ([0, 1], None, None)
