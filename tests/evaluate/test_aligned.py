"""Measuring without map matching, in the grid city."""

from __future__ import annotations

import numpy as np
import pytest

from htp.errors import InputError
from htp.evaluate.aligned import AlignedSurveyor, aligned_roads
from htp.evaluate.measure import UNMATCHED, Survey

POINTS = [25, 40, 20]


def test_points_lie_on_the_roads_that_their_percent_says(grid, random_trips):
    trips = random_trips(grid, [20])
    roads = trips["roads"].iloc[0]
    half = (len(roads) // 2 + 0.5) / len(roads)  # all roads are 100 m long
    found = aligned_roads(trips.assign(percent=[[0.0] * 10 + [half] * 9 + [1.0]]), grid)
    assert found.tolist() == [roads[0]] * 10 + [roads[len(roads) // 2]] * 9 + [roads[-1]]


def test_all_but_the_roads_is_measured_as_with_map_matching(grid, random_trips):
    trips = random_trips(grid, POINTS)
    aligned = AlignedSurveyor(grid).measure_trips(trips)
    with Survey(grid, workers=1) as survey:
        matched = survey.measure(trips)
    for field in ("points", "travel_m", "radius_m", "step_m", "road_distance_m", "cell", "hour"):
        assert np.array_equal(getattr(aligned, field), getattr(matched, field)), field


def test_most_points_are_matched_to_the_road_that_they_are_aligned_to(grid, random_trips):
    trips = random_trips(grid, POINTS)
    with Survey(grid, workers=1) as survey:
        matched = survey.measure(trips).road
    found = aligned_roads(trips, grid)
    some = matched != UNMATCHED
    assert (found[some] == matched[some]).mean() > 0.8


def test_no_trips_cannot_be_measured(grid, random_trips):
    with pytest.raises(InputError, match="no trips"):
        AlignedSurveyor(grid).measure_trips(random_trips(grid, [20]).iloc[:0])
