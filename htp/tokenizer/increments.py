"""Say where the points lie along the route: three ways, from the paper's regression to increments that add up.

`FreeIncrements` is equation 10: increments are regressed, nothing keeps them from running backwards or beyond the end.
`NormalisedIncrements` (ours) shares the travelled distance among the increments, non-negative by construction.
`AnchoredIncrements` (ours) knows on which road each pattern ends, so that errors do not add up along the trip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from htp.trips import POINTS_PER_PATTERN

if TYPE_CHECKING:
    from htp.config import TokenizerConfig
    from htp.tokenizer.batch import DecoderInputs

SCALE_M = 50.0  # errors are counted in units of this, ours


@dataclass(frozen=True)
class Span:
    """Where each pattern begins and ends along its route, [B, P] metres."""

    begin_m: Tensor
    end_m: Tensor

    def prior(self, per_pattern: int) -> Tensor:
        """Return the middles of `per_pattern` equal parts of each pattern, [B, P * per_pattern] metres."""
        share = (torch.arange(per_pattern, device=self.end_m.device) + 0.5) / per_pattern
        places = self.begin_m[:, :, None] + share * (self.end_m - self.begin_m)[:, :, None]
        return places.flatten(1)


class FreeIncrements(nn.Module):
    """Regress increments of percent (equation 10)."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        dim = config.dims[0]
        self.head = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, 1))

    def spans(self, h: Tensor, routes: DecoderInputs) -> Span | None:  # noqa: ARG002  the same call as its siblings
        """Return nothing: the paper's decoder does not know where a pattern lies."""
        return None

    def forward(self, h: Tensor, span: Span | None, routes: DecoderInputs) -> Tensor:  # noqa: ARG002
        """Return the places [B, 8P] in metres of points with embeddings `h` [B, 8P, d]; they may run backwards."""
        share = self.head(h)[..., 0].float() / routes.points[:, None]
        return torch.cumsum(share, dim=1) * routes.total_m[:, None]

    def loss(self, along_m: Tensor, target_m: Tensor, span: Span | None, routes: DecoderInputs) -> Tensor:  # noqa: ARG002
        """Mean squared error of the increments of percent, scaled by the number of points (equation 10)."""
        zero = torch.zeros_like(along_m[:, :1])
        steps = torch.diff(along_m, dim=1, prepend=zero) - torch.diff(target_m, dim=1, prepend=zero)
        error = steps / routes.total_m[:, None] * routes.points[:, None]
        mask = routes.point_mask
        return (error.square() * mask).sum() / mask.sum()


