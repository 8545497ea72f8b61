"""Run all measurements of a benchmark on one checkpoint, one after another in one process."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from htp.bench.ladder import FIRST, ladder
from htp.bench.plain import PlainSampler
from htp.bench.result import Bench, Rival, Speed
from htp.bench.rivals import time_rivals
from htp.bench.roofline import TokenCost, measure_machine
from htp.bench.stages import shares
from htp.bench.workload import WORKS, Workload, timed
from htp.conditions import prompt_conditions_of
from htp.generate import Generator
from htp.language.sampling import BATCH, writer_of
from htp.trips import INTERVAL_S, POINTS_PER_PATTERN, point_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import geopandas as gpd

    from htp.bench.ladder import Rung
    from htp.bench.roofline import Machine
    from htp.bench.workload import Timing
    from htp.trips import Conditions

MOST = 100_000  # trips at once
COMPARED = 64  # trips at once where HTP is compared and its stages are timed, or the largest batch if that is smaller
RIVAL_TRIPS = 4  # trips that a diffusion baseline makes at once: on a CPU more at once are no faster
NO_PLAIN = "transformers.generate was not measured: only the built-in model can be put under a plain head."


def run(
    checkpoint: Path | str,
    batches: tuple[int, ...] = (1, 64, 1024),
    *,
    device: str = "auto",
    small_rivals: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Bench:
    """Measure a checkpoint; `small_rivals`: baselines in their small sizes, as tests want them."""
    steps = _Steps(progress, len(WORKS) * (len({*batches, min(COMPARED, max(batches))}) + 2) + 2)
    generator = Generator.load(checkpoint, device)
    place, work = generator.tokenizer.device, Workload.of(generator)
    first_s = _first_trip_s(generator, work)
    machine = measure_machine(place)
    steps.done()
    token = _token(generator)
    compared = min(COMPARED, max(batches))
    measured = _measure(generator, work, sorted({*batches, compared}), steps)
    memory = _peak_memory_bytes(place)
    ours = {name: measured[name, compared].timing for name in WORKS}
    rivals, notes = _rivals(generator, work, ours, steps, small=small_rivals)
    plain = {rival.work: rival.timing for rival in rivals if rival.name == FIRST}
    speeds = [
        Speed(name, found.timing, _limit(generator, token, machine, work.ask(name, trips), found.loop_s))
        for (name, trips), found in measured.items()
        if trips in batches
    ]
    return Bench(
        tuple(speeds),
        tuple(rivals),
        tuple(_rungs(generator, work, plain, ours, steps)),
        {name: measured[name, compared].stages for name in WORKS},
        compared,
        machine,
        asdict(token),
        first_s,
        memory,
        str(place),
        torch.get_num_threads(),
        tuple(notes),
    )


@dataclass(frozen=True)
class _Measured:
    """How long our own way takes, and the share of each stage."""

    timing: Timing
    stages: dict[str, float]

    @property
    def loop_s(self) -> float:
        """Seconds of the token loop."""
        return self.stages["token loop"] * self.timing.seconds


def _measure(
    generator: Generator, work: Workload, batches: list[int], steps: _Steps
) -> dict[tuple[str, int], _Measured]:
    """Time our own way for every kind of work and batch."""
    found = {}
    for name in WORKS:
        for trips in batches:
            asked = work.ask(name, trips)
            timing = timed(partial(generator.generate, asked), trips)
            found[name, trips] = _Measured(timing, shares(generator, asked))
            steps.done()
    return found


def _rivals(
    generator: Generator, work: Workload, ours: dict[str, Timing], steps: _Steps, *, small: bool
) -> tuple[list[Rival], list[str]]:
    found, notes = [], []
    if generator.language.base is None:
        for name, timing in ours.items():
            plain = _plain(generator, work, name, timing.trips)
            found.append(Rival(FIRST, name, plain, timing.times(plain), timing.saves(plain), timing.trips))
            steps.done()
    else:
        notes.append(NO_PLAIN)
        steps.done(2 * len(ours))  # the ladder's as well
    heldout: gpd.GeoDataFrame = generator.heldout()
    device = str(generator.tokenizer.device)
    timing = ours["distinct routes"]
    for name, theirs in time_rivals(heldout, generator.city, RIVAL_TRIPS, device, small=small).items():
        found.append(Rival(name, "distinct routes", theirs, timing.times(theirs), timing.saves(theirs), timing.trips))
    steps.done()
    return found, notes


def _rungs(
    generator: Generator, work: Workload, plain: dict[str, Timing], ours: dict[str, Timing], steps: _Steps
) -> Iterator[Rung]:
    """Take our own way back step by step where there is a plain one to begin with."""
    for name, timing in plain.items():
        yield from ladder(generator, work, name, timing, ours[name])
        steps.done()


def _plain(generator: Generator, work: Workload, name: str, trips: int) -> Timing:
    """Time the generator with its language model's answers written by `transformers.generate`."""
    other = Generator(
        generator.city, generator.tokenizer, generator.language, generator.travel_time, generator.checkpoint
    )
    other.language = PlainSampler(generator.language)  # type: ignore[assignment]  # it answers the one call needed
    other.workers = 1  # one batch on all of PyTorch's threads, as the call is written
    asked = work.ask(name, trips)
    return timed(lambda: other.generate(asked), trips)


