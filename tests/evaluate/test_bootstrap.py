"""Bootstrap intervals of trips whose step is all they have."""

import numpy as np
import pytest

from htp.evaluate import bootstrap
from htp.evaluate.bootstrap import Interval, drawn, intervals
from htp.evaluate.measure import Measures
from htp.evaluate.metrics import bin_edges
from htp.evaluate.scores import Binned, Binning, score


def measures_of(steps_m):
    """Trips of two points each, in one cell, on one road, in one hour."""
    trips = len(steps_m)
    return Measures(
        points=np.full(trips, 2, dtype=np.int32),
        interval_s=np.full(trips, 15, dtype=np.float32),
        travel_m=np.asarray(steps_m, dtype=np.float32),
        radius_m=np.asarray(steps_m, dtype=np.float32) / 2,
        step_m=np.asarray(steps_m, dtype=np.float32),
        road_distance_m=np.zeros(2 * trips, dtype=np.float32),
        junction_m=np.zeros(2 * trips, dtype=np.float32),
        cell=np.zeros(2 * trips, dtype=np.int64),
        road=np.zeros(2 * trips, dtype=np.int32),
        hour=np.zeros(2 * trips, dtype=np.int8),
        movement=np.zeros((trips, 1), dtype=np.float32),
        fold=np.zeros(trips, dtype=np.int8),
    )


def compared(real_m, other_m, edges, seed=0):
    """Return the metrics of steps and their intervals; all sets are sorted into the same bins."""
    scale = Binning.of(measures_of(real_m), [], roads=1)
    scale.edges["step_m"] = edges
    real, other = (Binned.of(measures_of(steps_m), scale) for steps_m in (real_m, other_m))
    values = score(real.histograms(), other.histograms())
    return values, intervals(real, other, values, seed)


@pytest.fixture(scope="module")
def edges():
    return bin_edges(np.random.default_rng(0).exponential(120, 20_000), resolution=1.0)


def test_an_interval_is_moved_so_that_the_mean_of_the_samples_lies_on_the_value():
    samples = np.arange(1001) / 1000  # the middle 95 % reach from 0.025 to 0.975, their mean is 0.5
    assert Interval.around(0.5, samples) == Interval(pytest.approx(0.025), pytest.approx(0.975))
    assert Interval.around(0.3, 0.4 + samples / 10) == Interval(pytest.approx(0.2525), pytest.approx(0.3475))


def test_an_interval_ends_where_metrics_end():
    samples = np.arange(1001) / 1000
    assert Interval.around(0.1, samples) == Interval(0.0, pytest.approx(0.575))
    assert Interval.around(0.9, samples) == Interval(pytest.approx(0.425), 1.0)


def test_as_many_trips_are_drawn_as_there_are_each_as_often_as_another():
    weights = drawn(500, 400, np.random.default_rng(0))
    assert weights.shape == (500, 400)
    assert (weights.sum(axis=0) == 500).all()
    assert weights.mean(axis=1) == pytest.approx(1, abs=0.25)  # five standard deviations of a mean of 400
    assert (weights == 0).mean() == pytest.approx(np.exp(-1), abs=0.01)
    assert len(np.unique(weights, axis=1).T) == 400


def test_the_interval_depends_on_the_seed_alone(edges):
    real_m, other_m = np.random.default_rng(1).exponential(120, (2, 300))
    first, again, other = (compared(real_m, other_m, edges, seed)[1] for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_the_value_lies_within_and_more_trips_make_it_narrower(edges):
    random = np.random.default_rng(1)
    widths = []
    for trips in (400, 6400):
        values, found = compared(random.exponential(120, trips), random.exponential(140, trips), edges)
        assert all(found[name].low <= value <= found[name].high for name, value in values.items())
        widths.append(found["S-Dist"].high - found["S-Dist"].low)
    assert widths[1] < widths[0] / 3  # the square root of 16 is 4


def test_where_nothing_can_vary_the_interval_is_the_value(edges):
    _, found = compared(np.full(50, 100.0), np.full(50, 100.0), edges)
    assert found["S-Dist"] == Interval(0.0, 0.0)
    assert found["G-Den"] == Interval(1.0, 1.0)


def test_19_of_20_intervals_hold_what_is_to_be_expected_of_trips_like_these(edges, monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 100)
    random = np.random.default_rng(2)
    found = [compared(random.exponential(120, 500), random.exponential(160, 500), edges) for _ in range(40)]
    expected = np.mean([values["S-Dist"] for values, _ in found])
    ends = [intervals["S-Dist"] for _, intervals in found]
    assert sum(one.low <= expected <= one.high for one in ends) >= 36
    # and none is idly wide: of all values together no more than the usual share would lie in one of them
    assert np.mean([one.high - one.low for one in ends]) < 6 * np.std([values["S-Dist"] for values, _ in found])
