"""Write routes road by road, each drawn among the roads that may follow, until the distance asked for is driven.

Every route draws from a random stream of its own and is written as if alone, whatever else is in its batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from htp.compute.random_streams import ROUTES, stream_of
from htp.language.sampling import draw
from htp.routes.batch import goals_km
from htp.routes.conditions import ANY_ROAD, RouteConditions, condition_features
from htp.routes.roads_ahead import PartialRoutes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from htp.routes.model import RouteModel
    from htp.trip_source import Sampling

DRAWS = 64  # random numbers taken from a stream at once


@torch.inference_mode()
def sample_routes(
    model: RouteModel,
    conditions: RouteConditions,
    keys: NDArray[np.uint64],
    sampling: Sampling,
    *,
    batch_size: int = 256,
    progress: Callable[[int], None] | None = None,
) -> list[NDArray[np.int32]]:
    """Return a route for each of the facts; `keys` [B, 2] (seed, place in the request) fix each one's random numbers.

    Each route is connected, and its distance fits: the roads between its first and last are not longer, all of them
    not shorter.
    """
    order = np.argsort(conditions.distance_m, kind="stable")  # routes of similar length end together
    routes: dict[int, NDArray[np.int32]] = {}
    features, goal_km = condition_features(conditions), goals_km(conditions, model.network)
    for at in range(0, len(order), batch_size):
        rows = order[at : at + batch_size]
        told, goals, first = features[rows], goal_km[rows], conditions.start_road[rows]
        begun = _begin(model, told, goals, conditions.distance_m[rows], first)
        sampler = _RouteSampler(model, begun, keys[rows], sampling)
        routes.update(zip(rows.tolist(), sampler.sample(first), strict=True))
        if progress is not None:
            progress(len(rows))
    return [routes[row] for row in range(len(conditions))]


def _begin(
    model: RouteModel,
    conditions: NDArray[np.float32],
    goal_km: NDArray[np.float32],
    distance_m: NDArray[np.float64],
    first: NDArray[np.int64],
) -> PartialRoutes:
    """Return drives that have only their conditions."""
    device = model.features.device
    told = ~np.isnan(goal_km[:, 0])
    return PartialRoutes(
        conditions=torch.from_numpy(conditions).to(device),
        distance_m=torch.from_numpy(distance_m).to(device),
        goal_km=torch.from_numpy(np.where(told[:, None], goal_km, 0.0).astype(np.float32)).to(device),
        told=torch.from_numpy(told).to(device),
        first=torch.from_numpy(first).to(device),
        roads=torch.zeros(len(told), 0, dtype=torch.long, device=device),
        driven_m=torch.zeros(len(told), 0, dtype=torch.float64, device=device),
    )


class _RouteSampler:
    """A batch of routes being written: key–value cache, the roads so far, what each stream gives next."""

    def __init__(self, model: RouteModel, begun: PartialRoutes, keys: NDArray[np.uint64], sampling: Sampling) -> None:
        self.model, self.begun, self.sampling = model, begun, sampling
        self.streams = [stream_of(key, ROUTES) for key in keys]
        self.taken, self.uniform = DRAWS, torch.zeros(0)
        self.cache = DynamicCache()

    def sample(self, first: NDArray[np.int64]) -> list[NDArray[np.int32]]:
        """Return the routes."""
        h = self.model.read(self.model.embed_conditions(self.begun), self.cache)[:, -1]
        drawn, given = self._draw(self.model.first_logits(h)), torch.from_numpy(first).to(h.device)
        road = torch.where(given == ANY_ROAD, drawn, given)
        first_road, roads = road, road[:, None]
        driven_m = self.model.network.length_m[road]
        ended = torch.zeros_like(road, dtype=torch.bool)
        length = torch.ones_like(road)
        while True:
            here = self._here(first_road, road, driven_m)
            h = self.model.read(self.model.embed_roads(here), self.cache)
            upto = torch.tensor([roads.shape[1] - 1], device=h.device)
            choice = self._draw(self.model.logits(h, here, roads, upto)[:, 0])
            ended |= choice == self.model.network.ahead.shape[1] - 1
            if ended.all():
                break
            road = torch.where(ended, road, self.model.network.ahead[road, choice])
            driven_m = torch.where(ended, driven_m, driven_m + self.model.network.length_m[road])
            length += ~ended
            roads = torch.cat([roads, road[:, None]], dim=1)
        written = roads.cpu().numpy().astype(np.int32)
        return [route[:count] for route, count in zip(written, length.tolist(), strict=True)]

    def _here(self, first: Tensor, road: Tensor, driven_m: Tensor) -> PartialRoutes:
        """Return the drives at the end of the road they are on."""
        asked = self.begun
        return PartialRoutes(
            asked.conditions, asked.distance_m, asked.goal_km, asked.told, first, road[:, None], driven_m[:, None]
        )

    def _draw(self, logits: Tensor) -> Tensor:
        """Draw from logits [B, C] with the next number of each stream."""
        if self.taken == DRAWS:
            numbers = np.stack([stream.random(DRAWS, dtype=np.float32) for stream in self.streams])
            self.taken, self.uniform = 0, torch.from_numpy(numbers).to(logits.device)
        self.taken += 1
        return draw(logits, self.uniform[:, self.taken - 1], self.sampling)
