"""Check the stack of dilated convolutions: how far it reaches, how it starts, how a layer splits."""

from __future__ import annotations

from dataclasses import replace

import torch

from htp.methods.baselines.diffwave import DiffWaveConfig, DiffWaveNetwork, DilatedLayer

TINY = DiffWaveConfig(channels=4, layers=4, cycle=3, step_widths=(8, 16))


def test_dilation_doubles_from_layer_to_layer_and_starts_again():
    layers = DiffWaveNetwork(TINY).layers
    assert [layer.conv.dilation for layer in layers] == [(1,), (2,), (4,), (1,)]


def test_a_new_network_says_that_there_is_no_noise_but_its_bias():
    network = DiffWaveNetwork(TINY)
    found = network.noise(torch.randn(3, 2, 20), torch.tensor([0, 5, 9]), None)
    torch.testing.assert_close(found, network.leave.bias[None, :, None].expand(3, 2, 20))


def test_a_point_is_seen_as_far_as_the_dilations_reach():
    torch.manual_seed(0)
    network = DiffWaveNetwork(TINY)
    torch.nn.init.ones_(network.leave.weight)
    x = torch.randn(1, 2, 41)
    changed = x.clone()
    changed[:, :, 20] += 1.0
    step = torch.tensor([3])
    moved = (network.noise(x, step, None) - network.noise(changed, step, None)).abs().sum(dim=1)[0]
    reach = 1 + 2 + 4 + 1
    assert (torch.nonzero(moved > 0)[[0, -1], 0] == torch.tensor([20 - reach, 20 + reach])).all()


def test_what_goes_on_is_halved_in_variance_by_hand():
    layer = DilatedLayer(replace(TINY, channels=1), 1)
    for weight in layer.parameters():
        torch.nn.init.zeros_(weight)
    layer.out.bias.data = torch.tensor([3.0, 7.0])
    on, skipped = layer(torch.ones(1, 1, 2), torch.zeros(1, 16), None)
    torch.testing.assert_close(on, torch.full((1, 1, 2), 4 / 2**0.5))
    torch.testing.assert_close(skipped, torch.full((1, 1, 2), 7.0))
