"""Check what is kept of SUMO's record: rows in order, whole vehicles only, and that it comes back from its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from htp.simulate.record import JUNCTION, Record

if TYPE_CHECKING:
    from pathlib import Path


def seen(vehicle: int, rows: int) -> pd.DataFrame:
    """Return what SUMO writes of a vehicle that drives east, 50 m in 5 s, from road 7 over a junction to road 8."""
    place = np.arange(rows)
    return pd.DataFrame(
        {
            "timestep_time": 28_800.0 + 5 * place,
            "vehicle_id": str(vehicle),
            "vehicle_x": 283_000.04 + 50.0 * place,
            "vehicle_y": 6_690_000.0,
            "vehicle_speed": 10.0,
            "vehicle_lane": np.select([place < 1, place < 2], ["7_0", ":12_3_0"], "8_1"),
        }
    )


@pytest.fixture
def made(tmp_path: Path):
    def make(*vehicles: pd.DataFrame) -> Record:
        pd.concat(vehicles).sample(frac=1, random_state=0).to_parquet(tmp_path / "floating-cars.parquet")
        return Record.of_sumo(tmp_path / "floating-cars.parquet")

    return make


def test_rows_are_those_of_a_vehicle_after_the_other_in_order_of_time(made):
    record = made(seen(12, 3), seen(9, 4))
    assert record.vehicle.tolist() == [9, 12]
    assert record.count.tolist() == [4, 3]
    assert record.time_s.tolist() == [28_800, 28_805, 28_810, 28_815, 28_800, 28_805, 28_810]
    assert record.road.tolist() == [7, JUNCTION, 8, 8, 7, JUNCTION, 8]


def test_vehicles_that_sumo_teleported_are_dropped(made):
    away = seen(1, 40).drop(index=range(10, 15))
    thrown = seen(2, 40)
    thrown.loc[20:, "vehicle_x"] += 1000
    assert made(seen(0, 40), away, thrown).vehicle.tolist() == [0]


def test_a_record_comes_back_from_its_file_to_a_decimetre(made, tmp_path: Path):
    record = made(seen(0, 40), seen(1, 8))
    record.save(tmp_path / "record.parquet")
    loaded = Record.load(tmp_path / "record.parquet")
    for name in ("vehicle", "count", "time_s", "road"):
        assert getattr(loaded, name).tolist() == getattr(record, name).tolist()
    assert np.abs(loaded.xy_m - record.xy_m).max() <= 0.0501
    assert loaded.speed_ms.tolist() == record.speed_ms.tolist()
