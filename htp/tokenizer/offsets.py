"""Draw the offsets of GPS points from their road (our replacement of the regression in equation 11).

A regressed offset is the mean of all offsets that could be: zero, which puts every point on the road's centre line.
Here an offset is drawn from a mixture of Gaussians along and across the road, given all offsets before it (a recurrent
network remembers how good this trip's receiver is), the steps before and after, and how the route has turned: an error
keeps its direction on the ground, so across the road becomes along it at a corner. Many receivers hold their position
while a car stands: with a probability of its own, an offset is the last one again. Knows nothing of the patterns, so it
is trained beside the RQ-VAE and stays valid whatever becomes of the codes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from htp.recording import REFERENCE_S

OFFSET_M, STEP_M = 5.0, 50.0  # scales of the inputs, ours
KEPT = 0.8  # share of the last offset across that stays: a start near what receivers do; the network corrects it
COMPONENTS = 6  # from a steady receiver to a jump
MIN_LOG_SCALE, MAX_LOG_SCALE = -4.0, 4.0
MOVEMENT = 4  # step before, step after, cosine less one and sine of the turn since the last point
SEEN = MOVEMENT + 6  # besides: the last offset, its size twice, whether it was held, whether this is the first point
HELD_M = 0.02  # ours: offsets that differ by less are the same, written twice
HIDDEN = 64
LEVELS = (*(i / 50 for i in range(50)), 0.985, 0.99, 0.995, 0.998, 0.999)  # quantiles that draws are calibrated at


class OffsetDensity(nn.Module):
    """A density of the next offset [B, 2], given those before it and how the car moves."""

    drawn_m: Tensor
    real_m: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.memory = nn.GRU(SEEN, HIDDEN, batch_first=True)
        self.hidden = nn.Linear(HIDDEN + SEEN, HIDDEN)
        self.out = nn.Linear(HIDDEN, COMPONENTS * 5)
        self.hold = nn.Linear(HIDDEN, 1)
        self.register_buffer("drawn_m", torch.arange(len(LEVELS), dtype=torch.float32))
        self.register_buffer("real_m", torch.arange(len(LEVELS), dtype=torch.float32))

    def loss(self, movement: Tensor, offset_m: Tensor, mask: Tensor) -> Tensor:
        """Return the mean negative log-likelihood of offsets [B, T, 2] (metres along and across the road)."""
        offset = offset_m / OFFSET_M
        last = F.pad(offset[:, :-1], (0, 0, 1, 0))
        first, still = _first(movement), _still(movement)
        held = still & ((offset - last).abs().amax(dim=-1) < HELD_M / OFFSET_M)
        seen = self._seen(movement, last, F.pad(held[:, :-1], (1, 0)), first)
        hold, weight, mean, log_scale = self._mixture(self.memory(seen)[0], seen, last)
        distance = (offset[:, :, None] - mean) * torch.exp(-log_scale)
        log_density = torch.logsumexp(weight - 0.5 * distance.square().sum(-1) - log_scale.sum(-1), dim=-1)
        drawn = log_density + torch.where(still, F.logsigmoid(-hold), 0.0)
        return -(torch.where(held, F.logsigmoid(hold), drawn) * mask).sum() / mask.sum()

    @torch.inference_mode()
    def draw(self, movement: Tensor, uniform: Tensor, normal: Tensor) -> Tensor:
        """Draw offsets [B, T, 2] in metres from given uniform [B, T] and normal [B, T, 2] numbers."""
        drawn_m = self.draw_uncalibrated(movement, uniform, normal)
        across_m = drawn_m[..., 1]
        return torch.stack([drawn_m[..., 0], across_m.sign() * self._calibrated(across_m.abs())], dim=-1)

    @torch.inference_mode()
    def draw_uncalibrated(self, movement: Tensor, uniform: Tensor, normal: Tensor) -> Tensor:
        """Draw point after point, each from its density given the draws before it."""
        first, still = _first(movement), _still(movement)
        last, state, drawn = torch.zeros_like(normal[:, 0]), None, []
        held = torch.zeros_like(still[:, 0])
        for place in range(movement.shape[1]):
            seen = self._seen(movement[:, place], last, held, first[:, place])
            remembered, state = self.memory(seen[:, None], state)
            hold, weight, mean, log_scale = self._mixture(remembered[:, 0], seen, last)
            chance = torch.where(still[:, place], torch.sigmoid(hold), 0.0)
            held = uniform[:, place] < chance
            left = ((uniform[:, place] - chance) / (1.0 - chance)).clamp_min(0.0)
            cumulative = weight.softmax(dim=-1).cumsum(dim=-1)
            chosen = (left[:, None] > cumulative).sum(dim=-1).clamp_max(COMPONENTS - 1)
            pick = chosen[:, None, None].expand(-1, 1, 2)
            centre, spread = mean.gather(1, pick)[:, 0], log_scale.gather(1, pick)[:, 0].exp()
            last = torch.where(held[:, None], last, centre + spread * normal[:, place])
            drawn.append(last)
        return torch.stack(drawn, dim=1) * OFFSET_M

    @torch.no_grad()
    def calibrate(self, drawn_m: Tensor, real_m: Tensor) -> None:
        """Remember the quantiles of offsets across [N], drawn and real: draws are then as large as what is real.

        One step ahead the densities are right; drawn from its own draws, a small error of each step feeds on itself
        (offsets 6 % too large on the city that ships). The same map from quantiles to quantiles corrects all draws.
        """
        levels = torch.tensor(LEVELS, device=drawn_m.device)
        self.drawn_m.copy_(_increasing(torch.quantile(drawn_m.abs(), levels)))
        self.real_m.copy_(_increasing(torch.quantile(real_m.abs(), levels)))

    def _calibrated(self, size_m: Tensor) -> Tensor:
        """Return sizes [...] moved from quantiles of the draws to the same ones of real offsets, straight between."""
        upper = torch.searchsorted(self.drawn_m, size_m.contiguous()).clamp(1, len(LEVELS) - 1)
        low, high = self.drawn_m[upper - 1], self.drawn_m[upper]
        share = (size_m - low) / (high - low)
        moved = self.real_m[upper - 1] + share * (self.real_m[upper] - self.real_m[upper - 1])
        beyond = size_m + self.real_m[-1] - self.drawn_m[-1]
        return torch.where(size_m > self.drawn_m[-1], beyond, moved).clamp_min(0.0)

    @staticmethod
    def _seen(movement: Tensor, last: Tensor, held: Tensor, first: Tensor) -> Tensor:
        size = last.norm(dim=-1, keepdim=True).log1p()
        flags = torch.stack([held, first], dim=-1).to(movement.dtype)
        return torch.cat([movement, last, size, torch.tanh(0.5 * last[..., 1:]), flags], dim=-1)

    def _mixture(self, remembered: Tensor, seen: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the logit of holding, [...], and the log-weights, means and log-spreads of the mixture."""
        hidden = F.gelu(self.hidden(torch.cat([remembered, seen], dim=-1)))
        out = self.out(hidden).unflatten(-1, (COMPONENTS, 5))
        kept = F.pad(KEPT * last[..., 1:], (1, 0))
        return (
            self.hold(hidden)[..., 0],
            out[..., 0].log_softmax(dim=-1),
            out[..., 1:3] + kept[..., None, :],
            out[..., 3:5].clamp(MIN_LOG_SCALE, MAX_LOG_SCALE),
        )


