"""Drop and count drives of the wrong length, and resample the rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htp.prepare.clean import clean, resample
from htp.prepare.drives import drives, in_town
from htp.prepare.rawtrips import RawTrips

JUNK = st.one_of(
    st.floats(), st.sampled_from([-71.2475, -29.8975, 0.0, 1.7e9, 1.7e9 + 15, -9.3e9, 9.3e9, 1e300, np.nan, np.inf])
)


def cleaned(raw, city, interval_s=15.0, points=(20, 200)):
    """Return what cleaning leaves, after checking that every drive is kept or counted."""
    trips = clean(raw, city, interval_s=interval_s, min_points=points[0], max_points=points[1])
    whole = drives(raw, city)
    assert len(trips) - trips.further + trips.dropped.total() == len(whole) - whole.further + whole.dropped.total()
    assert trips.count.sum() == len(trips.lonlat) == len(trips.time_s)
    assert len(trips.count) == len(trips)
    assert trips.count.max(initial=0) <= points[1]
    return trips


def test_a_regular_trip_is_left_exactly_as_it_is(grid, raw, drive, inner):
    before = raw(drive(20, inner, noise_m=3.0), drive(21))
    after = cleaned(before, grid)
    np.testing.assert_array_equal(after.lonlat, before.lonlat)
    np.testing.assert_array_equal(after.time_s, before.time_s)
    assert after.trip_id == ["0", "1"]
    assert not after.dropped


def test_the_end_of_one_trip_and_the_start_of_the_next_are_no_step(grid, raw, drive):
    first, second = raw(drive(20)), raw(drive(20)[::-1])
    joined = RawTrips(
        ["later", "earlier"],
        np.array([20, 20]),
        np.vstack([first.lonlat, second.lonlat]),
        np.r_[first.time_s, second.time_s - 1e6],
    )
    assert cleaned(joined, grid).trip_id == ["later", "earlier"]


@pytest.mark.parametrize(
    ("points", "dropped"),
    [(19, {"too_short": 1}), (20, {}), (200, {})],
    ids=str,
)
def test_trips_of_20_points_and_more_are_kept(grid, raw, drive, points, dropped):
    assert cleaned(raw(drive(points, step_m=7.0)), grid).dropped == dropped


@pytest.mark.parametrize(
    ("points", "pieces"), [(200, [200]), (201, [101, 100]), (399, [200, 199]), (401, [134, 133, 134])]
)
def test_a_trip_that_is_too_long_goes_on_as_another(grid, raw, drive, points, pieces):
    before = raw(drive(points, step_m=3.0))
    after = cleaned(before, grid)
    assert after.count.tolist() == pieces
    np.testing.assert_array_equal(after.lonlat, before.lonlat)
    np.testing.assert_array_equal(after.time_s, before.time_s)
    assert after.trip_id == (["0"] if len(pieces) == 1 else [f"0-{n}" for n in range(len(pieces))])
    assert after.further == len(pieces) - 1


def test_the_reasons_that_a_source_counted_are_kept(grid, raw, drive):
    before = replace(raw(drive(20), drive(3)), dropped=Counter({"missing_data": 4}))
    assert cleaned(before, grid).dropped == {"missing_data": 4, "too_short": 1}


def test_irregular_points_are_interpolated_at_the_interval(grid, raw, lonlat):
    before = raw([(0, 0), (100, 0), (380, 0)], seconds=[0, 10, 50])  # at 10 m/s, then at 7
    after = cleaned(before, grid, 15.0, points=(2, 200))
    np.testing.assert_allclose(after.time_s - before.time_s[0], [0, 15, 30, 45])
    np.testing.assert_allclose(after.lonlat, lonlat(np.array([(0, 0), (135, 0), (240, 0), (345, 0)])), atol=1e-8)


def test_dense_points_are_thinned_and_the_end_beyond_the_last_interval_is_left_out(grid, raw, drive):
    before = raw(drive(100, step_m=10.0), seconds=1.0)  # 99 s
    after = cleaned(before, grid, 10.0, points=(2, 200))
    np.testing.assert_allclose(after.lonlat, before.lonlat[::10], atol=1e-12)
    assert after.count.tolist() == [10]


def test_trips_are_resampled_apart_from_each_other(grid, raw, drive):
    tracks = [drive(20), drive(30, step_m=20), drive(25, step_m=30)[::-1]]
    together = resample(raw(*tracks, seconds=14.0), 15.0)
    alone = [resample(raw(track, seconds=14.0), 15.0) for track in tracks]
    np.testing.assert_allclose(together.lonlat, np.vstack([one.lonlat for one in alone]), atol=1e-12)


def test_a_time_that_is_wrong_by_years_makes_no_millions_of_points(grid, raw):
    two = raw([(10, 10), (20, 10)], seconds=[0, 5e8])
    three = raw([(10, 10), (20, 10), (30, 10)], seconds=[-1.7e9, 0, 15])
    for trip in (two, three):
        after = cleaned(trip, grid, 0.001)
        assert after.dropped["too_short"] == after.dropped.total() > 0
        assert len(after.lonlat) <= 20_000


def test_no_trips_stay_no_trips(grid):
    empty = RawTrips.of([], [], Counter({"no_points": 2}))
    assert cleaned(empty, grid).dropped == {"no_points": 2}


@given(trips=st.lists(st.lists(st.tuples(JUNK, JUNK, JUNK), min_size=1, max_size=6), max_size=4))
def test_junk_never_stops_the_cleaning_and_every_trip_is_accounted_for(grid, trips):
    before = RawTrips.of([str(i) for i in range(len(trips))], [np.array(trip) for trip in trips], Counter())
    after = cleaned(before, grid, points=(1, 200))
    assert np.isfinite(after.lonlat).all()
    assert in_town(after.lonlat, grid).all()
    assert (after.count <= 200).all()
