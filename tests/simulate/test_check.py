"""Check the figures on a day written by hand: three roads, two hours, a vehicle, two trips."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from htp.simulate.check import busiest_arterials, check_day, relative_times, step_figures, travel_times
from htp.simulate.record import Record
from htp.simulate.run import DayFolder

if TYPE_CHECKING:
    from pathlib import Path

    from htp.city.network import City


@pytest.fixture
def city(triangle: City) -> City:
    return replace(triangle, roads=triangle.roads.assign(highway=["primary", "secondary", "residential"]))


@pytest.fixture
def day(tmp_path: Path) -> DayFolder:
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
    statistics = '<statistics><vehicles inserted="200"/><teleports total="1"/></statistics>'
    (tmp_path / "statistics.xml").write_text(statistics)
    return DayFolder(tmp_path)


@pytest.fixture
def record() -> Record:
    place = np.arange(20)
    return Record(
        vehicle=np.array([0]),
        count=np.array([20]),
        time_s=8 * 3600 + 5 * place,
        xy_m=np.stack([283_000.0 + place, np.full(20, 6_690_000.0)], axis=1),
        speed_ms=np.where(place < 5, 0.0, 8.0),
        road=np.zeros(20, dtype=np.int64),
    )


def test_figures_of_the_day_are_those_worked_out_by_hand(city: City, day: DayFolder, record: Record):
    figures = check_day(city, day, record)
    assert figures["vehicles"] == 200
    assert figures["teleport_share"] == 0.005
    assert figures["busiest_arterials"] == 2
    assert figures["peak_ratio"] == 1.75  # the median of 60 / 30 and 60 / 40
    assert figures["standing_share_by_hour"][8] == 0.25
    assert figures["speed_ms_by_hour"][8] == 6.0
    assert figures["speed_ms_by_hour"][9] is None


def test_steps_are_those_worked_out_by_hand(triangle: City):
    """Steps of 0, 30, 60 and 90 m in 30 s, 0, 15, 30 and 45 m in 15 s, and of 120 m in another trip."""
    lines = [
        shapely.LineString(
            triangle.to_lonlat(np.stack([283_000.0 + np.array(x), np.full(len(x), 6_690_000.0)], axis=1))
        )
        for x in ([0, 0, 30, 90, 180], [500, 620])
    ]
    trips = gpd.GeoDataFrame({"interval": np.float32([30, 30])}, geometry=lines, crs="EPSG:4326")
    figures = step_figures(triangle, trips)
    assert figures["step_m"] == pytest.approx(np.mean([0, 15, 30, 45, 60]), abs=0.1)
    assert figures["step_spread_m"] == pytest.approx(np.std([0, 15, 30, 45, 60]), abs=0.1)
    assert figures["standing_share"] == 0.2
    assert figures["speed_autocorrelation"] == pytest.approx(1, abs=0.001)


def test_busiest_arterials_leave_out_the_residential_road(city: City, day: DayFolder):
    assert busiest_arterials(city, day.roads).tolist() == [1, 0]


def test_hours_without_traffic_have_no_travel_time(day: DayFolder):
    times_s = travel_times(day.roads, 3)
    assert times_s[2, 8] == 99
    assert np.isnan(times_s[0, 10])
    relative = relative_times(times_s, np.array([0, 1]))
    assert relative[23] == 1
    assert np.isnan(relative[10])