def movement_of(along_m: Tensor, turn: Tensor, interval_s: Tensor) -> Tensor:
    """Return how a car moves, [B, T, MOVEMENT], from places along the route [B, T] and turns [B, T, 2].

    Steps are told as speeds: metres in `REFERENCE_S`, whatever the interval [B] is.
    """
    steps = torch.diff(along_m, dim=1) * (REFERENCE_S / interval_s)[:, None] / STEP_M
    before, after = F.pad(steps, (1, 0)), F.pad(steps, (0, 1))
    return torch.cat([before[..., None], after[..., None], turn], dim=-1)


def _first(movement: Tensor) -> Tensor:
    """Return which of the points is the first, [B, T]."""
    return (torch.arange(movement.shape[1], device=movement.device) == 0).expand(len(movement), -1)


def _still(movement: Tensor) -> Tensor:
    """Return at which points the car is where it was at the point before, [B, T]."""
    return (movement[..., 0] == 0) & ~_first(movement)


def _increasing(values: Tensor) -> Tensor:
    """Return quantiles that begin at zero and rise by a little at least, as half precision can tell them apart."""
    values = torch.cat([torch.zeros_like(values[:1]), values[1:]])
    return torch.cummax(values, dim=0).values + 0.01 * torch.arange(len(values), device=values.device)
