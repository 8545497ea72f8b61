"""Check the figures on a day written by hand: three roads, two hours, two probes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from htp.simulate.check import busiest_arterials, check_day, relative_times, travel_times
from htp.simulate.probes import raw_trips
from htp.trips import write_trips

if TYPE_CHECKING:
    from pathlib import Path

    from htp.city.network import City


@pytest.fixture
def city(triangle: City) -> City:
    return replace(triangle, roads=triangle.roads.assign(highway=["primary", "secondary", "residential"]))


@pytest.fixture
def day(city: City, tmp_path: Path) -> Path:
    rows = [(8, 0, 60.0, 100), (23, 0, 30.0, 10), (8, 1, 60.0, 200), (23, 1, 40.0, 10), (8, 2, 99.0, 900)]
    roads = pd.DataFrame(
        {
            "interval_begin": [f"{3600 * hour}.00" for hour, *_ in rows] + ["36000.00"],
            "edge_id": [str(road) for _, road, *_ in rows] + [None],  # an hour without traffic
            "edge_traveltime": [time_s for *_, time_s, _ in rows] + [np.nan],
            "edge_left": [left for *_, left in rows] + [0],
        }
    )
    roads.to_parquet(tmp_path / "roads.parquet")
    place = np.arange(20)
    probes = pd.DataFrame(
        {
            "timestep_time": 8 * 3600 + 15.0 * place,
            "vehicle_id": "0",
            "vehicle_x": 283_000.0 + place,
            "vehicle_y": 6_690_000.0,
            "vehicle_speed": np.where(place < 5, 0.0, 8.0),
        }
    )
    probes.to_parquet(tmp_path / "probes.parquet")
    statistics = '<statistics><vehicles inserted="200"/><teleports total="1"/></statistics>'
    (tmp_path / "statistics.xml").write_text(statistics)
    trips = raw_trips(city, tmp_path / "probes.parquet", date(2024, 5, 14), 15, np.random.default_rng(0))
    write_trips(trips, tmp_path / "trips.parquet")
    return tmp_path


def test_figures_of_the_day_are_those_worked_out_by_hand(city: City, day: Path):
    figures = check_day(city, day)
    assert figures["vehicles"] == 200
    assert figures["teleport_share"] == 0.005
    assert figures["busiest_arterials"] == 2
    assert figures["peak_ratio"] == 1.75  # the median of 60 / 30 and 60 / 40
    assert figures["standing_share_by_hour"][8] == 0.25
    assert figures["speed_ms_by_hour"][8] == 6.0
    assert figures["speed_ms_by_hour"][9] is None
    assert figures["trips"] == 1
    assert figures["mean_points"] == 20


def test_busiest_arterials_leave_out_the_residential_road(city: City, day: Path):
    assert busiest_arterials(city, day / "roads.parquet").tolist() == [1, 0]


def test_hours_without_traffic_have_no_travel_time(day: Path):
    times_s = travel_times(day / "roads.parquet", 3)
    assert times_s[2, 8] == 99
    assert np.isnan(times_s[0, 10])
    relative = relative_times(times_s, np.array([0, 1]))
    assert relative[23] == 1
    assert np.isnan(relative[10])
