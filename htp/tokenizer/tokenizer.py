"""Turn tables of trips into patterns and patterns into points, with a trained RQ-VAE over a city.

Knows files and tables, not training and not language models.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

import geopandas as gpd
import numpy as np
import torch
from safetensors import SafetensorError

from htp.city.linear_referencing import RouteLines, check_roads, lines_through
from htp.compute.batching import runs_of
from htp.compute.ragged import Ragged
from htp.compute.random_streams import keys_of
from htp.compute.weights import load_weights, save_weights
from htp.config import TokenizerConfig, with_tuples
from htp.errors import InputError
from htp.files import replacing
from htp.json_files import read_object
from htp.recording import MAX_POINTS, MIN_POINTS
from htp.tokenizer.batch import Batches, DecoderInputs, pad
from htp.tokenizer.features import anchors_of, describe
from htp.tokenizer.lengths import length_token, pattern_count
from htp.tokenizer.model import RQVAE
from htp.tokenizer.roads import node2vec, road_features
from htp.tokenizer.scatter import drawn_offsets, placed, random_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.tokenizer.scatter import Points

BATCH = 256


@dataclass(frozen=True)
class Patterns:
    """The tokens of B trips, P patterns in all."""

    codes: NDArray[np.int16]  # [P, L]
    anchors: NDArray[np.int32]  # [P] place in its route of the road each pattern ends on
    first: NDArray[np.int64]  # [B + 1]
    points: NDArray[np.int64]  # [B]

    @property
    def length_tokens(self) -> NDArray[np.int8]:
        """Number 0 to 7 of each trip's length token, [B]."""
        return np.array([length_token(int(n)) for n in self.points], dtype=np.int8)


@dataclass(frozen=True)
class DecoderConditions:
    """What the decoder is told of B trips besides their patterns."""

    roads: Sequence[NDArray[np.int32]]
    distance_m: NDArray[np.float32]  # [B] first to last point
    interval_s: NDArray[np.float32]  # [B]
    first_m: NDArray[np.float32] | None  # [B] where the first point lies, NaN where the decoder says; None: always so
    keys: NDArray[np.uint64]  # [B, 2] seed and place in the request: each trip's own random stream


