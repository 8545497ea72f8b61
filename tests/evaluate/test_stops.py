"""Check the figures of stops and junctions by hand, and that their intervals hold what chance makes."""

from __future__ import annotations

import numpy as np
import pytest

from htp.evaluate.checked_trips import CheckedTrips
from htp.evaluate.measure import Measures, Surveyor, junctions
from htp.evaluate.stops import ALL_DAY, FIGURES, stop_figures

INTERVAL_S = 10.0


def measures_of(steps_m, junction_m, hours):
    """Return measured trips with these steps, distances from a junction at every point, and hours of every point."""
    points = np.array([len(steps) + 1 for steps in steps_m], np.int32)
    flat = np.zeros(points.sum(), np.float32)
    return Measures(
        points=points,
        interval_s=np.full(len(points), INTERVAL_S, np.float32),
        travel_m=np.array([sum(steps) for steps in steps_m], np.float32),
        radius_m=np.zeros(len(points), np.float32),
        step_m=np.concatenate(steps_m).astype(np.float32),
        road_distance_m=flat,
        junction_m=np.concatenate(junction_m).astype(np.float32),
        cell=flat.astype(np.int64),
        road=flat.astype(np.int32),
        hour=np.concatenate(hours).astype(np.int8),
        movement=np.zeros((len(points), 1), np.float32),
        fold=np.zeros(len(points), np.int8),
    )


def by_hand():
    """Forty trips stop twice, once near a junction, three steps in all; forty drive through at night."""
    one = [100, 0, 0, 50, 0, 100]
    near = [200, 20, 20, 200, 300, 300, 10]
    return measures_of([one, [200, 100]] * 40, [near, [500, 40, 500]] * 40, [[8] * 7, [23] * 3] * 40)


def test_figures_by_hand():
    found = {(one.name, one.band): one.real for one in stop_figures(by_hand(), by_hand())}
    all_day = {name: found[name, ALL_DAY] for name in FIGURES}
    assert all_day["stops a kilometre"] == pytest.approx(2 / 0.55)
    assert all_day["seconds a stop"] == pytest.approx(15)  # 20 s and 10 s
    assert all_day["share of the time standing"] == pytest.approx(3 / 8)
    assert all_day["share of the stops near a junction"] == pytest.approx(1 / 2)
    assert all_day["km/h near junctions"] == pytest.approx(3.6 * (0 + 0 + 10) / 3)  # where a step begins counts
    assert all_day["km/h elsewhere"] == pytest.approx(3.6 * (10 + 5 + 0 + 10 + 20) / 5)
    changes = [10, 0, 5, 5, 10, 10]  # m/s, from step to step within each trip
    assert all_day["mean size of acceleration, m/s²"] == pytest.approx(np.mean(changes) / INTERVAL_S)
    jerks = [10, 5, 10, 15]
    assert all_day["mean size of jerk, m/s³"] == pytest.approx(np.mean(jerks) / INTERVAL_S**2)
    assert found["share of the time standing", "morning"] == pytest.approx(3 / 6)
    assert ("share of the time standing", "night") not in found  # nobody stands then
    assert found["km/h elsewhere", "night"] == pytest.approx(3.6 * 20)


def random_trips(trips, seed, standing=0.2):
    random = np.random.default_rng(seed)
    counts = random.integers(5, 30, trips)
    steps = [random.exponential(80, n) * (random.random(n) > standing) for n in counts]
    return measures_of(
        steps, [random.uniform(0, 200, n + 1) for n in counts], [np.full(n + 1, random.integers(24)) for n in counts]
    )


def test_the_intervals_hold_what_is_the_same_and_not_what_differs():
    real = random_trips(800, 0)
    same, other = stop_figures(real, random_trips(800, 1)), stop_figures(real, random_trips(800, 2, standing=0.3))
    held = [one.low <= 1 <= one.high for one in same]
    assert np.mean(held) > 0.8
    found = {one.name: one for one in other if one.band == ALL_DAY}
    assert found["share of the time standing"].low > 1.2
    assert found["share of the stops near a junction"].low == pytest.approx(1, abs=0.1)


def test_junctions_are_where_three_streets_meet(grid, triangle):
    found = junctions(grid)
    ends = np.unique(grid.xy_m[grid.first_vertex[:-1]], axis=0)
    assert len(found) == len(ends) - 4  # all crossings but the corners
    assert len(junctions(triangle)) > 0


def test_distances_to_junctions_are_measured(trips_at, grid):
    trips = trips_at([(100, 0), (130, 0), (200, 10)])
    measured = Surveyor(grid).measure(CheckedTrips.of(trips, grid))
    assert measured.junction_m == pytest.approx([0, 30, 10], abs=1)
