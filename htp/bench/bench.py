"""Run all measurements of a benchmark on one checkpoint, one after another in one process."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from htp.bench.plain import PlainSampler
from htp.bench.result import Bench, Rival, Speed
from htp.bench.roofline import TokenCost, measure_machine
from htp.bench.stages import shares
from htp.bench.workload import WORKS, Workload, timed
from htp.conditions import prompt_conditions_of
from htp.generate import Generator
from htp.language.sampling import BATCH, sampler_of
from htp.methods.baselines.baseline import DiffusionSampling
from htp.methods.budget import Budget
from htp.methods.registry import METHODS
from htp.trips import POINTS_PER_PATTERN, point_count

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from htp.bench.roofline import Machine
    from htp.bench.workload import Timing
    from htp.methods.baselines.baseline import Baseline
    from htp.trips import Conditions

MOST = 100_000  # trips at once
COMPARED = 64  # trips at once where HTP is compared and its stages are timed, or the largest batch if that is smaller
PLAIN = "transformers.generate"
NO_PLAIN = f"{PLAIN} was not measured: only the built-in model can be put under a plain head."
DIFFUSION = ("difftraj", "controltraj")  # in their published sizes
DIFFUSION_TRIPS = 4  # trips that one makes at once: on a CPU more at once are no faster
DDIM_STEPS = 100
STEP = Budget(epochs=1, batch_size=2)  # how long a trip takes does not hang on what was learned


def run(
    checkpoint: Path | str,
    batches: tuple[int, ...] = (1, 64, 1024),
    *,
    device: str = "auto",
    small_rivals: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Bench:
    """Measure a checkpoint; `small_rivals`: baselines in their small sizes, as tests want them."""
    compared = min(COMPARED, max(batches))
    sizes = sorted({*batches, compared})
    done = _counting(progress, len(WORKS) * (len(sizes) + 1) + len(DIFFUSION))
    generator = Generator.load(checkpoint, device)
    place, work = generator.tokenizer.device, Workload.of(generator)
    first_s = _first_trip_s(generator, work)
    machine = measure_machine(place)
    token = _token(generator)
    measured = _measure(generator, work, sizes, done)
    memory = _peak_memory_bytes(place)
    ours = {name: measured[name, compared].timing for name in WORKS}
    rivals = _rivals(generator, work, ours, done, small=small_rivals)
    speeds = [
        Speed(name, found.timing, _limit(generator, token, machine, work.ask(name, trips), found.loop_s))
        for (name, trips), found in measured.items()
        if trips in batches
    ]
    return Bench(
        tuple(speeds),
        tuple(rivals),
        {name: measured[name, compared].stages for name in WORKS},
        compared,
        machine,
        asdict(token),
        first_s,
        memory,
        str(place),
        torch.get_num_threads(),
        () if any(rival.name == PLAIN for rival in rivals) else (NO_PLAIN,),
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
    generator: Generator, work: Workload, batches: list[int], done: Callable[[], None]
) -> dict[tuple[str, int], _Measured]:
    """Time our own way for every kind of work and batch."""
    found = {}
    for name in WORKS:
        for trips in batches:
            asked = work.ask(name, trips)
            timing = timed(partial(generator.generate, asked), trips)
            found[name, trips] = _Measured(timing, shares(generator, asked))
            done()
    return found


def _rivals(
    generator: Generator, work: Workload, ours: dict[str, Timing], done: Callable[[], None], *, small: bool
) -> list[Rival]:
    """Time the plain way, where there is one, and the diffusion baselines; `small`: in their sizes for tests."""
    timings: list[tuple[str, str, Timing]] = []
    for name, timing in ours.items():
        if generator.language.base is None:
            timings.append((PLAIN, name, _plain(generator, work, name, timing.trips)))
        done()
    for name in DIFFUSION:
        timings.append((METHODS[name].label, "distinct routes", _diffusion(generator, name, small=small)))
        done()
    return [
        Rival(rival, name, theirs, ours[name].times(theirs), ours[name].saves(theirs), ours[name].trips)
        for rival, name, theirs in timings
    ]


def _diffusion(generator: Generator, name: str, *, small: bool) -> Timing:
    """Time a diffusion baseline for the first held-out trips in one batch."""
    heldout, made_by = generator.heldout(), METHODS[name].made_by
    config = made_by.config_type.small() if small else made_by.config_type()
    method = cast("Baseline[Any, Any]", made_by(config, str(generator.tokenizer.device)))
    method.fit(heldout.iloc[:2], generator.city, STEP, report=lambda _: None)
    like = heldout.iloc[:DIFFUSION_TRIPS]
    sampling = DiffusionSampling(steps=DDIM_STEPS, batch_size=len(like))
    return timed(partial(method.generate, like, sampling=sampling), len(like))


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
    points = sorted(point_count(c.duration_s or 0.0, generator.recording.interval_s) for c in asked)
    parts = [points[at : at + BATCH] for at in range(0, len(points), BATCH)]
    steps = [_steps(generator) * -(-part[-1] // POINTS_PER_PATTERN) for part in parts]
    return sum(n * token.seconds(len(part), machine) for n, part in zip(steps, parts, strict=True)) / loop_s


def _steps(generator: Generator) -> int:
    """Return how often the transformer runs to write a pattern."""
    model = generator.language.model
    return sampler_of(model).steps(len(model.vocabulary.codebook_sizes))


def _peak_memory_bytes(device: torch.device) -> int | None:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated())
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415  not there on Windows

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def _counting(progress: Callable[[int, int], None] | None, total: int) -> Callable[[], None]:
    """Return what is called when something has been measured."""
    number = count(1)

    def done() -> None:
        if progress is not None:
            progress(next(number), total)

    return done
