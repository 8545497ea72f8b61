"""Generate trips for conditions: language model, then tokenizer, then points along the route.

The one file that knows both stages. Every trip draws from random streams of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import torch

from htp.checkpoint import GENERATOR, Checkpoint, shipped
from htp.city.linear_referencing import RouteLines
from htp.city.network import City
from htp.compute.batching import balanced_batches
from htp.compute.parallel import in_threads
from htp.compute.ragged import Ragged
from htp.conditions import ConditionBatch, complete
from htp.errors import InputError
from htp.language.batch import Answer
from htp.language.language import Language
from htp.language.sampling import BATCH
from htp.recording import Recording
from htp.routes.generator import RouteGenerator
from htp.tokenizer.scatter import Points
from htp.tokenizer.tokenizer import DecoderConditions, Patterns, Tokenizer, decoder_conditions_of, with_points
from htp.travel_time.model import TravelTimeModel
from htp.trip_source import TripSource
from htp.trips import Conditions, point_count, read_trips

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from htp.trip_source import Piece, Sampling


PIECE = 1024  # trips generated at once: memory stays the same for any number of trips


class Generator(TripSource):
    """Both stages of a checkpoint over its city."""

    limit = PIECE

    def __init__(
        self, city: City, tokenizer: Tokenizer, language: Language, travel_time: TravelTimeModel, checkpoint: Path
    ) -> None:
        self.city, self.tokenizer, self.language = city, tokenizer, language
        self.travel_time, self.checkpoint = travel_time, checkpoint
        self.recording = Recording.load(Checkpoint(checkpoint).recording)
        self.workers = torch.get_num_threads() if tokenizer.device.type == "cpu" else 1  # threads, each with a batch

    @classmethod
    def load(cls, checkpoint: Path | str | None = None, device: str = "auto") -> Generator:
        """Load a checkpoint, by default the one that ships, its files verified.

        `InputError` names the first that is missing or damaged.
        """
        files = Checkpoint(shipped() if checkpoint is None else Path(checkpoint))
        files.verify(GENERATOR)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            raise InputError(f"the device {device!r} is not there; choose auto, cpu or cuda.") from error
        city = City.load(files.city)
        tokenizer = Tokenizer.load(files.tokenizer, city, device)
        language = Language.load(files.language, tokenizer.model.roads.described, device)
        return cls(city, tokenizer, language, TravelTimeModel.load(files.conditions), files.folder)

    def heldout(self) -> gpd.GeoDataFrame:
        """Return the checkpoint's held-out trips, never trained on."""
        return read_trips(Checkpoint(self.checkpoint).heldout)

    def route_generator(self) -> RouteGenerator:
        """Return the checkpoint's model that writes routes (HTP+); `InputError` where it has none."""
        features = self.tokenizer.model.roads.described
        return RouteGenerator.load(Checkpoint(self.checkpoint).routes, self.city, features, str(features.device))

    def _trips_of_piece(self, piece: Piece, progress: Callable[[int], None] | None) -> gpd.GeoDataFrame:
        return self.trips_of(self.completed(piece.conditions, piece.first, piece.seed), piece.sampling, progress)

    def completed(self, asked: Sequence[Conditions], first: int, seed: int) -> ConditionBatch:
        """Return the complete conditions of trips whose first has the place `first` in its request."""
        return complete(asked, self.city, self.travel_time, self.recording, seed=seed, first=first)

    def trips_of(
        self, batch: ConditionBatch, sampling: Sampling, progress: Callable[[int], None] | None = None
    ) -> gpd.GeoDataFrame:
        """Return a trip for each of the complete conditions, named by its place in its request.

        Batches are made side by side, one on each core, unless a single one has PyTorch's threads on all of them.
        """
        work = np.column_stack([batch.prompt.points, [len(roads) for roads in batch.prompt.roads]])
        workers = self.workers if len(work) > BATCH or torch.get_num_threads() == 1 else 1
        batches = balanced_batches(work, BATCH, workers)

        def make(rows: NDArray[np.int64]) -> gpd.GeoDataFrame:
            trips = self._batch(batch[rows], sampling)
            if progress is not None:
                progress(len(rows))
            return trips

        made = in_threads(make, batches, workers)
        return pd.concat(made, ignore_index=True).iloc[np.concatenate(batches).argsort()].reset_index(drop=True)

    def _batch(self, batch: ConditionBatch, sampling: Sampling) -> gpd.GeoDataFrame:
        """Return the trips of a batch."""
        prompt = batch.prompt
        answers = self.language.generate(prompt, self.city, batch.keys, sampling)
        patterns = as_patterns(answers, prompt.points)
        distance_m, interval_s = prompt.distance_m.astype(np.float32), prompt.interval_s.astype(np.float32)
        decoder = DecoderConditions(prompt.roads, distance_m, interval_s, batch.first_m, batch.keys)
        points = self.tokenizer.decode(patterns, decoder)
        columns = {
            "trip_id": [str(place) for _, place in batch.keys.tolist()],
            "start_time": prompt.depart,
            "interval": batch.interval_s.astype(np.float32),
            "roads": list(prompt.roads),
        }
        trips = gpd.GeoDataFrame(columns, geometry=[None] * len(answers), crs="EPSG:4326")
        trips = with_patterns(trips, patterns)
        other = batch.interval_s != prompt.interval_s
        return with_points(trips, resample(self.city, points, batch, other) if other.any() else points)


