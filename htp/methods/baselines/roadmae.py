"""RoadMAE (ControlTraj): learn roads by filling in the three quarters of a polyline that are masked.

A road is a polyline of 200 points, cut into patches of 5. Ours: the published code shows neither its training nor how
roads are laid out; here a road is the geometry of the route, roads joined, and the loss is the error on masked patches.
The published code shuffles the patches when nothing is masked, which cross-attention does not notice: left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from htp.methods.baselines.attention import EncoderLayer


@dataclass(frozen=True)
class RoadShape:
    """The sizes of RoadMAE."""

    points: int = 200  # of a polyline
    patch: int = 5  # points in a token
    width: int = 128
    encoder_layers: int = 8
    decoder_layers: int = 4
    heads: int = 4
    masked: float = 0.75  # share of the patches

    def __post_init__(self) -> None:
        """Refuse polylines that patches do not fill."""
        if self.points % self.patch:
            raise ValueError(f"{self.points} points are no whole number of patches of {self.patch}")

    @property
    def tokens(self) -> int:
        """Patches of a polyline."""
        return self.points // self.patch


class RoadEncoder(nn.Module):
    """Polylines to one token a patch."""

    def __init__(self, shape: RoadShape) -> None:
        super().__init__()
        self.patches = nn.Conv1d(2, shape.width, shape.patch, stride=shape.patch)
        self.first = nn.Parameter(torch.randn(1, 1, shape.width) * 0.02)  # the extra token that is dropped in the end
        self.positions = nn.Parameter(torch.randn(1, shape.tokens, shape.width) * 0.02)
        self.layers = nn.Sequential(*(EncoderLayer(shape.width, shape.heads) for _ in range(shape.encoder_layers)))
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, roads: Tensor, kept: Tensor | None = None) -> Tensor:
        """Return tokens [B, 1 + K, D] of polylines [B, 2, N], the extra one first; `kept` [B, K]: of these patches."""
        h = self.patches(roads).transpose(1, 2) + self.positions
        if kept is not None:
            h = _take(h, kept)
        return self.norm(self.layers(torch.cat([self.first.expand(len(h), -1, -1), h], dim=1)))


class RoadDecoder(nn.Module):
    """Tokens of some patches to the points of all."""

    def __init__(self, shape: RoadShape) -> None:
        super().__init__()
        self.missing = nn.Parameter(torch.randn(1, 1, shape.width) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, 1 + shape.tokens, shape.width) * 0.02)
        self.layers = nn.Sequential(*(EncoderLayer(shape.width, shape.heads) for _ in range(shape.decoder_layers)))
        self.head = nn.Linear(shape.width, 2 * shape.patch)

    def forward(self, tokens: Tensor, back: Tensor) -> Tensor:
        """Return all patches [B, N / 5, 10]; `back` [B, N / 5] says where each patch is among kept, then missing."""
        missing = self.missing.expand(len(tokens), back.shape[1] + 1 - tokens.shape[1], -1)
        h = _take(torch.cat([tokens[:, 1:], missing.to(tokens.dtype)], dim=1), back)
        h = self.layers(torch.cat([tokens[:, :1], h], dim=1) + self.positions)
        return self.head(h[:, 1:])


class RoadMAE(nn.Module):
    """The masked autoencoder; only its encoder is used afterwards."""

    def __init__(self, shape: RoadShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder, self.decoder = RoadEncoder(shape), RoadDecoder(shape)

    def encode(self, roads: Tensor) -> Tensor:
        """Return the tokens [B, N / 5, D] of whole polylines [B, 2, N]."""
        return self.encoder(roads)[:, 1:]

    def loss(self, roads: Tensor) -> Tensor:
        """Return the mean squared error of the masked patches of polylines [B, 2, N], a scalar."""
        order = torch.rand(len(roads), self.shape.tokens, device=roads.device).argsort(dim=1)
        keep = max(round(self.shape.tokens * (1.0 - self.shape.masked)), 1)
        found = self.decoder(self.encoder(roads, order[:, :keep]), order.argsort(dim=1)).float()
        asked = roads.unflatten(2, (self.shape.tokens, self.shape.patch)).permute(0, 2, 3, 1).flatten(2)
        error = (found - asked).square().mean(dim=-1)
        return error.gather(1, order[:, keep:]).mean()


def _take(h: Tensor, places: Tensor) -> Tensor:
    return h.gather(1, places[:, :, None].expand(-1, -1, h.shape[-1]))
