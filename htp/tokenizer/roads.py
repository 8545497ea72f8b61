"""Embed the roads of a route as the decoder's context (paper §4.1, equations 7 and 8).

A road is known by its node2vec embedding (frozen), its geometry, and, ours, its attributes and its place on the
route: the latter lets a pattern find the roads it is on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from htp.tokenizer.blocks import WAVES, TransformerLayer, waves

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from htp.city.network import City
    from htp.config import TokenizerConfig

CLASSES = ("motorway", "trunk", "primary", "secondary", "tertiary", "residential", "service", "other")
PLACE_WAVES = 6  # wavelengths of the bounds' width and its halves, for the absolute place (equation 7)
WALKS, WALK_STEPS = 10, 40  # ours
LEAVE, ARRIVE = slice(5, 7), slice(7, 9)  # columns of the directions in which a road begins and ends
FEATURES = 11 + len(CLASSES) + 4 * PLACE_WAVES


def node2vec(city: City, dim: int = 128, seed: int = 0) -> NDArray[np.float16]:
    """Return the node2vec embedding of every road, [V, dim]: roads are nodes, joined to the roads that may follow.

    Uniform walks (p = q = 1), skip-gram by gensim, one thread so that a seed gives the same embedding again.
    """
    from gensim.models import Word2Vec  # noqa: PLC0415  needed once a city, not to generate

    walks = random_walks(city.successors, np.random.default_rng(seed))
    model = Word2Vec(walks, vector_size=dim, window=5, min_count=0, sg=1, workers=1, epochs=1, seed=seed)
    vectors = model.wv[list(range(len(city)))]
    return (vectors / vectors.std()).astype(np.float16)


def random_walks(links: csr_array, generator: np.random.Generator) -> list[list[int]]:
    """Return `WALKS` walks from every road in random order, each of the roads that it passes, its first one included.

    Each of `WALK_STEPS` steps goes to any of the roads that may follow, all alike; a walk ends early where none may.
    """
    first, ways = links.indptr[:-1], np.diff(links.indptr)
    starts = generator.permutation(np.repeat(np.arange(len(ways)), WALKS))
    walks = np.full((len(starts), WALK_STEPS + 1), -1, dtype=np.int32)
    walks[:, 0] = starts
    going = np.flatnonzero(ways[starts])
    for step in range(WALK_STEPS):
        here = walks[going, step]
        chosen = (generator.random(len(going)) * ways[here]).astype(np.int64)
        there = links.indices[first[here] + chosen]
        walks[going, step + 1] = there
        going = going[ways[there] > 0]
    passed = (walks >= 0).sum(axis=1).tolist()
    return [walk[:count] for walk, count in zip(walks.tolist(), passed, strict=True)]


def road_features(city: City) -> NDArray[np.float32]:
    """Return length, directions, speed, lanes, class, degree and place of every road, [V, FEATURES]."""
    roads = city.roads
    first, last = city.first_vertex[:-1], city.first_vertex[1:] - 1
    leave, arrive = city.xy_m[first + 1] - city.xy_m[first], city.xy_m[last] - city.xy_m[last - 1]
    through = city.xy_m[last] - city.xy_m[first]
    unit = [step / np.maximum(np.hypot(*step.T), 1e-6)[:, None] for step in (leave, arrive)]
    kind = roads["highway"].str.replace("_link", "").where(lambda k: k.isin(CLASSES), "other")
    west, south, east, north = city.roads.total_bounds
    middle = shapely.get_coordinates(shapely.line_interpolate_point(roads.geometry.to_numpy(), 0.5, normalized=True))
    place = (middle - [west, south]) / [east - west, north - south]
    phase = (place[:, :, None] * np.pi * 2.0 ** np.arange(PLACE_WAVES)).reshape(len(roads), -1)
    columns = [
        np.log1p(city.length_m) / 5.0,
        city.length_m / 1000.0,
        roads["speed_kmh"].to_numpy(dtype=float) / 60.0,
        roads["lanes"].to_numpy(dtype=float) / 2.0,
        np.hypot(*through.T) / np.maximum(city.length_m, 1.0),  # 1 for a straight road
        *unit[0].T,
        *unit[1].T,
        np.diff(city.successors.indptr) / 3.0,
        np.bincount(city.v, minlength=city.v.max() + 1)[city.v] / 4.0,
        *[(kind == name).to_numpy(dtype=float) for name in CLASSES],
        *np.sin(phase).T,
        *np.cos(phase).T,
    ]
    return np.clip(np.column_stack(columns), -8.0, 8.0).astype(np.float32)


@dataclass(frozen=True)
class RouteContext:
    """What the decoder knows of the roads of B routes."""

    embedded: Tensor  # [B, R, d_r] H'_r of equation 8
    turns: Tensor  # [B, R, 2] cosine less one and sine (left is positive) of the turn into each road; ours

    def for_each(self, trips: int) -> RouteContext:
        """Return the context of one route for that many trips along it."""
        return RouteContext(self.embedded.expand(trips, -1, -1), self.turns.expand(trips, -1, -1))


class RoadContext(nn.Module):
    """Turn the road sequence of a route into its embedding sequence H'_r (equation 8), and say how it turns."""

    node2vec: Tensor
    features: Tensor

    def __init__(self, config: TokenizerConfig, node2vec_: Tensor, features: Tensor) -> None:
        super().__init__()
        dim = config.road_dim
        self.register_buffer("node2vec", node2vec_)  # [V, 128], frozen
        self.register_buffer("features", features, persistent=False)  # [V, FEATURES], from the city
        self.embed_node2vec = nn.Linear(node2vec_.shape[1], dim)
        self.embed_features = nn.Linear(features.shape[1], dim)
        self.embed_place = nn.Linear(2 * WAVES, dim)
        self.layers = nn.ModuleList([TransformerLayer(dim, config.head_dim) for _ in range(config.road_layers)])
        self.norm = nn.LayerNorm(dim)

    @property
    def anywhere(self) -> slice:
        """The columns of `described` that mean the same in every city: neither embedding nor place in the city."""
        return slice(self.node2vec.shape[1], self.node2vec.shape[1] + self.features.shape[1] - 4 * PLACE_WAVES)

    @property
    def described(self) -> Tensor:
        """What is known of every road, embedding and geometry side by side, [V, 128 + FEATURES]."""
        return torch.cat([self.node2vec.float(), self.features], dim=1)

    def forward(self, roads: Tensor, start_m: Tensor, length_m: Tensor, mask: Tensor) -> RouteContext:
        """Return the context of routes [B, R] of road_id, given where each road starts on its route and its length."""
        place = torch.cat([waves(start_m), waves(start_m + length_m)], dim=-1)
        h = (
            self.embed_node2vec(self.node2vec[roads].float())
            + self.embed_features(self.features[roads])
            + self.embed_place(place)
        )
        h = h * mask[:, :, None]
        for layer in self.layers:
            h = layer(h, mask)
        return RouteContext(self.norm(h), self._turns(roads, mask))

    def _turns(self, roads: Tensor, mask: Tensor) -> Tensor:
        leave, arrive = (self.features[roads][..., columns] for columns in (LEAVE, ARRIVE))
        before, after = arrive[:, :-1], leave[:, 1:]
        cosine = (before * after).sum(dim=-1) - 1.0
        sine = before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0]
        return F.pad(torch.stack([cosine, sine], dim=-1), (0, 0, 1, 0)) * mask[:, :, None]
