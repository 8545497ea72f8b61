"""Check the travel-time model on drives whose true distribution is known: twice as slow at 08:00 as at 23:00."""

import json
import shutil
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.special import ndtri

from htp.errors import InputError
from htp.travel_time.model import FACTS_FILE, MODEL_FILE, QUANTILES, TravelTimeModel, durations_s
from htp.trips import Route, write_trips

SPREAD = 0.2  # standard deviation of log(duration) in the made-up trips
PEAK = pd.Timestamp("2024-05-06 08:00", tz="America/Santiago")
NIGHT = pd.Timestamp("2024-05-06 23:00", tz="America/Santiago")
CALLE_0 = Route(np.array([0, 2, 4, 6], dtype=np.int32))  # 400 m at 10 m/s: 40 s


def made_up_trips(count, seed):
    """Return drives along four blocks of a street: 40 s at the limit, median 120 s in the morning, 60 s at night."""
    rng = np.random.default_rng(seed)
    street, morning = rng.integers(0, 5, count), rng.random(count) < 0.5
    duration_s = np.where(morning, 120, 60) * np.exp(SPREAD * rng.standard_normal(count))
    points = np.round(duration_s).astype(int) + 1  # one point a second
    start = np.where(morning, PEAK.tz_localize(None), NIGHT.tz_localize(None)).astype("datetime64[s]")
    return gpd.GeoDataFrame(
        {
            "trip_id": [str(i) for i in range(count)],
            "start_time": pd.DatetimeIndex(start).tz_localize("America/Santiago"),
            "interval": np.ones(count, dtype=np.float32),
            "roads": [8 * j + np.array([0, 2, 4, 6], dtype=np.int32) for j in street],
            "percent": [np.linspace(0, 1, n, dtype=np.float32) for n in points],
        },
        geometry=[shapely.LineString(np.zeros((n, 2))) for n in points],
        crs="EPSG:4326",
    )


