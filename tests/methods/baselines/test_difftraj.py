"""Check what is DiffTraj's own: its size, guided noise in the loss, embeddings that are told nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from htp.methods.baselines.attributes import Attributes
from htp.methods.baselines.data import AttributeBatch, Normalisation
from htp.methods.baselines.difftraj import DiffTraj, DiffTrajConfig, DiffTrajNetwork


@pytest.fixture
def wanted(trips, grid):
    return AttributeBatch.of(trips, grid, Normalisation.of(trips, grid))


@pytest.fixture
def network(tiny):
    return tiny("difftraj").model


def test_it_has_the_published_number_of_weights():
    assert sum(weight.numel() for weight in DiffTrajNetwork(DiffTrajConfig()).parameters()) == 16_196_354


def test_small_sizes_keep_four_channels_a_group_as_published():
    published, small = DiffTrajConfig(), DiffTrajConfig.small()
    assert published.base / published.groups == small.base / small.groups == 4


def test_the_noise_is_guided_by_the_difference_that_attributes_make(network, wanted):
    x, step = torch.randn(len(wanted), 2, 15), torch.arange(len(wanted))
    told = network.step(step)
    with torch.inference_mode():
        with_them = network.unet(x, told + network.asked.of(wanted))
        without = network.unet(x, told + network.unasked.of_nothing(len(wanted)))
        torch.testing.assert_close(network.guided(x, step, wanted), 4 * with_them - 3 * without)


def test_the_published_loss_trains_both_embeddings(trips, grid, wanted, untrained):
    network = DiffTrajNetwork(untrained("difftraj").config)
    x = torch.randn(len(wanted), 2, 15)
    network.schedule.loss(lambda x, t: network.guided(x, t, wanted), x).backward()
    assert network.asked.wide.weight.grad.abs().sum() > 0
    assert network.unasked.wide.bias.grad.abs().sum() > 0
    assert network.unasked.wide.weight.grad.abs().sum() == 0  # it is only ever told zeros


def test_textbook_guidance_drops_attributes_of_a_tenth(tiny, wanted):
    network, many = tiny("difftraj textbook").model, 100
    rows = torch.zeros(many * 10, dtype=torch.long)
    asked = AttributeBatch(wanted.slots[rows], wanted.numbers[rows], wanted.cells[rows], [wanted.roads[0]] * len(rows))
    x, step = torch.ones(len(rows), 2, 15), torch.zeros(len(rows), dtype=torch.long)
    torch.manual_seed(0)
    with torch.inference_mode():
        found = network.dropping(x, step, asked)
        plain = network.unet(x, network.step(step) + network.asked.of(asked))
    dropped = (found - plain).abs().amax(dim=(1, 2)) > 1e-4
    assert 0.06 < dropped.float().mean().item() < 0.14


def test_an_unknown_guidance_is_refused():
    with pytest.raises(ValueError, match="'published' or 'textbook'"):
        replace(DiffTrajConfig(), guidance="none")


def test_attributes_are_a_sum_of_wide_and_deep(wanted):
    layers = Attributes(4, 6)
    torch.nn.init.zeros_(layers.deep[2].weight)
    torch.testing.assert_close(layers.of(wanted), layers.wide(wanted.numbers) + layers.deep[2].bias)


def test_an_option_of_guidance_changes_the_trips(tiny, trips, grid, tmp_path):
    tiny("difftraj").save(tmp_path)
    again = DiffTraj.load(tmp_path, grid)
    again.model.config = replace(again.config, guidance_weight=0.0)
    assert not again.generate(trips).geometry.equals(tiny("difftraj").generate(trips).geometry)
