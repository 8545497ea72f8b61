"""Build the encoder and decoder from convolutions and transformer layers that never see padding (paper Figure 13).

Every block takes `h` [B, T, D] and `mask` [B, T], true where there is a point, and returns zeros elsewhere, so the
result for a trip does not depend on its batch. Ours: attention has rotary positions, so that a pattern means the same
anywhere in a trip.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvBlock(nn.Module):
    """Two convolutions of width 3 along the trip with a residual connection: local movement."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.first = nn.Conv1d(dim, dim, 3, padding=1)
        self.second = nn.Conv1d(dim, dim, 3, padding=1)

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """Return `h` [B, T, D] with its neighbours' movement added."""
        keep = mask[:, :, None].to(h.dtype)
        x = (self.norm(h) * keep).transpose(1, 2)
        x = F.gelu(self.first(x)) * keep.transpose(1, 2)
        return (h + self.second(x).transpose(1, 2)) * keep


class Attention(nn.Module):
    """Multi-head attention, to the sequence itself with rotary positions or to a context [B, S, E] without."""

    def __init__(self, dim: int, head_dim: int, context_dim: int | None = None) -> None:
        super().__init__()
        self.heads = max(dim // head_dim, 1)
        self.rotary = context_dim is None
        self.query = nn.Linear(dim, dim, bias=False)
        self.key_value = nn.Linear(context_dim or dim, 2 * dim, bias=False)
        self.out = nn.Linear(dim, dim)

    def forward(self, h: Tensor, context: Tensor, context_mask: Tensor) -> Tensor:
        """Return what each of `h` [B, T, D] finds in `context` [B, S, E] where its mask [B, S] is true, [B, T, D]."""
        query = self._split(self.query(h))
        key, value = (self._split(x) for x in self.key_value(context).chunk(2, dim=-1))
        if self.rotary:
            query, key = rotate(query), rotate(key)
        # plain products: for the short sequences here they beat the fused kernel on a CPU in bfloat16 more than twofold
        scores = query @ key.transpose(-1, -2) / key.shape[-1] ** 0.5
        x = scores.masked_fill(~context_mask[:, None, None, :], -1e4).softmax(dim=-1).to(value.dtype) @ value
        return self.out(x.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class TransformerLayer(nn.Module):
    """Self-attention, cross-attention to the roads where `context_dim` is given, and a feed-forward net, pre-norm."""

    def __init__(self, dim: int, head_dim: int, context_dim: int | None = None) -> None:
        super().__init__()
        self.norm_self = nn.LayerNorm(dim)
        self.attend_self = Attention(dim, head_dim)
        self.attend_roads = Attention(dim, head_dim, context_dim) if context_dim else None
        self.norm_roads = nn.LayerNorm(dim) if context_dim else None
        self.norm_forward = nn.LayerNorm(dim)
        self.forward_1, self.forward_2 = nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim)

    def forward(self, h: Tensor, mask: Tensor, roads: Tensor | None = None, roads_mask: Tensor | None = None) -> Tensor:
        """Return `h` [B, T, D] after one layer; `roads` [B, R, E] and their mask [B, R] are the context."""
        x = self.norm_self(h)
        h = h + self.attend_self(x, x, mask)
        if self.attend_roads is not None and self.norm_roads is not None:
            assert roads is not None
            assert roads_mask is not None
            h = h + self.attend_roads(self.norm_roads(h), roads, roads_mask)
        h = h + self.forward_2(F.gelu(self.forward_1(self.norm_forward(h))))
        return h * mask[:, :, None].to(h.dtype)


class Halve(nn.Module):
    """Merge every two neighbours into one, [B, T, D] → [B, T/2, D']; an odd last one is merged with zeros."""

    def __init__(self, dim: int, dim_out: int) -> None:
        super().__init__()
        self.merge = nn.Linear(2 * dim, dim_out)

    def forward(self, h: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the coarser level and its mask [B, T/2]; `mask` [B, T] is that of the finer one."""
        pairs = h.unflatten(1, (-1, 2)).flatten(2)
        mask = mask[:, ::2]
        return self.merge(pairs) * mask[:, :, None].to(h.dtype), mask


class Double(nn.Module):
    """Split every position into two, [B, T, D] → [B, 2T, D']; the mask of the finer level drops the odd last one."""

    def __init__(self, dim: int, dim_out: int) -> None:
        super().__init__()
        self.split = nn.Linear(dim, 2 * dim_out)

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """Return the finer level; `mask` [B, 2T] is its own."""
        h = self.split(h).unflatten(-1, (2, -1)).flatten(1, 2)
        return h * mask[:, :, None].to(h.dtype)


def rotate(x: Tensor) -> Tensor:
    """Turn pairs of channels of [B, H, T, D] by angles that grow with the position (rotary positional embedding)."""
    half = x.shape[-1] // 2
    rates = 100.0 ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angles = torch.arange(x.shape[-2], device=x.device, dtype=torch.float32)[:, None] * rates
    cosine, sine = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cosine - b * sine, a * sine + b * cosine], dim=-1)


def waves(metres: Tensor) -> Tensor:
    """Return sines and cosines of places in metres at wavelengths of 64 m to 32 km, [...] → [..., WAVES]."""
    lengths = 64.0 * 2.0 ** torch.arange(WAVES // 2, device=metres.device, dtype=torch.float32)
    phase = metres.float()[..., None] * (2.0 * torch.pi / lengths)
    return torch.cat([phase.sin(), phase.cos()], dim=-1)


WAVES = 20
