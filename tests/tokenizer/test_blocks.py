"""Check that padding never leaks: a trip's result and its gradient depend on nothing behind its end."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from htp.tokenizer.blocks import WAVES, Attention, ConvBlock, Double, Halve, TransformerLayer, rotate, waves
from htp.tokenizer.model import Encoder

DIM, REAL, PADDED = 16, 11, 24


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture
def mask():
    return torch.arange(PADDED)[None] < torch.tensor([REAL, PADDED])[:, None]


class Halved(nn.Module):
    """Halve and double again, as the encoder and the decoder do between them."""

    def __init__(self):
        super().__init__()
        self.merge, self.split = Halve(DIM, 2 * DIM), Double(2 * DIM, DIM)

    def forward(self, h, mask):
        coarse, _ = self.merge(h, mask)
        return self.split(coarse, mask)


BLOCKS = {
    "convolutions": lambda: ConvBlock(DIM),
    "attention": lambda: TransformerLayer(DIM, 8),
    "halving and doubling": Halved,
}


@pytest.fixture(params=BLOCKS.values(), ids=BLOCKS)
def block(request):
    return request.param()


def padded_to(h, length):
    return nn.functional.pad(h, (0, 0, 0, length - h.shape[1]))


def test_a_trip_gives_the_same_alone_and_padded_beside_a_longer_one(block, mask):
    h = torch.randn(2, PADDED, DIM) * mask[:, :, None]
    together = block(h, mask)
    alone = block(padded_to(h[:1, :REAL], 16), mask[:1, :16])
    torch.testing.assert_close(together[:1, :REAL], alone[:, :REAL], atol=1e-6, rtol=1e-5)


def test_there_are_zeros_behind_the_end(block, mask):
    assert (block(torch.randn(2, PADDED, DIM) * mask[:, :, None], mask)[0, REAL:] == 0).all()


def test_no_gradient_flows_from_a_trip_to_its_padding(block, mask):
    h = torch.randn(2, PADDED, DIM, requires_grad=True)
    block(h * mask[:, :, None], mask)[0, :REAL].square().sum().backward()
    assert (h.grad[0, REAL:] == 0).all()
    assert (h.grad[1] == 0).all()  # nor to another trip
    assert (h.grad[0, :REAL] != 0).any(dim=1).all()


def test_roads_that_are_padding_are_not_attended_to(mask):
    layer = TransformerLayer(DIM, 8, context_dim=12)
    h, roads = torch.randn(2, PADDED, DIM) * mask[:, :, None], torch.randn(2, 5, 12)
    roads_mask = torch.tensor([[True] * 3 + [False] * 2, [True] * 5])
    first = layer(h, mask, roads, roads_mask)
    roads[0, 3:] = 100.0
    torch.testing.assert_close(layer(h, mask, roads, roads_mask), first, atol=0, rtol=0)
    torch.testing.assert_close(layer(h[:1], mask[:1], roads[:1, :3], roads_mask[:1, :3]), first[:1])


def test_the_encoder_ignores_what_stands_behind_a_trip(tiny_config, mask):
    encoder = Encoder(tiny_config()).eval()
    inputs = torch.randn(2, PADDED, encoder.project.in_features)
    first = encoder(inputs, mask)
    inputs[0, REAL:] = 7.0
    torch.testing.assert_close(encoder(inputs, mask)[0, :2], first[0, :2])
    torch.testing.assert_close(encoder(inputs[:1, :16], mask[:1, :16])[0], first[0, :2], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("points", range(8, 18))
def test_the_encoder_gives_one_embedding_for_every_eight_points_begun(tiny_config, points):
    encoder = Encoder(tiny_config())
    width = -(-points // 8) * 8
    mask = torch.arange(width)[None] < points
    assert encoder(torch.randn(1, width, encoder.project.in_features), mask).shape == (1, width // 8, 32)


def test_halving_merges_neighbours_and_keeps_an_odd_last_one():
    halve = Halve(1, 1)
    with torch.no_grad():
        halve.merge.weight.copy_(torch.tensor([[1.0, 10.0]]))
        halve.merge.bias.zero_()
    merged, mask = halve(torch.tensor([[[1.0], [2.0], [3.0], [0.0]]]), torch.tensor([[True, True, True, False]]))
    assert merged.flatten().tolist() == [21.0, 3.0]
    assert mask.tolist() == [[True, True]]


def test_attention_between_points_depends_on_how_far_apart_they_are_alone():
    query, key = (torch.randn(1, 1, 1, 8).expand(1, 1, 10, 8) for _ in range(2))
    scores = (rotate(query) @ rotate(key).transpose(-1, -2))[0, 0]
    for apart in range(9):
        diagonal = scores.diagonal(apart)
        torch.testing.assert_close(diagonal, diagonal[:1].expand(10 - apart))
    assert scores.diagonal(0)[0] != scores.diagonal(3)[0]


def test_attention_to_roads_has_no_positions():
    attention = Attention(DIM, 8, context_dim=12)
    h, roads = torch.randn(1, 4, DIM), torch.randn(1, 3, 12)
    everywhere = torch.ones(1, 3, dtype=torch.bool)
    torch.testing.assert_close(attention(h, roads, everywhere), attention(h, roads.flip(1), everywhere))


def test_the_shortest_wave_comes_round_after_64_metres_and_the_longest_after_32_kilometres():
    first = waves(torch.tensor([10.0, 74.0, 10.0 + 32_768.0]))
    assert first.shape == (3, WAVES)
    assert first[0, 0].item() == pytest.approx(first[1, 0].item(), abs=1e-4)
    torch.testing.assert_close(first[0], first[2], atol=0.02, rtol=0)
    assert first[0, 9].item() != pytest.approx(first[1, 9].item(), abs=1e-3)
