"""Check the tokenizer that regresses points, against numbers by hand where there are any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
import torch

from htp.config import TokenizerTraining
from htp.methods.ablations.without_rloss import PointTokenizer, PointTrainer, describe_with_points, from_unit
from htp.tokenizer.batch import Batches
from htp.tokenizer.features import RELATIVE_INPUTS, absolute_inputs
from htp.tokenizer.tokenizer import decoder_conditions_of


@pytest.fixture(scope="module")
def batch(trips, grid):
    return Batches(describe_with_points(trips, grid, inputs="relative")).collate(np.arange(3))


@pytest.fixture
def tokenizer(tiny, grid):
    return PointTokenizer.new(tiny("w/o R-Loss").config.tokenizer, grid)


def test_the_corners_of_the_city_are_minus_one_and_one(grid):
    west, south, east, north = grid.roads.total_bounds
    np.testing.assert_allclose(from_unit(np.array([[-1.0, -1.0], [1.0, 1.0]]), grid), [[west, south], [east, north]])


def test_coordinates_come_back_from_what_is_learned(trips, grid):
    lonlat = shapely.get_coordinates(trips.geometry.to_numpy())
    np.testing.assert_allclose(from_unit(absolute_inputs(trips, grid), grid), lonlat, atol=1e-9)


def test_the_coordinates_stand_behind_what_the_encoder_sees(batch, trips, grid):
    assert batch.inputs.shape[2] == RELATIVE_INPUTS + 2
    points = len(trips["percent"].iloc[0])
    np.testing.assert_allclose(
        batch.inputs[0, :points, -2:], absolute_inputs(trips.iloc[:1], grid).astype(np.float32), rtol=1e-6
    )


def test_the_loss_is_the_mean_squared_error_of_the_points(tokenizer, batch):
    model = tokenizer.model.eval()
    with torch.no_grad():
        model.point[2].weight.zero_()
        model.point[2].bias.copy_(torch.tensor([0.25, -0.5]))  # so every point is said to lie there
        parts = model(batch).parts
    real = batch.inputs[..., -2:][batch.routes.point_mask]
    assert float(parts["points"]) == pytest.approx(float(((real - torch.tensor([0.25, -0.5])) ** 2).sum(1).mean()))
    assert set(parts) == {"commitment", "points"}


def test_coordinates_do_not_reach_the_encoder(tokenizer, batch):
    model = tokenizer.model.eval()
    with torch.no_grad():
        model(replace(batch))  # codebooks start from what they see first
        moved = batch.inputs.clone()
        moved[..., -2:] += 1.0
        assert torch.equal(model.encode(batch.inputs, batch.routes), model.encode(moved, batch.routes))
        assert torch.equal(model.encode(batch.inputs[..., :-2], batch.routes), model.encode(batch.inputs, batch.routes))


def test_points_are_finer_than_bfloat16(tokenizer, batch):
    h = torch.randn(1, 4, 16)
    with torch.autocast("cpu", torch.bfloat16):
        said = tokenizer.model._points(h)
    assert said.dtype == torch.float32
    assert not torch.equal(said, said.bfloat16().float())


def test_points_come_trip_after_trip_whatever_their_order(tiny, trips, grid):
    tokenizer = tiny("w/o R-Loss").tokenizer
    lonlat = tokenizer.points(tokenizer.encode(trips), decoder_conditions_of(trips, grid, seed=0))
    apart = [
        tokenizer.points(tokenizer.encode(one), decoder_conditions_of(one, grid, seed=0))
        for one in (trips.iloc[row : row + 1] for row in range(len(trips)))
    ]
    np.testing.assert_allclose(lonlat, np.concatenate(apart), atol=1e-6)


def test_training_brings_points_nearer(tokenizer, trips, grid, tmp_path):
    samples, lines = describe_with_points(trips, grid, inputs="relative"), []
    settings = TokenizerTraining(epochs=25, batch_size=10, learning_rate=1e-2)
    PointTrainer(tokenizer, settings, tmp_path).fit(samples, samples, lines.append)
    assert lines[-1]["error_m"]["0.5"] < lines[0]["error_m"]["0.5"] / 1.5
