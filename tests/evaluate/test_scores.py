"""Score measured trips whose histograms can be written down by hand."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from htp.evaluate.measure import Measures
from htp.evaluate.scores import BEYOND, METRICS, Binned, Binning, at_full_size, noise_floor, score

SIMILARITIES = {"G-Den", "G-Pat", "R-Den", "R-Pat"}


def measures_of(travel_m, steps_m, cells, roads, hour=8):
    """Trips of two points each, 36 s apart: one step, two cells, two roads, all in one hour; no acceleration."""
    return Measures(
        points=np.full(len(travel_m), 2, dtype=np.int32),
        interval_s=np.full(len(travel_m), 36, dtype=np.float32),
        travel_m=np.array(travel_m, dtype=np.float32),
        radius_m=np.array(travel_m, dtype=np.float32) / 2,
        step_m=np.array(steps_m, dtype=np.float32),
        road_distance_m=np.zeros(2 * len(travel_m), dtype=np.float32),
        junction_m=np.zeros(2 * len(travel_m), dtype=np.float32),
        cell=np.array(cells, dtype=np.int64),
        road=np.array(roads, dtype=np.int32),
        hour=np.repeat(np.broadcast_to(hour, len(travel_m)), 2).astype(np.int8),
        movement=np.zeros((len(travel_m), 1), dtype=np.float32),
        fold=np.zeros(len(travel_m), dtype=np.int8),
    )


def driving_at(hour, speed_kmh):
    """Trips of two points each that differ in nothing but hour and speed: 100 m are 10 km/h."""
    metres = np.asarray(speed_kmh) * 10.0
    return measures_of(metres, metres, np.zeros(2 * len(metres)), np.zeros(2 * len(metres)), hour)


def slow_by_day(trips, seed):
    """Trips at all hours, driving 20 km/h from 7 to 20 and 60 at night, more or less."""
    random = np.random.default_rng(seed)
    hour = random.integers(0, 24, trips)
    return hour, np.where((hour >= 7) & (hour < 20), 20.0, 60.0) + random.normal(0, 5, trips)


@pytest.fixture
def many():
    random = np.random.default_rng(0)
    n = 2000
    cells, roads = random.geometric(0.02, 2 * n), random.geometric(0.02, 2 * n)
    steps = random.exponential(120, n)
    return measures_of(steps, steps, cells, np.minimum(roads, 499))


def score_of(real, other, roads=500):
    scale = Binning.of(real, [other], roads)
    return score(Binned.of(real, scale).histograms(), Binned.of(other, scale).histograms())


def test_trips_against_themselves_are_perfect(many):
    found = score_of(many, many)
    assert list(found) == [metric.name for metric in (*METRICS, *BEYOND)]
    assert found.pop("Acceleration") == 1  # of two points: none, on either side
    for name, value in found.items():
        assert value == pytest.approx(1 if name in SIMILARITIES else 0, abs=1e-12), name


def test_trips_with_nothing_in_common_are_as_bad_as_can_be():
    real = measures_of([100, 110], [100, 110], [1, 2, 3, 4], [0, 1, 2, 3])
    other = measures_of([900, 910], [900, 910], [5, 6, 7, 8], [4, 5, 6, 7])
    found = score_of(real, other)
    assert {found[name] for name in SIMILARITIES} == {0}
    assert [found[name] for name in ("T-Dist", "S-Dist", "Radius", "Speed", "Speed by hour")] == [1] * 5


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


def test_speed_by_hour_by_hand():
    real = driving_at([8, 8, 8, 8, 22, 22], [10, 20, 10, 20, 60, 60])
    other = driving_at([8, 8, 22, 23], [10, 10, 60, 60])
    found = score_of(real, other)
    # at 8, four of six: half and half against all in one, 0.311278 (see test_metrics); at 22, two of six: the same
    assert found["Speed by hour"] == pytest.approx(0.311278 * 4 / 6, abs=1e-6)
    # 4 of 6 and 2 of 6 against 2, 1 and 1 of 4
    assert found["Hour of day"] == pytest.approx(jensenshannon([4, 2, 0], [2, 1, 1], base=2) ** 2)


def test_an_hour_in_which_nothing_was_generated_is_as_bad_as_can_be():
    real = driving_at([8, 8, 8, 22], [20, 20, 20, 60])
    assert score_of(real, driving_at([8, 8], [20, 20]))["Speed by hour"] == pytest.approx(1 / 4)


def test_a_generator_that_ignores_the_clock_is_found_out_by_speed_by_hour_alone():
    hour, speed_kmh = slow_by_day(4000, seed=0)
    real, fresh = driving_at(hour, speed_kmh), driving_at(*slow_by_day(4000, seed=1))
    shuffled = driving_at(np.random.default_rng(2).permutation(hour), speed_kmh)
    floor = noise_floor(Binned.of(real, Binning.of(real, [fresh], 500)))
    good, bad = score_of(real, fresh), score_of(real, shuffled)
    assert good["Speed by hour"] < 1.5 * floor["Speed by hour"]
    assert bad["Speed by hour"] > 5 * max(floor["Speed by hour"], good["Speed by hour"])
    assert {bad[name] for name in ("Speed", "Hour of day", "T-Dist", "S-Dist")} == {0}


def test_weighting_trips_is_repeating_them():
    once = measures_of([100, 200, 300], [100, 200, 300], [1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, -1])
    scale = Binning.of(once, [], roads=5)
    twice = measures_of([100, 300, 300], [100, 300, 300], [1, 2, 5, 6, 5, 6], [0, 1, 4, -1, 4, -1])
    weighted = Binned.of(once, scale).histograms(np.array([1.0, 0, 2]))
    for quantity, counts in Binned.of(twice, scale).histograms().items():
        np.testing.assert_array_equal(weighted[quantity], counts)


def test_many_weightings_at_once_are_each_of_them(many):
    binned = Binned.of(many, Binning.of(many, [], roads=500))
    weights = np.random.default_rng(0).integers(0, 4, (2000, 3)).astype(float)
    together = binned.histograms(weights)
    for column in range(3):
        for quantity, counts in binned.histograms(weights[:, column]).items():
            np.testing.assert_array_equal(together[quantity][:, column], counts)


def test_the_noise_floor_depends_on_the_seed_alone_and_shrinks_with_more_trips(many):
    scale = Binning.of(many, [], roads=500)
    few = Measures(**{name: values[: len(values) // 4] for name, values in vars(many).items()})
    floor = noise_floor(Binned.of(many, scale), seed=1)
    assert floor == noise_floor(Binned.of(many, scale), seed=1)
    assert floor != noise_floor(Binned.of(many, scale), seed=2)
    small = noise_floor(Binned.of(few, scale), seed=1)
    for name in floor.keys() - {"Acceleration", "Hour of day"}:  # trips of two points have none; all are of one hour
        assert small[name] >= floor[name] if name not in SIMILARITIES else small[name] <= floor[name]


def test_the_noise_floor_of_a_divergence_is_what_theory_says(many):
    # two samples of n from the same k equally likely bins: (k - 1) / (4 n ln 2) in expectation
    scale = Binning.of(many, [], roads=500)
    expected = (len(scale.edges["step_m"])) / (4 * len(many.points) * np.log(2))
    assert noise_floor(Binned.of(many, scale))["S-Dist"] == pytest.approx(expected, rel=0.2)


def test_the_noise_floor_is_what_a_second_set_of_the_same_size_has():
    random = np.random.default_rng(5)
    sets = []
    for _ in range(8):
        n, steps = 2000, random.exponential(120, 2000)
        cells, roads = random.geometric(0.02, 2 * n), np.minimum(random.geometric(0.02, 2 * n), 499)
        sets.append(measures_of(steps, steps, cells, roads))
    floor = noise_floor(Binned.of(sets[0], Binning.of(sets[0], sets[1:], 500)))
    found = [score_of(sets[0], other) for other in sets[1:]]
    for name in ("S-Dist", "T-Dist", "G-Den", "R-Den", "R-Pat"):
        away, expected = (
            abs((name in SIMILARITIES) - value) for value in (floor[name], np.mean([f[name] for f in found]))
        )
        assert away == pytest.approx(expected, rel=0.25), name


def test_what_is_away_by_chance_comes_closer_in_whole_sets():
    by_name = {metric.name: metric for metric in (*METRICS, *BEYOND)}
    assert at_full_size(by_name["S-Dist"], [0.02, 0.04]) == pytest.approx(0.015)
    assert at_full_size(by_name["R-Den"], [0.8]) == pytest.approx(0.9)
    assert at_full_size(by_name["R-Pat"], [0.8]) == pytest.approx(1 - 0.2 / np.sqrt(2))
    assert at_full_size(by_name["G-Pat"], [1.0]) == 1