class PatternEnds(nn.Module):
    """Share the travelled distance among the patterns."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.start = nn.Linear(config.dims[-1], 1)
        self.pattern_head = nn.Linear(config.dims[-1], 1)

    def first_place(self, h: Tensor, routes: DecoderInputs) -> Tensor:
        """Return where the first point lies, [B] metres: on the first road, so that the last lies on the last road."""
        slack = (routes.total_m - routes.distance_m).clamp_min(0.0)
        last = routes.mask.sum(dim=1) - 1
        last_start = routes.start_m.gather(1, last[:, None])[:, 0]
        low = (last_start - routes.distance_m).clamp_min(0.0)
        high = torch.minimum(routes.length_m[:, 0], slack).maximum(low)
        said = low + torch.sigmoid(self.start(h[:, 0])[:, 0].float()) * (high - low)
        return said if routes.first_m is None else torch.where(routes.first_m.isnan(), said, routes.first_m)

    def spans(self, h: Tensor, routes: DecoderInputs) -> Span:
        """Return where the patterns with embeddings `h` [B, P, d_e] begin and end."""
        first = self.first_place(h, routes)[:, None]
        logits = self.pattern_head(h)[..., 0].float().masked_fill(~routes.pattern_mask, -torch.inf)
        end = first + torch.cumsum(logits.softmax(dim=1), dim=1) * routes.distance_m[:, None]
        return Span(torch.cat([first, end[:, :-1]], dim=1), end)

    def ends_loss(self, target_m: Tensor, span: Span, routes: DecoderInputs) -> Tensor:
        """Mean absolute error of the ends of patterns, in units of SCALE_M (ours)."""
        last = torch.arange(POINTS_PER_PATTERN - 1, target_m.shape[1], POINTS_PER_PATTERN, device=target_m.device)
        last = torch.minimum(last[None], routes.points[:, None] - 1)
        ends = (span.end_m - target_m.gather(1, last)).abs() * routes.pattern_mask
        return ends.sum() / routes.pattern_mask.sum() / SCALE_M


class AnchoredEnds(PatternEnds):
    """Place the end of each pattern on its anchor road."""

    def spans(self, h: Tensor, routes: DecoderInputs) -> Span:
        """Return where the patterns with embeddings `h` [B, P, d_e] begin and end; the end lies on the anchor road."""
        first = self.first_place(h, routes)
        last = first + routes.distance_m
        share = torch.sigmoid(self.pattern_head(h)[..., 0].float())
        low = routes.start_m.gather(1, routes.anchors)
        high = torch.minimum(low + routes.length_m.gather(1, routes.anchors), last[:, None])
        is_last = routes.pattern_mask & ~F.pad(routes.pattern_mask[:, 1:], (0, 1))
        ends, end = [], first
        for pattern in range(share.shape[1]):
            begin = torch.maximum(low[:, pattern], end)
            placed = begin + share[:, pattern] * (high[:, pattern] - begin).clamp_min(0.0)
            placed = torch.where(is_last[:, pattern], last, torch.minimum(placed, last).maximum(end))
            end = torch.where(routes.pattern_mask[:, pattern], placed, end)
            ends.append(end)
        end_m = torch.stack(ends, dim=1)
        return Span(torch.cat([first[:, None], end_m[:, :-1]], dim=1), end_m)


class NormalisedIncrements(PatternEnds):
    """Share the travelled distance first among the patterns, then among the points of each."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__(config)
        dim = config.dims[0]
        self.head = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, 1))

    def forward(self, h: Tensor, span: Span, routes: DecoderInputs) -> Tensor:
        """Return the places [B, 8P] in metres of points with embeddings `h` [B, 8P, d]; never backwards."""
        logits = self.head(h)[..., 0].float()
        blocked = ~routes.point_mask | (torch.arange(h.shape[1], device=h.device) == 0)  # the first has no increment
        logits = logits.masked_fill(blocked, -torch.inf).unflatten(1, (-1, POINTS_PER_PATTERN))
        empty = torch.isinf(logits).all(dim=2, keepdim=True)  # a padded pattern, or one of the first point alone
        share = torch.where(empty, torch.zeros_like(logits), logits.masked_fill(empty, 0.0).softmax(dim=2))
        length = (span.end_m - span.begin_m)[:, :, None]
        places = (span.begin_m[:, :, None] + torch.cumsum(share, dim=2) * length).flatten(1)
        return places + (places.cummax(dim=1).values - places).detach()  # nor by rounding, from pattern to pattern

    def loss(self, along_m: Tensor, target_m: Tensor, span: Span | None, routes: DecoderInputs) -> Tensor:
        """Mean absolute error of increments, of places and of the ends of patterns, in units of SCALE_M (ours)."""
        assert span is not None
        mask = routes.point_mask
        steps = (torch.diff(along_m, dim=1) - torch.diff(target_m, dim=1)).abs() * mask[:, 1:]
        places = (along_m - target_m).abs() * mask
        total = steps.sum() / mask.sum() + places.sum() / mask.sum()
        return total / SCALE_M + self.ends_loss(target_m, span, routes)


class AnchoredIncrements(AnchoredEnds, NormalisedIncrements):
    """Place the end of each pattern on its anchor road, then share the way between among its points."""


Increments = FreeIncrements | NormalisedIncrements
INCREMENTS: dict[str, type[Increments | PatternEnds]] = {
    "free": FreeIncrements,
    "normalised": NormalisedIncrements,
    "anchored": AnchoredIncrements,
    "drawn": AnchoredEnds,
}
