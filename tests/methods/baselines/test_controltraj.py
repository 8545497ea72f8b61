"""Check what is ControlTraj's own: its size, the road it looks at, the encoder that is frozen."""

from __future__ import annotations

import numpy as np
import shapely
import torch

from htp.methods.baselines.baseline import DiffusionSampling
from htp.methods.baselines.controltraj import ControlTrajConfig, ControlTrajNetwork
from htp.methods.baselines.data import AttributeBatch, Normalisation


def test_it_has_the_published_number_of_weights():
    network = ControlTrajNetwork(ControlTrajConfig())
    parts = (network.unet, network.step, network.asked)
    assert sum(weight.numel() for part in parts for weight in part.parameters()) == 8_179_266


def test_the_context_is_a_token_a_patch_and_one_of_attributes(trips, grid):
    network = ControlTrajNetwork(ControlTrajConfig())
    wanted = AttributeBatch.of(trips.iloc[:2], grid, Normalisation.of(trips, grid))
    context = network.context(network.roads.encode(torch.randn(2, 2, 200)), wanted)
    assert context.shape == (2, 41, 128)
    torch.testing.assert_close(context[:, 40], network.asked.of(wanted))


def test_small_sizes_keep_two_channels_a_group_as_published():
    published, small = ControlTrajConfig(), ControlTrajConfig.small()
    assert published.base / published.groups == small.base / small.groups == 2


def test_another_road_gives_another_trip(tiny, trips):
    moved = trips.assign(roads=[np.array(route)[::-1] for route in trips["roads"]])
    sampling = DiffusionSampling(steps=5)
    here, there = (tiny("controltraj").generate(asked, sampling=sampling) for asked in (trips, moved))
    coordinates = [shapely.get_coordinates(made.geometry.to_numpy()) for made in (here, there)]
    assert np.abs(coordinates[0] - coordinates[1]).max() > 0


def test_the_road_encoder_is_frozen_after_its_own_training(tiny):
    model = tiny("controltraj").model
    assert not any(weight.requires_grad for weight in model.roads.parameters())
    assert all(weight.requires_grad for weight in model.unet.parameters())
    assert [stage["stage"] for stage in tiny("controltraj").trained] == ["roads", "diffusion"]
