"""Say what is generated in a benchmark, and time it: the median of several turns."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htp.conditions import conditions_of
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from htp.generate import Generator
    from htp.trips import Conditions

WORKS = ("one route", "distinct routes")
TURNS = 5
ENOUGH_S = 8.0  # after so long no further turns are taken


@dataclass(frozen=True)
class Timing:
    """How long a number of trips took."""

    trips: int  # asked for at once
    turns: int
    seconds: float  # median
    processor_s: float  # median, of all threads together: what else runs on the machine moves it little

    @property
    def trips_per_s(self) -> float:
        """Trips a second."""
        return self.trips / self.seconds

    def times(self, other: Timing) -> float:
        """Return how many times as fast as another this is, trip for trip."""
        return self.trips_per_s / other.trips_per_s

    def saves(self, other: Timing) -> float:
        """Return how many times as much of the processor another takes, trip for trip."""
        return (other.processor_s / other.trips) / (self.processor_s / self.trips)


@dataclass(frozen=True)
class Workload:
    """Conditions of held-out trips, from which requests of any size are made."""

    conditions: list[Conditions]

    @classmethod
    def of(cls, generator: Generator) -> Workload:
        """Take the checkpoint's held-out trips; `InputError` where it has none."""
        trips: gpd.GeoDataFrame = generator.heldout()
        if trips.empty:
            raise InputError(f"{generator.checkpoint}: holds no held-out trips to generate like; take another one.")
        return cls(conditions_of(trips, generator.city))

    def ask(self, name: str, trips: int) -> list[Conditions]:
        """Return conditions of as many trips: the trip of middle length again and again, or one after another."""
        if name == "one route":
            by_length = sorted(self.conditions, key=lambda asked: len(asked.route.roads))
            return [by_length[len(by_length) // 2]] * trips
        return [self.conditions[number % len(self.conditions)] for number in range(trips)]


def timed(run: Callable[[], object], trips: int) -> Timing:
    """Time a function that makes so many trips; a first run that is long in itself counts, others warm up."""
    first = _turn(run)
    turns = [first] if first[0] >= ENOUGH_S else []
    while len(turns) < TURNS and sum(seconds for seconds, _ in turns) < ENOUGH_S:
        turns.append(_turn(run))
    seconds, processor_s = np.median(turns, axis=0).tolist()
    return Timing(trips, len(turns), seconds, processor_s)


def _turn(run: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that a run takes, by the clock and of the processor."""
    started, worked = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - started, time.process_time() - worked
