"""Check the features of drives on the grid of streets, where all of them can be counted by hand."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from htp.errors import InputError
from htp.travel_time.features import FEATURES, DrivenRoutes, RoadTable, free_flow_seconds, route_features
from htp.trips import Route

EAST_0, EAST_1, NORTH_AVENIDA_2 = 0, 2, 56  # Calle 0 from column 0 to 2, then the fast avenue's first block
CORNER = Route(np.array([EAST_0, EAST_1, NORTH_AVENIDA_2], dtype=np.int32), start_m=50.0, end_m=50.0)
MONDAY_0815 = pd.DatetimeIndex(["2024-05-06 08:15"], tz="America/Santiago")


def features_of(city, drives, departs=MONDAY_0815):
    table = RoadTable.of_city(city)
    rows = route_features(table, drives, departs)
    return [dict(zip(FEATURES, row.tolist(), strict=True)) for row in rows]


def test_a_drive_around_a_corner_has_the_features_counted_by_hand(grid):
    found = features_of(grid, DrivenRoutes.of_routes(grid, [CORNER]))[0]
    expected = {
        "log_distance_m": np.log(200),  # 50 + 100 + 50
        "log_free_flow_s": np.log(17.5),  # 5 + 10 at 10 m/s, 2.5 at 20 m/s
        "speed_limit_kmh": 3.6 * 200 / 17.5,
        "lanes": 1,
        "share_motorway": 0,
        "share_trunk": 0,
        "share_primary": 0.25,
        "share_secondary": 0,
        "share_tertiary": 0,
        "roads_per_km": 15,
        "left_turns_per_km": 5,  # east to north
        "right_turns_per_km": 0,
        "arterial_crossings_per_km": 0,
        "arterial_entries_per_km": 5,
        "start_x_km": -0.15,  # the middle of Calle 0's first block, from the middle of the grid
        "start_y_km": -0.2,
        "end_x_km": 0,
        "end_y_km": -0.15,
        "mean_x_km": -0.0625,  # (50 · 50 + 100 · 150 + 50 · 200) / 200 = 137.5 m
        "mean_y_km": -0.1875,
        "hour": 8.25,
        "weekend": 0,
    }
    assert found == pytest.approx(expected, abs=1e-4)


def test_a_prepared_trip_is_the_drive_from_its_first_to_its_last_percent(grid):
    trips = gpd.GeoDataFrame(
        {"roads": [CORNER.roads], "percent": [np.array([1 / 6, 0.4, 5 / 6])]},
        geometry=[shapely.LineString([(0, 0), (1, 1)])],
        crs="EPSG:4326",
    )
    from_trip, from_route = DrivenRoutes.of_trips(grid, trips), DrivenRoutes.of_routes(grid, [CORNER])
    np.testing.assert_allclose([from_trip.from_m, from_trip.to_m], [from_route.from_m, from_route.to_m], atol=1e-3)
    np.testing.assert_allclose([from_trip.from_m, from_trip.to_m], [[50], [250]], atol=1e-3)


def test_a_route_without_an_end_is_driven_to_the_end_of_its_last_road(grid):
    drives = DrivenRoutes.of_routes(grid, [Route(CORNER.roads)])
    np.testing.assert_allclose(free_flow_seconds(RoadTable.of_city(grid), drives), 25, atol=1e-3)


def test_crossings_of_two_arterials_are_counted_where_they_are_passed(grid):
    roads = grid.roads.copy()
    roads.loc[roads["name"] == "Calle 2", "highway"] = "secondary_link"
    city = replace(grid, roads=roads)
    north = Route(np.array([56, 58, 60], dtype=np.int32))  # Avenida 2 from row 0 to row 3, across Calle 2 at row 2
    ending_there = Route(np.array([56, 58], dtype=np.int32))
    departs = MONDAY_0815.repeat(2)
    across, before = features_of(city, DrivenRoutes.of_routes(city, [north, ending_there]), departs)
    assert across["arterial_crossings_per_km"] == pytest.approx(1 / 0.3, rel=1e-4)
    assert before["arterial_crossings_per_km"] == 0


def test_a_drive_does_not_see_the_others_in_its_batch(grid):
    other = Route(np.array([1, 0], dtype=np.int32))
    crowd = [other] * 999 + [CORNER]
    alone = features_of(grid, DrivenRoutes.of_routes(grid, [CORNER]))[0]
    assert features_of(grid, DrivenRoutes.of_routes(grid, crowd), MONDAY_0815.repeat(1000))[-1] == alone


def test_a_right_turn_and_a_weekend_are_told_apart(grid):
    south_then_west = Route(np.array([57, 3], dtype=np.int32))  # Avenida 2 down to row 0, then Calle 0 west
    saturday = pd.DatetimeIndex(["2024-05-11 23:30"], tz="America/Santiago")
    found = features_of(grid, DrivenRoutes.of_routes(grid, [south_then_west]), saturday)[0]
    assert (found["right_turns_per_km"], found["left_turns_per_km"]) == pytest.approx((5, 0), rel=1e-4)
    assert (found["hour"], found["weekend"]) == (23.5, 1)


def test_a_trip_that_never_moved_has_finite_features(grid):
    drives = DrivenRoutes.of_routes(grid, [Route(np.array([0], dtype=np.int32), start_m=10.0, end_m=10.0)])
    assert np.isfinite(list(features_of(grid, drives)[0].values())).all()


def test_a_road_of_another_city_is_named(grid):
    with pytest.raises(InputError, match=r"route 1 has the road 80; this city's roads are 0 to 79"):
        DrivenRoutes.of_routes(grid, [CORNER, Route(np.array([0, 80], dtype=np.int32))])


def test_a_route_without_roads_is_named(grid):
    with pytest.raises(InputError, match="route 1 has no roads"):
        DrivenRoutes.of_routes(grid, [CORNER, Route(np.array([], dtype=np.int32))])
