"""Check TrajGAN: its sizes, its codes, the penalty on steep critics by hand, and the game of both."""

from __future__ import annotations

import pytest
import torch

from htp.methods.baselines.trajgan import TrajGANConfig, TrajGANNetwork

TINY = TrajGANConfig(length=6, hidden=8, layers=1, code=4, position_width=4, wide=8)


def weights(module):
    return sum(weight.numel() for weight in module.parameters())


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TrajGANNetwork(TINY)


def test_generator_and_critic_have_the_sizes_that_are_stated():
    network = TrajGANNetwork(TrajGANConfig())
    assert weights(network.generator) == 394_368
    assert weights(network.critic) == 329_217


def test_true_and_invented_codes_have_mean_0_and_deviation_1(network):
    for codes in (network.encode(torch.randn(5, 2, 6)), network.invent(torch.randn(5, 4), None)):
        torch.testing.assert_close(codes.mean(dim=1), torch.zeros(5), atol=1e-5, rtol=0)
        torch.testing.assert_close(codes.var(dim=1, unbiased=False), torch.ones(5), atol=1e-2, rtol=0)


@pytest.mark.parametrize(("slope", "penalty"), [(0.5, 0.0), (1.0, 0.0), (3.0, 40.0)])
def test_only_critics_steeper_than_1_are_penalised(network, monkeypatch, slope, penalty):
    direction = torch.tensor([slope, 0.0, 0.0, 0.0])
    monkeypatch.setattr(network.critic, "forward", lambda x, _: (x @ direction)[:, None])
    codes = torch.randn(8, 4)
    torch.manual_seed(3)
    loss = network.critic_loss(codes, None).item()
    torch.manual_seed(3)
    invented = network.invent(torch.randn_like(codes), None)
    gain = ((invented @ direction).mean() - (codes @ direction).mean()).item()
    assert loss == pytest.approx(gain + penalty, abs=1e-4)


def test_the_critic_learns_to_tell_and_the_generator_to_please(network):
    true = torch.nn.functional.layer_norm(torch.tensor([[3.0, 1.0, -1.0, -3.0]]).repeat(32, 1), (4,))
    critic = torch.optim.AdamW(network.critic.parameters(), lr=1e-2, betas=(0.5, 0.999))
    generator = torch.optim.AdamW(network.generator.parameters(), lr=1e-2, betas=(0.5, 0.999))
    distance = []
    for step in range(150):
        optimizer, loss_of = (critic, network.critic_loss) if step % 3 else (generator, network.generator_loss)
        optimizer.zero_grad()
        loss_of(true, None).backward()
        optimizer.step()
        distance.append((network.invent(torch.randn(32, 4), None) - true).abs().mean().item())
    assert distance[-1] < 0.5 * distance[0]
