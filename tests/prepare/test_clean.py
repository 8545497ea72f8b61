"""Drop and count what is broken, out of town, jumping or of the wrong length, and resample the rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htp.prepare.clean import clean, in_town, resample
from htp.prepare.rawtrips import RawTrips

JUNK = st.one_of(
    st.floats(), st.sampled_from([-71.2475, -29.8975, 0.0, 1.7e9, 1.7e9 + 15, -9.3e9, 9.3e9, 1e300, np.nan, np.inf])
)


def cleaned(raw, city, interval_s=15.0, points=(20, 200)):
    """Return what cleaning leaves, after checking that every trip is kept or counted."""
    trips = clean(raw, city, interval_s=interval_s, min_points=points[0], max_points=points[1])
    assert len(trips.raw) + trips.raw.dropped.total() == len(raw) + raw.dropped.total()
    assert trips.raw.count.sum() == len(trips.raw.lonlat) == len(trips.raw.time_s)
    assert len(trips.interval_s) == len(trips.raw.count) == len(trips.raw)
    return trips


def with_value(raw, field, point, value):
    """Return raw trips of which one number is another."""
    array = getattr(raw, field).copy()
    array[point] = value
    return replace(raw, **{field: array})


def test_a_regular_trip_is_left_exactly_as_it_is(grid, raw, drive, inner):
    before = raw(drive(20, inner, noise_m=3.0), drive(21))
    after = cleaned(before, grid).raw
    np.testing.assert_array_equal(after.lonlat, before.lonlat)
    np.testing.assert_array_equal(after.time_s, before.time_s)
    assert after.trip_id == ["0", "1"]
    assert not after.dropped


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("field", "point"), [("lonlat", (5, 0)), ("lonlat", (5, 1)), ("time_s", 5)])
def test_a_number_that_is_none_breaks_its_trip_alone(grid, raw, drive, field, point, value):
    trips = cleaned(with_value(raw(drive(20), drive(20)), field, point, value), grid).raw
    assert trips.dropped == {"broken_row": 1}
    assert trips.trip_id == ["1"]


@pytest.mark.parametrize("time_s", [1.7e15, -1e11, 1e300], ids=["microseconds", "before the calendar", "huge"])
def test_a_time_that_no_calendar_holds_breaks_the_trip(grid, raw, drive, time_s):
    before = raw(drive(20))
    assert cleaned(replace(before, time_s=before.time_s + time_s), grid).raw.dropped == {"broken_row": 1}


def test_times_that_run_backwards_break_a_trip_but_equal_ones_do_not(grid, raw, drive):
    trips = raw(drive(20), drive(20))
    trips = with_value(with_value(trips, "time_s", 3, trips.time_s[1]), "time_s", 23, trips.time_s[22])
    after = cleaned(trips, grid).raw
    assert after.dropped == {"broken_row": 1}
    assert after.trip_id == ["1"]


def test_the_end_of_one_trip_and_the_start_of_the_next_are_no_step(grid, raw, drive):
    first, second = raw(drive(20)), raw(drive(20)[::-1])
    joined = RawTrips(
        ["later", "earlier"],
        np.array([20, 20]),
        np.vstack([first.lonlat, second.lonlat]),
        np.r_[first.time_s, second.time_s - 1e6],
    )
    assert cleaned(joined, grid).raw.trip_id == ["later", "earlier"]


def test_one_point_out_of_town_drops_the_trip(grid, raw, drive):
    outside = drive(20)
    outside[7] = (200, 500)
    trips = cleaned(raw(outside, drive(20)), grid).raw
    assert trips.dropped == {"out_of_town": 1}
    assert trips.trip_id == ["1"]


def test_town_ends_where_the_roads_end(grid, lonlat):
    inside = in_town(lonlat(np.array([(200, 200), (-20, 200), (420, 200), (200, -20), (200, 420)])), grid)
    assert inside.tolist() == [True, False, False, False, False]


@pytest.mark.parametrize(("kmh", "dropped"), [(198, {}), (202, {"jump": 1})])
def test_a_jump_is_a_step_beyond_200_km_an_hour(grid, raw, kmh, dropped):
    track = [(10, 10), (10 + kmh / 3.6 * 5, 10), (380, 10)]  # 275 or 281 m in 5 s
    assert cleaned(raw(track, seconds=[0, 5, 20]), grid, 5.0, points=(2, 200)).raw.dropped == dropped


def test_noise_at_short_intervals_is_no_jump(grid, raw):
    assert not cleaned(raw([(10, 10), (100, 10), (110, 10)], seconds=1.0), grid, 1.0, points=(2, 200)).raw.dropped


def test_a_jump_within_no_time_is_one(grid, raw):
    track = [(10, 10), (300, 10), (310, 10)]
    assert cleaned(raw(track, seconds=[0, 0, 15]), grid, points=(1, 200)).raw.dropped == {"jump": 1}


def test_a_trip_counts_under_its_first_reason_alone(grid, raw, drive):
    outside = drive(5)
    outside[2] = (200, 5000)
    assert cleaned(raw(outside), grid).raw.dropped == {"out_of_town": 1}  # a jump and too short as well


@pytest.mark.parametrize(
    ("points", "dropped"),
    [(19, {"too_short": 1}), (20, {}), (200, {}), (201, {"too_long": 1})],
    ids=str,
)
def test_20_to_200_points_are_kept(grid, raw, drive, points, dropped):
    assert cleaned(raw(drive(points, step_m=7.0)), grid).raw.dropped == dropped


def test_the_reasons_that_a_source_counted_are_kept(grid, raw, drive):
    before = replace(raw(drive(20), drive(3)), dropped=Counter({"missing_data": 4}))
    assert cleaned(before, grid).raw.dropped == {"missing_data": 4, "too_short": 1}


def test_irregular_points_are_interpolated_at_the_interval(grid, raw, lonlat):
    before = raw([(0, 0), (100, 0), (380, 0)], seconds=[0, 10, 50])  # at 10 m/s, then at 7
    after = cleaned(before, grid, 15.0, points=(2, 200)).raw
    np.testing.assert_allclose(after.time_s - before.time_s[0], [0, 15, 30, 45])
    np.testing.assert_allclose(after.lonlat, lonlat(np.array([(0, 0), (135, 0), (240, 0), (345, 0)])), atol=1e-8)


def test_without_an_interval_each_trip_keeps_its_own(grid, raw, drive):
    fast, slow = raw(drive(25, step_m=20.0), seconds=4.0), raw(drive(21), seconds=30.0)
    both = RawTrips(
        ["fast", "slow"],
        np.r_[fast.count, slow.count],
        np.vstack([fast.lonlat, slow.lonlat]),
        np.r_[fast.time_s, slow.time_s],
    )
    after = cleaned(both, grid, None)
    assert after.interval_s.tolist() == [4.0, 30.0]
    np.testing.assert_allclose(after.raw.lonlat, both.lonlat, atol=1e-12)


def test_dense_points_are_thinned_and_the_end_beyond_the_last_interval_is_left_out(grid, raw, drive):
    before = raw(drive(100, step_m=10.0), seconds=1.0)  # 99 s
    after = cleaned(before, grid, 10.0, points=(2, 200)).raw
    np.testing.assert_allclose(after.lonlat, before.lonlat[::10], atol=1e-12)
    assert after.count.tolist() == [10]


def test_trips_are_resampled_apart_from_each_other(grid, raw, drive):
    tracks = [drive(20), drive(30, step_m=20), drive(25, step_m=30)[::-1]]
    together = resample(raw(*tracks, seconds=14.0), np.full(3, 15.0)).raw
    alone = [resample(raw(track, seconds=14.0), np.full(1, 15.0)).raw for track in tracks]
    np.testing.assert_allclose(together.lonlat, np.vstack([one.lonlat for one in alone]), atol=1e-12)


def test_a_trip_is_cut_where_nothing_was_recorded_and_its_longest_part_kept(grid, raw, drive):
    seconds = np.r_[15.0 * np.arange(5), 600 + 15.0 * np.arange(25)]
    before = raw(drive(30, step_m=40.0), drive(30, step_m=40.0), seconds=seconds)
    after = cleaned(before, grid).raw
    assert after.count.tolist() == [25, 25]
    np.testing.assert_allclose(after.time_s, before.time_s.reshape(2, 30)[:, 5:].ravel())


@pytest.mark.parametrize(("gap_s", "points"), [(60, 24), (61, 11)], ids=["bridged", "cut"])
def test_a_minute_without_points_is_bridged(grid, raw, drive, gap_s, points):
    seconds = np.r_[15.0 * np.arange(10), 135.0 + gap_s + 15.0 * np.arange(11)]  # 21 points
    after = cleaned(raw(drive(21), seconds=seconds), grid, points=(1, 200)).raw
    assert after.count.tolist() == [points]


def test_a_time_that_is_wrong_by_years_makes_no_millions_of_points(grid, raw):
    two = raw([(10, 10), (20, 10)], seconds=[0, 5e8])
    three = raw([(10, 10), (20, 10), (30, 10)], seconds=[-1.7e9, 0, 15])
    for trip in (two, three):
        after = cleaned(trip, grid, 0.001)
        assert after.raw.dropped == {"too_long": 1}
        assert len(after.raw.lonlat) == 0


def test_no_trips_stay_no_trips(grid):
    empty = RawTrips.of([], [], Counter({"no_points": 2}))
    assert cleaned(empty, grid).raw.dropped == {"no_points": 2}


@given(trips=st.lists(st.lists(st.tuples(JUNK, JUNK, JUNK), min_size=1, max_size=6), max_size=4))
def test_junk_never_stops_the_cleaning_and_every_trip_is_accounted_for(grid, trips):
    before = RawTrips.of([str(i) for i in range(len(trips))], [np.array(trip) for trip in trips], Counter())
    after = cleaned(before, grid, points=(1, 200)).raw
    assert np.isfinite(after.lonlat).all()
    assert in_town(after.lonlat, grid).all()
    assert (after.count <= 200).all()
