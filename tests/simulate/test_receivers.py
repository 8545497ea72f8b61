"""Check how a record becomes raw GPS trips: which rows are read, the times, the error, and standing cars."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

from htp.simulate.demand import built_up
from htp.simulate.receivers import BUILT_UP, ERROR_M, PERSISTENCE, Receivers, gps_error, held, raw_trips
from htp.simulate.record import Record

if TYPE_CHECKING:
    from htp.city.network import City

TUESDAY = date(2024, 5, 14)


def driven(*rows: int, step_m: float = 10.0) -> Record:
    """Return the record of vehicles that set off east at 08:00 from the origin of the toy frame, a step each 5 s."""
    place = np.concatenate([np.arange(n) for n in rows])
    return Record(
        vehicle=np.arange(len(rows)),
        count=np.array(rows),
        time_s=28_800 + 5 * place,
        xy_m=np.stack([283_000 + step_m * place, np.full(len(place), 6_690_000.0)], axis=1),
        speed_ms=np.full(len(place), step_m / 5),
        road=np.zeros(len(place), dtype=np.int64),
    )


def habits(trips: int, hold_ms: float = 0.0) -> Receivers:
    return Receivers(
        np.full(trips, ERROR_M), np.full(trips, hold_ms), coarse=np.zeros(trips, dtype=bool), phase=np.zeros(trips)
    )


def trips_of(city: City, record: Record, interval_s: int, seed: int = 0):
    return raw_trips(city, record, TUESDAY, interval_s, np.random.default_rng(seed))


def test_trips_have_their_vehicles_name_and_start_within_the_first_interval(triangle: City):
    trips = trips_of(triangle, driven(60, 90), 15)
    assert trips["trip_id"].tolist() == ["20240514-000000", "20240514-000001"]
    late_s = [(t - t.floor("h")).total_seconds() for t in trips["start_time"]]
    assert set(late_s) <= {0.0, 5.0, 10.0}
    assert trips["start_time"].iloc[0].isoformat()[:13] == "2024-05-14T08"
    assert shapely.get_num_coordinates(trips.geometry.to_numpy()).tolist() == [20, 30]


def test_points_every_15_s_are_some_of_those_every_5_s(triangle: City):
    often, seldom = (trips_of(triangle, driven(60), interval_s).geometry.iloc[0] for interval_s in (5, 15))
    assert len(often.coords) == 60
    assert len(seldom.coords) == 20
    assert set(seldom.coords) < set(often.coords)


def test_another_seed_gives_other_points_at_other_moments(triangle: City):
    one, other = (trips_of(triangle, driven(*[60] * 20), 15, seed) for seed in (0, 1))
    assert (one["start_time"] != other["start_time"]).any()
    assert not one.geometry.iloc[0].equals(other.geometry.iloc[0])
    assert one.equals(trips_of(triangle, driven(*[60] * 20), 15))


def test_trips_of_less_than_8_or_more_than_1024_points_are_dropped(triangle: City):
    trips = trips_of(triangle, driven(7, 8, 1024, 1025), 5)
    assert trips["trip_id"].str[-1].tolist() == ["1", "2"]


def test_points_are_near_where_the_vehicle_was(triangle: City):
    line = trips_of(triangle, driven(100), 5).geometry.iloc[0]
    xy_m = triangle.to_metres(shapely.get_coordinates(line)) - [283_000, 6_690_000]
    assert np.median(np.hypot(*(xy_m - np.c_[10 * np.arange(100), np.zeros(100)]).T)) < 20


def test_a_receiver_that_holds_repeats_where_the_car_came_to_stand():
    record = driven(6)
    record = replace(record, speed_ms=np.array([2.0, 0.0, 0.0, 0.3, 2.0, 0.0]))
    xy_m = np.arange(12.0).reshape(6, 2)
    assert held(record, habits(1, hold_ms=0.5), xy_m)[:, 0].tolist() == [0, 2, 2, 2, 8, 10]
    assert held(record, habits(1), xy_m)[:, 0].tolist() == [0, 2, 4, 6, 8, 10]  # one that does not


def test_a_car_that_stands_from_its_first_row_on_is_not_held_at_the_car_before():
    record = replace(driven(2, 3), speed_ms=np.zeros(5))
    xy_m = np.arange(10.0).reshape(5, 2)
    assert held(record, habits(2, hold_ms=0.5), xy_m)[:, 0].tolist() == [0, 0, 4, 4, 4]


def test_coordinates_have_five_decimals_or_six(triangle: City):
    lines = trips_of(triangle, driven(*[60] * 40), 5).geometry
    decimals = [max(len(f"{lon:.9f}".rstrip("0").split(".")[1]) for lon, _ in line.coords) for line in lines]
    assert set(decimals) <= {4, 5, 6}  # a last digit may be 0
    assert {5, 6} <= set(decimals)


@pytest.mark.parametrize("every", [1, 3], ids=["5 s", "15 s"])
def test_error_is_as_large_and_as_persistent_as_stated(triangle: City, every: int):
    record = driven(*[60] * 4000, step_m=0.0)
    error_m = gps_error(triangle, record, habits(4000), np.random.default_rng(0))
    east_m = error_m[:, 0].reshape(4000, 60)[:, ::every]
    calm = east_m[np.abs(east_m).max(axis=1) < 25]  # trips without a jump
    built = built_up(triangle, record.xy_m[:1])[0]
    assert calm[:, 0].std() == pytest.approx(ERROR_M * (1 + BUILT_UP * built), rel=0.05)
    assert calm[:, 0].std() == pytest.approx(calm[:, -1].std(), rel=0.1)  # stationary
    lasting = np.corrcoef(calm[:, :-1].ravel(), calm[:, 1:].ravel())[0, 1]
    assert lasting == pytest.approx(PERSISTENCE ** (every / 3), abs=0.05)
    assert 0.001 < np.mean(np.hypot(*error_m.T) > 40) < 0.03  # now and then a jump


def test_error_of_a_trip_knows_nothing_of_the_trip_before(triangle: City):
    error_m = gps_error(triangle, driven(*[2] * 20_000, step_m=0.0), habits(20_000), np.random.default_rng(0))
    last, first = error_m[1:-1:2, 0], error_m[2::2, 0]
    assert abs(np.corrcoef(last, first)[0, 1]) < 0.03