def _first_trip_s(generator: Generator, work: Workload) -> float:
    """Return the median time of the first trip along a route that nothing was generated for before."""
    seconds = []
    for asked in work.conditions[:: max(len(work.conditions) // 5, 1)][:5]:
        started = time.perf_counter()
        route = generator.city.route([_middle(generator, asked.route.roads[at]) for at in (0, -1)])
        generator.generate(replace(asked, route=route, distance_m=None, duration_s=asked.duration_s))
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


def _middle(generator: Generator, road: int) -> tuple[float, float]:
    point = generator.city.roads.geometry.iloc[int(road)].interpolate(0.5, normalized=True)
    return point.x, point.y


def _token(generator: Generator) -> TokenCost:
    """Return what a step needs in the middle of the answer of a trip of middle length."""
    trips = generator.heldout().iloc[:200]
    questions = generator.language.ask(prompt_conditions_of(trips, generator.city), generator.city)
    steps = _steps(generator)
    lengths = [len(q.ids) + steps * -(-q.points // POINTS_PER_PATTERN) / 2 for q in questions]
    return TokenCost.of(generator.language.model, round(float(np.median(lengths))))


def _limit(generator: Generator, token: TokenCost, machine: Machine, asked: list[Conditions], loop_s: float) -> float:
    """Return which share of the roofline's speed a token loop of `loop_s` reaches.

    Trips are written in parts of `BATCH`, shortest first, each part as long as its longest trip.
    """
    points = sorted(point_count(c.duration_s or 0.0, INTERVAL_S) for c in asked)
    parts = [points[at : at + BATCH] for at in range(0, len(points), BATCH)]
    steps = [_steps(generator) * -(-part[-1] // POINTS_PER_PATTERN) for part in parts]
    return sum(n * token.seconds(len(part), machine) for n, part in zip(steps, parts, strict=True)) / loop_s


def _steps(generator: Generator) -> int:
    """Return how often the transformer runs to write a pattern."""
    model = generator.language.model
    return writer_of(model).steps(len(model.vocabulary.codebook_sizes))


def _peak_memory_bytes(device: torch.device) -> int | None:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated())
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415  not there on Windows

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


class _Steps:
    """Counts what has been measured."""

    def __init__(self, progress: Callable[[int, int], None] | None, total: int) -> None:
        self.progress, self.total, self.count = progress, total, 0

    def done(self, count: int = 1) -> None:
        self.count += count
        if self.progress is not None:
            self.progress(self.count, self.total)
