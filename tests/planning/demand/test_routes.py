"""Fastest routes of many trips, beside those that the city finds one by one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely

from htp.city.routing import TURN_S, Router
from htp.planning.demand.routes import fastest_routes
from htp.planning.demand.zones import Places, city_zones


def places(*pairs: tuple[int, float]) -> Places:
    return Places(np.array([road for road, _ in pairs]), np.array([along_m for _, along_m in pairs]))


def seconds(router: Router, route) -> float:
    """Return how long a route takes, turns included."""
    roads, city = route.roads, router.city
    end_m = city.length_m[roads[-1]] if route.end_m is None else route.end_m
    whole = router.seconds[roads]
    turns_s = sum(router.graph[a, b] - router.seconds[b] for a, b in pairwise(roads.tolist()))
    before_s = whole[0] * route.start_m / city.length_m[roads[0]]
    return whole.sum() + turns_s - before_s - whole[-1] * (1 - end_m / city.length_m[roads[-1]])


def test_a_route_is_as_fast_as_the_city_s_own_for_every_trip(wide):
    rng, zones = np.random.default_rng(2), city_zones(wide)
    starts, ends = (zones.draw(wide, rng.integers(0, len(zones), 150), rng) for _ in range(2))
    for trip, route in enumerate(fastest_routes(wide.router, starts, ends)):
        ways = [
            shapely.line_interpolate_point(wide.lines_m[side.road[trip]], side.along_m[trip]) for side in (starts, ends)
        ]
        own = wide.route([tuple(lonlat) for lonlat in wide.to_lonlat(shapely.get_coordinates(ways))])
        assert seconds(wide.router, route) == pytest.approx(seconds(wide.router, own), abs=0.2)
        assert wide.is_connected(route.roads)


def test_a_drive_along_two_blocks_takes_what_it_takes(wide):
    (route,) = fastest_routes(wide.router, places((0, 400.0)), places((2, 300.0)))  # along Calle 0, eastward
    assert route.roads.tolist() == [0, 2]
    assert (route.start_m, route.end_m) == (400.0, 300.0)
    assert seconds(wide.router, route) == pytest.approx(90)  # 600 m and 300 m at 10 m/s


def test_a_driver_may_leave_in_either_direction_of_the_street(wide):
    (route,) = fastest_routes(wide.router, places((3, 100.0)), places((5, 100.0)))  # both given westward
    assert route.roads.tolist() == [2, 4]
    assert route.start_m == pytest.approx(900, rel=1e-3)
    (back,) = fastest_routes(wide.router, places((4, 100.0)), places((2, 900.0)))  # both given eastward
    assert back.roads.tolist() == [5, 3]


def test_both_ends_on_one_block_are_a_drive_along_it(wide):
    ahead, behind = fastest_routes(wide.router, places((0, 100.0), (0, 700.0)), places((0, 400.0), (0, 300.0)))
    assert (ahead.roads.tolist(), ahead.start_m, ahead.end_m) == ([0], 100.0, 400.0)
    assert behind.roads.tolist() == [1]
    assert behind.end_m - behind.start_m == pytest.approx(400, abs=0.1)


def test_a_one_way_street_is_left_and_entered_forwards_only(triangle):
    (route,) = fastest_routes(triangle.router, places((0, 200.0)), places((0, 100.0)))
    assert route.roads.tolist() == [0, 1, 2, 0]


def test_where_no_road_leads_there_is_no_route(triangle, wide):
    closed = Router(triangle, np.where(np.arange(3) == 1, np.inf, triangle.free_flow_s))
    routes = fastest_routes(closed, places((0, 10.0), (2, 10.0), (1, 10.0)), places((2, 10.0), (0, 10.0), (2, 10.0)))
    assert routes[0] is None
    assert routes[1].roads.tolist() == [2, 0]
    assert routes[2] is None


def test_progress_counts_up_to_all_trips(wide):
    heard = []
    zones = city_zones(wide)
    rows = np.zeros(150, np.int64)
    one, two = (zones.draw(wide, rows, np.random.default_rng(seed)) for seed in (0, 1))
    fastest_routes(wide.router, one, two, lambda *numbers: heard.append(numbers))
    assert heard == [(64, 150), (128, 150), (150, 150)]


def test_turns_cost_time(wide):
    # from Calle 0 into Avenida 1: 500 m, a turn, 500 m
    (route,) = fastest_routes(wide.router, places((0, 500.0)), places((48, 500.0)))
    assert route.roads.tolist() == [0, 48]
    assert seconds(wide.router, route) == pytest.approx(100 + TURN_S)
