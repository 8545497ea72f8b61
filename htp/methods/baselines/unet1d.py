"""Build the one-dimensional UNets that DiffTraj, ControlTraj and Cardiff share from a few blocks.

Tensors are [B, C, T], channels first. A level keeps its length and holds residual blocks; between levels the length is
halved by a strided convolution and doubled by nearest neighbour and a convolution. Odd lengths round up on the way
down; on the way up the surplus point is cut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from htp.methods.baselines.attention import SelfAttention, Transformer, group_norm

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class UNetShape:
    """The sizes of a UNet over points with two coordinates."""

    base: int  # channels of the first level
    multipliers: tuple[int, ...]  # channels of each level, in multiples of `base`
    time_width: int  # of the embedding that every residual block is told
    dropout: float = 0.0
    groups: int = 32  # of the norms; with one channel a group a norm would take out what the step adds to the channel
    blocks: int = 2  # residual blocks of a level on the way down; one more on the way up
    attended: tuple[int, ...] = ()  # levels whose residual blocks are each followed by a transformer
    heads: int = 4  # of the transformers
    context_width: int | None = None  # of the tokens that transformers look at; None: no transformers, plain attention


class StepEmbedding(nn.Module):
    """Embed the number of a diffusion step: sines and cosines, then two linear layers."""

    def __init__(self, base: int, width: int) -> None:
        super().__init__()
        self.base = base
        self.layers = nn.Sequential(nn.Linear(base, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, step: Tensor) -> Tensor:
        """Return the embedding [B, W] of steps [B]."""
        return self.layers(sinusoid(step, self.base))


class ResBlock(nn.Module):
    """Two normalised convolutions around the embedding of the step, beside a shortcut."""

    def __init__(self, before: int, after: int, shape: UNetShape) -> None:
        super().__init__()
        self.first_norm, self.first = group_norm(before, shape.groups), nn.Conv1d(before, after, 3, padding=1)
        self.told = nn.Linear(shape.time_width, after)
        self.second_norm, self.second = group_norm(after, shape.groups), nn.Conv1d(after, after, 3, padding=1)
        self.dropout = nn.Dropout(shape.dropout)
        self.shortcut = nn.Identity() if before == after else nn.Conv1d(before, after, 1)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """Return [B, C', T] from `x` [B, C, T] and the embedding `told` [B, W]."""
        h = self.first(F.silu(self.first_norm(x))) + self.told(F.silu(told))[:, :, None]
        return self.shortcut(x) + self.second(self.dropout(F.silu(self.second_norm(h))))


class Upsample(nn.Module):
    """Repeat every point and smooth by a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, length: int) -> Tensor:
        """Return [B, C, length] from [B, C, ceil(length / 2)]."""
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest")[:, :, :length])


class UNetStage(nn.Module):
    """A residual block and the transformer that follows it where its level has one."""

    def __init__(self, before: int, after: int, shape: UNetShape, *, attended: bool) -> None:
        super().__init__()
        self.block = ResBlock(before, after, shape)
        self.transformer = _transformer(after, shape) if attended else None

    def forward(self, x: Tensor, told: Tensor, context: Tensor | None) -> Tensor:
        """Return [B, C', T]; `context` [B, S, E] is what transformers look at."""
        x = self.block(x, told)
        return x if self.transformer is None else self.transformer(x, context)


class UNet1d(nn.Module):
    """Predict the noise in points from the noisy points and an embedding of the step."""

    def __init__(self, shape: UNetShape) -> None:
        super().__init__()
        self.shape = shape
        widths = [shape.base * multiplier for multiplier in shape.multipliers]
        self.enter = nn.Conv1d(2, shape.base, 3, padding=1)
        self.down, self.shorter, kept = _way_down(shape, widths)
        self.middle_first = ResBlock(widths[-1], widths[-1], shape)
        self.middle: nn.Module = SelfAttention(widths[-1], shape.groups)
        if shape.context_width is not None:
            self.middle = _transformer(widths[-1], shape)
        self.middle_second = ResBlock(widths[-1], widths[-1], shape)
        self.up, self.longer = _way_up(shape, widths, kept)
        self.leave_norm, self.leave = group_norm(widths[0], shape.groups), nn.Conv1d(widths[0], 2, 3, padding=1)

    def forward(self, x: Tensor, told: Tensor, context: Tensor | None = None) -> Tensor:
        """Return the noise [B, 2, T] in `x` [B, 2, T], told [B, W], with the context [B, S, E] for transformers."""
        x = self.enter(x)
        kept = [x]
        for level, stages in enumerate(self.down):
            for stage in stages:  # type: ignore[attr-defined]
                x = stage(x, told, context)
                kept.append(x)
            if level < len(self.shorter):
                x = self.shorter[level](x)
                kept.append(x)
        x = self.middle_first(x, told)
        x = self.middle(x) if context is None else self.middle(x, context)
        x = self.middle_second(x, told)
        for level, stages in enumerate(self.up):
            for stage in stages:  # type: ignore[attr-defined]
                x = stage(torch.cat([x, kept.pop()], dim=1), told, context)
            if level < len(self.longer):
                x = self.longer[level](x, kept[-1].shape[-1])
        return self.leave(F.silu(self.leave_norm(x)))


def sinusoid(place: Tensor, width: int) -> Tensor:
    """Return sines and cosines of places or steps [...] at `width` / 2 wavelengths, [..., width]."""
    half = width // 2
    frequency = torch.exp(-math.log(10_000.0) * torch.arange(half, device=place.device) / max(half - 1, 1))
    angle = place.float()[..., None] * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=-1)


def _transformer(channels: int, shape: UNetShape) -> Transformer:
    return Transformer(channels, shape.heads, shape.context_width or 0, shape.groups)


def _way_down(shape: UNetShape, widths: Sequence[int]) -> tuple[nn.ModuleList, nn.ModuleList, list[int]]:
    """Return the stages of each level, the halvings between levels and the widths of what is kept for the way up."""
    levels, shorter, kept, width = nn.ModuleList(), nn.ModuleList(), [shape.base], shape.base
    for level, after in enumerate(widths):
        stages = nn.ModuleList()
        for _ in range(shape.blocks):
            stages.append(UNetStage(width, after, shape, attended=level in shape.attended))
            width = after
            kept.append(width)
        levels.append(stages)
        if level < len(widths) - 1:
            shorter.append(nn.Conv1d(width, width, 3, stride=2, padding=1))
            kept.append(width)
    return levels, shorter, kept


def _way_up(shape: UNetShape, widths: Sequence[int], kept: Sequence[int]) -> tuple[nn.ModuleList, nn.ModuleList]:
    """Return the stages of each level from the shortest, and the doublings between levels."""
    levels, longer, width, left = nn.ModuleList(), nn.ModuleList(), widths[-1], list(kept)
    for level, after in reversed(list(enumerate(widths))):
        stages = nn.ModuleList()
        for _ in range(shape.blocks + 1):
            stages.append(UNetStage(width + left.pop(), after, shape, attended=level in shape.attended))
            width = after
        levels.append(stages)
        if level > 0:
            longer.append(Upsample(width))
    return levels, longer
