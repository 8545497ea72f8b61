"""Check descriptions of movement on trips that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from htp.evaluate.movement import describe_movement, descriptions


def described(xy_m, interval_s=15.0, away_m=0.0):
    """Return what one trip is described by, by name."""
    xy_m = np.asarray(xy_m, dtype=float)
    away = np.broadcast_to(np.asarray(away_m, np.float32), len(xy_m))
    row = describe_movement(xy_m, np.array([len(xy_m)], np.int32), np.array([interval_s], np.float32), away)[0]
    return dict(zip(descriptions(), row.tolist(), strict=True))


def along(*steps_m):
    """Return points along a line, apart by these steps."""
    return [[x, 0.0] for x in np.cumsum([0.0, *steps_m])]


def test_speeds_accelerations_and_jerk_of_a_car_that_speeds_up():
    found = described(along(0, 150, 300, 450))  # 0, 10, 20, 30 m/s
    assert (found["mean speed"], found["top speed"], found["speed of the first step"]) == (15.0, 30.0, 0.0)
    assert found["speed, 50 %"] == 15.0
    assert found["mean size of acceleration"] == pytest.approx(10 / 15)
    assert found["mean jerk"] == pytest.approx(0.0)


def test_stops_are_counted_with_how_long_they_are():
    found = described(along(150, 0, 0, 150, 4, 150, 75, 150))  # two stops: of two steps, and one of 4 m
    assert found["share standing"] == pytest.approx(3 / 8)
    assert found["share exactly at rest"] == pytest.approx(2 / 8)
    assert found["stops a point"] == pytest.approx(2 / 8)
    assert found["points a stop"] == pytest.approx(1.5)
    assert found["longest stop"] == 2
    assert found["speed after a stop"] == 10.0


def test_a_corner_is_a_turn_and_a_way_back_is_one_as_well():
    found = described([[0, 0], [150, 0], [150, 150], [150, 0]])
    assert found["mean turn"] == pytest.approx(135.0)  # 90 and 180 degrees
    assert (found["share of turns"], found["share of ways back"]) == (1.0, 0.5)
    assert found["way over straight line"] == pytest.approx(450 / 150)


def test_a_trip_is_described_the_same_alone_and_among_longer_ones():
    random = np.random.default_rng(0)
    counts = np.array([2, 3, 9, 40], np.int32)
    xy_m, away = random.normal(0, 300, (counts.sum(), 2)), random.random(counts.sum()).astype(np.float32)
    together = describe_movement(xy_m, counts, np.full(4, 15, np.float32), away)
    ends = np.cumsum(counts)
    for row, (end, n) in enumerate(zip(ends, counts, strict=True)):
        one = slice(end - n, end)
        alone = describe_movement(xy_m[one], counts[row : row + 1], np.full(1, 15, np.float32), away[one])
        np.testing.assert_allclose(alone[0], together[row], rtol=1e-5, err_msg=str(n))


def test_speeds_do_not_depend_on_how_often_a_steady_car_is_seen():
    often, seldom = described(along(*[50] * 30), 5.0), described(along(*[150] * 10), 15.0)
    for name in ("mean speed", "top speed", "share standing", "mean size of acceleration"):
        assert often[name] == pytest.approx(seldom[name]), name
