"""Routes through clicks, in the grid city: 5 x 5 crossings, 100 m apart, 10 m/s, Avenida 2 at 20 m/s."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pytest
from fake_generator import FakeTravelTime

from htp_app.plan import expected_travel_time, oriented, plan_or_problem


def test_a_plan_knows_streets_length_and_time(grid, place):
    plan, problem = plan_or_problem(grid, (place(20, 0), place(180, 0)))
    assert problem is None
    assert plan.names == ("Calle 0", "Calle 0")
    assert plan.distance_m == pytest.approx(160, abs=0.5)
    assert plan.free_flow_s == pytest.approx(16, abs=0.1)


def test_the_line_of_a_plan_runs_from_click_to_click(grid, place):
    plan, _ = plan_or_problem(grid, (place(20, 0), place(180, 0)))
    xy_m = grid.to_metres(np.array(plan.line))
    assert np.allclose(
        xy_m - grid.to_metres(np.array([place(0, 0)])), [[20, 0], [100, 0], [100, 0], [180, 0]], atol=0.3
    )


def test_a_plan_within_one_block_is_trimmed_at_both_ends(grid, place):
    plan, _ = plan_or_problem(grid, (place(20, 0), place(70, 0)))
    assert len(plan.route.roads) == 1
    assert plan.distance_m == pytest.approx(50, abs=0.5)


def test_fewer_than_two_points_are_no_plan_and_no_problem(grid, place):
    assert plan_or_problem(grid, ()) == (None, None)
    assert plan_or_problem(grid, (place(20, 0),)) == (None, None)


def test_a_point_out_of_town_is_a_problem_at_the_first_click(grid, place):
    plan, problem = plan_or_problem(grid, (place(5000, 5000),))
    assert plan is None
    assert "Grid" in problem


def test_two_points_at_one_place_are_a_problem(grid, place):
    plan, problem = plan_or_problem(grid, (place(20, 0), place(20, 0)))
    assert plan is None
    assert problem


def test_points_given_latitude_first_are_turned_where_the_city_tells(grid, place):
    lon, lat = place(20, 0)
    bounds = tuple(grid.roads.total_bounds)
    assert oriented(((lat, lon),), bounds) == (((lon, lat),), True)
    assert oriented(((lon, lat),), bounds) == (((lon, lat),), False)
    assert oriented(((0.0, 0.0),), bounds) == (((0.0, 0.0),), False)


def test_the_expected_travel_time_is_a_range_and_none_for_an_hour_that_does_not_exist(grid, place):
    plan, _ = plan_or_problem(grid, (place(0, 50), place(400, 350)))
    model = SimpleNamespace(generator=SimpleNamespace(city=grid), travel_time=FakeTravelTime())
    expected = expected_travel_time(model, plan, dt.datetime.fromisoformat("2024-05-14T08:00"))
    assert expected.low < expected.middle < expected.high
    assert expected_travel_time(model, plan, dt.datetime.fromisoformat("2024-09-08T00:30")) is None
