"""Check RoadMAE: its published size, what it masks, and that it learns to fill in a straight road."""

from __future__ import annotations

import pytest
import torch

from htp.methods.baselines.roadmae import RoadDecoder, RoadEncoder, RoadMAE, RoadShape

TINY = RoadShape(40, width=16, encoder_layers=1, decoder_layers=1)  # 8 patches


def weights(module):
    return sum(weight.numel() for weight in module.parameters())


def test_encoder_and_decoder_have_their_published_sizes():
    assert weights(RoadEncoder(RoadShape())) == 1_590_016
    assert weights(RoadDecoder(RoadShape())) == 798_218


def test_a_road_is_one_token_a_patch():
    assert RoadMAE(TINY).encode(torch.randn(3, 2, 40)).shape == (3, 8, 16)
    with pytest.raises(ValueError, match="whole number of patches"):
        RoadShape(42)


def test_the_decoder_puts_patches_back_in_their_order():
    decoder = RoadDecoder(RoadShape(20, width=10, decoder_layers=0, heads=1))  # no layers: tokens go straight through
    torch.nn.init.zeros_(decoder.positions)
    torch.nn.init.eye_(decoder.head.weight)
    torch.nn.init.zeros_(decoder.head.bias)
    order = torch.tensor([[2, 0, 3, 1]])  # patches 2 and 0 are kept
    kept = torch.stack([torch.full((10,), 2.0), torch.full((10,), 0.5)])[None]
    found = decoder(torch.cat([torch.zeros(1, 1, 10), kept], dim=1), order.argsort(dim=1))[0]
    torch.testing.assert_close(found[2], torch.full((10,), 2.0))
    torch.testing.assert_close(found[0], torch.full((10,), 0.5))
    torch.testing.assert_close(found[1], decoder.missing[0, 0])
    torch.testing.assert_close(found[3], decoder.missing[0, 0])


def test_masked_patches_are_not_seen_by_the_encoder():
    torch.manual_seed(0)
    mae, kept = RoadMAE(TINY).eval(), torch.tensor([[1, 6]])
    roads = torch.randn(1, 2, 40)
    changed = roads.clone()
    changed[:, :, :5] += 1.0  # patch 0
    torch.testing.assert_close(mae.encoder(changed, kept), mae.encoder(roads, kept))
    changed[:, :, 5:10] += 1.0  # patch 1
    assert not torch.allclose(mae.encoder(changed, kept), mae.encoder(roads, kept))


def test_it_learns_to_fill_in_straight_roads():
    torch.manual_seed(0)
    mae = RoadMAE(TINY)
    optimizer = torch.optim.AdamW(mae.parameters(), lr=3e-3)
    losses = []
    for _ in range(80):
        ends = torch.randn(32, 2, 2, 1)
        roads = torch.lerp(ends[:, 0], ends[:, 1], torch.linspace(0, 1, 40))
        loss = mae.loss(roads)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-10:]) < 0.6 * sum(losses[:10])
