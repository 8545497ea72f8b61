"""Generate trips for conditions: language model, then tokenizer, then points along the route.

The one file that knows both stages. Conditions that are not given are filled in as in the paper's A.1: the distance
from the route, the travel time drawn from the travel-time model. Every trip draws from random streams of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import torch

from htp.checkpoint import Checkpoint
from htp.city.linear_referencing import RouteLines
from htp.city.network import City
from htp.compute.batching import balanced_batches
from htp.compute.random_streams import DURATION, keys_of, stream_of
from htp.compute.threads import in_threads
from htp.errors import InputError
from htp.language.batch import Answer
from htp.language.language import Language
from htp.language.prompt import PromptConditions
from htp.language.sampling import BATCH, Sampling
from htp.routes.generator import RouteGenerator
from htp.tokenizer.lengths import length_token
from htp.tokenizer.tokenizer import DecoderConditions, Patterns, Points, Tokenizer, decoder_conditions_of, with_points
from htp.travel_time.model import TravelTimeModel
from htp.trips import (
    INTERVAL_S,
    LONGEST_S,
    MAX_POINTS,
    MIN_POINTS,
    SHORTEST_S,
    Conditions,
    Route,
    point_count,
    read_trips,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray


PIECE = 1024  # trips generated at once: memory stays the same for any number of trips
MAX_TRIPS = 1_000_000  # in one request
MAX_SEED = 2**61 - 1  # four streams of random numbers a trip, numbered from four times the seed
SLACK_M = 1.0  # a distance may be longer than its route by this, for rounding


@dataclass(frozen=True)
class ConditionBatch:
    """Complete conditions of B trips at the sampling interval of the models."""

    facts: PromptConditions
    first_m: NDArray[np.float32]  # [B] NaN where the decoder may say
    duration_s: NDArray[np.float64]  # [B]
    interval_s: NDArray[np.float64]  # [B] as asked
    keys: NDArray[np.uint64]  # [B, 2]

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> ConditionBatch:
        """Return the conditions of some of the trips."""
        facts = self.facts
        taken = (facts.depart[rows], facts.points[rows], facts.distance_m[rows], facts.interval_s[rows])
        some = PromptConditions(
            [facts.roads[row] for row in np.arange(len(self.keys))[rows]], *taken, facts.length_tokens[rows]
        )
        return ConditionBatch(some, self.first_m[rows], self.duration_s[rows], self.interval_s[rows], self.keys[rows])


class Generator:
    """Both stages of a checkpoint over its city."""

    def __init__(
        self, city: City, tokenizer: Tokenizer, language: Language, travel_time: TravelTimeModel, checkpoint: Path
    ) -> None:
        self.city, self.tokenizer, self.language = city, tokenizer, language
        self.travel_time, self.checkpoint = travel_time, checkpoint
        self.workers = torch.get_num_threads() if tokenizer.device.type == "cpu" else 1  # threads, each with a batch

    @classmethod
    def load(cls, checkpoint: Path | str, device: str = "auto") -> Generator:
        """Load a checkpoint, its files verified; `InputError` names the first that is missing or damaged."""
        files = Checkpoint(Path(checkpoint))
        files.verify()
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            raise InputError(f"the device {device!r} is not there; choose auto, cpu or cuda.") from error
        city = City.load(files.city)
        tokenizer = Tokenizer.load(files.tokenizer, city, device)
        language = Language.load(files.language, device)
        return cls(city, tokenizer, language, TravelTimeModel.load(files.conditions), files.folder)

    def heldout(self) -> gpd.GeoDataFrame:
        """Return the checkpoint's held-out trips, never trained on."""
        return read_trips(Checkpoint(self.checkpoint).heldout)

    def route_writer(self) -> RouteGenerator:
        """Return the checkpoint's model that writes routes (HTP+); `InputError` where it has none."""
        features = self.tokenizer.model.roads.described
        return RouteGenerator.load(Checkpoint(self.checkpoint).routes, self.city, features, str(features.device))

    def generate(
        self,
        conditions: Conditions | Sequence[Conditions],
        n: int = 1,
        *,
        seed: int = 0,
        temperature: float = 1.0,
        top_p: float = 1.0,
        progress: Callable[[int, int], None] | None = None,
    ) -> gpd.GeoDataFrame:
        """Return `n` trips for each of the conditions, one after another; `progress` hears (done, total)."""
        asked = [conditions] if isinstance(conditions, Conditions) else list(conditions)
        check_count(len(asked), n)
        requests = (asked[at // n] for at in range(len(asked) * n))
        names = [f"{place}-{copy}" for place in range(len(asked)) for copy in range(n)]
        sampling = Sampling(temperature, top_p)
        pieces = list(self.stream(requests, seed=seed, sampling=sampling, total=len(names), progress=progress))
        trips = gpd.GeoDataFrame(pd.concat(pieces, ignore_index=True), crs="EPSG:4326")
        return trips.assign(trip_id=names)

    def stream(
        self,
        conditions: Iterator[Conditions],
        *,
        seed: int = 0,
        sampling: Sampling | None = None,
        total: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[gpd.GeoDataFrame]:
        """Yield a trip for every condition, in pieces, so that memory does not grow with their number."""
        if not 0 <= seed <= MAX_SEED:
            raise InputError(f"the seed is {seed}; give 0 to {MAX_SEED}.")
        done, piece = 0, []
        for asked in conditions:
            piece.append(asked)
            if len(piece) == PIECE:
                yield self._piece(piece, done, seed, sampling, _counting(done, total, progress))
                done, piece = done + len(piece), []
        if piece:
            yield self._piece(piece, done, seed, sampling, _counting(done, total, progress))

    def _piece(
        self,
        asked: list[Conditions],
        done: int,
        seed: int,
        sampling: Sampling | None,
        progress: Callable[[int], None] | None,
    ) -> gpd.GeoDataFrame:
        return self.trips_of(self.completed(asked, done, seed), sampling or Sampling(), progress)

    def trips_of(
        self, wanted: ConditionBatch, sampling: Sampling, progress: Callable[[int], None] | None = None
    ) -> gpd.GeoDataFrame:
        """Return a trip for each of the complete conditions, named by its place in its request.

        Batches are made side by side, one on each core, unless a single one has PyTorch's threads on all of them.
        """
        work = np.column_stack([wanted.facts.points, [len(roads) for roads in wanted.facts.roads]])
        workers = self.workers if len(work) > BATCH or torch.get_num_threads() == 1 else 1
        batches = balanced_batches(work, BATCH, workers)

        def make(rows: NDArray[np.int64]) -> gpd.GeoDataFrame:
            trips = self._batch(wanted[rows], sampling)
            if progress is not None:
                progress(len(rows))
            return trips

        made = in_threads(make, batches, workers)
        return pd.concat(made, ignore_index=True).iloc[np.concatenate(batches).argsort()].reset_index(drop=True)

    def _batch(self, wanted: ConditionBatch, sampling: Sampling) -> gpd.GeoDataFrame:
        """Return the trips of a batch."""
        answers = self.language.write(wanted.facts, self.city, wanted.keys, sampling)
        patterns = as_patterns(answers, wanted.facts.points)
        facts = wanted.facts
        interval_s = np.full(len(wanted.keys), INTERVAL_S, dtype=np.float32)
        drives = DecoderConditions(
            facts.roads, facts.distance_m.astype(np.float32), interval_s, wanted.first_m, wanted.keys
        )
        points = self.tokenizer.decode(patterns, drives)
        columns = {
            "trip_id": [str(place) for _, place in wanted.keys.tolist()],
            "start_time": facts.depart,
            "interval": wanted.interval_s.astype(np.float32),
            "roads": list(facts.roads),
        }
        trips = gpd.GeoDataFrame(columns, geometry=[None] * len(answers), crs="EPSG:4326")
        trips = with_patterns(trips, patterns)
        other = wanted.interval_s != INTERVAL_S
        return with_points(trips, resample(self.city, points, wanted, other) if other.any() else points)

    def completed(self, asked: list[Conditions], first: int, seed: int) -> ConditionBatch:
        """Fill in what is not given, draws included, and check what is.

        `first` is the place of the first in its request. `InputError` says which of them cannot be generated.
        """
        starts = pd.DatetimeIndex([self.city.local_time(c.depart) for c in asked])
        keys = keys_of(seed, first, len(asked))
        roads = [np.asarray(c.route.roads, dtype=np.int32) for c in asked]
        first_m, distance_m = np.array([self._extent(c, first + at) for at, c in enumerate(asked)]).T
        duration_s = self._durations(asked, starts, keys)
        points = np.array([point_count(d, INTERVAL_S) for d in duration_s])
        facts = PromptConditions(
            roads,
            starts,
            points,
            distance_m,
            np.full(len(asked), INTERVAL_S),
            np.array([length_token(int(n)) for n in points], dtype=np.int8),
        )
        interval_s = np.array([c.interval_s for c in asked], dtype=np.float64)
        return ConditionBatch(facts, first_m.astype(np.float32), duration_s, interval_s, keys)

    def _extent(self, asked: Conditions, number: int) -> tuple[float, float]:
        """Return where the first point lies (NaN: the decoder may say) and the distance to the last, in metres."""
        roads = np.asarray(asked.route.roads)
        if len(roads) == 0 or roads.min() < 0 or roads.max() >= len(self.city):
            raise InputError(f"trip {number}: the route is empty or names roads that this city does not have.")
        if not self.city.is_connected(roads):
            gap = int(np.flatnonzero(self.city.v[roads[:-1]] != self.city.u[roads[1:]])[0])
            before, after = roads[gap : gap + 2]
            raise InputError(
                f"trip {number}: the route has a gap: road {after} does not begin where road {before} ends."
            )
        length = self.city.length_m[roads]
        if asked.distance_m is None:
            start_m, end_m = asked.route.start_m, length[-1] if asked.route.end_m is None else asked.route.end_m
            if not 0.0 <= start_m <= length[0] + SLACK_M or not 0.0 <= end_m <= length[-1] + SLACK_M:
                raise InputError(
                    f"trip {number}: the route begins {start_m:.1f} m along its first road, which is {length[0]:.1f} m "
                    f"long, and ends {end_m:.1f} m along its last road, {length[-1]:.1f} m long; choose places on them."
                )
            distance_m = float(length[:-1].sum() + end_m - start_m)
            if distance_m <= 0:
                raise InputError(f"trip {number}: the route ends where it begins; choose places further apart.")
            return asked.route.start_m, distance_m
        shortest, longest = length[1:-1].sum(), length.sum() + SLACK_M
        if not shortest <= asked.distance_m <= longest:
            raise InputError(
                f"trip {number}: a distance of {asked.distance_m:.0f} m does not fit its route; it allows "
                f"{shortest:.0f} to {longest:.0f} m."
            )
        return np.nan, float(min(asked.distance_m, length.sum()))

    def _durations(
        self, asked: list[Conditions], starts: pd.DatetimeIndex, keys: NDArray[np.uint64]
    ) -> NDArray[np.float64]:
        """Return the travel times, drawn where they are not given."""
        duration_s = np.array([np.nan if c.duration_s is None else c.duration_s for c in asked], dtype=np.float64)
        drawn = np.array([at for at, c in enumerate(asked) if c.duration_s is None], dtype=np.int64)
        if len(drawn):
            uniforms = np.array([stream_of(key, DURATION).random() for key in keys[drawn]])
            routes = [asked[at].route for at in drawn]
            duration_s[drawn] = self.travel_time.draw(self.city, routes, list(starts[drawn]), uniforms)
            # a drawn time is cut to what the models write, unless it is far from it
            cut = drawn[(duration_s[drawn] > SHORTEST_S / 2) & (duration_s[drawn] < LONGEST_S * 2)]
            duration_s[cut] = np.clip(duration_s[cut], SHORTEST_S, LONGEST_S)
        for at, seconds in enumerate(duration_s):
            _check_duration(seconds, asked[at].interval_s, int(keys[at, 1]))
        return duration_s


def use_one_thread() -> None:
    """Give PyTorch one thread in this process, for those who want the other cores for something else."""
    torch.set_num_threads(1)


def load_tokenizer(checkpoint: Path | str) -> Tokenizer:
    """Load stage 1 of a checkpoint alone."""
    files = Checkpoint(Path(checkpoint))
    if not files.tokenizer.is_dir():
        raise InputError(f"{files.folder}: holds no tokenizer; train one with `htp train tokenizer`.")
    return Tokenizer.load(files.tokenizer, City.load(files.city))


def check_count(conditions: int, n: int) -> None:
    """Raise `InputError` unless a sensible number of trips is asked for."""
    if conditions < 1 or n < 1:
        raise InputError("no trips are asked for; ask for at least one.")
    if conditions * n > MAX_TRIPS:
        raise InputError(f"{conditions * n:,} trips are asked for; one request takes at most {MAX_TRIPS:,}.")


def conditions_of(trips: gpd.GeoDataFrame, city: City) -> list[Conditions]:
    """Return the conditions that prepared trips were driven under."""
    drives = decoder_conditions_of(trips, city, seed=0)
    starts, intervals = pd.DatetimeIndex(trips["start_time"]), trips["interval"].to_numpy(dtype=float)
    points = [len(percent) for percent in trips["percent"]]
    durations_s, distances_m = (np.array(points) - 1) * intervals, drives.distance_m.astype(float)
    return [
        Conditions(Route(roads), starts[at], durations_s[at], distances_m[at], intervals[at])
        for at, roads in enumerate(drives.roads)
    ]


def prompt_conditions_of(trips: gpd.GeoDataFrame, city: City) -> PromptConditions:
    """Return the facts of prepared trips: what the language model is trained on."""
    drives = decoder_conditions_of(trips, city, seed=0)
    points = np.array([len(percent) for percent in trips["percent"]])
    return PromptConditions(
        drives.roads,
        pd.DatetimeIndex(trips["start_time"]).tz_convert(city.timezone),
        points,
        np.asarray(drives.distance_m, dtype=np.float64),
        trips["interval"].to_numpy(dtype=np.float64),
        np.array([length_token(int(n)) for n in points], dtype=np.int8),
    )


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
    ends = patterns.first[1:-1]
    return trips.assign(
        length_token=patterns.length_tokens,
        patterns=[codes.ravel() for codes in np.split(patterns.codes, ends)],
        anchors=[part.astype(np.int16) for part in np.split(patterns.anchors, ends)],
    )


def answers_of(patterns: Patterns) -> list[Answer]:
    """Return the patterns of each trip as the answer to its question."""
    ends = zip(patterns.first[:-1], patterns.first[1:], strict=True)
    return [Answer(patterns.anchors[a:b], patterns.codes[a:b]) for a, b in ends]


def as_patterns(answers: Sequence[Answer], points: NDArray[np.int64]) -> Patterns:
    """Return the answers of the language model as the tokenizer reads them."""
    first = np.r_[0, np.cumsum([len(answer.anchors) for answer in answers])]
    codes = np.concatenate([answer.codes for answer in answers])
    return Patterns(codes, np.concatenate([answer.anchors for answer in answers]), first, np.asarray(points))


def resample(city: City, points: Points, wanted: ConditionBatch, other: NDArray[np.bool_]) -> Points:
    """Return points at the intervals asked for where they differ from the models': straight in time along the route."""
    lines = RouteLines.of(city, wanted.facts.roads)
    ends = np.cumsum(points.counts)[:-1]
    percent, offset = np.split(points.percent, ends), np.split(points.offset, ends)
    for row in np.flatnonzero(other):
        count = point_count(wanted.duration_s[row], wanted.interval_s[row])
        here = np.linspace(0.0, len(percent[row]) - 1.0, count)
        known = np.arange(len(percent[row]))
        offset[row] = np.column_stack([np.interp(here, known, axis) for axis in offset[row].T]).astype(np.float32)
        percent[row] = np.interp(here, known, percent[row]).astype(np.float32)
    counts = np.array([len(part) for part in percent])
    trip = np.repeat(np.arange(len(counts)), counts)
    flat, moved = np.concatenate(percent), np.concatenate(offset)
    lonlat = city.to_lonlat(lines.place(trip, flat.astype(np.float64) * lines.length_m[trip]) + moved)
    return Points(flat, moved, lonlat, counts)


def _check_duration(seconds: float, interval_s: float, number: int) -> None:
    if not 1.0 <= interval_s <= 120.0:
        raise InputError(f"trip {number}: a sampling interval of {interval_s:g} s; choose 1 to 120 s.")
    points = point_count(seconds, INTERVAL_S) if np.isfinite(seconds) and seconds > 0 else 0
    if not MIN_POINTS <= points <= MAX_POINTS:
        low, high = SHORTEST_S / 60, LONGEST_S / 60
        raise InputError(
            f"trip {number}: a travel time of {seconds / 60:.1f} min; trips of {low:.0f} to {high:.0f} min can be "
            "generated. Choose places closer together or further apart."
        )


def _counting(
    done: int, total: int | None, progress: Callable[[int, int], None] | None
) -> Callable[[int], None] | None:
    if progress is None:
        return None
    count, one = done, Lock()  # batches end in several threads

    def tell(more: int) -> None:
        nonlocal count
        with one:
            count += more
            progress(count, total or count)

    return tell
