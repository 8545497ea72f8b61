"""Check snapping and the fastest route on cities that are checkable by hand, and their speed on 35,000 roads."""

from __future__ import annotations

import itertools
import time

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.sparse.csgraph import dijkstra

from htp.city import City
from htp.city.routing import TURN_S, Router, Snap
from htp.errors import InputError

NAN = float("nan")


def test_a_place_snaps_to_the_nearest_road_and_says_where(triangle, place):
    snap = triangle.snap(*place(120, -7))
    assert snap.road_id == 0
    assert (snap.along_m, snap.distance_m) == pytest.approx((120, 7), abs=0.01)
    assert (snap.lon, snap.lat) == pytest.approx(place(120, 0), abs=1e-6)


def test_of_the_two_directions_of_a_street_a_place_snaps_to_the_first(grid, place):
    assert grid.snap(*place(150, 103)).road_id == 8 + 2  # Calle 1, block 1, east


def test_a_route_drives_its_first_and_last_road_in_part(triangle, place):
    route = triangle.route([place(100, 0), place(300, 150)])
    assert route.roads.tolist() == [0, 1]
    assert route.roads.dtype == np.int32
    assert (route.start_m, route.end_m) == pytest.approx((100, 150), abs=0.01)


def test_a_route_on_one_road_is_that_road(triangle, place):
    route = triangle.route([place(100, 0), place(250, 0)])
    assert route.roads.tolist() == [0]
    assert (route.start_m, route.end_m) == pytest.approx((100, 250), abs=0.01)


def test_a_place_behind_on_a_one_way_road_is_reached_around_the_block(triangle, place):
    route = triangle.route([place(250, 0), place(100, 0)])
    assert route.roads.tolist() == [0, 1, 2, 0]
    assert (route.start_m, route.end_m) == pytest.approx((250, 100), abs=0.01)


def test_a_place_behind_on_a_two_way_street_is_reached_on_its_other_side(grid, place):
    route = grid.route([place(180, 100), place(120, 100)])
    assert route.roads.tolist() == [8 + 2 + 1]  # Calle 1, block 1, west
    assert (route.start_m, route.end_m) == pytest.approx((20, 80), abs=0.01)


def test_the_fastest_route_takes_the_fast_avenue(grid, place):
    # from Calle 0 to Calle 4, two blocks to the east: Avenida 2 takes 20 s for its 400 m, every other way 40 s
    route = grid.route([place(50, 0), place(350, 400)])
    assert route.roads.tolist() == [0, 2, 56, 58, 60, 62, 36, 38]
    assert set(grid.roads["name"][route.roads]) == {"Calle 0", "Avenida 2", "Calle 4"}


def test_a_route_has_few_turns_where_all_ways_are_as_long(grid, place):
    route = grid.route([place(0, 50), place(100, 350)])  # Avenida 0 to Avenida 1: two turns at least
    assert len(set(grid.roads["name"][route.roads])) == 3
    assert TURN_S > 0


def test_the_drive_goes_on_at_a_waypoint_in_between(grid, place):
    # west along Calle 2, then on to a place behind: not turned in mid-street but driven around a block
    route = grid.route([place(350, 200), place(250, 200), place(350, 200.001)])
    assert grid.is_connected(route.roads)
    back = grid.opposite[route.roads[:-1]] == route.roads[1:]
    assert not back.any()
    assert len(route.roads) > 4


def test_a_route_passes_its_waypoints_in_order(grid, place):
    corners = [place(50, 0), place(400, 50), place(350, 400), place(0, 350)]
    route = grid.route(corners)
    along = [grid.roads["name"][road] for road in route.roads]
    order = [along.index(name) for name in ("Calle 0", "Avenida 4", "Calle 4", "Avenida 0")]
    assert order == sorted(order)


def test_no_choice_among_the_roads_at_each_waypoint_is_faster(grid):
    router = grid.router
    seconds = dijkstra(router.graph, indices=range(len(grid)))  # from the end of each road to the end of each other
    for places in np.random.default_rng(7).uniform(0, 400, (20, 3, 2)):
        lonlat = grid.to_lonlat(places + grid.xy_m.min(axis=0))
        fastest = min(
            sum(drive_s(router, seconds, *leg) for leg in itertools.pairwise(choice))
            for choice in itertools.product(*(router._snaps(*place, "It") for place in lonlat))
        )
        route = router.route(lonlat.tolist())
        between = zip(route.roads[:-1], route.roads[1:], strict=True)
        spent = sum(router.graph[i, j] for i, j in between) + grid.free_flow_s[route.roads[0]]
        spent -= grid.free_flow_s[route.roads[0]] * route.start_m / 100
        spent -= grid.free_flow_s[route.roads[-1]] * (1 - route.end_m / 100)
        assert spent == pytest.approx(fastest, abs=0.01)