@pytest.fixture(scope="module")
def model(grid):
    return TravelTimeModel.fit(made_up_trips(2000, seed=1), grid)


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("conditions")
    model.save(folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    """Return a saved model of the test's own, to be damaged."""
    return shutil.copytree(saved, tmp_path / "conditions")


def test_a_trip_lasts_one_interval_less_than_it_has_points():
    trips = made_up_trips(1, seed=0).iloc[[0]].assign(interval=15.0)
    trips.geometry = [shapely.LineString([(0, 0), (0, 0), (1, 1)])]
    assert durations_s(trips).tolist() == [30]


def test_the_quantiles_are_those_the_trips_were_drawn_from(model, grid):
    expected = np.outer([120, 60], np.exp(SPREAD * ndtri(QUANTILES)))
    np.testing.assert_allclose(model.quantiles(grid, [CALLE_0, CALLE_0], [PEAK, NIGHT]), expected, rtol=0.12)


def test_the_same_route_is_slow_in_the_peak(model, grid):
    median = model.quantiles(grid, [CALLE_0, CALLE_0], [PEAK, NIGHT])[:, QUANTILES.index(0.5)]
    assert median[0] / median[1] == pytest.approx(2, rel=0.05)


def test_each_quantile_covers_its_share_of_trips_never_seen(model, grid):
    trips = made_up_trips(1000, seed=2)
    routes = [Route(roads) for roads in trips["roads"]]
    below = durations_s(trips)[:, None] <= model.quantiles(grid, routes, list(trips["start_time"]))
    np.testing.assert_allclose(below.mean(axis=0), QUANTILES, atol=0.04)


def test_draws_spread_like_the_trips(model, grid):
    uniforms = np.random.default_rng(3).random(2000)
    logs = np.log(model.draw(grid, [CALLE_0] * 2000, [PEAK] * 2000, uniforms))
    assert np.exp(np.median(logs)) == pytest.approx(120, rel=0.05)
    assert logs.std() == pytest.approx(SPREAD, rel=0.15)


def test_draws_meet_the_quantiles_and_grow_with_the_uniform(model, grid):
    uniforms = np.sort(np.r_[0.0, QUANTILES, np.linspace(0.001, 0.999, 200), 1.0])
    drawn = model.draw(grid, [CALLE_0] * len(uniforms), [NIGHT] * len(uniforms), uniforms)
    assert (np.diff(drawn) >= 0).all()
    assert np.isfinite(drawn).all()
    at = np.searchsorted(uniforms, QUANTILES)
    np.testing.assert_allclose(drawn[at], model.quantiles(grid, [CALLE_0], [NIGHT])[0])


def test_a_draw_does_not_depend_on_its_batch(model, grid):
    alone = model.draw(grid, [CALLE_0], [PEAK], np.array([0.3]))
    together = model.draw(grid, [Route(np.array([1], dtype=np.int32)), CALLE_0], [NIGHT, PEAK], np.array([0.9, 0.3]))
    assert together[1] == alone[0]


def test_half_the_route_takes_about_half_the_time(model, grid):
    half = replace(CALLE_0, start_m=50.0, end_m=50.0)  # 300 of 400 m
    whole_s, part_s = model.draw(grid, [CALLE_0, half], [NIGHT, NIGHT], np.array([0.5, 0.5]))
    assert part_s / whole_s == pytest.approx(0.75, abs=0.02)


def test_a_start_time_in_another_zone_is_the_same_moment(model, grid):
    here, there = model.draw(grid, [CALLE_0] * 2, [PEAK, PEAK.tz_convert("Asia/Tokyo")], np.array([0.5, 0.5]))
    assert here == there


def test_a_start_time_without_a_zone_is_refused(model, grid):
    with pytest.raises(InputError, match="2024-05-06 08:00:00 has no time zone"):
        model.draw(grid, [CALLE_0], [PEAK.tz_localize(None)], np.array([0.5]))


def test_trips_are_read_from_a_file_as_well(model, grid, tmp_path):
    write_trips(made_up_trips(2000, seed=1), tmp_path / "train.parquet")
    from_file = TravelTimeModel.fit(tmp_path / "train.parquet", grid).quantiles(grid, [CALLE_0], [PEAK])
    np.testing.assert_allclose(from_file, model.quantiles(grid, [CALLE_0], [PEAK]), rtol=1e-6)


def test_a_saved_model_draws_the_same_and_stays_small(model, grid, tmp_path):
    model.save(tmp_path)
    loaded = TravelTimeModel.load(tmp_path)
    arguments = (grid, [CALLE_0, CALLE_0], [PEAK, NIGHT], np.array([0.2, 0.97]))
    assert loaded.draw(*arguments).tolist() == model.draw(*arguments).tolist()
    assert sorted(path.name for path in tmp_path.iterdir()) == [FACTS_FILE, MODEL_FILE]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2e6


@pytest.mark.parametrize("name", [MODEL_FILE, FACTS_FILE])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name} is missing"):
        TravelTimeModel.load(folder)


@pytest.mark.parametrize("name", [MODEL_FILE, FACTS_FILE])
@pytest.mark.parametrize("keep", [0, 100], ids=["empty", "cut off"])
def test_a_damaged_file_is_reported(folder, name, keep):
    (folder / name).write_bytes((folder / name).read_bytes()[:keep])
    with pytest.raises(InputError, match="damaged"):
        TravelTimeModel.load(folder)


@pytest.mark.parametrize(("key", "value"), [("version", 0), ("features", ["hour"]), ("quantiles", [0.5])])
def test_a_model_of_another_version_is_refused(folder, key, value):
    facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    (folder / FACTS_FILE).write_text(json.dumps(facts | {key: value}), encoding="utf-8")
    with pytest.raises(InputError, match="another version"):
        TravelTimeModel.load(folder)


def test_too_few_trips_are_counted(grid):
    with pytest.raises(InputError, match="7 trips are too few"):
        TravelTimeModel.fit(made_up_trips(7, seed=0), grid)


def test_trips_that_were_not_prepared_are_refused(grid):
    with pytest.raises(InputError, match=r"no column 'percent'; prepare them first"):
        TravelTimeModel.fit(made_up_trips(20, seed=0).drop(columns="percent"), grid)
