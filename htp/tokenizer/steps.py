"""Draw the steps between a trip's points along its route (our replacement of the regression in equation 10).

A regressed increment is the mean of all that could be: movement too smooth, and hardly ever a car at rest. Here each
step is drawn from a mixture of logistic densities, given the steps before it (a recurrent network), the pattern, the
roads around the car, and the way and the points that are left to the end of the pattern and of the trip. What a
mixture has below 0 is a car at rest, what it has beyond the end of the trip is one that has arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from htp.recording import REFERENCE_S
from htp.trips import POINTS_PER_PATTERN

if TYPE_CHECKING:
    from htp.config import TokenizerConfig
    from htp.tokenizer.batch import DecoderInputs
    from htp.tokenizer.increments import Span
    from htp.tokenizer.roads import RouteContext

STEP_M = 50.0  # steps are counted in units of this in REFERENCE_S, ours
REST_M = 0.05  # ours: what is less is a car at rest
HIDDEN = 160  # ours
COMPONENTS = 8  # ours
SCALES = (-5.5, 1.5)  # ours: of the logarithm of a component's spread
SEEN = 23  # facts of a place, see `_facts`
TURN_M = 30.0  # ours: how far a turn is felt
ROADS_SEEN = 3  # the road that the car is on, and those behind it


@dataclass(frozen=True)
class Known:
    """What is known of B trips before a step is drawn, each in a form that a place picks its part from."""

    start_m: Tensor  # [B, R] where each road begins, beyond all places where there is none
    end_m: Tensor  # [B, R] where it ends
    turns: Tensor  # [B, R + 2, 2] cosine less one and sine of the turn into each road, none beyond the last
    roads: Tensor  # [B, R + ROADS_SEEN, ROADS_SEEN, HIDDEN] what each road says to the network, near and far
    patterns: Tensor  # [B, P, HIDDEN] what each pattern says to it
    goal_m: Tensor  # [B, P] where each pattern is to end
    stop_m: Tensor  # [B] where the trip ends
    points: Tensor  # [B]
    per_step: Tensor  # [B] units in a metre: steps are told as speeds


@dataclass(frozen=True)
class Car:
    """Where B cars are before T of their steps."""

    place_m: Tensor  # [B, T]
    last_m: Tensor  # [B, T] the step that led there
    number: Tensor  # [B, T] of the point that is to come
    stop_m: Tensor  # [B] where the trip ends
    pattern: Tensor  # [B, T] of the point that is to come
    road: Tensor  # [B, T] place in the route


class StepDensity(nn.Module):
    """A density of the next step, given those before it, the pattern, the roads and what is left of the way."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.tell_roads = nn.Linear(config.road_dim, ROADS_SEEN * HIDDEN, bias=False)
        self.tell_pattern = nn.Linear(config.dims[-1], HIDDEN)
        self.tell_place = nn.Linear(SEEN, HIDDEN)
        self.number = nn.Embedding(POINTS_PER_PATTERN, HIDDEN)
        self.memory = nn.GRU(HIDDEN, HIDDEN, batch_first=True)
        self.hidden = nn.Linear(2 * HIDDEN, HIDDEN)
        self.out = nn.Linear(HIDDEN, COMPONENTS * 5)
        nn.init.normal_(self.number.weight, std=0.1)

    def know(self, h: Tensor, span: Span, context: RouteContext, routes: DecoderInputs) -> Known:
        """Return what the patterns `h` [B, P, d_e], their spans and the roads say."""
        beyond = torch.where(routes.mask, routes.start_m, torch.inf)
        roads = self.tell_roads(context.embedded * routes.mask[..., None]).unflatten(-1, (ROADS_SEEN, HIDDEN))
        return Known(
            beyond,
            torch.where(routes.mask, routes.start_m + routes.length_m, torch.inf),
            F.pad(context.turns, (0, 0, 0, 2)),
            F.pad(roads, (0, 0, 0, 0, 0, ROADS_SEEN)),
            self.tell_pattern(h),
            span.end_m,
            span.begin_m[:, 0] + routes.distance_m,
            routes.points,
            REFERENCE_S / routes.interval_s / STEP_M,
        )

    def loss(self, known: Known, along_m: Tensor, mask: Tensor) -> Tensor:
        """Return the mean negative log-likelihood of the steps between places [B, T] but for each trip's last.

        It is that of steps in units of STEP_M in REFERENCE_S. `mask` [B, T] says which points are real.
        """
        each, counted = self._log_likelihoods(known, along_m, mask)
        return -(each * counted).sum() / counted.sum().clamp_min(1)

    def trip_losses(self, known: Known, along_m: Tensor, mask: Tensor) -> Tensor:
        """Return the same for each trip by itself, [B]."""
        each, counted = self._log_likelihoods(known, along_m, mask)
        return -(each * counted).sum(dim=1) / counted.sum(dim=1).clamp_min(1)

    def _log_likelihoods(self, known: Known, along_m: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the log-likelihood of each step and which of them count, [B, T - 1]."""
        step_m = torch.diff(along_m, dim=1).clamp_min(0.0)
        last_m = F.pad(step_m[:, :-1], (1, 0))
        number = torch.arange(1, along_m.shape[1], device=along_m.device).expand_as(step_m)
        stop_m = along_m.gather(1, known.points[:, None] - 1)  # where it did end: the first place is not the true one
        seen, means = self._seen(known, along_m[:, :-1], last_m, number, stop_m[:, 0])
        mixture = self._mixture(self.memory(seen)[0], seen, means)
        arrived = along_m[:, 1:] >= stop_m - REST_M
        each = self._log_likelihood(mixture, step_m * known.per_step[:, None], known.per_step[:, None], arrived)
        return each, mask[:, 1:] & (number < known.points[:, None] - 1)

    @torch.inference_mode()
    def draw(self, known: Known, first_m: Tensor, uniform: Tensor) -> Tensor:
        """Return places [B, T] from where each trip begins [B], drawn by uniform numbers [B, T, 2]."""
        place, last, state = first_m, torch.zeros_like(first_m), None
        drawn = [place]
        for number in range(1, uniform.shape[1]):
            at = torch.full_like(known.points, number)[:, None]
            seen, means = self._seen(known, place[:, None], last[:, None], at, known.stop_m)
            remembered, state = self.memory(seen, state)
            weight, mean, log_scale = (part[:, 0] for part in self._mixture(remembered, seen, means))
            u, v = uniform[:, number].unbind(-1)
            chosen = (u[:, None] > weight.softmax(dim=-1).cumsum(dim=-1)).sum(dim=-1, keepdim=True)
            chosen = chosen.clamp_max(COMPONENTS - 1)
            spread = log_scale.gather(1, chosen)[:, 0].exp()
            step = mean.gather(1, chosen)[:, 0] + spread * torch.logit(v.double(), 1e-9).float()
            step_m = step / known.per_step
            step_m = torch.where(step_m < REST_M, 0.0, step_m)
            left = (known.stop_m - place).clamp_min(0.0)
            last = torch.where(at[:, 0] >= known.points - 1, left, torch.minimum(step_m, left))
            place = place + last
            drawn.append(place)
        return torch.stack(drawn, dim=1)

    def _seen(
        self, known: Known, place_m: Tensor, last_m: Tensor, number: Tensor, stop_m: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return what the network sees at places [B, T] before the point of each `number` [B, T], and two steps.

        These are the last one, and the one that would lead straight to the end of the pattern.
        """
        pattern = (number // POINTS_PER_PATTERN).clamp_max(known.goal_m.shape[1] - 1)
        road = torch.searchsorted(known.start_m, place_m.contiguous(), right=True) - 1
        road = road.clamp_min(0)
        rows = torch.arange(len(road), device=road.device)[:, None]
        at = Car(place_m, last_m, number, stop_m, pattern, road)
        facts, needed = self._facts(known, at)
        said = self.tell_place(facts) + known.patterns[rows, pattern] + self.number(number % POINTS_PER_PATTERN)
        for ahead in range(ROADS_SEEN):
            said = said + known.roads[rows, road + ahead, ahead]
        return F.gelu(said), (last_m * known.per_step[:, None], needed)

    @staticmethod
    def _facts(known: Known, at: Car) -> tuple[Tensor, Tensor]:
        """Return what is known of cars, [B, T, SEEN], and the step straight to the end of the pattern, [B, T]."""
        place_m, last_m, number, pattern, road = at.place_m, at.last_m, at.number, at.pattern, at.road
        rows = torch.arange(len(road), device=road.device)[:, None]
        per_step, points = known.per_step[:, None], known.points[:, None]
        into_m = place_m - known.start_m[rows, road]
        ahead_m = (known.end_m[rows, road] - place_m).clamp(-1.0, 800.0)
        after = (road + 1).clamp_max(known.start_m.shape[1] - 1)
        next_m = (known.end_m[rows, after] - known.end_m[rows, road]).nan_to_num(0.0, 0.0, 0.0).clamp(0.0, 800.0)
        next_pattern = (pattern + 1).clamp_max(known.goal_m.shape[1] - 1)
        goal_m, next_goal_m = known.goal_m[rows, pattern], known.goal_m[rows, next_pattern]
        ends = torch.minimum((pattern + 1) * POINTS_PER_PATTERN, points)
        left = (ends - number).clamp_min(1)  # steps to the end of the pattern, this one among them
        needed = (goal_m - place_m) / left * per_step
        later = (torch.minimum(ends + POINTS_PER_PATTERN, points) - ends).clamp_min(1)
        to_stop_m, all_left = at.stop_m[:, None] - place_m, (points - number).clamp_min(1)
        last = last_m * per_step
        facts = [
            last,
            torch.log1p(last * 10.0),
            (last_m < REST_M).float(),
            (number == 1).float(),
            into_m / 100.0,
            ahead_m / 100.0,
            torch.exp(-ahead_m.clamp_min(0.0) / 20.0),
            torch.exp(-into_m.clamp_min(0.0) / 20.0),
            next_m / 100.0,
            needed,
            (goal_m - place_m) / 100.0,
            (next_goal_m - goal_m) / later * per_step,
            to_stop_m / all_left * per_step,
            torch.log1p(all_left.float()) / 3.0,
            torch.log(per_step * STEP_M).expand_as(last),
        ]
        behind, ahead, beyond = (known.turns[rows, road + k] for k in range(3))
        near_behind, near_ahead = (torch.exp(-m.clamp_min(0.0)[..., None] / TURN_M) for m in (into_m, ahead_m))
        bends = [near_behind * behind, ahead, near_ahead * ahead, beyond]
        return torch.cat([torch.stack(facts, dim=-1).clamp(-8.0, 8.0), *bends], dim=-1), needed

    def _mixture(self, remembered: Tensor, seen: Tensor, steps: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return the log-weights, means and log-spreads of the components, [..., COMPONENTS] each."""
        hidden = F.gelu(self.hidden(torch.cat([remembered, seen], dim=-1)))
        weight, mean, log_scale, like_last, as_needed = self.out(hidden).unflatten(-1, (5, COMPONENTS)).unbind(-2)
        last, needed = (step[..., None] for step in steps)
        mean = mean + torch.sigmoid(like_last) * last + torch.sigmoid(as_needed - 2.0) * needed.clamp(0.0, 12.0)
        return weight, mean, (log_scale - 1.0).clamp(*SCALES)

    @staticmethod
    def _log_likelihood(
        mixture: tuple[Tensor, Tensor, Tensor], step: Tensor, per_step: Tensor, arrived: Tensor
    ) -> Tensor:
        weight, mean, log_scale = (part.float() for part in mixture)
        rest = REST_M * per_step
        here = (torch.maximum(step, rest)[..., None] - mean) * torch.exp(-log_scale)
        between = F.logsigmoid(here) + F.logsigmoid(-here) - log_scale
        each = torch.where(arrived[..., None], F.logsigmoid(-here), between)
        each = torch.where((step < rest)[..., None], F.logsigmoid(here), each)
        return torch.logsumexp(weight.log_softmax(dim=-1) + each, dim=-1)
