"""Leave out what is broken and no more, count it, and take trips apart where nothing was recorded."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htp.city.matching import RADIUS_M
from htp.prepare.drives import MARGIN_M, drives, in_town
from htp.prepare.rawtrips import RawTrips

JUNK = st.one_of(
    st.floats(), st.sampled_from([-71.2475, -29.8975, 0.0, 1.7e9, 1.7e9 + 15, -9.3e9, 9.3e9, 1e300, np.nan, np.inf])
)


def with_value(raw, field, point, value):
    """Return raw trips of which one number is another."""
    array = getattr(raw, field).copy()
    array[point] = value
    return replace(raw, **{field: array})


def test_a_trip_without_a_fault_is_left_exactly_as_it_is(grid, raw, drive, inner):
    before = raw(drive(20, inner, noise_m=3.0), drive(21))
    after = drives(before, grid)
    np.testing.assert_array_equal(after.lonlat, before.lonlat)
    np.testing.assert_array_equal(after.time_s, before.time_s)
    assert after.trip_id == ["0", "1"]
    assert not after.dropped
    assert not after.left_out


@pytest.fixture
def two(raw, drive):
    return raw(drive(20), drive(20))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("field", "point", "reason"),
    [
        ("lonlat", (5, 0), "unread_position"),
        ("lonlat", (5, 1), "unread_position"),
        ("time_s", 5, "unread_time"),
        ("time_s", 0, "unread_time"),
        ("time_s", 19, "unread_time"),
    ],
)
def test_a_number_that_is_none_costs_its_point_alone(two, grid, field, point, reason, value):
    trips = drives(with_value(two, field, point, value), grid)
    assert trips.trip_id == ["0", "1"]
    assert trips.count.tolist() == [19, 20]
    assert trips.left_out == {reason: 1}
    assert not trips.dropped
    assert "trip 0" in trips.examples[reason]


@pytest.mark.parametrize("time_s", [1.7e15, -1e11, 1e300], ids=["microseconds", "before the calendar", "huge"])
def test_times_that_no_calendar_holds_drop_the_trip(grid, raw, drive, time_s):
    before = raw(drive(20))
    after = drives(replace(before, time_s=before.time_s + time_s), grid)
    assert after.dropped == {"unread_time": 1}
    assert not after.left_out  # the trip is counted, not its points


def test_what_the_reader_quoted_is_kept(grid, raw, drive):
    before = with_value(raw(drive(20)), "time_s", 3, np.nan)
    after = drives(replace(before, examples={"unread_time": "'soon' in trip 0"}), grid)
    assert after.examples == {"unread_time": "'soon' in trip 0"}


def test_times_that_run_backwards_are_sorted_and_a_time_counts_once(grid, raw, drive):
    there = raw(drive(20), drive(20))
    order = np.r_[np.arange(20)[::-1], np.arange(20, 40)]
    mixed = replace(there, lonlat=there.lonlat[order], time_s=there.time_s[order])
    after = drives(mixed, grid)
    np.testing.assert_array_equal(after.time_s, there.time_s)
    np.testing.assert_array_equal(after.lonlat, there.lonlat)
    again = drives(with_value(there, "time_s", 23, there.time_s[22]), grid)
    assert again.count.tolist() == [20, 19]
    assert again.left_out == {"repeated_time": 1}


def test_a_point_out_of_town_costs_itself_and_a_stretch_cuts_the_trip(grid, raw, drive):
    one, stretch = drive(20), drive(20)
    one[2, 1] -= 150  # south of the southernmost street
    stretch[2:5, 1] -= 250
    trips = drives(raw(one, stretch, drive(20)), grid)
    assert trips.trip_id == ["0", "1-0", "1-1", "2"]
    assert trips.count.tolist() == [19, 2, 15, 20]
    assert trips.left_out == {"out_of_town": 4}
    assert not trips.dropped


def test_a_trip_that_is_nowhere_in_town_is_dropped(grid, raw, drive):
    trips = drives(raw(drive(20) + np.array([0, 30_000]), drive(20)), grid)
    assert trips.dropped == {"out_of_town": 1}
    assert trips.trip_id == ["1"]
    assert "trip 0" in trips.examples["out_of_town"]


def test_town_ends_where_no_road_can_be_near(grid, lonlat):
    assert MARGIN_M == RADIUS_M
    near = [(200, 200), (-20, 200), (495, 200), (200, -95), (200, 420)]
    far = [(-110, 200), (510, 200), (200, -110), (200, 510)]
    assert in_town(lonlat(np.array(near + far)), grid).tolist() == [True] * 5 + [False] * 4


@pytest.mark.parametrize(("kmh", "left_out"), [(198, {}), (202, {"jump": 1})])
def test_a_jump_is_a_step_beyond_200_km_an_hour(grid, raw, kmh, left_out):
    track = [(10, 10), (10 + kmh / 3.6 * 5, 10), (380, 10)]  # 275 or 281 m in 5 s
    assert drives(raw(track, seconds=[0, 5, 20]), grid).left_out == left_out


def test_noise_at_short_intervals_is_no_jump(grid, raw):
    assert not drives(raw([(10, 10), (100, 10), (110, 10)], seconds=1.0), grid).left_out


@pytest.mark.parametrize("at", [0, 1, 10, 18, 19], ids=["first", "second", "middle", "last but one", "last"])
@pytest.mark.parametrize("points", [1, 2])
def test_a_spike_costs_its_points_and_not_the_trip(grid, raw, drive, at, points):
    track = drive(20)
    at = min(at, 20 - points)
    track[at : at + points] += (30_000, 0)
    trips = drives(raw(track, drive(20)), grid)
    assert trips.trip_id == ["0", "1"]
    assert trips.count.tolist() == [20 - points, 20]
    assert trips.left_out == {"jump": points}
    assert not trips.dropped


def test_two_spikes_in_a_trip_cost_two_points(grid, raw, drive):
    track = drive(20)
    track[[5, 12]] += (30_000, 0)
    assert drives(raw(track), grid).left_out == {"jump": 2}


def test_a_trip_that_goes_on_elsewhere_is_cut_there(grid, raw):
    here = np.column_stack([np.linspace(0, 30, 8), np.zeros(8)])
    trips = drives(raw(np.vstack([here, here + 370]), seconds=1.0), grid)
    assert trips.trip_id == ["0-0", "0-1"]
    assert trips.count.tolist() == [8, 8]
    assert not trips.left_out


def test_drives_of_one_id_are_trips_of_their_own(grid, raw, drive):
    seconds = np.r_[15.0 * np.arange(5), 3600 + 15.0 * np.arange(25)]
    before = raw(drive(30, step_m=40.0), drive(30, step_m=40.0), seconds=seconds)
    after = drives(before, grid)
    assert after.trip_id == ["0-0", "0-1", "1-0", "1-1"]
    assert after.further == 2
    assert after.count.tolist() == [5, 25, 5, 25]
    np.testing.assert_array_equal(after.time_s, before.time_s)
    assert not after.left_out


@pytest.mark.parametrize(
    ("gap_s", "gap_m", "trips"),
    [(60, 300, 1), (61, 300, 2), (61, 90, 1), (300, 90, 1), (301, 90, 2), (300, 110, 2)],
    ids=["a minute", "longer", "a stop", "a long stop", "parked", "moved"],
)
def test_a_gap_cuts_a_trip_unless_it_is_short_or_a_stop(grid, raw, gap_s, gap_m, trips):
    x_m = np.r_[np.arange(5.0), 5 + gap_m + np.arange(5.0)]
    seconds = np.r_[15.0 * np.arange(5), 60.0 + gap_s + 15.0 * np.arange(5)]
    after = drives(raw(np.column_stack([x_m, np.zeros(10)]), seconds=seconds), grid)
    assert len(after) == trips
    assert after.count.sum() == 10


def test_no_trips_stay_no_trips(grid):
    empty = RawTrips.of([], [], Counter({"no_points": 2}))
    assert drives(empty, grid).dropped == {"no_points": 2}


@given(trips=st.lists(st.lists(st.tuples(JUNK, JUNK, JUNK), min_size=1, max_size=9), max_size=4))
def test_every_trip_and_every_point_is_accounted_for(grid, trips):
    before = RawTrips.of([str(i) for i in range(len(trips))], [np.array(trip) for trip in trips], Counter())
    after = drives(before, grid)
    gone = {*before.trip_id} - {name.partition("-")[0] for name in after.trip_id}
    assert after.dropped.total() == len(gone)
    of_gone = sum(len(trips[int(name)]) for name in gone)
    accounted = len(after.lonlat) + after.left_out.total()
    assert accounted <= len(before.lonlat) <= accounted + of_gone
    assert len(set(after.trip_id)) == len(after)
    assert (after.count > 0).all()
    assert np.isfinite(after.lonlat).all()
    assert in_town(after.lonlat, grid).all()
    assert {*after.dropped, *after.left_out} <= {*after.examples}
    assert len(after) + after.dropped.total() == len(before) + after.further
