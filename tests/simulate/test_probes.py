"""Check how exact positions become raw GPS trips: what is dropped, the times, the receiver's error."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import shapely

from htp.simulate.probes import ERROR_M, PERSISTENCE, gps_error, raw_trips

if TYPE_CHECKING:
    from pathlib import Path

    from htp.city.network import City

TUESDAY = date(2024, 5, 14)


def seen(vehicle: int, points: int, start_s: float = 28_800.0, step_m: float = 10.0) -> pd.DataFrame:
    """Return what SUMO writes of a vehicle that drives east from the origin of the toy frame."""
    place = np.arange(points)
    return pd.DataFrame(
        {
            "timestep_time": start_s + 15.0 * place,
            "vehicle_id": str(vehicle),
            "vehicle_x": 283_000 + step_m * place,
            "vehicle_y": 6_690_000.0,
        }
    )


@pytest.fixture
def made(triangle: City, tmp_path: Path):
    def make(*vehicles: pd.DataFrame):
        pd.concat(vehicles).sample(frac=1, random_state=0).to_parquet(tmp_path / "probes.parquet")
        return raw_trips(triangle, tmp_path / "probes.parquet", TUESDAY, 15, np.random.default_rng(0))

    return make


def test_trips_have_their_vehicles_name_and_start(made):
    trips = made(seen(7, 20), seen(12, 30, start_s=82_800))
    assert trips["trip_id"].tolist() == ["20240514-000007", "20240514-000012"]
    assert [t.isoformat() for t in trips["start_time"]] == ["2024-05-14T08:00:00-04:00", "2024-05-14T23:00:00-04:00"]
    assert shapely.get_num_coordinates(trips.geometry.to_numpy()).tolist() == [20, 30]


def test_trips_of_less_than_8_or_more_than_1024_points_are_dropped(made):
    trips = made(seen(0, 7), seen(1, 8), seen(2, 1024), seen(3, 1025))
    assert trips["trip_id"].str[-1].tolist() == ["1", "2"]


def test_vehicles_that_sumo_teleported_are_dropped(made):
    away = seen(1, 40).drop(index=range(10, 15))
    thrown = seen(2, 40)
    thrown.loc[20:, "vehicle_x"] += 1000
    assert made(seen(0, 40), away, thrown)["trip_id"].str[-1].tolist() == ["0"]


def test_points_are_near_where_the_vehicle_was(made, triangle: City):
    line = made(seen(0, 100)).geometry.iloc[0]
    xy_m = triangle.to_metres(shapely.get_coordinates(line)) - [283_000, 6_690_000]
    assert np.median(np.hypot(*(xy_m - np.c_[10 * np.arange(100), np.zeros(100)]).T)) < 20


@pytest.mark.parametrize("interval_s", [5, 15])
def test_error_is_as_large_and_as_persistent_as_stated(interval_s):
    counts = np.full(4000, 50)
    error_m = gps_error(counts, interval_s, np.random.default_rng(0))
    assert error_m.shape == (200_000, 2)
    east_m = error_m[:, 0].reshape(4000, 50)
    assert np.median(np.abs(east_m)) == pytest.approx(0.6745 * ERROR_M, rel=0.1)
    assert np.median(np.abs(east_m[:, 0])) == pytest.approx(np.median(np.abs(east_m[:, -1])), rel=0.15)  # stationary
    calm = east_m[np.abs(east_m).max(axis=1) < 12]  # trips without a jump
    assert np.corrcoef(calm[:, :-1].ravel(), calm[:, 1:].ravel())[0, 1] == pytest.approx(
        PERSISTENCE ** (interval_s / 15), abs=0.05
    )
    assert 0.001 < np.mean(np.hypot(*error_m.T) > 40) < 0.03  # now and then a jump
