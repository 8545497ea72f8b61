"""Let points look at each other and at the tokens of a condition: the attention of the baselines' networks.

Plain products and softmax: for the short sequences here they are faster on a CPU than the fused kernel.
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Attention of a single head over the length of [B, C, T], with a shortcut (DiffTraj's middle)."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.norm = group_norm(channels, groups)
        self.query, self.key, self.value, self.out = (nn.Conv1d(channels, channels, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """Return [B, C, T]."""
        h = self.norm(x)
        found = attend(*(part(h).transpose(1, 2) for part in (self.query, self.key, self.value)), heads=1)
        return x + self.out(found.transpose(1, 2))


class CrossAttention(nn.Module):
    """Attention of several heads to a context, or to the sequence itself, without biases but the last."""

    def __init__(self, width: int, heads: int, context_width: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(context_width or width, width, bias=False)
        self.value = nn.Linear(context_width or width, width, bias=False)
        self.out = nn.Linear(width, width)

    def forward(self, h: Tensor, context: Tensor) -> Tensor:
        """Return what `h` [B, T, D] finds in `context` [B, S, E], [B, T, D]."""
        return self.out(attend(self.query(h), self.key(context), self.value(context), heads=self.heads))


class GatedFeedForward(nn.Module):
    """A feed-forward net of four times the width whose values are gated by a GELU (GEGLU)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner, self.out = nn.Linear(width, 8 * width), nn.Linear(4 * width, width)

    def forward(self, h: Tensor) -> Tensor:
        """Return [B, T, D]."""
        value, gate = self.inner(h).chunk(2, dim=-1)
        return self.out(value * F.gelu(gate))


class Transformer(nn.Module):
    """One layer over the length of [B, C, T]: self-attention, cross-attention to the context, GEGLU; with shortcuts."""

    def __init__(self, channels: int, heads: int, context_width: int, groups: int) -> None:
        super().__init__()
        self.norm = group_norm(channels, groups)
        self.enter, self.leave = nn.Conv1d(channels, channels, 1), nn.Conv1d(channels, channels, 1)
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(3))
        self.among = CrossAttention(channels, heads)
        self.across = CrossAttention(channels, heads, context_width)
        self.feed_forward = GatedFeedForward(channels)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Return [B, C, T] from `x` [B, C, T] and `context` [B, S, E]."""
        h = self.enter(self.norm(x)).transpose(1, 2)
        among = self.norms[0](h)
        h = h + self.among(among, among)
        h = h + self.across(self.norms[1](h), context)
        h = h + self.feed_forward(self.norms[2](h))
        return x + self.leave(h.transpose(1, 2))


class EncoderLayer(nn.Module):
    """A pre-norm transformer layer whose queries, keys and values have no biases (RoadMAE's)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, h: Tensor) -> Tensor:
        """Return [B, T, D]."""
        h = h + self.out(attend(*self.query_key_value(self.first_norm(h)).chunk(3, dim=-1), heads=self.heads))
        return h + self.feed_forward(self.second_norm(h))


def group_norm(channels: int, groups: int) -> nn.GroupNorm:
    """Return a norm over groups of channels; over fewer where `groups` does not divide the channels."""
    return nn.GroupNorm(math.gcd(groups, channels), channels, eps=1e-6)


def attend(query: Tensor, key: Tensor, value: Tensor, *, heads: int, mask: Tensor | None = None) -> Tensor:
    """Return what queries [B, T, D] find in values [B, S, D]; `mask` [B, S] is true where there is something."""
    query, key, value = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (query, key, value))
    scores = query @ key.transpose(-1, -2) / key.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None, :], -1e4)
    return (scores.softmax(dim=-1).to(value.dtype) @ value).transpose(1, 2).flatten(2)
