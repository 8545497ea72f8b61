"""Check the segment autoencoder: how routes are numbered and thinned, what its tokens are, that it learns routes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from htp.methods.baselines.segments import BEGIN, END, PADDING, SegmentAutoencoder, SegmentShape, numbered

SIZES = {"width": 16, "layers": (1, 1), "feed_forward": 32, "longest": 12, "tokens": 3, "token_width": 8}
ROADS = 20


@pytest.fixture
def model():
    torch.manual_seed(0)
    return SegmentAutoencoder(SegmentShape(**SIZES, gathering_layers=1), torch.randn(ROADS + 3, 2)).eval()


def test_routes_are_marked_and_padded():
    found = numbered([np.array([0, 5]), np.array([7])], 128)
    assert found.tolist() == [[BEGIN, 3, 8, END], [BEGIN, 10, END, PADDING]]


def test_a_long_route_is_thinned_from_end_to_end():
    assert numbered([np.arange(9)], 7).tolist() == [[BEGIN, 3, 5, 7, 9, 11, END]]


def test_tokens_have_one_length_and_depend_on_the_order_of_roads(model):
    tokens = model.encode(numbered([np.array([1, 2, 3]), np.array([3, 2, 1])], 12))
    assert tokens.shape == (2, 3, 8)
    torch.testing.assert_close(tokens.norm(dim=-1), torch.full((2, 3), 8**0.5))
    assert not torch.allclose(tokens[0], tokens[1], atol=1e-3)


def test_padding_changes_nothing(model):
    alone = model.encode(numbered([np.array([1, 2])], 12))
    padded = model.encode(numbered([np.array([1, 2]), np.arange(9)], 12))
    torch.testing.assert_close(padded[:1], alone, atol=1e-5, rtol=1e-4)


def test_the_decoder_does_not_look_ahead(model):
    tokens, roads = torch.randn(1, 3, 8), numbered([np.array([1, 2, 3, 4])], 12)
    changed = roads.clone()
    changed[:, 3] = 9
    before, after = model.decode(tokens, roads), model.decode(tokens, changed)
    torch.testing.assert_close(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3], after[:, 3])


@pytest.mark.parametrize("candidates", [None, 8], ids=["all roads", "candidates"])
def test_it_learns_routes(candidates):
    torch.manual_seed(0)
    shape = SegmentShape(**SIZES, gathering_layers=1, candidates=candidates)
    model = SegmentAutoencoder(shape, torch.randn(ROADS + 3, 2))
    rng = np.random.default_rng(0)
    roads = numbered([np.arange(first, first + 6) for first in rng.integers(0, ROADS - 6, 32)], 12)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(40):
        loss = model.loss(roads)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


def test_few_candidates_score_as_all_roads_do_when_they_are_all(model):
    h, true = torch.randn(5, 16), torch.tensor([3, 4, 5, 6, 7])
    everything = model._cross_entropy(h, true)
    torch.manual_seed(0)
    model.shape = SegmentShape(**SIZES, candidates=10_000)  # draws every road that may come; not the three marks
    marks = torch.logsumexp(h @ model.embedding.weight.T, 1) - torch.logsumexp(h @ model.embedding.weight[3:].T, 1)
    torch.testing.assert_close(model._cross_entropy(h, true) + marks.mean(), everything)
