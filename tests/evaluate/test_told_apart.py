"""Check the classifier: it finds what differs and names it, finds nothing where nothing differs, leaks no pair."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from htp.evaluate.checked_trips import FOLDS
from htp.evaluate.movement import descriptions
from htp.evaluate.told_apart import FEWEST, told_apart

TRIPS = 600
TOP_SPEED = descriptions().index("top speed")


def side(seed, trips=TRIPS, shift=0.0):
    """Return trips as they are measured: noise in every description, one of them shifted."""
    movement = np.random.default_rng(seed).standard_normal((trips, len(descriptions()))).astype(np.float32)
    movement[:, TOP_SPEED] += shift
    return SimpleNamespace(points=np.full(trips, 20), movement=movement, fold=np.arange(trips) % FOLDS)


def test_trips_that_do_not_differ_are_not_told_apart():
    found = told_apart(side(1), side(2))
    assert found.auc == pytest.approx(0.5, abs=0.05)
    assert found.low < 0.5 < found.high
    assert (found.real, found.generated) == (TRIPS, TRIPS)


def test_what_differs_is_found_and_named_first():
    found = told_apart(side(1), side(2, shift=1.5))
    assert found.auc > 0.8
    assert found.low < found.auc < found.high
    first = found.telling[0]
    assert first.name == "top speed"
    assert first.auc == pytest.approx(0.855, abs=0.03)  # of two normal distributions 1.5 apart
    assert (first.real, first.generated) == (pytest.approx(0, abs=0.15), pytest.approx(1.5, abs=0.15))


def test_the_same_trips_on_both_sides_are_never_told_apart():
    """A copy lies in the fold of its original, so neither helps to tell the other."""
    assert told_apart(side(1), side(1)).auc == pytest.approx(0.5, abs=0.02)


def test_descriptions_that_a_trip_has_not_are_no_obstacle():
    real, generated = side(1), side(2)
    real.movement[::2, 5] = np.nan
    generated.movement[::2, 5] = np.nan
    assert told_apart(real, generated).auc == pytest.approx(0.5, abs=0.05)


def test_a_handful_of_trips_tell_nothing():
    assert told_apart(side(1, FEWEST - 1), side(2)) is None


def test_trips_that_share_their_names_cannot_be_kept_apart_and_tell_nothing():
    real, generated = side(1), side(2)
    real.fold[:] = generated.fold[:] = 3
    assert told_apart(real, generated) is None