def drive_s(router: Router, seconds: np.ndarray, start: Snap, end: Snap) -> float:
    """Return the seconds from one place on a road to another, by the seconds between all ends of roads."""
    if start.road_id == end.road_id and end.along_m >= start.along_m:
        return router.seconds[end.road_id] * (end.along_m - start.along_m) / 100
    last = np.flatnonzero(router.graph[:, [end.road_id]].toarray()[: len(seconds), 0])
    reach_s = min(seconds[start.road_id, before] + router.graph[before, end.road_id] for before in last)
    return router._rest_s(start.road_id, start.along_m) + reach_s - router._rest_s(end.road_id, end.along_m)


def test_at_a_junction_no_empty_part_of_a_road_is_left(grid, place):
    route = grid.route([place(100, 100), place(300, 100)])
    assert route.roads.tolist() == [8 + 2, 8 + 4]
    assert (route.start_m, route.end_m) == pytest.approx((0, 100), abs=0.01)


def test_a_closed_road_is_driven_around(grid, place):
    seconds = grid.free_flow_s.copy()
    seconds[8 + 2] = np.inf  # Calle 1, block 1, east
    route = Router(grid, seconds).route([place(50, 100), place(250, 100)])
    assert 8 + 2 not in route.roads
    assert grid.is_connected(route.roads)


def test_without_a_way_the_error_says_between_which_waypoints(triangle, place):
    seconds = triangle.free_flow_s.copy()
    seconds[1] = np.inf
    with pytest.raises(InputError, match="No route leads from waypoint 2 to waypoint 3"):
        Router(triangle, seconds).route([place(50, 0), place(200, 0), place(150, 200)])


@pytest.mark.parametrize(
    ("waypoints", "message"),
    [
        ([(-71.247, -29.9)], "at least 2 waypoints, and 1 was given"),
        ([], "at least 2 waypoints, and 0 was given"),
        ([(-29.9, -71.247), (-71.247, -29.9)], r"Waypoint 1 \(-29.9, -71.247\) has its coordinates swapped"),
        ([(-71.247, -29.9), (NAN, -29.9)], "Waypoint 2 .* is no place"),
        ([(0.0, 0.0), (-71.247, -29.9)], r"Waypoint 1 \(0.0, 0.0\) is outside Triangle; give a longitude from -71"),
        ([(-71.2535, -29.9), (-71.247, -29.9)], "Waypoint 1 .* m from the nearest road of Triangle"),
    ],
    ids=["one", "none", "swapped", "nan", "outside", "far"],
)
def test_waypoints_without_a_route_are_refused(triangle, waypoints, message):
    with pytest.raises(InputError, match=message):
        triangle.route(waypoints)


def test_waypoints_at_one_place_are_refused(triangle, place):
    with pytest.raises(InputError, match="All waypoints lie at the same place"):
        triangle.route([place(100, 0), place(100, 3)])


def test_a_departure_that_does_not_exist_is_refused(triangle, place):
    with pytest.raises(InputError, match="does not exist"):
        triangle.route([place(100, 0), place(200, 0)], depart="2024-09-08 00:30")


@pytest.fixture(scope="module")
def big_grid() -> City:
    """Return 94 x 94 crossings 100 m apart, 34,968 roads."""
    side = 94
    node = np.arange(side * side).reshape(side, side)
    east = np.column_stack([node[:, :-1].ravel(), node[:, 1:].ravel()])
    north = np.column_stack([node[:-1].ravel(), node[1:].ravel()])
    ends = np.concatenate([east, east[:, ::-1], north, north[:, ::-1]])
    lonlat = np.column_stack([node.ravel() % side, node.ravel() // side]) / 1000
    rng = np.random.default_rng(0)
    roads = gpd.GeoDataFrame(
        {"u": ends[:, 0], "v": ends[:, 1], "speed_kmh": rng.uniform(30, 60, len(ends))},
        geometry=shapely.linestrings(lonlat[ends]),
        crs="EPSG:4326",
    )
    return City("Big grid", "Etc/UTC", "EPSG:32631", "made up", "CC0-1.0", roads)


def test_snapping_and_routing_take_less_than_50_ms_on_35000_roads(big_grid):
    assert len(big_grid) == 34_968
    places = np.random.default_rng(1).uniform(0, 0.093, (20, 2, 2))
    big_grid.route([tuple(places[0, 0]), tuple(places[0, 1])])  # prepares the search
    for work, calls in ((lambda pair: big_grid.snap(*pair[0]), 20), (lambda pair: big_grid.route(pair.tolist()), 20)):
        began = time.process_time()  # of this process alone, whatever else the machine does
        for pair in places[:calls]:
            work(pair)
        assert (time.process_time() - began) / calls < 0.050