class Tokenizer:
    """Stage 1 over a city: trips to patterns and back."""

    model_type: ClassVar[type[RQVAE]] = RQVAE

    def __init__(self, model: RQVAE, city: City) -> None:
        self.model, self.city = model.eval(), city

    @classmethod
    def new(cls, config: TokenizerConfig, city: City, *, seed: int = 0, vectors: torch.Tensor | None = None) -> Self:
        """Make an untrained tokenizer with the city's node2vec embedding, `vectors` [V, dim] where it is known."""
        if vectors is None:
            vectors = torch.from_numpy(node2vec(city, config.road_dim, seed))
        torch.manual_seed(seed)
        return cls(cls.model_type(config, vectors, torch.from_numpy(road_features(city))), city)

    @classmethod
    def load(cls, folder: Path, city: City, device: str = "cpu") -> Self:
        """Load a tokenizer; `InputError` where a file is missing or does not fit the city."""
        try:
            facts = read_object(folder / "config.json")
            config = TokenizerConfig(**with_tuples(facts))
            state = load_weights(folder / "model.safetensors")
            model = cls.model_type(config, state["roads.node2vec"], torch.from_numpy(road_features(city)))
            model.load_state_dict(state)
        except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
            raise InputError(f"{folder}: the tokenizer is missing, damaged, or of another city; train it.") from error
        if len(state["roads.node2vec"]) != len(city):
            known = len(state["roads.node2vec"])
            raise InputError(f"{folder}: the tokenizer knows {known} roads, the city has {len(city)}; train it on it.")
        return cls(model.to(device), city)

    @classmethod
    def moved(cls, folder: Path, city: City, increments: str, *, seed: int = 0) -> Self:
        """Load a tokenizer and put it on another city: its network, that city's roads; to be fine-tuned there.

        Where its steps are placed in another way than by `increments`, what places them begins anew.
        """
        facts = read_object(folder / "config.json")
        new = cls.new(replace(TokenizerConfig(**with_tuples(facts)), increments=increments), city, seed=seed)
        known, state = load_weights(folder / "model.safetensors"), new.model.state_dict()
        taken = state.keys() & known.keys() - {"roads.node2vec"}
        new.model.load_state_dict(state | {name: known[name] for name in taken})
        return new

    def save(self, folder: Path) -> None:
        """Write config.json and model.safetensors."""
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / "config.json") as path:
            path.write_text(json.dumps(asdict(self.model.config), indent=2) + "\n", encoding="utf-8")
        save_weights(self.model.state_dict(), folder / "model.safetensors")

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return next(self.model.parameters()).device

    @torch.inference_mode()
    def encode(self, trips: gpd.GeoDataFrame) -> Patterns:
        """Return the patterns of prepared trips of 8 to 1,024 points."""
        counts = np.array([len(percent) for percent in trips["percent"]])
        wrong = np.flatnonzero((counts < MIN_POINTS) | (counts > MAX_POINTS))
        if len(wrong):
            name, n = trips["trip_id"].iloc[wrong[0]], counts[wrong[0]]
            raise InputError(f"trip {name} has {n} points; the tokenizer takes {MIN_POINTS} to {MAX_POINTS}.")
        samples = describe(trips, self.city, inputs=self.model.config.inputs)
        anchors, first = anchors_of(samples)
        batches = Batches(samples)
        codes = np.zeros((first[-1], len(self.model.config.codebook_sizes)), dtype=np.int16)
        for rows in batches.epoch(BATCH, None):
            batch = batches.collate(rows)
            routes = batch.routes.to(self.device)
            found = self.model.encode(batch.inputs.to(self.device), routes)[routes.pattern_mask].cpu().numpy()
            codes[_places(first, rows)] = found
        return Patterns(codes, anchors, first, samples.points)

    @torch.inference_mode()
    def decode(self, patterns: Patterns, drives: DecoderConditions) -> Points:
        """Return the points that patterns stand for along the routes; offsets are drawn from each trip's own stream."""
        lines = RouteLines.of(self.city, drives.roads)
        places = Ragged.from_counts(np.zeros(int(patterns.points.sum())), patterns.points)
        regressed_m = places.like(np.zeros((len(places.flat), 2)))
        longest = np.maximum(patterns.points, lines.roads.counts)
        order = np.argsort(longest, kind="stable")
        for run in runs_of(longest[order].tolist(), self.device.type):
            rows = order[run]
            routes = self._routes(patterns, drives, lines, rows).to(self.device)
            codes = pad(patterns.codes, patterns.first, rows, routes.anchors.shape[1]).long().to(self.device)
            uniform = None
            if self.model.draws_steps:
                numbers = random_numbers(drives.keys[rows], patterns.points[rows], routes.point_mask.shape[1])
                uniform = numbers.steps.to(self.device)
            along, regressed = self.model.decode(codes, routes, uniform)
            at, mask = _places(places.first, rows), routes.point_mask
            places.flat[at] = along[mask].cpu().numpy()
            if regressed is not None:
                regressed_m.flat[at] = regressed[mask].cpu().numpy()
        if self.model.noise is None:
            return placed(self.city, lines, places, regressed_m.flat)
        offset_m = drawn_offsets(self.model.noise, lines, places, np.asarray(drives.interval_s), drives.keys)
        return placed(self.city, lines, places, offset_m)

    def _routes(
        self, patterns: Patterns, drives: DecoderConditions, lines: RouteLines, rows: NDArray[np.int64]
    ) -> DecoderInputs:
        counts = lines.roads.counts[rows]
        width = int(counts.max())
        return DecoderInputs(
            roads=pad(lines.roads.flat, lines.roads.first, rows, width).long(),
            mask=torch.arange(width)[None] < torch.from_numpy(counts)[:, None],
            start_m=pad(lines.road_start_m.astype(np.float32), lines.roads.first, rows, width),
            length_m=pad(lines.road_length_m.astype(np.float32), lines.roads.first, rows, width),
            total_m=torch.from_numpy(lines.length_m[rows].astype(np.float32)),
            distance_m=torch.from_numpy(np.asarray(drives.distance_m)[rows].astype(np.float32)),
            interval_s=torch.from_numpy(np.asarray(drives.interval_s)[rows].astype(np.float32)),
            points=torch.from_numpy(patterns.points[rows]),
            anchors=pad(patterns.anchors, patterns.first, rows, pattern_count(int(patterns.points[rows].max()))).long(),
            first_m=None if drives.first_m is None else torch.from_numpy(drives.first_m[rows].astype(np.float32)),
        )


def decoder_conditions_of(trips: gpd.GeoDataFrame, city: City, seed: int, first: int = 0) -> DecoderConditions:
    """Return what the decoder is told of prepared trips, as they were driven; `first` is the first one's place."""
    roads = [np.asarray(route, dtype=np.int32) for route in trips["roads"]]
    check_roads(city, roads)
    lengths = np.array([city.length_m[route].sum() for route in roads])
    driven = np.array([percent[-1] - percent[0] for percent in trips["percent"]], dtype=np.float64)
    interval_s = trips["interval"].to_numpy(dtype=np.float32)
    return DecoderConditions(roads, driven * lengths, interval_s, None, keys_of(seed, first, len(trips)))


def with_points(trips: gpd.GeoDataFrame, points: Points) -> gpd.GeoDataFrame:
    """Return the trips with these points in place of their own."""
    columns = {
        "percent": Ragged.from_counts(points.percent, points.counts).split(),
        "offset": [part.ravel() for part in Ragged.from_counts(points.offset, points.counts).split()],
    }
    lines = lines_through(points.lonlat, points.counts)
    return trips.assign(**columns, geometry=gpd.GeoSeries(lines, trips.index, "EPSG:4326"))


def _places(first: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places in a flat array of the pieces of these rows."""
    return Ragged.ranges(first[rows], first[rows + 1] - first[rows]).flat
