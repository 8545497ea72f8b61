"""Check the transformer that takes noise out of the tokens of routes."""

from __future__ import annotations

import torch

from htp.methods.baselines.roaddit import ModulatedLayer, RoadDiT


def test_a_new_layer_changes_nothing_and_a_new_network_says_nothing():
    h, told = torch.randn(2, 4, 8), torch.randn(2, 8)
    torch.testing.assert_close(ModulatedLayer(8, 2)(h, told), h)
    found = RoadDiT(4, 6, 8, 2, 2)(torch.randn(2, 4, 6), told)
    torch.testing.assert_close(found, torch.zeros(2, 4, 6))


def test_it_learns_what_the_condition_says():
    torch.manual_seed(0)
    net = RoadDiT(4, 6, 16, 1, 2)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    told = torch.cat([torch.ones(8, 16), -torch.ones(8, 16)])
    asked = torch.cat([torch.ones(8, 4, 6), torch.zeros(8, 4, 6)])
    for _ in range(60):
        loss = (net(torch.randn(16, 4, 6), told) - asked).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05
