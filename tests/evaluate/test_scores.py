"""Score measured trips whose histograms can be written down by hand."""

import numpy as np
import pytest

from htp.evaluate.measure import Measures
from htp.evaluate.scores import METRICS, Binned, Scale, noise_floor, score

SIMILARITIES = {"G-Den", "G-Pat", "R-Den", "R-Pat"}


def measures_of(travel_m, steps_m, cells, roads):
    """Trips of two points each: one step, two cells, two roads."""
    return Measures(
        points=np.full(len(travel_m), 2, dtype=np.int32),
        travel_m=np.array(travel_m, dtype=np.float32),
        radius_m=np.array(travel_m, dtype=np.float32) / 2,
        step_m=np.array(steps_m, dtype=np.float32),
        road_distance_m=np.zeros(2 * len(travel_m), dtype=np.float32),
        cell=np.array(cells, dtype=np.int64),
        road=np.array(roads, dtype=np.int32),
    )


@pytest.fixture
def many():
    random = np.random.default_rng(0)
    n = 2000
    cells, roads = random.geometric(0.02, 2 * n), random.geometric(0.02, 2 * n)
    steps = random.exponential(120, n)
    return measures_of(steps, steps, cells, np.minimum(roads, 499))


def score_of(real, other, roads=500):
    scale = Scale.of(real, [other], roads)
    return score(Binned.of(real, scale).histograms(), Binned.of(other, scale).histograms())


def test_trips_against_themselves_are_perfect(many):
    found = score_of(many, many)
    assert list(found) == [metric.name for metric in METRICS]
    for name, value in found.items():
        assert value == pytest.approx(1 if name in SIMILARITIES else 0, abs=1e-12), name


def test_trips_with_nothing_in_common_are_as_bad_as_can_be():
    real = measures_of([100, 110], [100, 110], [1, 2, 3, 4], [0, 1, 2, 3])
    other = measures_of([900, 910], [900, 910], [5, 6, 7, 8], [4, 5, 6, 7])
    found = score_of(real, other)
    assert {found[name] for name in SIMILARITIES} == {0}
    assert [found[name] for name in ("T-Dist", "S-Dist", "Radius")] == [1, 1, 1]


def test_scores_by_hand():
    real = measures_of([100, 200], [100, 200], [7, 7, 8, 9], [0, 0, 1, 2])
    other = measures_of([100, 100], [100, 100], [7, 7, 7, 8], [0, 0, -1, 3])
    found = score_of(real, other)
    # real: half the trips in the bin of 100 m, half in that of 200 m; other: all in that of 100 m (see test_metrics)
    assert found["T-Dist"] == pytest.approx(0.311278, abs=1e-6)
    assert found["G-Den"] == pytest.approx((2 * 3 + 1 * 1) / np.sqrt((4 + 1 + 1) * (9 + 1)))
    assert found["G-Pat"] == pytest.approx(2 * 2 / (3 + 2))  # {7, 8, 9} and {7, 8}
    assert found["R-Den"] == pytest.approx(2 * 2 / np.sqrt((4 + 1 + 1) * (4 + 1)))  # road -1 is none
    assert found["R-Pat"] == pytest.approx(2 * 1 / (3 + 2))  # {0, 1, 2} and {0, 3}


def test_weighting_trips_is_repeating_them():
    once = measures_of([100, 200, 300], [100, 200, 300], [1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, -1])
    scale = Scale.of(once, [], roads=5)
    twice = measures_of([100, 300, 300], [100, 300, 300], [1, 2, 5, 6, 5, 6], [0, 1, 4, -1, 4, -1])
    weighted = Binned.of(once, scale).histograms(np.array([1.0, 0, 2]))
    for quantity, counts in Binned.of(twice, scale).histograms().items():
        np.testing.assert_array_equal(weighted[quantity], counts)


def test_the_noise_floor_depends_on_the_seed_alone_and_shrinks_with_more_trips(many):
    scale = Scale.of(many, [], roads=500)
    few = Measures(**{name: values[: len(values) // 4] for name, values in vars(many).items()})
    floor = noise_floor(Binned.of(many, scale), seed=1)
    assert floor == noise_floor(Binned.of(many, scale), seed=1)
    assert floor != noise_floor(Binned.of(many, scale), seed=2)
    small = noise_floor(Binned.of(few, scale), seed=1)
    for name in floor:
        assert small[name] >= floor[name] if name not in SIMILARITIES else small[name] <= floor[name]


def test_the_noise_floor_of_a_divergence_is_what_theory_says(many):
    # two samples of n from the same k equally likely bins: (k - 1) / (4 n ln 2) in expectation
    scale = Scale.of(many, [], roads=500)
    expected = (len(scale.edges["step_m"])) / (4 * 1000 * np.log(2))
    assert noise_floor(Binned.of(many, scale))["S-Dist"] == pytest.approx(expected, rel=0.2)
