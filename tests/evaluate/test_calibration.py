"""Check calibration: draws that hold the real value as they should, too seldom or too often, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from htp.errors import InputError
from htp.evaluate.calibration import QUANTITIES, TIME, calibration, draw_names, spread

DRAWS = 9


def along(*rows):
    """Return lines along Calle 0, a list of metres each."""
    return [[(x_m, 0) for x_m in row] for row in rows]


def normal(trips, spread_of_draws, seed=0):
    """Return real values and draws around the same middles; the real ones spread by 1."""
    random = np.random.default_rng(seed)
    middle = random.normal(0, 10, trips)
    return middle + random.normal(0, 1, trips), middle[:, None] + spread_of_draws * random.normal(0, 1, (trips, DRAWS))


def test_draws_like_the_real_value_are_calibrated():
    found = spread("x", *normal(20_000, 1.0))
    assert found.coverage == pytest.approx((0.5, 0.8), abs=0.012)
    assert found.ranks == pytest.approx([0.1] * (DRAWS + 1), abs=0.01)
    assert found.crps == pytest.approx(found.crps_of_draws, rel=0.02)
    assert found.crps == pytest.approx(1 / np.sqrt(np.pi), rel=0.02)  # of a normal distribution, by theory


@pytest.mark.parametrize(("spread_of_draws", "less"), [(0.5, True), (2.0, False)])
def test_draws_that_spread_too_little_hold_it_too_seldom_and_others_too_often(spread_of_draws, less):
    found = spread("x", *normal(5000, spread_of_draws))
    for held, level in zip(found.coverage, (0.5, 0.8), strict=True):
        assert (held < level - 0.1) if less else (held > level + 0.1)
    outer, middle = found.ranks[0] + found.ranks[-1], found.ranks[4] + found.ranks[5]
    assert (outer > middle) is less
    assert found.crps > 1 / np.sqrt(np.pi)  # no other spread does better than the right one


def test_draws_that_lie_too_low_are_seen_in_the_ranks():
    real, draws = normal(2000, 1.0)
    found = spread("x", real, draws - 2.0)
    assert found.ranks[-1] > 0.4
    assert found.crps > 2 * found.crps_of_draws


def test_equal_values_share_their_ranks():
    """Half of all stand for nothing: so do half of the draws, and none of them is above another."""
    random = np.random.default_rng(1)
    values = np.maximum(random.normal(0, 1, (20_000, DRAWS + 1)), 0.0)
    found = spread("x", values[:, 0], values[:, 1:])
    assert found.coverage == pytest.approx((0.5, 0.8), abs=0.012)
    assert found.ranks == pytest.approx([0.1] * (DRAWS + 1), abs=0.01)


def test_the_score_by_hand():
    found = spread("x", np.array([1.0]), np.array([[0.0, 2.0, 5.0]]))
    apart = (2 + 5 + 3) / 3
    assert found.crps == pytest.approx((1 + 1 + 4) / 3 - apart / 2)
    assert found.crps_of_draws == pytest.approx(apart / 2)
    assert found.ranks == pytest.approx([0, 1, 0, 0])


@pytest.fixture
def real(trips_at):
    """Two trips along Calle 0, a point every 100 m; the second stands for two intervals in the middle."""
    return trips_at(*along([100, 200, 300, 400, 500], [100, 200, 200, 200, 300]))


def test_quantities_are_read_off_the_points(real, trips_at, grid):
    """All draws of the first trip are the trip itself; those of the second drive on where it stands."""
    lines = along(*[[100, 200, 300, 400, 500]] * 2, *[[100, 150, 200, 250, 300]] * 2)
    draws = trips_at(*lines).assign(trip_id=draw_names(real["trip_id"], 2))
    found = calibration(real, draws, grid)
    assert (found.trips, found.draws) == (2, 2)
    by_name = {one.quantity: one for one in found.spreads}
    assert list(by_name) == [name for name in QUANTITIES if name != TIME]  # all draws have the real time
    interval_s = float(real["interval"].iloc[0])
    assert by_name["seconds standing"].crps == pytest.approx(2 * interval_s / 2)  # the mean of 0 and two intervals
    half = by_name["metres driven after 50% of the time"]
    assert half.crps == pytest.approx(0, abs=0.5)
    assert by_name["metres driven after 25% of the time"].crps == pytest.approx(25, abs=1)  # 100 m against 50 m


def test_times_that_are_drawn_are_compared_too(real, trips_at, grid):
    draws = trips_at(*along(*[[100, 300, 500]] * 4)).assign(trip_id=draw_names(real["trip_id"], 2))
    assert [one.quantity for one in calibration(real, draws, grid).spreads] == list(QUANTITIES)


def test_real_trips_without_draws_are_left_aside(real, trips_at, grid):
    draws = trips_at(*along(*[[100, 200, 300]] * 3)).assign(trip_id=draw_names(real["trip_id"].iloc[:1], 3))
    assert calibration(real, draws, grid).trips == 1


def test_draws_of_no_real_trip_are_refused(real, trips_at, grid):
    with pytest.raises(InputError, match="No real trip is called 'other'"):
        calibration(real, trips_at(*along(*[[100, 200]] * 2)).assign(trip_id=["other/1", "other/2"]), grid)


@pytest.mark.parametrize("numbers", [[1, 1], [2, 1]])
def test_as_many_draws_for_each_trip_are_asked_for(real, trips_at, grid, numbers):
    names = [name for trip, count in zip(real["trip_id"], numbers, strict=True) for name in draw_names([trip], count)]
    with pytest.raises(InputError, match="the same number of draws"):
        calibration(real, trips_at(*along(*[[100, 200, 300]] * len(names))).assign(trip_id=names), grid)
