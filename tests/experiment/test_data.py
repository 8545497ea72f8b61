"""Check the statistics of trips by hand, and what their fingerprint depends on."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from htp.errors import InputError
from htp.experiment.data import Data, statistics
from htp.experiment.settings import ExperimentSettings
from htp.trips import read_trips, write_trips


@pytest.fixture
def data(tiny_data, tmp_path):
    return shutil.copytree(tiny_data, tmp_path / "data")


def load(data, **settings):
    return Data.load(data, data / "city", ExperimentSettings(1.0, **settings))


def test_statistics_are_those_of_table_4(grid, random_trips):
    trips = random_trips(grid, [20, 30])
    trips["roads"] = [[0, 2], [0, 2, 4]]  # 200 and 300 m
    trips["percent"] = [[0.25, 0.75], [0.0, 1.0]]  # 100 and 300 m of them
    found = statistics(trips.iloc[:1], trips.iloc[1:], grid)
    assert (found.trips, found.mean_points, found.interval_s, found.roads) == (2, 25.0, 15.0, 80)
    assert found.mean_distance_km == 0.2
    assert found.area_km2 == 0.2  # 400 m × 400 m, to one digit


def test_the_first_trips_are_taken_and_counted(data):
    loaded = load(data, trips=5, heldout=3)
    assert list(loaded.train["trip_id"]) == list(read_trips(data / "train.parquet")["trip_id"][:5])
    assert loaded.facts["used"] == {"train": 5, "heldout": 3}
    assert loaded.facts["files"]["train"]["rows"] == 96
    sha256 = hashlib.sha256((data / "heldout.parquet").read_bytes()).hexdigest()
    assert loaded.facts["files"]["heldout"] == {"sha256": sha256, "rows": 24}


def test_the_fingerprint_is_of_the_files_and_of_how_much_is_used(data):
    whole = load(data).fingerprint
    assert load(data).fingerprint == whole
    assert load(data, trips=5).fingerprint != whole
    assert load(data, trips=96).fingerprint == whole
    write_trips(read_trips(data / "train.parquet").iloc[::-1], data / "train.parquet")
    assert load(data).fingerprint != whole


@pytest.mark.parametrize("name", ["city/city.json", "report.json"])
def test_trips_are_simulated_where_city_or_preparation_says_so(data, name):
    assert not load(data).facts["simulated"]
    path = data / name
    facts = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(facts | {"simulated": "by SUMO"}))
    assert load(data).facts["simulated"]


def test_tables_that_are_missing_empty_or_of_another_city_are_refused(data, triangle):
    trips = read_trips(data / "train.parquet")
    write_trips(trips.iloc[:0], data / "train.parquet")
    with pytest.raises(InputError, match=r"train\.parquet: holds no trips"):
        load(data)
    (data / "train.parquet").unlink()
    with pytest.raises(InputError, match=r"train\.parquet: no such file"):
        load(data)
    write_trips(trips, data / "train.parquet")
    triangle.save(data / "city")
    with pytest.raises(InputError, match="drives roads that Triangle does not have"):
        load(data)
