"""Check the choice of routes: connected, permitted, fast, and away from crowded turns."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from htp.simulate.circumstances import Circumstances
from htp.simulate.demand import VehicleDemand
from htp.simulate.network import DRIVEN, RESIDENTIAL, SumoNetwork, build_network
from htp.simulate.routes import Turns, choose_routes, free_turns, loaded_turns
from htp.simulate.slowdown import Slowdown

if TYPE_CHECKING:
    from htp.city.network import City

TUESDAY = Circumstances(date(2024, 5, 14))


@pytest.fixture(scope="module")
def network(grid: City, tmp_path_factory: pytest.TempPathFactory) -> SumoNetwork:
    return build_network(grid, tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def turns(grid: City, network: SumoNetwork) -> Turns:
    return free_turns(grid, network)


def trips(origin: int, destination: int, count: int, hour: float = 3.0) -> VehicleDemand:
    return VehicleDemand(np.full(count, hour * 3600), np.full(count, origin), np.full(count, destination))


def test_routes_lead_from_origin_to_destination_by_permitted_turns(grid: City, network: SumoNetwork, turns: Turns):
    rng = np.random.default_rng(0)
    origin, destination = rng.permutation(80)[:60].reshape(2, 30)
    demand = VehicleDemand(np.sort(rng.uniform(0, 86_400, 30)), origin, destination)
    routes = choose_routes(grid, turns, Slowdown(grid, TUESDAY, 0), demand, rng)
    permitted = set(zip(network.source.tolist(), network.target.tolist(), strict=True))
    assert routes.vehicle.tolist() == list(range(30))
    for vehicle, roads in zip(routes.vehicle, routes.roads, strict=True):
        assert roads[0] == origin[vehicle]
        assert roads[-1] == destination[vehicle]
        assert set(zip(roads[:-1].tolist(), roads[1:].tolist(), strict=True)) <= permitted


def test_straight_on_is_driven_straight(grid: City, turns: Turns):
    routes = choose_routes(grid, turns, Slowdown(grid, TUESDAY, 0), trips(0, 6, 1), np.random.default_rng(0))
    assert routes.roads[0].tolist() == [0, 2, 4, 6]  # Calle 0, eastwards
    expected_s = 30 / DRIVEN[RESIDENTIAL]  # three blocks of 100 m at a limit of 10 m/s
    assert 0.65 < routes.expected_s[0] / expected_s < 1.5  # as the driver perceives them


def test_turns_of_routes_are_found_and_told_apart(turns: Turns):
    found, route = turns.of_routes([np.array([0, 2, 4]), np.array([7]), np.array([2, 4])])
    assert turns.source[found].tolist() == [0, 2, 2]
    assert turns.target[found].tolist() == [2, 4, 4]
    assert route.tolist() == [0, 0, 2]


def test_a_crowded_turn_is_delayed_in_its_period_only(grid: City, turns: Turns):
    slowdown = Slowdown(grid, TUESDAY, 0)
    demand = trips(0, 2, 50, hour=8.0)  # one turn, 50 sampled vehicles that stand for 10,000
    loaded = loaded_turns(grid, turns, slowdown, demand, 200.0, np.random.default_rng(0))
    (turn,), _ = turns.of_routes([np.array([0, 2])])
    assert loaded.delay_s[1, turn] - turns.delay_s[1, turn] > 60  # 6:45 to 9:30
    assert loaded.delay_s[0, turn] == turns.delay_s[0, turn]


def test_vehicles_that_cannot_arrive_are_left_out(triangle: City):
    one_way = Turns(
        source=np.array([0]),
        target=np.array([1]),
        capacity_h=np.array([800.0]),
        delay_s=np.zeros((7, 1)),
        roads=3,
    )
    demand = VehicleDemand(np.zeros(2), np.array([0, 1]), np.array([1, 0]))
    routes = choose_routes(triangle, one_way, Slowdown(triangle, TUESDAY, 0), demand, np.random.default_rng(0))
    assert routes.vehicle.tolist() == [0]


def test_turns_of_a_city_of_many_roads_are_told_apart():
    """Road times road is more than fits 32 bits, in which routes hold their roads."""
    many = 100_000
    turns = Turns(np.array([5, 90_000]), np.array([6, 90_001]), np.ones(2), np.zeros((1, 2)), many)
    turn, route = turns.of_routes([np.array([90_000, 90_001], np.int32), np.array([5, 6], np.int32)])
    assert turn.tolist() == [1, 0]
    assert route.tolist() == [0, 1]
