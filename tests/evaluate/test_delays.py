"""Time lost by road in the grid city: blocks of 100 m, 10 s at the speed limit."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from htp.errors import InputError
from htp.evaluate.delays import Delays, Stretch, stretches

LINE = shapely.LineString([(-71.25, -29.9), (-71.248, -29.9)])


def trips_of(*percents: list[float], roads: tuple[int, ...] = (0, 2)) -> gpd.GeoDataFrame:
    """Trips over the first two blocks of Calle 0, 200 m in all, a point every 10 s."""
    columns = {"roads": [list(roads)] * len(percents), "percent": percents, "interval": [10.0] * len(percents)}
    return gpd.GeoDataFrame(columns, geometry=[LINE] * len(percents), crs="EPSG:4326")


def test_a_trip_at_the_speed_limit_loses_nothing(grid):
    delays = Delays.of(trips_of([0.0, 0.5, 1.0]), grid)
    assert delays.spent_s == pytest.approx([10, 10], abs=0.05)
    assert delays.lost_s == pytest.approx([0, 0], abs=0.05)
    assert delays.start_m == pytest.approx([0, 100], abs=0.2)


def test_a_stop_is_lost_on_the_road_where_it_is_made(grid):
    delays = Delays.of(trips_of([0.0, 0.5, 0.75, 0.75, 0.75, 1.0]), grid)
    assert delays.lost_s == pytest.approx([0, 30], abs=0.1)


def test_time_between_two_points_is_shared_along_the_way(grid):
    delays = Delays.of(trips_of([0.25, 0.75, 1.0]), grid)  # half of each road in the first 10 s
    assert delays.spent_s == pytest.approx([5, 15], abs=0.05)
    assert delays.lost_s == pytest.approx([0, 5], abs=0.05)


def test_a_trip_that_stands_at_both_ends_spends_its_whole_travel_time_on_its_roads(grid):
    delays = Delays.of(trips_of([0.1, 0.1, 0.5, 0.9, 0.9, 0.9]), grid)
    assert delays.spent_s.sum() == pytest.approx(50)
    assert delays.spent_s == pytest.approx([20, 30], abs=0.1)


def test_the_delay_of_several_trips_is_their_mean(grid):
    delays = Delays.of(trips_of([0.0, 0.5, 1.0], [0.0, 0.25, 0.5, 1.0]), grid)
    assert delays.lost_s == pytest.approx([5, 0], abs=0.05)


def test_a_drive_faster_than_the_limit_loses_less_than_nothing(grid):
    assert Delays.of(trips_of([0.0, 1.0]), grid).lost_s == pytest.approx([-5, -5], abs=0.05)


@pytest.mark.parametrize("which", ["no trips", "two routes"])
def test_trips_of_another_number_of_routes_than_one_are_refused(grid, which):
    trips = trips_of([0.0, 1.0], [0.0, 1.0])
    trips = trips.iloc[:0] if which == "no trips" else trips.assign(roads=[[0, 2], [0]])
    with pytest.raises(InputError, match="one and the same route"):
        Delays.of(trips, grid)


def test_blocks_of_one_street_are_one_stretch_and_a_street_met_again_is_another(grid, place):
    route = grid.route([place(20, 0), place(380, 0)])
    assert stretches(route.roads, grid) == [Stretch("Calle 0", 0, 4)]
    names = grid.roads["name"]
    first = [int(np.flatnonzero(names == name)[0]) for name in ("Calle 0", "Avenida 2")]
    found = stretches(np.array([first[0], first[0], first[1], first[0]], np.int32), grid)
    assert [(s.name, s.first, s.stop) for s in found] == [("Calle 0", 0, 2), ("Avenida 2", 2, 3), ("Calle 0", 3, 4)]


def test_roads_without_a_name_are_a_stretch_without_one(triangle):
    assert stretches(np.array([1, 2], np.int32), triangle) == [Stretch("Calle Dos", 0, 1), Stretch(None, 1, 2)]
