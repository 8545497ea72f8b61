"""Put routes that were driven into padded batches, to train the model that writes routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from htp.routes.conditions import condition_features
from htp.routes.model import RouteBatch
from htp.routes.roads_ahead import PartialRoutes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from htp.routes.conditions import RouteConditions
    from htp.routes.roads_ahead import RoadsAhead

TOLD_SHARE = 0.5  # share of training trips whose destination is told, so that one model writes with and without; ours


class RouteDataset:
    """B routes with their conditions, and the choice that was made at the end of each of their roads."""

    def __init__(self, conditions: RouteConditions, routes: Sequence[NDArray[np.int32]], network: RoadsAhead) -> None:
        self.conditions, self.network = conditions, network
        self.routes = [np.asarray(route, dtype=np.int64) for route in routes]
        self.features = condition_features(conditions)
        self.goal_km = goals_km(conditions, network)
        self.counts = np.array([len(route) for route in self.routes])
        ahead, exists = network.ahead.cpu().numpy(), network.exists.cpu().numpy()
        self.choices = [_choices(route, ahead, exists) for route in self.routes]

    def __len__(self) -> int:
        return len(self.routes)

    def uses(self) -> tuple[Tensor, Tensor]:
        """Return how often each road is the first, [V], and each turn is taken, [V, C]."""
        roads, choices = torch.from_numpy(np.concatenate(self.routes)), torch.from_numpy(np.concatenate(self.choices))
        turns = torch.zeros(self.network.ahead.shape)
        ones = (choices >= 0).float()
        turns.index_put_((roads, choices.clamp_min(0)), ones, accumulate=True)
        first = torch.tensor([int(route[0]) for route in self.routes])
        return torch.bincount(first, minlength=len(turns)).float(), turns

    def collate(self, rows: NDArray[np.int64], told: NDArray[np.bool_]) -> RouteBatch:
        """Return routes as a batch; `told` [B] says whose destination is told, where there is one."""
        length = int(self.counts[rows].max())
        roads, choice = (np.zeros((len(rows), length), dtype=np.int64) for _ in range(2))
        for place, row in enumerate(rows):
            roads[place, : self.counts[row]], choice[place, : self.counts[row]] = self.routes[row], self.choices[row]
            roads[place, self.counts[row] :] = self.routes[row][-1]  # padding is never read by what counts
        device = self.network.length_m.device
        route = torch.from_numpy(roads).to(device)
        told = told & ~np.isnan(self.goal_km[rows, 0])
        drive = PartialRoutes(
            conditions=torch.from_numpy(self.features[rows]).to(device),
            distance_m=torch.from_numpy(self.conditions.distance_m[rows]).to(device),
            goal_km=torch.from_numpy(np.where(told[:, None], self.goal_km[rows], 0.0).astype(np.float32)).to(device),
            told=torch.from_numpy(told).to(device),
            first=route[:, 0],
            roads=route,
            driven_m=self.network.length_m[route].cumsum(dim=1),
        )
        real = torch.from_numpy(np.arange(length) < self.counts[rows, None]).to(device)
        chosen = torch.from_numpy(choice).to(device)
        possible = self.network.allowed(drive).gather(2, chosen.clamp_min(0)[..., None])[..., 0] & (chosen >= 0)
        return RouteBatch(drive, chosen, real & possible)


def _choices(route: NDArray[np.int64], ahead: NDArray[np.int64], exists: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return which of the roads ahead was taken at each road's end, -1 for a U-turn in mid-street, [R]."""
    taken = (ahead[route[:-1]] == route[1:, None]) & exists[route[:-1]]
    taken[:, -1] = False
    found = np.where(taken.any(axis=1), taken.argmax(axis=1), -1)
    return np.r_[found, ahead.shape[1] - 1]


def goals_km(conditions: RouteConditions, network: RoadsAhead) -> NDArray[np.float32]:
    """Return destinations in kilometres from the middle of the city, NaN where none is told, [B, 2]."""
    return ((conditions.destination_m - network.middle_m) / 1000).astype(np.float32)
