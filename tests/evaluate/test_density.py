"""Points on cells and roads, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from htp.evaluate.aligned import AlignedSurveyor
from htp.evaluate.density import (
    EXTRA,
    HIT,
    MISSED,
    NEITHER,
    Density,
    cell_density,
    cell_floor,
    main_roads,
    road_density,
    road_floor,
)
from htp.evaluate.measure import UNMATCHED, Measures
from htp.evaluate.metrics import top_f1
from htp.evaluate.scores import Binned, Binning, noise_floor


def measures(cell: list[int], road: list[int], hour: list[int]) -> Measures:
    """One trip with a point on each of these cells and roads."""
    some = np.zeros(len(cell), dtype=np.float32)
    return Measures(
        points=np.array([len(cell)], np.int32),
        interval_s=np.array([15.0], np.float32),
        travel_m=some[:1],
        radius_m=some[:1],
        step_m=some[1:],
        road_distance_m=some,
        junction_m=some,
        cell=np.array(cell),
        road=np.array(road, np.int32),
        hour=np.array(hour, np.int8),
        movement=np.zeros((1, 1), np.float32),
        fold=np.zeros(1, np.int8),
    )


REAL = measures([7, 7, 9, 9, 9], [0, 0, 1, UNMATCHED, 1], [7, 7, 8, 8, 23])
GENERATED = measures([9, 11, 11], [1, 2, UNMATCHED], [8, 8, 9])


def test_points_are_counted_on_the_cells_of_either_side():
    density = cell_density(REAL, GENERATED)
    assert density.places.tolist() == [7, 9, 11]
    assert density.real.tolist() == [2, 3, 0]
    assert density.generated.tolist() == [0, 1, 2]
    assert density.difference.tolist() == [-2, -2, 2]


def test_points_without_a_road_are_not_counted_on_roads():
    density = road_density(REAL, GENERATED)
    assert density.places.tolist() == [0, 1, 2]
    assert (density.real.tolist(), density.generated.tolist()) == ([2, 2, 0], [0, 1, 1])


@pytest.mark.parametrize(
    ("hours", "real"), [((0, 24), 5), ((7, 8), 2), ((8, 9), 2), ((23, 24), 1), ((0, 7), 0)], ids=str
)
def test_only_points_of_the_asked_hours_are_counted(hours, real):
    assert cell_density(REAL, GENERATED, hours).real.sum() == real


def test_without_generated_trips_only_the_real_ones_are_counted():
    density = cell_density(REAL, None)
    assert (density.real.tolist(), density.generated.tolist()) == ([2, 3], [0, 0])


def test_no_points_at_all_are_no_places():
    density = cell_density(REAL, GENERATED, (0, 5))
    assert (len(density.places), density.similarity, density.top().f1) == (0, 0.0, 0.0)


def test_the_most_frequent_places_are_hit_missed_or_extra():
    density = Density(np.arange(5), np.array([9, 8, 1, 0, 0]), np.array([7, 0, 0, 3, 0]))
    top = density.top(2)
    assert top.kind.tolist() == [HIT, MISSED, NEITHER, EXTRA, NEITHER]
    assert (top.number(HIT), top.number(MISSED), top.number(EXTRA), top.f1) == (1, 1, 1, 0.5)


def test_the_share_in_common_is_the_metric_of_the_evaluation():
    random = np.random.default_rng(0)
    real, generated = random.integers(0, 4, (2, 500))
    found = Density(np.arange(500), real, generated).top()
    assert found.f1 == pytest.approx(top_f1(real.astype(float), generated.astype(float)))


def test_the_same_points_on_both_sides_are_perfectly_similar():
    density = cell_density(REAL, REAL)
    assert density.similarity == pytest.approx(1)
    assert density.top().f1 == 1
    assert not density.difference.any()


def test_a_cell_is_named_after_the_road_that_most_of_its_points_lie_on():
    measured = measures([7, 7, 7, 9, 11], [4, 5, 5, UNMATCHED, 3], [8] * 5)
    assert main_roads(measured, np.array([11, 7, 9, 12])).tolist() == [3, 5, UNMATCHED, UNMATCHED]


def test_the_floor_of_the_whole_day_is_that_of_the_evaluation(grid, random_trips):
    real = AlignedSurveyor(grid).measure_trips(random_trips(grid, [30] * 40))
    expected = noise_floor(Binned.of(real, Binning.of(real, [], len(grid))), seed=3)
    cells, roads = cell_floor(real, seed=3), road_floor(real, seed=3)
    assert (cells.similarity, cells.f1) == pytest.approx((expected["G-Den"], expected["G-Pat"]))
    assert (roads.similarity, roads.f1) == pytest.approx((expected["R-Den"], expected["R-Pat"]))


def test_halves_that_never_meet_are_half_met_by_wholes_and_equal_ones_are_one():
    apart = Measures.join([measures([7], [0], [7]), measures([9], [1], [7])])
    assert (cell_floor(apart).similarity, road_floor(apart).f1) == pytest.approx((1 / 2, 1 - 1 / np.sqrt(2)))
    alike = Measures.join([measures([7], [0], [7])] * 2)
    assert (cell_floor(alike).similarity, road_floor(alike).f1) == (1, 1)


def test_a_floor_of_hours_looks_at_their_points_alone():
    two = Measures.join([measures([7, 9], [0, 1], [7, 8]), measures([7, 11], [0, 2], [7, 8])])
    assert cell_floor(two, (7, 8)).similarity == pytest.approx(1)
    assert cell_floor(two, (8, 9)).similarity == pytest.approx(1 / 2)
