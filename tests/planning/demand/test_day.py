"""The trips of a day: totals, hours, seeds, what is left out, parts and their sums."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from fake_generator import RECORDING, FakeGenerator

from htp.city import City
from htp.errors import InputError
from htp.planning.demand.counts import Counts
from htp.planning.demand.day import (
    NO_ROUTE,
    TOO_LONG,
    TOO_SHORT,
    Timetable,
    apportion,
    check_shares,
    plan_day,
    reasons_of,
    shares_of,
)
from htp.planning.demand.parts import PART_TRIPS, export, make_part, part_count
from htp.planning.demand.table import Flows
from htp.planning.demand.zones import city_zones
from htp.trips import read_trips, write_trips

DAY = dt.date(2024, 5, 14)
MORNING = tuple(3.0 if hour == 8 else 1.0 if hour == 18 else 0.0 for hour in range(24))


@pytest.fixture
def flows() -> Flows:
    """Return 60 trips from west to east and 20 back."""
    return Flows(np.array([0, 1]), np.array([1, 0]), np.array([60, 20]))


@pytest.fixture
def day(generator, zones, flows):
    return plan_day(generator, zones, flows, Timetable(DAY, MORNING, seed=5))


def described(day) -> list:
    return [(one.route.roads.tolist(), one.depart, one.duration_s) for one in day.conditions]


def test_every_pair_has_the_trips_of_the_table(day):
    assert len(day) == 80
    assert day.left_out == {}
    assert [int((day.pair == pair).all(axis=1).sum()) for pair in ((0, 1), (1, 0))] == [60, 20]


def test_trips_start_and_end_in_their_zones(day, zones, wide):
    for one, pair in zip(day.conditions, day.pair, strict=True):
        for road, zone in zip((one.route.roads[0], one.route.roads[-1]), pair, strict=True):
            here = zones.road[zone]
            assert road in here or wide.opposite[road] in here


def test_hours_have_exactly_their_shares(day):
    hours = pd.DatetimeIndex([one.depart for one in day.conditions]).hour
    assert np.bincount(hours, minlength=24).tolist() == [60 if h == 8 else 20 if h == 18 else 0 for h in range(24)]
    assert {one.depart.date() for one in day.conditions} == {DAY}
    assert str(day.conditions[0].depart.tz) == "America/Santiago"


def test_a_beginning_of_the_day_s_trips_is_a_sample_of_the_whole_day(day):
    first = day.conditions[:40]
    assert 15 < sum(one.depart.hour == 8 for one in first) < 40
    assert 15 < int((day.pair[:40, 0] == 0).sum()) < 40


def test_a_seed_makes_the_same_day_again_and_another_seed_another(generator, zones, flows, day):
    again = plan_day(generator, zones, flows, Timetable(DAY, MORNING, seed=5))
    assert described(again) == described(day)
    assert described(plan_day(generator, zones, flows, Timetable(DAY, MORNING, seed=6))) != described(day)


def test_travel_times_are_what_the_models_make_and_vary(day):
    seconds = np.array([one.duration_s for one in day.conditions])
    assert RECORDING.shortest_s <= seconds.min() < seconds.max() <= RECORDING.longest_s
    assert len(set(seconds.round(3))) == 80


def test_trips_that_are_too_short_or_long_are_left_out_and_counted(generator, zones, flows, wide):
    class Uneven:
        def quantiles(self, _, routes, __):
            times_s = np.where(np.arange(len(routes)) % 2, RECORDING.shortest_s / 2, RECORDING.longest_s * 2)
            return np.repeat(times_s[:, None], 13, axis=1)

    generator.travel_time = Uneven()
    with pytest.raises(InputError, match="none of the trips can be made") as error:
        plan_day(generator, zones, flows, Timetable(DAY, MORNING))
    assert reasons_of(RECORDING)[TOO_SHORT] in str(error.value)
    assert reasons_of(RECORDING)[TOO_LONG] in str(error.value)


def test_trips_without_a_route_are_left_out_and_counted(wide, zone_frame, zones, flows):
    into_the_east = [8 * row + 2 for row in range(5)] + [8 * row + 4 for row in range(5)]  # eastward over column 2
    kept = np.delete(np.arange(len(wide)), into_the_east)
    roads = wide.roads.iloc[kept].assign(road_id=np.arange(len(kept), dtype=np.int32)).reset_index(drop=True)
    facts = {name: getattr(wide, name) for name in ("name", "timezone", "crs", "source", "licence")}
    city = City(**facts, roads=roads)
    generator = FakeGenerator(city, seconds_per_trip=0.0)
    day = plan_day(generator, type(zones).of(city, zone_frame), flows, Timetable(DAY, MORNING))
    assert day.left_out[reasons_of(RECORDING)[NO_ROUTE]] == 60
    assert len(day) + sum(day.left_out.values()) == 80


def test_a_zone_without_roads_is_refused(generator, zones):
    with pytest.raises(InputError, match="zone nowhere has no road"):
        plan_day(generator, zones, Flows(np.array([2]), np.array([0]), np.array([3])), Timetable(DAY, MORNING))


def test_an_hour_that_clocks_leave_out_is_refused_only_where_it_has_trips(generator, zones, flows):
    spring = dt.date(2024, 9, 8)  # clocks are set forward at midnight
    with pytest.raises(InputError, match="2024-09-08 has no time from 0:00 to 1:00"):
        plan_day(generator, zones, flows, Timetable(spring, (1.0,) * 24))
    assert len(plan_day(generator, zones, flows, Timetable(spring, (0.0, *(1.0,) * 23)))) > 70


@pytest.mark.parametrize(
    ("shares", "total", "whole"),
    [((3, 1), 80, [60, 20]), ((1, 1, 1), 10, [4, 3, 3]), ((0.3, 0.7), 10, [3, 7]), ((0, 5), 3, [0, 3])],
)
def test_shares_become_whole_trips_of_the_same_sum(shares, total, whole):
    assert apportion(shares, total).tolist() == whole


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ((1.0,) * 23, "23 hours"),
        ((1.0,) * 23 + (-1.0,), "from 23:00 is -1"),
        ((np.nan,) + (1.0,) * 23, "from 0:00 is nan"),
        ((0.0,) * 24, "no trip departs"),
    ],
)
def test_a_profile_that_is_none_is_refused(shares, said):
    with pytest.raises(InputError, match=said):
        check_shares(shares)


def test_a_seed_beyond_the_parts_own_is_refused():
    with pytest.raises(InputError, match="the seed is -1"):
        Timetable(DAY, MORNING, seed=-1)


def test_the_usual_profile_is_that_of_given_trips():
    starts = pd.Series(pd.to_datetime(["2024-05-14 08:10", "2024-05-15 08:59", "2024-05-14 23:00"]))
    shares = shares_of(starts.dt.tz_localize("America/Santiago"))
    assert (shares[8], shares[23], sum(shares)) == (66.7, 33.3, 100.0)


def test_a_part_is_the_same_whether_the_others_were_made_or_not(generator, zones, monkeypatch):
    monkeypatch.setattr("htp.planning.demand.parts.PART_TRIPS", 30)
    flows = Flows(np.array([0]), np.array([1]), np.array([70]))
    day = plan_day(generator, zones, flows, Timetable(DAY, MORNING))
    assert part_count(day) == 3
    heard = []
    parts = [make_part(generator, day, n, 1, zones.names, lambda *now: heard.append(now)) for n in range(3)]
    assert [len(part) for part in parts] == [30, 30, 10]
    assert heard[29::30] == [(30, 70), (60, 70)]
    assert heard[-1] == (70, 70)
    again = make_part(generator, day, 1, 1, zones.names)
    assert again["trip_id"].iloc[0] == "000030"
    assert [line.wkt for line in again.geometry] == [line.wkt for line in parts[1].geometry]
    assert set(again["origin"]) == {"west"}
    assert set(again["destination"]) == {"east"}


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".geojson"])
def test_parts_are_exported_as_one_file(generator, day, zones, tmp_path, ending):
    trips = make_part(generator, day, 0, 1, zones.names)
    for number, piece in enumerate((trips.iloc[:50], trips.iloc[50:])):
        write_trips(piece, tmp_path / "parts" / f"part-{number:05d}.parquet")
    out = tmp_path / f"day{ending}"
    assert export(tmp_path / "parts", out) == 80
    if ending == ".parquet":
        assert read_trips(out)["trip_id"].tolist() == trips["trip_id"].tolist()
    elif ending == ".csv":
        assert pd.read_csv(out, dtype={"trip_id": str})["trip_id"].nunique() == 80
    else:
        features = json.loads(out.read_text())["features"]
        assert len(features) == 80
        assert {feature["properties"]["origin"] for feature in features} == {"west", "east"}


def test_only_trips_that_depart_in_the_chosen_hours_are_exported(generator, day, zones, tmp_path):
    trips = make_part(generator, day, 0, 1, zones.names)
    write_trips(trips, tmp_path / "parts" / "part-00000.parquet")
    out = tmp_path / "evening.parquet"
    assert export(tmp_path / "parts", out, (18, 19)) == 20  # MORNING: three at 08:00 for one at 18:00
    assert set(read_trips(out)["start_time"].dt.hour) == {18}
    with pytest.raises(InputError):
        export(tmp_path / "parts", out, (9, 18))


def test_counts_of_parts_add_up_to_those_of_the_whole(generator, day, zones, wide):
    trips = make_part(generator, day, 0, 1, zones.names)
    whole = Counts.of(trips, wide)
    joined = Counts.join([Counts.of(trips.iloc[:50], wide), Counts.of(trips.iloc[50:], wide)])
    for name in ("trips", "cell", "hour", "points", "distance_m"):
        assert np.array_equal(getattr(whole, name), getattr(joined, name))
    assert whole.trips[8] == 60
    assert whole.points.sum() == trips.geometry.count_coordinates().sum()


def test_density_holds_the_points_of_the_chosen_hours_beside_all(generator, day, zones, wide):
    counts = Counts.of(make_part(generator, day, 0, 1, zones.names), wide)
    morning, all_day = counts.density((0, 12)), counts.density((0, 24))
    assert morning.real.sum() == counts.points[counts.hour < 12].sum()
    assert (morning.real <= morning.generated).all()
    assert (morning.real > 0).all()
    assert np.array_equal(all_day.real, all_day.generated)
    assert not len(counts.density((2, 3)).places)


def test_a_grid_of_zones_will_do_for_a_day(generator, wide):
    laid = city_zones(wide)
    day = plan_day(
        generator, laid, Flows(np.array([0]), np.array([len(laid) - 1]), np.array([5])), Timetable(DAY, MORNING)
    )
    assert len(day) == 5
    assert part_count(day) == -(-5 // PART_TRIPS)
