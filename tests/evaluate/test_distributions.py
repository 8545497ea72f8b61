"""Distributions of measured trips, to look at."""

from __future__ import annotations

import numpy as np
import pytest

from htp.evaluate.aligned import AlignedSurveyor
from htp.evaluate.distributions import MOST_BINS, SHOWN, bins, distributions
from htp.evaluate.evaluation import compare


@pytest.fixture(scope="module")
def surveyor(grid) -> AlignedSurveyor:
    return AlignedSurveyor(grid)


@pytest.fixture(scope="module")
def sides(grid, random_trips, surveyor):
    points = np.random.default_rng(3).integers(20, 60, 60)
    return [surveyor.measure_trips(random_trips(grid, points[at : at + 30], seed=at)) for at in (0, 30)]


def test_lengths_come_first_and_every_value_is_in_one_bin(sides, grid):
    found = distributions(*sides, len(grid))
    assert tuple(shown.metric for shown in found) == SHOWN
    assert SHOWN[0] == "Length"
    for shown in found:
        assert shown.real.sum() == pytest.approx(100)
        assert shown.generated.sum() == pytest.approx(100)
        assert len(shown.edges) == len(shown.real) + 1


def test_the_same_trips_on_both_sides_diverge_by_nothing(sides, grid):
    for shown in distributions(sides[0], sides[0], len(grid)):
        assert shown.divergence == 0
        assert np.array_equal(shown.real, shown.generated)


def test_divergences_and_floors_are_those_of_the_evaluation(sides, grid):
    report = compare({"real": sides[0], "generated": sides[1]}, len(grid))
    for shown in distributions(*sides, len(grid)):
        assert shown.divergence == pytest.approx(report[shown.metric].value)
        assert shown.floor == pytest.approx(report[shown.metric].floor)


def test_without_generated_trips_the_real_ones_stand_alone(sides, grid):
    for shown in distributions(sides[0], None, len(grid)):
        assert (shown.generated, shown.divergence) == (None, None)
        assert shown.floor > 0


def test_the_last_bin_holds_the_tail(sides, grid):
    shown = next(shown for shown in distributions(*sides, len(grid)) if shown.metric == "PR-Dist")
    values = sides[0].road_distance_m
    assert shown.open_end == bool(max(side.road_distance_m.max() for side in sides) >= shown.edges[-1])
    assert shown.real[-1] == pytest.approx((values >= shown.edges[-2]).mean() * 100)


@pytest.mark.parametrize(
    ("values", "whole", "edges"),
    [
        ([20, 21, 23], True, [20, 21, 22, 23, 24]),
        ([0.0, 32.0], False, np.arange(0, 34)),
        ([5, 5], True, [5, 6]),
        ([0.0, 0.0], False, None),
    ],
    ids=["whole numbers", "round width", "one value", "all zero"],
)
def test_bins_are_round_and_hold_all_but_the_tail(values, whole, edges):
    found = bins([np.array(values, dtype=float)], whole=whole)
    assert 1 <= len(found) - 1 <= MOST_BINS + 1
    assert found[0] <= min(values)
    if edges is not None:
        assert found == pytest.approx(np.array(edges, dtype=float))
