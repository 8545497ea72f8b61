"""Say of a drive that is under way which roads may come next, whether it may end, and what each choice would mean.

Choices are the successors of the road it is on, and "end". A drive of a distance asked for may end once its whole roads
reach that far, and may go on only while the roads between its first and last do not: so a finished route always holds
the distance. One of the two is always possible, and a road always has successors, so no drive is ever stuck.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from htp.city.network import City

ROUNDING_M = 0.01  # distances are sums of many lengths
STATE, OPTION = 8, 14  # numbers about where a drive stands, and about each choice


@dataclass(frozen=True)
class PartialRoutes:
    """B drives under way, T places each at which they choose: the end of each road so far."""

    conditions: Tensor  # [B, CONDITIONS]
    distance_m: Tensor  # [B] double, as asked
    goal_km: Tensor  # [B, 2] destination from the middle of the city, zero where none is told
    told: Tensor  # [B] bool
    first: Tensor  # [B] road the drive begins on
    roads: Tensor  # [B, T] long
    driven_m: Tensor  # [B, T] double: whole roads up to the end of this one


@dataclass(frozen=True)
class Options:
    """The choices at T places of B drives, C = most successors + 1; the last choice is to end."""

    roads: Tensor  # [B, T, C] long; the road itself where the choice is to end
    allowed: Tensor  # [B, T, C] bool
    features: Tensor  # [B, T, C, OPTION]


class RoadsAhead(nn.Module):
    """The successors of every road and their geometry, as tensors that move with a model and are not saved."""

    ahead: Tensor  # [V, C] long
    exists: Tensor  # [V, C] bool
    turn: Tensor  # [V, C, 2] cosine and sine of the turn, left positive
    length_m: Tensor  # [V] double
    begin_km: Tensor  # [V, 2] from the middle of the city
    end_km: Tensor  # [V, 2]
    heading: Tensor  # [V, 2] unit vector at the road's end

    def __init__(self, city: City) -> None:
        super().__init__()
        links = city.successors
        count = np.diff(links.indptr)
        road = np.repeat(np.arange(len(city)), count)
        place = np.arange(links.nnz) - np.repeat(links.indptr[:-1], count)
        ahead = np.tile(np.arange(len(city))[:, None], (1, int(count.max()) + 1))
        ahead[road, place] = links.indices
        exists = np.zeros(ahead.shape, dtype=bool)
        exists[road, place] = exists[:, -1] = True
        first, last = city.first_vertex[:-1], city.first_vertex[1:] - 1
        leave = _unit(city.xy_m[first + 1] - city.xy_m[first])[ahead]
        heading = _unit(city.xy_m[last] - city.xy_m[last - 1])
        cross = heading[:, None, 0] * leave[..., 1] - heading[:, None, 1] * leave[..., 0]
        turn = np.stack([(heading[:, None] * leave).sum(axis=-1), cross], axis=-1) * exists[..., None]
        turn[:, -1] = 0.0
        self.middle_m = (city.xy_m.min(axis=0) + city.xy_m.max(axis=0)) / 2
        tables = {
            "ahead": ahead,
            "exists": exists,
            "turn": turn.astype(np.float32),
            "length_m": city.length_m,
            "begin_km": ((city.xy_m[first] - self.middle_m) / 1000).astype(np.float32),
            "end_km": ((city.xy_m[last] - self.middle_m) / 1000).astype(np.float32),
            "heading": heading.astype(np.float32),
        }
        for name, table in tables.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(table)), persistent=False)

    def options(self, drive: PartialRoutes, before: Tensor, upto: Tensor) -> Options:
        """Return the choices; `before` [B, S] are the roads driven, of which the first `upto` [T] + 1 by each place."""
        roads, here = self.ahead[drive.roads], drive.roads
        is_end = torch.zeros_like(roads, dtype=torch.bool)
        is_end[..., -1] = True
        more_m = torch.where(is_end, 0.0, self.length_m[roads])
        left_km = ((drive.distance_m[:, None] - drive.driven_m)[..., None] - more_m).float() / 1000
        earlier = torch.arange(before.shape[1], device=before.device) <= upto[:, None]
        again = ((roads[..., None] == before[:, None, None]) & earlier[:, None]).any(dim=-1) & ~is_end
        end_km, start_km = self.end_km[roads], self.begin_km[drive.first][:, None, None]
        length_km = (self.length_m[roads] / 1000).float().clamp_min(0.01)
        away = (
            (end_km - start_km).norm(dim=-1) - (self.end_km[here] - start_km[:, :, 0]).norm(dim=-1)[..., None]
        ) / length_km
        columns = [
            *self.turn[here].unbind(-1),
            length_km.clamp_max(3.0),
            left_km / 5,
            (left_km / 0.2).clamp(-3, 3),
            away,
            again.float(),
            is_end.float(),
            *self._towards(drive, end_km, self.heading[roads], left_km, length_km),
        ]
        return Options(roads, self.allowed(drive), torch.stack(columns, dim=-1).float())

    def state(self, drive: PartialRoutes) -> Tensor:
        """Return where each drive stands at each place, in numbers of size 1, [B, T, STATE]."""
        left_km = (drive.distance_m[:, None] - drive.driven_m).float() / 1000
        told = drive.told[:, None].float()
        to_goal = (drive.goal_km[:, None] - self.end_km[drive.roads]) * told[..., None]
        far = to_goal.norm(dim=-1)
        columns = [
            left_km / 5,
            torch.log1p(10 * left_km.clamp_min(0)) / 3,
            drive.driven_m.float() / 5000,
            told.expand_as(far),
            *(to_goal / 5).unbind(-1),
            far / 5,
            (far / (left_km.clamp_min(0) + 0.1)).clamp_max(3.0),
        ]
        return torch.stack(columns, dim=-1).clamp(-8, 8)

    def allowed(self, drive: PartialRoutes) -> Tensor:
        """Return which choices leave or make a route that holds the distance, [B, T, C]."""
        far_enough = drive.driven_m >= drive.distance_m[:, None] - ROUNDING_M
        inner_m = drive.driven_m - self.length_m[drive.first][:, None]
        may_go_on = inner_m <= drive.distance_m[:, None] - ROUNDING_M
        allowed = self.exists[drive.roads].clone()
        allowed[..., :-1] &= may_go_on[..., None]
        allowed[..., -1] &= far_enough
        return allowed

    def _towards(
        self, drive: PartialRoutes, end_km: Tensor, heading: Tensor, left_km: Tensor, length_km: Tensor
    ) -> list[Tensor]:
        """Return what each choice means for the destination, zeros where none is told, [B, T, C] each."""
        told = drive.told[:, None, None].float()
        to_goal = drive.goal_km[:, None, None] - end_km
        far = to_goal.norm(dim=-1)
        here = (drive.goal_km[:, None] - self.end_km[drive.roads]).norm(dim=-1)[..., None]
        columns = [
            far / 5,
            (far / 0.2).clamp_max(5.0),
            ((here - far) / length_km).clamp(-1, 1),
            (far / (left_km.clamp_min(0) + 0.1)).clamp_max(3.0),
            (to_goal * heading).sum(dim=-1) / far.clamp_min(0.01),
            torch.ones_like(far),
        ]
        return [column * told for column in columns]


def _unit(steps: np.ndarray) -> np.ndarray:
    return steps / np.maximum(np.hypot(*steps.T), 1e-6)[:, None]
