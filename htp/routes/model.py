"""Predict the next road of a route among those that may follow, with a small causal transformer (HTP+, paper 5.3).

    conditions, road_7, road_9, ...   ->   road_7, road_9, ..., end

Only choices that may come next are scored, by a pointer to their features, so no probability is lost to the rest of the
roads. Roads are known by their node2vec embedding and geometry; only the turns and starts have a number each of their
own, which begins at how often they are driven.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from htp.config import LanguageConfig
from htp.language.backbone import built_in
from htp.routes.conditions import CONDITIONS
from htp.routes.roads_ahead import OPTION, STATE, PartialRoutes, RoadsAhead

if TYPE_CHECKING:
    from transformers import DynamicCache

    from htp.city.network import City

ROUTE_SIZES = LanguageConfig(hidden=128, layers=4, heads=4, kv_heads=2, intermediate=384, text_vocabulary=1)  # ours
SCORE = 96  # width of the heads
GOAL = 3  # told or not, and where


@dataclass(frozen=True)
class RouteBatch:
    """Whole routes, padded on the right, for training."""

    drive: PartialRoutes
    choice: Tensor  # [B, T] long: which of the choices was taken
    counts: Tensor  # [B, T] bool: real, and among what is allowed


class RouteModel(nn.Module):
    """A backbone that reads conditions and roads, a head for the first road and a pointer to the roads ahead."""

    features: Tensor

    def __init__(self, config: LanguageConfig, city: City, features: Tensor) -> None:
        super().__init__()
        self.config = config
        self.network = RoadsAhead(city)
        self.register_buffer("features", features.float(), persistent=False)  # [V, F]
        self.backbone = built_in(config, config.text_vocabulary)
        self.read_road = nn.Linear(features.shape[1], config.hidden)
        self.read_state = nn.Linear(STATE, config.hidden)
        self.read_conditions = nn.Linear(CONDITIONS + GOAL, config.hidden)
        self.first_query = nn.Linear(config.hidden, SCORE)
        self.first_key = nn.Linear(features.shape[1], SCORE, bias=False)
        self.first_bias = nn.Parameter(torch.zeros(len(features)))
        self.weigh_road = nn.Linear(features.shape[1], SCORE, bias=False)
        self.weigh_option = nn.Linear(OPTION, SCORE)
        self.weigh_state = nn.Linear(config.hidden, SCORE, bias=False)
        self.score = nn.Sequential(nn.GELU(), nn.Linear(SCORE, 1))
        self.turn_bias = nn.Parameter(torch.zeros(self.network.ahead.shape))

    @torch.no_grad()
    def start_from_counts(self, first: Tensor, turns: Tensor) -> None:
        """Let starts [V] and turns [V, C] begin at how often they were driven."""
        self.first_bias.copy_(torch.log((first + 0.1) / (first + 0.1).sum()))
        self.turn_bias.copy_(torch.log((turns + 1.0) / (turns + 1.0).sum(dim=1, keepdim=True)))
        self.turn_bias[:, -1] = 0.0  # ends hang on the distance, not on the road

    def embed_conditions(self, drive: PartialRoutes) -> Tensor:
        """Return what the backbone reads first, [B, 1, hidden]."""
        goal = torch.cat([drive.told[:, None].float(), drive.goal_km / 5], dim=1)
        return self.read_conditions(torch.cat([drive.conditions, goal], dim=1))[:, None]

    def embed_roads(self, drive: PartialRoutes) -> Tensor:
        """Return what the backbone reads at the end of each road, [B, T, hidden]."""
        return (
            self.read_road(self.features[drive.roads])
            + self.read_state(self.network.state(drive))
            + self.embed_conditions(drive)
        )

    def read(self, embedded: Tensor, cache: DynamicCache | None = None) -> Tensor:
        """Return the hidden states of embedded tokens [B, S, hidden]; there is no padding before any real token."""
        return self.backbone(
            inputs_embeds=embedded, past_key_values=cache, use_cache=cache is not None
        ).last_hidden_state

    def first_logits(self, h: Tensor) -> Tensor:
        """Return the logits of the first road, from the state after the conditions: [B, hidden] -> [B, V]."""
        keys = self.first_key(self.features)
        return (self.first_query(h) @ keys.T / SCORE**0.5).float() + self.first_bias

    def logits(self, h: Tensor, drive: PartialRoutes, before: Tensor, upto: Tensor) -> Tensor:
        """Return the logits of the choices at the places of `h` [B, T, hidden], -inf where not allowed: [B, T, C]."""
        options = self.network.options(drive, before, upto)
        weighed = self.weigh_road(self.features[options.roads]) + self.weigh_option(options.features)
        scores = self.score(weighed + self.weigh_state(h)[:, :, None])[..., 0].float() + self.turn_bias[drive.roads]
        return scores.masked_fill(~options.allowed, -torch.inf)

    def loss(self, driven: RouteBatch) -> Tensor:
        """Return the mean cross-entropy of first roads and of all choices."""
        drive, real = driven.drive, driven.counts
        h = self.read(torch.cat([self.embed_conditions(drive), self.embed_roads(drive)], dim=1))
        logits = self.logits(h[:, 1:], drive, drive.roads, torch.arange(drive.roads.shape[1], device=h.device))
        total = F.cross_entropy(logits[real], driven.choice[real], reduction="sum")
        total = total + F.cross_entropy(self.first_logits(h[:, 0]), drive.first, reduction="sum")
        return total / (real.sum() + len(h))
