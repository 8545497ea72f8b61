"""Check TrajVAE: its size, its loss by hand, and that it learns where trips are."""

from __future__ import annotations

import pytest
import torch

from htp.methods.baselines.trajvae import LSTMDecoder, TrajVAEConfig, TrajVAENetwork

TINY = TrajVAEConfig(length=6, hidden=8, layers=1, code=2, position_width=4, divergence=0.5)


@pytest.fixture
def certain():
    """Return a network whose code is always mean (3, 0) and variance 1, and whose points are all 0."""
    network = TrajVAENetwork(TINY)
    for head, bias in ((network.encoder.head, [3.0, 0.0, 0.0, 0.0]), (network.decoder.head, [0.0, 0.0])):
        torch.nn.init.zeros_(head.weight)
        head.bias.data = torch.tensor(bias)
    return network


def test_it_has_the_size_that_is_stated():
    assert sum(weight.numel() for weight in TrajVAENetwork(TrajVAEConfig()).parameters()) == 1_796_866


@pytest.mark.parametrize(("share", "weight"), [(0.0, 0.0), (0.05, 0.25), (0.1, 0.5), (1.0, 0.5)])
def test_the_loss_by_hand(certain, share, weight):
    points = torch.ones(3, 2, 6)  # squared error 2 a point; divergence 9 / 2
    assert certain.loss(points, None, share).item() == pytest.approx(2.0 + weight * 4.5)


def test_the_code_and_the_position_reach_every_point():
    torch.manual_seed(0)
    decoder = LSTMDecoder(8, 1, 2, 4)
    code = torch.randn(1, 2)
    points = decoder(code, 6)
    assert points.shape == (1, 2, 6)
    assert ((decoder(code + 1, 6) - points).abs() > 0).all()
    assert points.std(dim=2).min() > 0


def test_it_learns_where_trips_are():
    torch.manual_seed(0)
    network = TrajVAENetwork(TINY)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(150):
        starts = torch.randn(32, 2, 1)
        loss = network.loss(starts + torch.linspace(0, 1, 6), None, 0.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 1.0  # 2 for the mean alone
