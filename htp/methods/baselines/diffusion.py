"""Add noise step by step and take it away again: the schedule and samplers that the diffusion baselines share.

Steps count from 0, the least noise, to S - 1. `x` is of any shape [B, ...], and a *predictor* returns the noise that it
believes is in `x` at steps [B] (Ho et al. 2020; Song et al. 2021).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable

    from htp.methods.baselines.baseline import DiffusionSampling
    from htp.methods.baselines.data import Streams

    Predictor = Callable[[Tensor, Tensor], Tensor]


class Schedule(nn.Module):
    """Noise that grows linearly: beta from `first` to `last` in `steps` steps."""

    betas: Tensor  # [S]
    kept: Tensor  # [S] share of the signal's variance that is left after each step, the product of 1 - beta

    def __init__(self, steps: int, first: float, last: float) -> None:
        super().__init__()
        betas = torch.linspace(first, last, steps, dtype=torch.float64)
        self.register_buffer("betas", betas.float(), persistent=False)
        self.register_buffer("kept", torch.cumprod(1.0 - betas, dim=0).float(), persistent=False)

    def __len__(self) -> int:
        return len(self.betas)

    def noised(self, x: Tensor, step: Tensor, noise: Tensor) -> Tensor:
        """Return `x` [B, ...] with the noise of steps [B]."""
        kept = _column(self.kept[step], x)
        return kept.sqrt() * x + (1.0 - kept).sqrt() * noise

    def random_steps(self, count: int) -> Tensor:
        """Return random steps [count] in pairs t and S - 1 - t, which evens out the losses of a batch."""
        half = torch.randint(len(self), ((count + 1) // 2,), device=self.betas.device)
        return torch.cat([half, len(self) - 1 - half])[:count]

    def loss(self, predict: Predictor, x: Tensor) -> Tensor:
        """Return the mean squared error of the predicted noise at random steps, a scalar."""
        step, noise = self.random_steps(len(x)), torch.randn_like(x)
        return (predict(self.noised(x, step, noise), step).float() - noise).square().mean()

    def sample(
        self, predict: Predictor, streams: Streams, shape: tuple[int, ...], sampling: DiffusionSampling
    ) -> Tensor:
        """Return samples [B, *shape] from the noise of each trip's own stream."""
        x = streams.normal(*shape)
        if sampling.sampler == "ddpm":
            return self.ddpm(predict, x, streams)
        return self.ddim(predict, x, sampling.steps)

    def ddim(self, predict: Predictor, x: Tensor, steps: int) -> Tensor:
        """Take the noise out of `x` [B, ...] in `steps` deterministic steps (eta 0), evenly spaced from step 0 on."""
        times = ddim_times(len(self), steps)
        for at, time in enumerate(times):
            noise = predict(x, torch.full((len(x),), time, device=x.device))
            kept = self.kept[time]
            kept_next = self.kept[times[at + 1]] if at + 1 < len(times) else torch.ones_like(kept)
            clean = (x - (1.0 - kept).sqrt() * noise) / kept.sqrt()
            x = kept_next.sqrt() * clean + (1.0 - kept_next).sqrt() * noise
        return x

    def ddpm(self, predict: Predictor, x: Tensor, streams: Streams) -> Tensor:
        """Take the noise out of `x` [B, ...] in all steps, new noise at each but the last (ancestral sampling)."""
        for time in reversed(range(len(self))):
            noise = predict(x, torch.full((len(x),), time, device=x.device))
            beta, kept = self.betas[time], self.kept[time]
            x = (x - beta / (1.0 - kept).sqrt() * noise) / (1.0 - beta).sqrt()
            if time > 0:
                variance = beta * (1.0 - self.kept[time - 1]) / (1.0 - kept)
                x = x + variance.sqrt() * streams.normal(*x.shape[1:])
        return x


def ddim_times(total: int, steps: int) -> list[int]:
    """Return the steps that DDIM visits, from the noisiest: 100 of 500 are 495, 490 … 0, as published."""
    steps = min(steps, total)
    return [at * total // steps for at in reversed(range(steps))]


def _column(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (like.ndim - 1))
