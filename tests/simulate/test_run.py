"""Check the whole simulation on a toy city: what it writes, that it resumes, what it refuses."""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

from htp.errors import InputError
from htp.simulate import simulate
from htp.trips import read_trips

if TYPE_CHECKING:
    from pathlib import Path

    from htp.city.network import City

TUESDAY, SATURDAY = date(2024, 5, 14), date(2024, 5, 18)


@pytest.fixture(scope="module")
def made(wide_grid: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    simulate(wide_grid, 400, folder / "trips.parquet", work=folder / "work")
    return folder


def test_trips_are_raw_gps_trips_in_order_of_time(made: Path, wide_grid: City):
    trips = read_trips(made / "trips.parquet")
    assert 300 <= len(trips) <= 400
    assert list(trips.columns) == ["trip_id", "start_time", "interval", "geometry"]
    assert str(trips["start_time"].dt.tz) == "America/Santiago"
    assert trips["start_time"].is_monotonic_increasing
    assert trips["trip_id"].is_unique
    assert (trips["interval"] == 15).all()
    counts = shapely.get_num_coordinates(trips.geometry.to_numpy())
    assert counts.min() >= 8
    assert counts.max() <= 1024


def test_both_days_give_trips_and_the_weekday_more(made: Path):
    days = read_trips(made / "trips.parquet")["start_time"].dt.date.value_counts()
    assert days[TUESDAY] > days[SATURDAY] > 50


def test_points_lie_near_the_roads(made: Path, wide_grid: City):
    lonlat = shapely.get_coordinates(read_trips(made / "trips.parquet").geometry.to_numpy())
    roads = shapely.union_all(wide_grid.roads.geometry.to_crs(wide_grid.crs).to_numpy())
    distance_m = shapely.distance(shapely.points(wide_grid.to_metres(lonlat)), roads)
    assert 2 < np.median(distance_m) < 4
    assert np.percentile(distance_m, 90) < 12


def test_report_says_simulated_and_gives_the_figures_of_each_day(made: Path):
    report = json.loads((made / "trips.json").read_text())
    assert "simulated" in report
    assert report["trips"] == len(read_trips(made / "trips.parquet"))
    day = report["days"]["2024-05-14"]
    assert day["teleports"] == 0
    assert 1.2 < day["peak_ratio"] < 2.0  # hardly any traffic or lights: it is the imposed slowdown alone
    assert len(day["standing_share_by_hour"]) == 24


def test_second_run_keeps_finished_days_and_makes_the_missing_one_again(made: Path, wide_grid: City, tmp_path: Path):
    before = read_trips(made / "trips.parquet")
    kept, lost = (made / "work" / str(day) / "record.parquet" for day in (TUESDAY, SATURDAY))
    written = kept.stat().st_mtime_ns
    lost.unlink()
    told: list[tuple[int, int]] = []
    simulate(wide_grid, 400, tmp_path / "again.parquet", work=made / "work", progress=lambda *at: told.append(at))
    assert kept.stat().st_mtime_ns == written
    assert read_trips(tmp_path / "again.parquet").equals(before)  # the seed decides everything
    assert told[-1] == (200, 200)


def test_other_intervals_and_receivers_are_read_off_without_driving_again(
    made: Path, wide_grid: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "sumo", None)  # SUMO cannot be called
    simulate(wide_grid, 400, tmp_path / "often.parquet", work=made / "work", interval_s=5)
    simulate(wide_grid, 400, tmp_path / "other.parquet", work=made / "work", receiver_seed=1)
    before, often, other = (
        read_trips(path) for path in (made / "trips.parquet", tmp_path / "often.parquet", tmp_path / "other.parquet")
    )
    points = [shapely.get_num_coordinates(trips.geometry.to_numpy()).mean() for trips in (before, often, other)]
    assert points[1] / points[0] == pytest.approx(3, rel=0.05)
    assert points[2] / points[0] == pytest.approx(1, rel=0.05)
    assert not other.geometry.iloc[0].equals(before.geometry.iloc[0])


def test_another_day_may_join_the_days_of_a_folder(made: Path, wide_grid: City, tmp_path: Path):
    simulate(wide_grid, 1000, tmp_path / "one.parquet", work=made / "work", days=[SATURDAY])
    assert set(read_trips(tmp_path / "one.parquet")["start_time"].dt.date) == {SATURDAY}


@pytest.mark.parametrize("interval_s", [0, 7])
def test_interval_that_is_no_multiple_of_the_records_is_refused(grid: City, tmp_path: Path, interval_s: int):
    with pytest.raises(InputError, match="multiple of 5"):
        simulate(grid, 10, tmp_path / "trips.parquet", work=tmp_path / "work", interval_s=interval_s)


def test_work_folder_of_other_settings_is_refused(made: Path, wide_grid: City, tmp_path: Path):
    with pytest.raises(InputError, match="another simulation"):
        simulate(wide_grid, 400, tmp_path / "trips.parquet", work=made / "work", seed=1)


@pytest.mark.parametrize("trips", [0, -5, 10**9])
def test_impossible_number_of_trips_is_refused(grid: City, tmp_path: Path, trips: int):
    with pytest.raises(InputError, match="ask for 1 to"):
        simulate(grid, trips, tmp_path / "trips.parquet", work=tmp_path / "work")
    assert list(tmp_path.iterdir()) == []


def test_city_too_small_for_eight_points_is_refused(grid: City, tmp_path: Path):
    with pytest.raises(InputError, match="simulate a larger city"):
        simulate(grid, 10, tmp_path / "trips.parquet", work=tmp_path / "work", interval_s=60)


def test_ending_that_cannot_be_written_is_refused_before_the_simulation(grid: City, tmp_path: Path):
    with pytest.raises(InputError, match="can be written as"):
        simulate(grid, 10, tmp_path / "trips.json", work=tmp_path / "work")
    assert list(tmp_path.iterdir()) == []


def test_days_must_differ(grid: City, tmp_path: Path):
    with pytest.raises(InputError, match="differ"):
        simulate(grid, 10, tmp_path / "trips.parquet", work=tmp_path / "work", days=[TUESDAY, TUESDAY])


def test_missing_sumo_is_named_with_the_extra_that_brings_it(
    grid: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "sumo", None)
    with pytest.raises(InputError, match=r"htp\[demo\]"):
        simulate(grid, 10, tmp_path / "trips.parquet", work=tmp_path / "work")
