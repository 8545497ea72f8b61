"""Check what the tokenizer is told of trips, on the triangle whose roads are 300, 400 and 500 m long."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from htp.errors import InputError
from htp.tokenizer.features import (
    ABSOLUTE_INPUTS,
    RELATIVE_INPUTS,
    anchors_of,
    describe,
    from_route_frame,
    to_route_frame,
)

ALONG_M = [0, 60, 60, 150, 290, 310, 500, 650, 710]  # on the roads A -> B (300 m, east) and B -> C (400 m, north)


def drive(city, along_m, roads, offset=None):
    """Return one prepared trip with points at these places of its route."""
    total = city.length_m[roads].sum()
    offset = np.zeros((len(along_m), 2)) if offset is None else np.array(offset, dtype=float)
    return gpd.GeoDataFrame(
        {
            "trip_id": ["a"],
            "start_time": pd.DatetimeIndex(["2024-05-06 08:00"], tz="America/Santiago"),
            "interval": [15.0],
            "roads": [np.array(roads, dtype=np.int32)],
            "percent": [np.array(along_m, dtype=np.float32) / np.float32(total)],
            "offset": [offset.ravel().astype(np.float32)],
        },
        geometry=[shapely.LineString(np.tile([-71.25, -29.9], (len(along_m), 1)))],
        crs="EPSG:4326",
    )


@pytest.mark.parametrize("direction", [(1, 0), (0, 1), (-0.6, 0.8)], ids=["east", "north", "north-west"])
def test_offsets_come_back_from_the_frame_of_the_route(direction):
    east_north = np.array([[3.0, -2.0], [0.0, 7.0]])
    towards = np.tile(np.array(direction, dtype=float), (2, 1))
    there = to_route_frame(east_north, towards)
    np.testing.assert_allclose(from_route_frame(there, towards), east_north, atol=1e-12)
    np.testing.assert_allclose(np.hypot(*there.T), np.hypot(*east_north.T))


def test_left_of_a_drive_to_the_north_is_west():
    assert to_route_frame(np.array([[-5.0, 2.0]]), np.array([[0.0, 1.0]])).tolist() == [[2.0, 5.0]]


def test_points_keep_their_place_along_the_route(triangle):
    samples = describe(drive(triangle, ALONG_M, [0, 1]), triangle)
    np.testing.assert_allclose(samples.along_m, ALONG_M, atol=0.01)
    assert samples.points.tolist() == [9]
    np.testing.assert_allclose(samples.road_start_m, [0, 300], atol=0.5)


def test_steps_and_their_change_are_seen_in_hundreds_of_metres(triangle):
    inputs = describe(drive(triangle, ALONG_M, [0, 1]), triangle).inputs
    assert inputs.shape == (9, RELATIVE_INPUTS)
    np.testing.assert_allclose(inputs[:, 0], [0, 0.6, 0, 0.9, 1.4, 0.2, 1.9, 1.5, 0.6], atol=1e-3)
    np.testing.assert_allclose(inputs[:, 1], [0, 0.6, -0.6, 0.9, 0.5, -1.2, 1.7, -0.4, -0.9], atol=1e-3)


def test_offsets_are_seen_in_the_frame_of_the_road_in_tens_of_metres(triangle):
    offset = np.zeros((9, 2))
    offset[0], offset[8] = (2, 4), (2, 4)  # on the road east, and on the road north
    inputs = describe(drive(triangle, ALONG_M, [0, 1], offset), triangle).inputs
    np.testing.assert_allclose(inputs[[0, 8], 4:6], [[0.2, 0.4], [0.4, -0.2]], atol=0.01)


def test_a_turn_to_the_left_is_seen_from_30_m_before_it_and_not_from_afar(triangle):
    inputs = describe(drive(triangle, ALONG_M, [0, 1]), triangle).inputs
    ahead_30_m = inputs[:, 8]  # sine of the turn: 1 for a right angle to the left
    np.testing.assert_allclose(ahead_30_m, [0, 0, 0, 0, 1, 0, 0, 0, 0], atol=0.01)


def test_what_is_seen_of_a_trip_does_not_depend_on_the_others(trips, grid):
    together, alone = describe(trips, grid), describe(trips.iloc[[3]], grid)
    here = slice(together.first_point[3], together.first_point[4])
    np.testing.assert_allclose(together.inputs[here], alone.inputs, atol=2e-5)
    np.testing.assert_allclose(together.along_m[here], alone.along_m, atol=1e-3)


def test_the_papers_inputs_are_coordinates_between_the_citys_bounds(trips, grid):
    inputs = describe(trips, grid, inputs="absolute").inputs
    assert inputs.shape[1] == ABSOLUTE_INPUTS
    assert np.abs(inputs).max() < 1.1  # offsets may leave the bounds a little


def test_an_anchor_lies_under_the_last_point_of_its_pattern(triangle):
    anchors, first = anchors_of(describe(drive(triangle, [*ALONG_M, 800, 900, 1000], [0, 1, 2]), triangle))
    assert anchors.tolist() == [1, 2]  # the 8th point, 650 m, lies on the road B -> C; the last one on C -> A
    assert first.tolist() == [0, 2]


def test_the_last_anchor_is_the_last_road_even_where_rounding_puts_the_point_before_it(triangle):
    anchors, _ = anchors_of(describe(drive(triangle, [*ALONG_M[:-1], 699.999], [0, 1, 2]), triangle))
    assert anchors.tolist() == [1, 2]


def test_anchors_of_many_trips_lie_under_their_points(trips, grid):
    samples = describe(trips, grid)
    anchors, first = anchors_of(samples)
    for row in range(len(samples)):
        ends = samples.road_start_m[samples.first_road[row] : samples.first_road[row + 1]]
        n = samples.points[row]
        last = samples.first_point[row] + np.minimum(np.arange(8, n + 8, 8), n) - 1
        expected = np.searchsorted(ends, samples.along_m[last], side="right") - 1
        assert anchors[first[row] : first[row + 1]].tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("interval", 0.0),
        ("interval", np.nan),
        ("percent", np.linspace(1, 0, 9)),
        ("percent", np.linspace(0, 100, 9)),
        ("percent", np.full(9, np.nan)),
        ("percent", np.empty(0)),
        ("offset", np.zeros(17)),
        ("offset", np.full(18, np.inf)),
    ],
)
def test_labels_that_no_prepared_trip_has_are_refused(triangle, column, value):
    trips = drive(triangle, ALONG_M, [0, 1])
    trips[column] = [value]
    with pytest.raises(InputError, match=f"trip a: its '{column}' is none of a prepared trip"):
        describe(trips, triangle)
