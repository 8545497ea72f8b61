"""Check what every baseline promises: fit, generate as asked, save and load, whatever the batch."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import torch

from htp.errors import InputError
from htp.methods.baselines.baseline import FURTHEST, Baseline, BaselineConfig, DiffusionSampling
from htp.methods.budget import Budget
from htp.methods.registry import BASELINES, METHODS
from htp.trips import read_trips, write_trips

QUICK = DiffusionSampling(steps=4)
DIFFUSION = ["diffwave", "difftraj", "controltraj", "cardiff"]
CLOSE = 5e-6  # degrees, half a metre: what rounding in products of other shapes may grow to


def coordinates(trips):
    return shapely.get_coordinates(trips.geometry.to_numpy())


def test_a_trip_is_generated_for_each_of_the_conditions(name, tiny, trips):
    made = tiny(name).generate(trips, seed=3, sampling=QUICK)
    assert list(shapely.get_num_coordinates(made.geometry)) == [20, 33, 60, 24, 41, 28, 35, 22, 50, 26]
    for column in ("trip_id", "start_time", "interval"):
        pd.testing.assert_series_equal(made[column], trips[column])
    assert all(np.array_equal(a, b) for a, b in zip(made["roads"], trips["roads"], strict=True))
    assert made.crs == "EPSG:4326"
    assert "percent" not in made


def test_a_trip_is_the_same_whatever_the_batch_and_the_piece(name, tiny, trips):
    baseline = tiny(name)
    together = baseline.generate(trips, seed=3, sampling=QUICK)
    apart = baseline.generate(trips, seed=3, sampling=replace(QUICK, batch_size=3))
    piece = baseline.generate(trips.iloc[6:], seed=3, first=6, sampling=QUICK)
    np.testing.assert_allclose(coordinates(apart), coordinates(together), atol=CLOSE)
    np.testing.assert_allclose(coordinates(piece), coordinates(together.iloc[6:]), atol=CLOSE)
    other = baseline.generate(trips, seed=4, sampling=QUICK)
    assert np.abs(coordinates(other) - coordinates(together)).max() > 4 * CLOSE


def test_what_is_saved_generates_the_same_trips_again(name, tiny, trips, grid, tmp_path):
    baseline = tiny(name)
    baseline.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors", "scale.json"]
    again = type(baseline).load(tmp_path, grid)
    assert again.config == baseline.config
    assert again.trained == baseline.trained
    before, after = (b.generate(trips, seed=5, sampling=QUICK) for b in (baseline, again))
    np.testing.assert_array_equal(coordinates(after), coordinates(before))


def test_the_same_seed_trains_the_same_weights(name, tiny, untrained, trips, grid):
    again = untrained(name).fit(trips, grid, Budget(epochs=2), seed=1, report=lambda _: None)
    for key, tensor in tiny(name).model.state_dict().items():
        torch.testing.assert_close(again.model.state_dict()[key], tensor, msg=key)


def test_every_stage_of_a_training_is_on_record(name, tiny):
    stages = {"trajgan": 2, "controltraj": 2, "cardiff": 2}.get(name.split()[0], 1)
    assert [stage["steps"] for stage in tiny(name).trained] == [4] * stages
    assert all(stage["epochs"] == 2 and stage["batch_size"] == 4 for stage in tiny(name).trained)


@pytest.mark.parametrize("name", DIFFUSION)
def test_the_sampler_and_its_steps_are_options(name, tiny, trips):
    few = tiny(name).generate(trips, sampling=DiffusionSampling(steps=2))
    many = tiny(name).generate(trips, sampling=DiffusionSampling(steps=20))
    ancestral = tiny(name).generate(trips, sampling=DiffusionSampling(sampler="ddpm"))
    assert np.abs(coordinates(few) - coordinates(many)).max() > 4 * CLOSE
    assert np.abs(coordinates(ancestral) - coordinates(many)).max() > 4 * CLOSE


@pytest.mark.parametrize("name", ["trajgan", "trajvae", "diffwave"])
def test_only_a_conditioned_one_listens_to_conditions(name, tiny, trips):
    later = trips.assign(start_time=trips["start_time"] + pd.Timedelta(hours=5))

    def moved(baseline):
        made = (coordinates(baseline.generate(asked, sampling=QUICK)) for asked in (trips, later))
        return np.abs(np.subtract(*made)).max()

    assert moved(tiny(name)) == 0.0
    assert moved(tiny(f"{name} conditioned")) > 0.0


@pytest.mark.parametrize("name", ["difftraj", "difftraj textbook", "controltraj", "cardiff"])
def test_conditions_change_the_trip(name, tiny, trips):
    later = trips.assign(start_time=trips["start_time"] + pd.Timedelta(hours=5))
    made = (coordinates(tiny(name).generate(asked, sampling=QUICK)) for asked in (trips, later))
    assert np.abs(np.subtract(*made)).max() > 0.0


class Still(Baseline[BaselineConfig, torch.nn.Linear]):
    """A baseline that has nothing to learn and draws the mean, or whatever `drawn` is."""

    name, config_type, drawn = "still", BaselineConfig, 0.0

    def _build(self):
        return torch.nn.Linear(1, 1)

    def _train(self, points, *_):
        self.seen = points

    def _draw(self, wanted, *_):
        return torch.full((len(wanted), 2, self.config.length), self.drawn)


@pytest.fixture
def still(trips, grid):
    return Still(BaselineConfig(length=12)).fit(trips, grid)


def test_points_are_learned_in_deviations_from_their_mean(still, trips):
    assert still.seen.shape == (10, 2, 12)
    every = coordinates(trips)
    first = (every[0] - every.mean(axis=0)) / every.std(axis=0)
    np.testing.assert_allclose(still.seen[0, :, 0], first, atol=1e-5)


def test_the_mean_is_drawn_back_to_its_place(still, trips):
    expected = np.tile(coordinates(trips).mean(axis=0), (len(coordinates(trips)), 1))
    np.testing.assert_allclose(coordinates(still.generate(trips)), expected, atol=1e-6)


def test_points_far_out_are_cut_to_places_on_earth(still, trips):
    still.drawn = 1e6
    every = coordinates(trips)
    furthest = every.mean(axis=0) + FURTHEST * every.std(axis=0)
    np.testing.assert_allclose(coordinates(still.generate(trips))[0], furthest, atol=1e-6)


def test_a_network_that_failed_is_not_passed_off_as_trips(still, trips):
    still.drawn = float("nan")
    with pytest.raises(InputError, match="train it anew"):
        still.generate(trips)


def test_progress_is_told_batch_by_batch(still, trips):
    heard = []
    still.generate(
        trips, sampling=DiffusionSampling(batch_size=4), progress=lambda done, total: heard.append((done, total))
    )
    assert heard == [(4, 10), (8, 10), (10, 10)]


def test_generated_trips_can_be_written_and_read(still, trips, tmp_path):
    made = still.generate(trips)
    write_trips(made, tmp_path / "made.parquet")
    assert isinstance(read_trips(tmp_path / "made.parquet"), gpd.GeoDataFrame)


def test_a_small_size_has_64_points_and_differs_from_the_published_one():
    for name in BASELINES:
        config_type = METHODS[name].made_by.config_type
        assert config_type.small().length == 64 < config_type().length


def test_mistakes_are_explained(still, trips, grid, triangle, tiny, tmp_path):
    with pytest.raises(InputError, match="is not trained"):
        Still().generate(trips)
    with pytest.raises(InputError, match="no trips are asked for"):
        still.generate(trips.iloc[:0])
    with pytest.raises(InputError, match="no trips to train on"):
        Still().fit(trips.iloc[:0], grid)
    with pytest.raises(InputError, match="htp prepare"):
        still.generate(trips.drop(columns="percent"))
    with pytest.raises(InputError, match="choose ddim or ddpm"):
        DiffusionSampling(sampler="euler")
    with pytest.raises(InputError, match="at least 1"):
        DiffusionSampling(steps=0)
    tiny("cardiff").save(tmp_path / "cardiff")
    with pytest.raises(InputError, match="of another city"):
        METHODS["cardiff"].made_by.load(tmp_path / "cardiff", triangle)
    with pytest.raises(InputError, match="holds cardiff, not difftraj"):
        METHODS["difftraj"].made_by.load(tmp_path / "cardiff", grid)


@pytest.mark.parametrize("name", ["config.json", "scale.json", "model.safetensors"])
def test_a_damaged_folder_is_refused(name, tiny, grid, tmp_path):
    tiny("trajvae").save(tmp_path)
    for text in ("{", "[]"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="holds no whole trajvae; train it and save it there"):
            METHODS["trajvae"].made_by.load(tmp_path, grid)
    shutil.rmtree(tmp_path)
    with pytest.raises(InputError, match="holds no whole trajvae; train it and save it there"):
        METHODS["trajvae"].made_by.load(tmp_path, grid)


def test_the_folder_says_what_was_trained_and_how(tiny, tmp_path):
    tiny("difftraj").save(tmp_path)
    facts = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert facts["method"] == "difftraj"
    assert facts["config"]["base"] == 8
    assert facts["trained"][0]["stage"] == "diffusion"
