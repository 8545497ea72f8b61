"""Hold that a trip's side depends on nothing but its id and the seed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htp.errors import InputError
from htp.prepare.split import UniqueIds, heldout_days, is_heldout

IDS = [str(number) for number in range(5000)]
TEXT = st.text(max_size=4)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_about_the_share_asked_for_is_held_out(share):
    assert is_heldout(IDS, share).mean() == pytest.approx(share, abs=0.015)


@given(ids=st.lists(TEXT), others=st.lists(TEXT), seed=st.integers(0, 9))
def test_a_trip_is_on_one_side_whatever_file_and_order_it_comes_in(ids, others, seed):
    side = dict(zip(ids, is_heldout(ids, 0.3, seed), strict=True))
    mixed = [*others, *reversed(ids), *ids]
    assert all(side.get(one, held) == held for one, held in zip(mixed, is_heldout(mixed, 0.3, seed), strict=True))


def test_a_larger_share_holds_out_the_same_trips_and_more():
    assert not (is_heldout(IDS, 0.1) & ~is_heldout(IDS, 0.2)).any()


def test_another_seed_draws_other_trips():
    first, second = is_heldout(IDS, 0.1, seed=0), is_heldout(IDS, 0.1, seed=1)
    assert (first & second).sum() < 0.3 * first.sum()


def test_the_draw_stays_what_it_was():
    """Prepared files of an earlier version keep their sides."""
    assert np.flatnonzero(is_heldout(IDS[:50], 0.1)).tolist() == [3, 7, 18, 23, 24, 31, 37, 41]


def test_no_trips_have_no_sides():
    assert is_heldout([], 0.1).tolist() == []
    assert is_heldout([], 0.1).dtype == bool


def trips_of(*rows):
    """Return trips of these ids and starts, in minutes."""
    ids, minutes = zip(*rows, strict=True)
    starts = pd.Timestamp("2024-05-06", tz="UTC") + pd.to_timedelta(minutes, unit="min")
    return pd.DataFrame({"trip_id": ids, "start_time": starts})


def test_every_trip_gets_an_id_of_its_own_over_any_number_of_tables():
    ids = UniqueIds()
    assert ids.of(trips_of(("a", 0), ("b", 0), ("a", 1)))[0] == ["a", "b", "a-1"]
    assert ids.of(trips_of(("a", 2), ("a-1", 0), ("c", 0)))[0] == ["a-2", "a-1-1", "c"]
    assert ids.renamed == 3
    assert ids.example == "'a' as 'a-1'"


def test_the_same_trip_again_stays_on_the_side_of_the_first():
    ids = UniqueIds()
    assert ids.of(trips_of(("a", 0), ("a", 1), ("a", 0), ("a", 1)))[1] == ["a", "a-1", "a", "a"]


@pytest.mark.parametrize(("share", "held"), [(0.0, 0), (0.01, 1), (0.1, 1), (0.3, 4), (0.9, 12)])
def test_that_share_of_the_days_is_held_out_and_one_at_least(share, held):
    days = [f"2018-10-{day}" for day in range(19, 32)]
    found = heldout_days([days[:5], days[3:] * 2], share)
    assert len(found) == held
    assert found == heldout_days([days[::-1]], share)  # in whatever file and order
    assert found <= set(days)


def test_of_one_day_none_can_be_held_out():
    with pytest.raises(InputError, match="all trips begin on one day"):
        heldout_days([["2013-07-01"] * 3], 0.1)
