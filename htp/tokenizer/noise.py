"""Draw the offsets of GPS points from their road (our replacement of the regression in equation 11).

A regressed offset is the mean of all offsets that could be: zero, which puts every point on the road's centre line.
Here an offset is drawn, given the one before it and how the car moves, from a mixture of Gaussians along and across it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

OFFSET_M, STEP_M = 5.0, 50.0  # scales of the inputs, ours
COMPONENTS = 5  # from a steady receiver to a jump
MIN_LOG_SCALE, MAX_LOG_SCALE = -3.5, 4.0
HIDDEN = 64


class OffsetNoise(nn.Module):
    """A density of the next offset [B, 2], given the last one, the decoder's state, and the steps before and after."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.from_state = nn.Linear(dim + 2, HIDDEN)
        self.from_last = nn.Linear(3, HIDDEN)
        self.hidden = nn.Linear(HIDDEN, HIDDEN)
        self.out = nn.Linear(HIDDEN, COMPONENTS * 5)

    def loss(self, h: Tensor, along_m: Tensor, offset_m: Tensor, mask: Tensor) -> Tensor:
        """Return the mean negative log-likelihood of offsets [B, T, 2] (metres along and across the road)."""
        offset = offset_m / OFFSET_M
        last = torch.cat([torch.zeros_like(offset[:, :1]), offset[:, :-1]], dim=1)
        state = self._state(h, along_m)
        weight, mean, log_scale = self._mixture(state, last, self._first(mask))
        distance = (offset[:, :, None] - mean) * torch.exp(-log_scale)
        log_density = weight - 0.5 * distance.square().sum(-1) - log_scale.sum(-1)
        return -(torch.logsumexp(log_density, dim=-1) * mask).sum() / mask.sum()

    @torch.inference_mode()
    def draw(self, h: Tensor, along_m: Tensor, uniform: Tensor, normal: Tensor) -> Tensor:
        """Draw offsets [B, T, 2] in metres from given uniform [B, T] and normal [B, T, 2] numbers."""
        state = self._state(h, along_m)
        first = self._first(torch.ones(h.shape[:2], dtype=torch.bool, device=h.device))
        last, drawn = torch.zeros_like(normal[:, 0]), []
        for place in range(h.shape[1]):
            weight, mean, log_scale = self._mixture(state[:, place], last, first[:, place])
            cumulative = weight.softmax(dim=-1).cumsum(dim=-1)
            chosen = (uniform[:, place, None] > cumulative).sum(dim=-1).clamp_max(COMPONENTS - 1)
            pick = chosen[:, None, None].expand(-1, 1, 2)
            centre, spread = mean.gather(1, pick)[:, 0], log_scale.gather(1, pick)[:, 0].exp()
            last = centre + spread * normal[:, place]
            drawn.append(last)
        return torch.stack(drawn, dim=1) * OFFSET_M

    def _state(self, h: Tensor, along_m: Tensor) -> Tensor:
        steps = torch.diff(along_m, dim=1) / STEP_M
        before, after = nn.functional.pad(steps, (1, 0)), nn.functional.pad(steps, (0, 1))
        return self.from_state(torch.cat([h.float(), before[..., None], after[..., None]], dim=-1))

    def _first(self, mask: Tensor) -> Tensor:
        first = torch.zeros_like(mask)
        first[:, 0] = True
        return first[..., None].float()

    def _mixture(self, state: Tensor, last: Tensor, first: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = torch.tanh(state + self.from_last(torch.cat([last, first], dim=-1)))
        out = self.out(torch.tanh(self.hidden(hidden))).unflatten(-1, (COMPONENTS, 5))
        weight = out[..., 0].log_softmax(dim=-1)
        keep = last[..., None, :] * (1.0 - first[..., None])
        mean = out[..., 1:3] + 0.8 * keep  # 0.8: a start near what receivers do; the network corrects it
        return weight, mean, out[..., 3:5].clamp(MIN_LOG_SCALE, MAX_LOG_SCALE)