def use_one_thread() -> None:
    """Give PyTorch one thread in this process, for those who want the other cores for something else."""
    torch.set_num_threads(1)


def load_tokenizer(checkpoint: Path | str) -> Tokenizer:
    """Load stage 1 of a checkpoint alone."""
    files = Checkpoint(Path(checkpoint))
    if not files.tokenizer.is_dir():
        raise InputError(f"{files.folder}: holds no tokenizer; train one with `htp train tokenizer`.")
    return Tokenizer.load(files.tokenizer, City.load(files.city))


def tokenize(trips: gpd.GeoDataFrame, tokenizer: Tokenizer) -> gpd.GeoDataFrame:
    """Return prepared trips with their length tokens, patterns and anchors."""
    return with_patterns(trips, tokenizer.encode(trips))


def reconstruct(trips: gpd.GeoDataFrame, tokenizer: Tokenizer, seed: int = 0, first: int = 0) -> gpd.GeoDataFrame:
    """Return prepared trips through the tokenizer and back: the most that generation can reach.

    `first` is the place of the first trip in its table, where the trips are a piece of one.
    """
    patterns = tokenizer.encode(trips)
    points = tokenizer.decode(patterns, decoder_conditions_of(trips, tokenizer.city, seed, first))
    return with_points(with_patterns(trips, patterns), points)


def with_patterns(trips: gpd.GeoDataFrame, patterns: Patterns) -> gpd.GeoDataFrame:
    """Return trips with the columns `length_token`, `patterns` (4 a pattern, layer 1 first) and `anchors`."""
    answers = answers_of(patterns)
    return trips.assign(
        length_token=patterns.length_tokens,
        patterns=[answer.codes.ravel() for answer in answers],
        anchors=[answer.anchors.astype(np.int16) for answer in answers],
    )


def answers_of(patterns: Patterns) -> list[Answer]:
    """Return the patterns of each trip as the answer to its question."""
    anchors, codes = Ragged(patterns.anchors, patterns.first).split(), Ragged(patterns.codes, patterns.first).split()
    return [Answer(*answer) for answer in zip(anchors, codes, strict=True)]


def as_patterns(answers: Sequence[Answer], points: NDArray[np.int64]) -> Patterns:
    """Return the answers of the language model as the tokenizer reads them."""
    anchors, codes = Ragged.of(answer.anchors for answer in answers), Ragged.of(answer.codes for answer in answers)
    return Patterns(codes.flat, anchors.flat, anchors.first, np.asarray(points))


def resample(city: City, points: Points, batch: ConditionBatch, other: NDArray[np.bool_]) -> Points:
    """Return points at the intervals asked for where they differ from the models': straight in time along the route."""
    lines = RouteLines.of(city, batch.prompt.roads)
    percent, offset = (Ragged.from_counts(flat, points.counts).split() for flat in (points.percent, points.offset))
    for row in np.flatnonzero(other):
        count = point_count(batch.duration_s[row], batch.interval_s[row])
        here = np.linspace(0.0, len(percent[row]) - 1.0, count)
        known = np.arange(len(percent[row]))
        offset[row] = np.column_stack([np.interp(here, known, axis) for axis in offset[row].T]).astype(np.float32)
        percent[row] = np.interp(here, known, percent[row]).astype(np.float32)
    placed, moved = Ragged.of(percent), np.concatenate(offset)
    along_m = placed.flat.astype(np.float64) * lines.length_m[placed.row]
    return Points(placed.flat, moved, city.to_lonlat(lines.place(placed.row, along_m) + moved), placed.counts)
