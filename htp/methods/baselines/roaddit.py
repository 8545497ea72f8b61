"""Take noise out of the latent tokens of routes: the diffusion transformer (DiT) of Cardiff's first stage."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from htp.methods.baselines.attention import attend
from htp.methods.baselines.unet1d import sinusoid


class ModulatedLayer(nn.Module):
    """A transformer layer whose norms and shortcuts are scaled by the condition; at first it changes nothing."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first_norm, self.second_norm = (nn.LayerNorm(width, elementwise_affine=False) for _ in range(2))
        self.query_key_value, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.modulation = _zeros(nn.Linear(width, 6 * width))

    def forward(self, h: Tensor, told: Tensor) -> Tensor:
        """Return tokens [B, K, D] from `h` and the condition `told` [B, D]."""
        shift, scale, gate, shift_2, scale_2, gate_2 = self.modulation(told)[:, None].chunk(6, dim=-1)
        parts = self.query_key_value(self.first_norm(h) * (1 + scale) + shift).chunk(3, dim=-1)
        h = h + gate * self.out(attend(*parts, heads=self.heads))
        return h + gate_2 * self.feed_forward(self.second_norm(h) * (1 + scale_2) + shift_2)


class RoadDiT(nn.Module):
    """Predict the noise in latent tokens from an embedding of step and attributes."""

    positions: Tensor  # [K, D]

    def __init__(self, tokens: int, token_width: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.register_buffer("positions", sinusoid(torch.arange(tokens), width), persistent=False)
        self.enter = nn.Sequential(nn.Linear(token_width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
        self.layers = nn.ModuleList(ModulatedLayer(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation, self.leave = _zeros(nn.Linear(width, 2 * width)), _zeros(nn.Linear(width, token_width))

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """Return the noise in tokens `x` [B, K, E], told [B, D]."""
        h, told = self.enter(x) + self.positions, nn.functional.silu(told)
        for layer in self.layers:
            h = layer(h, told)
        shift, scale = self.modulation(told)[:, None].chunk(2, dim=-1)
        return self.leave(self.norm(h) * (1 + scale) + shift)


def _zeros(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
