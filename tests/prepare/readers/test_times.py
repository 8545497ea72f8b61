"""Read times of every kind that people write, and ask where one may be read in two ways."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from htp.errors import InputError
from htp.prepare.readers.times import DateOrder, parse_times

SANTIAGO = "America/Santiago"


@pytest.mark.parametrize("factor", [1, 10**3, 10**6, 10**9], ids=["s", "ms", "µs", "ns"])
def test_unix_times_are_seconds_to_nanoseconds(factor):
    times = pd.Series([str(1372636858 * factor), str(1372636873 * factor)])
    np.testing.assert_allclose(parse_times(times, SANTIAGO), [1372636858, 1372636873], rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-05-06T08:00:00Z", "2024-05-06 08:00"),
        ("2024-05-06 08:00:00+00", "2024-05-06 08:00"),
        ("2024-05-06 08:00:00 UTC", "2024-05-06 08:00"),
        ("2024-05-06T08:00:00.000+02:00", "2024-05-06 06:00"),
        ("2024-05-06T08:00:00-0400", "2024-05-06 12:00"),
        ("2024-05-06T08-04", "2024-05-06 12:00"),
        ("2024-05-06 08:00:00", "2024-05-06 12:00"),
        ("2024-05-06 08:00", "2024-05-06 12:00"),
        ("2024-05-06", "2024-05-06 04:00"),
        ("2024-01-06 08:00:00.5", "2024-01-06 11:00:00.5"),
    ],
)
def test_a_time_without_a_zone_is_the_citys(text, utc):
    (seconds,) = parse_times(pd.Series([text]), SANTIAGO)
    assert seconds == pd.Timestamp(utc, tz="UTC").timestamp()


@pytest.mark.parametrize("first_day", [None, date(2024, 5, 14)])
def test_a_spreadsheets_days_are_the_citys_dates(first_day):
    times = pd.Series(["45426.333333333", "45426.333506944", "", "45426.333680556", "9e99"])
    seconds = parse_times(times, SANTIAGO, first_day=first_day)
    start = pd.Timestamp("2024-05-14 08:00", tz=SANTIAGO).timestamp()
    np.testing.assert_allclose(seconds, [start, start + 15, np.nan, start + 30, np.nan], atol=0.001)


def test_seconds_of_a_simulation_are_no_days():
    seconds = parse_times(pd.Series(["45426.00", "45426.10", "45426.20"]), "UTC", first_day=date(2024, 5, 14))
    assert seconds[0] == pd.Timestamp("2024-05-14", tz="UTC").timestamp() + 45426


def test_times_with_and_without_a_zone_may_be_mixed():
    seconds = parse_times(pd.Series(["2024-05-06 08:00:15", "2024-05-06T12:00:00Z", ""]), SANTIAGO)
    assert seconds[0] - seconds[1] == 15
    assert np.isnan(seconds[2])


@pytest.mark.parametrize("first", ["", "null", "inf"])
def test_a_first_time_that_is_none_does_not_spoil_the_others(first):
    numbers = parse_times(pd.Series([first, "1372636858", "1372636873"]), SANTIAGO)
    assert numbers[1:].tolist() == [1372636858, 1372636873]
    dates = parse_times(pd.Series([first, "2024-05-06T12:00:00Z", "2024-05-06T12:00:15Z", "5"]), SANTIAGO)
    assert dates[1] == pd.Timestamp("2024-05-06 12:00", tz="UTC").timestamp()
    assert np.isnan(dates[3])


def test_a_local_time_that_clocks_leave_out_is_none():
    """Clocks go from 00:00 to 01:00 on 8 September 2024."""
    seconds = parse_times(pd.Series(["2024-09-07 23:59", "2024-09-08 00:30", "2024-09-08 01:00"]), SANTIAGO)
    assert np.isnan(seconds).tolist() == [False, True, False]
    assert seconds[2] - seconds[0] == 60


@pytest.mark.parametrize(
    ("clock", "steps_s"),
    [
        (["06T22:59:45", "06T23:00:00", "06T23:00:15"], [15, 15]),
        (["06T23:59:45", "06T23:00:00", "06T23:00:15"], [15, 15]),
        (["06T23:59:45", "07T00:00:00"], [15]),
        (["06T22:59:45", "06T23:30:00", "06T23:00:00", "07T00:00:00"], [1815, 1800, 3600]),
    ],
    ids=["into the first", "out of the first", "out of the second", "through both"],
)
def test_the_hour_that_comes_twice_is_told_apart_by_the_order_of_the_trip(clock, steps_s):
    """Clocks go from 24:00 back to 23:00 on 6 April 2024; points of another trip lie between."""
    times = pd.Series([f"2024-04-{one}" for one in clock]).repeat(2)
    trip = np.tile([0, 1], len(clock))
    seconds = parse_times(times, SANTIAGO, trip=trip)
    for one in (0, 1):
        assert np.diff(seconds[trip == one]).tolist() == steps_s


def test_in_the_hour_that_comes_twice_a_trip_without_other_points_lies_in_the_first():
    times = pd.Series(["2024-04-06 23:10", "2024-04-06 23:20", "2024-04-06T23:10-03:00"])
    assert parse_times(times, SANTIAGO, trip=np.zeros(3, dtype=int))[[0]] == parse_times(times, SANTIAGO)[[2]]
    with_zone = parse_times(pd.Series(["2024-04-06T23:59:59-03:00", "2024-04-06T23:00:00-04:00"]), SANTIAGO)
    assert np.diff(with_zone).tolist() == [1]


@pytest.mark.parametrize(
    ("text", "day_first"),
    [
        ("2024/05/06 08:15:30", None),
        ("2024/5/6 8:15:30", None),
        ("2024-05-06 12:15:30 +0000", None),
        ("2024-05-06T12:15:30Z[UTC]", None),
        ("2024-05-06T08:15:30-04:00[America/Santiago]", None),
        ("2024-05-06 08:15:30,0", None),
        ("20240506081530", None),
        ("20240506T081530", None),
        ("Mon May 06 12:15:30 UTC 2024", None),
        ("Mon, 06 May 2024 12:15:30 +0000", None),
        ("06-May-2024 08:15:30", None),
        ("06/05/2024 08:15:30", True),
        ("6/5/24 8:15:30", True),
        ("06.05.2024 08:15:30", True),
        ("05/06/2024 8:15:30 AM", False),
        ("05/06/2024 08:15:30 a.m.", False),
        ("05/06/2024 08:15:30 a. m.", False),
        ("06/05/2024 14:15:30 +0200", True),
    ],
)
def test_times_are_read_as_people_write_them(text, day_first):
    (seconds,) = parse_times(pd.Series([text]), SANTIAGO, day_first=day_first)
    assert seconds == pd.Timestamp("2024-05-06 12:15:30", tz="UTC").timestamp()


@pytest.mark.parametrize(("text", "hour"), [("12:05 AM", 0), ("12:05 PM", 12), ("01:05 pm", 13), ("11:05 am", 11)])
def test_noon_is_pm_and_midnight_am(text, hour):
    (seconds,) = parse_times(pd.Series([f"05/06/2024 {text}"]), "UTC", day_first=False)
    assert pd.Timestamp(seconds, unit="s") == pd.Timestamp(2024, 5, 6, hour, 5)


def test_formats_may_be_mixed_in_a_column():
    times = pd.Series(
        ["2024-05-06T12:00:00Z", "2024/05/06 08:00:15", "06.05.2024 08:00:30", "Mon May 06 12:00:45 UTC 2024"]
    )
    seconds = parse_times(times, SANTIAGO, day_first=True)
    assert np.diff(seconds).tolist() == [15, 15, 15]


@pytest.mark.parametrize(
    "text", ["Mon May 06 08:15:30 CLT 2024", "31/02/2024 08:00", "14/14/2024 08:00", "soon", "25:61"]
)
def test_what_is_no_time_is_none(text):
    assert np.isnan(parse_times(pd.Series([text]), SANTIAGO, day_first=True)[0])


@pytest.mark.parametrize("text", ["29730.0", "08:15:30", "8:15:30"])
def test_times_without_a_date_count_from_the_first_day(text):
    (seconds,) = parse_times(pd.Series([text]), SANTIAGO, first_day=date(2024, 5, 6))
    assert seconds == pd.Timestamp("2024-05-06 12:15:30", tz="UTC").timestamp()


@pytest.mark.parametrize(
    ("dates", "day_first"),
    [
        (["05/04/2024 08:00", "14/05/2024 08:00"], True),
        (["05/04/2024 08:00", "05/14/2024 08:00"], False),
        (["05.04.2024 08:00"], True),
        (["2024-05-04 08:00"], None),
    ],
    ids=["a 14th day", "no 14th month", "dots", "ISO"],
)
def test_any_date_of_the_column_tells_which_number_is_the_day(dates, day_first):
    order = DateOrder()
    for one in dates:
        order.add(pa.chunked_array([[one]]))
    assert order.decide("x.csv", said=None) is day_first


@pytest.mark.parametrize(
    ("dates", "message"),
    [
        (["05/04/2024 08:00"], r"x\.csv: '05/04/2024 08:00' may be read day or month first, .*--dates day-first"),
        (["14/05/2024 08:00", "05/14/2024 08:00"], r"x\.csv: some dates begin with the day, some with the month"),
    ],
)
def test_dates_that_do_not_tell_are_asked_for(dates, message):
    order = DateOrder()
    order.add(pa.chunked_array([dates]))
    with pytest.raises(InputError, match=message):
        order.decide("x.csv", said=None)
    assert order.decide("x.csv", said=True)


@given(
    st.lists(
        st.one_of(
            st.text(max_size=12),
            st.datetimes().map(str),
            st.floats().map(str),
            st.from_regex(
                r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}([+-][0-9]{2}(:?[0-9]{2})?|Z)?", fullmatch=True
            ),
        ),
        max_size=5,
    )
)
@example(["8.988465674311579e+307", "8.98846567431158e+307"])
def test_no_time_stops_the_reader(times):
    assert len(parse_times(pd.Series(times, dtype=str), SANTIAGO)) == len(times)
