"""Compress routes into a few tokens and back: the segment autoencoder of Cardiff.

A transformer reads the roads of a route, a perceiver gathers them in 32 tokens of one length, and a decompressor and a
decoder write the roads again, each told the ones before. Ours: routes of more roads than fit are thinned evenly, so
that the tokens still stand for the whole way; the published data has none so long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from htp.methods.baselines.attention import attend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PADDING, BEGIN, END = 0, 1, 2
SPECIALS = 3  # road 0 is number 3


@dataclass(frozen=True)
class SegmentShape:
    """The sizes of the autoencoder."""

    width: int = 256
    layers: tuple[int, int] = (4, 2)  # of encoder and decoder
    heads: int = 4
    feed_forward: int = 4096
    longest: int = 128  # roads of a route, with the marks of its begin and end
    tokens: int = 32
    token_width: int = 128
    gathering_layers: int = 3  # of the perceiver, and of the decompressor
    candidates: int | None = None  # roads that compete with the true ones in the loss; None: all, as published


class GatheringLayer(nn.Module):
    """Tokens look at the route and at each other, queries and keys normalised; then a feed-forward net."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.route_norm, self.last_norm = (nn.LayerNorm(width) for _ in range(3))
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.query_norm, self.key_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, h: Tensor, route: Tensor, mask: Tensor) -> Tensor:
        """Return tokens [B, K, D] that have looked at the route [B, S, D] where its mask [B, S] is true."""
        own = self.norm(h)
        seen = torch.cat([self.route_norm(route), own], dim=1)
        mask = torch.cat([mask, mask.new_ones(h.shape[:2])], dim=1)
        query, key = self.query_norm(self.query(own)), self.key_norm(self.key(seen))
        h = h + self.out(attend(query, key, self.value(seen), heads=self.heads, mask=mask))
        return h + self.feed_forward(self.last_norm(h))


class SegmentAutoencoder(nn.Module):
    """Routes as lists of numbered roads to latent tokens and back."""

    places: Tensor  # [V + SPECIALS, 2] middle of each road, -1 to 1 over the city

    def __init__(self, shape: SegmentShape, places: Tensor) -> None:
        super().__init__()
        self.shape, width = shape, shape.width
        self.register_buffer("places", places, persistent=False)
        self.embedding = nn.Embedding(len(places), width)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.read_positions, self.write_positions = (_positions(shape.longest, width) for _ in range(2))
        self.encoder = _encoder(width, shape, shape.layers[0])
        self.place = nn.Sequential(nn.Linear(2, width), nn.GELU(), nn.Linear(width, width))
        self.narrow, self.tokens = nn.Linear(width, shape.token_width), _positions(shape.tokens, shape.token_width)
        layers = (GatheringLayer(shape.token_width, shape.heads) for _ in range(shape.gathering_layers))
        self.gathering = nn.ModuleList(layers)
        self.widen, self.token_positions = nn.Linear(shape.token_width, width), _positions(shape.tokens, width)
        self.decompressor = _encoder(width, shape, shape.gathering_layers)
        layer = nn.TransformerDecoderLayer(
            width, shape.heads, shape.feed_forward, 0.1, activation="gelu", batch_first=True
        )
        self.decoder = nn.TransformerDecoder(layer, shape.layers[1])

    def encode(self, roads: Tensor) -> Tensor:
        """Return the latent tokens [B, K, E] of routes [B, S] (as `numbered`), each as long as the root of E."""
        mask = roads != PADDING
        h = self.embedding(roads) + self.read_positions[:, : roads.shape[1]]
        h = self.encoder(h, src_key_padding_mask=~mask) + self.place(self.places[roads])
        route, tokens = self.narrow(h), self.tokens.expand(len(roads), -1, -1)
        for layer in self.gathering:
            tokens = layer(tokens, route, mask)
        return F.normalize(tokens.float(), dim=-1) * self.shape.token_width**0.5

    def decode(self, tokens: Tensor, roads: Tensor) -> Tensor:
        """Return what tells the next road after each of `roads` [B, S], from latent tokens [B, K, E]: [B, S, D]."""
        memory = self.decompressor(self.widen(tokens) + self.token_positions)
        h = self.embedding(roads) + self.write_positions[:, : roads.shape[1]]
        later = torch.ones(roads.shape[1], roads.shape[1], dtype=torch.bool, device=roads.device).triu(1)
        return self.decoder(h, memory, tgt_mask=later)

    def loss(self, roads: Tensor) -> Tensor:
        """Return the cross-entropy of each road of routes [B, S] after those before it, a scalar."""
        h = self.decode(self.encode(roads), roads[:, :-1])
        kept = roads[:, 1:] != PADDING
        return self._cross_entropy(h[kept], roads[:, 1:][kept])

    def _cross_entropy(self, h: Tensor, true: Tensor) -> Tensor:
        if self.shape.candidates is None:
            return F.cross_entropy(F.linear(h, self.embedding.weight).float(), true)
        others = torch.randint(SPECIALS, len(self.places), (self.shape.candidates,), device=true.device)
        candidates = torch.cat([true, others]).unique()  # in order
        scores = F.linear(h, self.embedding(candidates)).float()
        return F.cross_entropy(scores, torch.searchsorted(candidates, true))


def numbered(routes: Sequence[NDArray[np.int32]], longest: int) -> Tensor:
    """Return routes as the autoencoder reads them, padded: [B, S], begin and end marked, S at most `longest`."""
    rows = []
    for route in routes:
        count = min(len(route), longest - 2)
        kept = np.linspace(0, len(route) - 1, count).round().astype(np.int64)
        rows.append(np.r_[BEGIN, route[kept] + SPECIALS, END])
    padded = np.full((len(rows), max(len(row) for row in rows)), PADDING, dtype=np.int64)
    for at, row in enumerate(rows):
        padded[at, : len(row)] = row
    return torch.from_numpy(padded)


def _encoder(width: int, shape: SegmentShape, layers: int) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(width, shape.heads, shape.feed_forward, 0.1, activation="gelu", batch_first=True)
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


def _positions(count: int, width: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(1, count, width) * 0.02)
