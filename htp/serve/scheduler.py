"""Generate the trips of waiting requests: round-robin, in batches that are short, one pass through both stages each.

One thread makes batches. A batch takes a few trips of every request that waits, in turn, so a new request waits for
the batch under way and no longer, however many trips another one asked for. Requests for which a quarter of the
deadline is over go before the others, the nearest deadline first.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from htp.generate import Generator
from htp.serve.admission import IN_TIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from htp.conditions import ConditionBatch
    from htp.serve.admission import QueuedRequest, RequestBatch, RequestQueue, ServiceSettings
    from htp.trip_source import Sampling
    from htp.trips import Conditions

QUANTUM = 8  # trips that a request gets at its turn, fewer where many wait
RATE_SHARE = 0.3  # of a batch's throughput in the running mean
log = logging.getLogger("htp.serve")


@dataclass(frozen=True)
class RequestPart:
    """Some trips of a request, ready to be generated."""

    conditions: ConditionBatch  # [B]

    def __len__(self) -> int:
        return len(self.conditions.keys)

    def __getitem__(self, rows: slice) -> RequestPart:
        return RequestPart(self.conditions[rows])


class BatchGenerator(Protocol):
    """Generates trips of several requests at once."""

    def generate_parts(self, parts: Sequence[RequestPart], sampling: Sampling) -> list[gpd.GeoDataFrame]:
        """Return the trips of each part."""


class JointGenerator(Generator):
    """A generator of several requests' trips at once.

    A request's conditions are completed by themselves, so that a mistake in one is answered alone; what is generated
    together draws from the streams of each trip's own seed and place, so that a trip is the same in any company.
    """

    def complete(self, conditions: list[Conditions], first: int, seed: int) -> RequestPart:
        """Return conditions ready to be generated, see `completed`."""
        return RequestPart(self.completed(conditions, first, seed))

    def generate_parts(self, parts: Sequence[RequestPart], sampling: Sampling) -> list[gpd.GeoDataFrame]:
        """Return the trips of each part, all generated in one batch, each named by its place in its request."""
        trips = self.trips_of(_concatenated([part.conditions for part in parts]), sampling)
        ends = np.cumsum([0, *(len(part) for part in parts)]).tolist()
        return [trips.iloc[a:b].reset_index(drop=True) for a, b in pairwise(ends)]


def _concatenated(tables: Sequence[Any]) -> Any:
    """Return dataclasses of columns one under another."""
    columns = {}
    for field in fields(tables[0]):
        parts = [getattr(table, field.name) for table in tables]
        if is_dataclass(parts[0]):
            columns[field.name] = _concatenated(parts)
        elif isinstance(parts[0], pd.DatetimeIndex):
            columns[field.name] = parts[0].append(parts[1:])
        elif isinstance(parts[0], list):
            columns[field.name] = [one for part in parts for one in part]
        else:
            columns[field.name] = np.concatenate(parts)
    return replace(tables[0], **columns)


class Scheduler:
    """The thread that generates what waits in the queue."""

    def __init__(self, generator: BatchGenerator, queue: RequestQueue) -> None:
        self.generator, self.queue = generator, queue
        self.settings, self.metrics, self.throughput = queue.settings, queue.metrics, queue.throughput
        self._thread = threading.Thread(target=self._run, name="htp-scheduler", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether trips are being made at all."""
        return self._thread.is_alive()

    def join(self, seconds: float) -> None:
        """Wait until a stopping service has nothing left to do."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while self.queue.wait():
            batch = self.queue.take(self._choose)
            if batch.parts:
                self._generate(batch)

    def _choose(self, waiting: Sequence[QueuedRequest]) -> dict[QueuedRequest, int]:
        """Return how many trips of each request come into the next batch: all drawn as those of the first in turn."""
        soon = time.monotonic() + (1 - IN_TIME) * self.settings.deadline_s
        urgent = sorted((r for r in waiting if r.deadline <= soon), key=lambda request: request.deadline)
        sampling = (urgent or waiting)[0].sampling
        alike = [request for request in waiting if request.sampling == sampling]
        # a trip for each where it fits
        room = max(self.throughput.batch_trips, min(len(alike), self.settings.batch_trips))
        counts = dict.fromkeys(alike, 0)
        for request in urgent:
            if request in counts:
                counts[request] = min(room, len(request.remaining))
                room -= counts[request]
        turns = deque(request for request in alike if counts[request] < len(request.remaining))
        turn = min(QUANTUM, max(1, room // max(1, len(turns))))
        while turns and room:
            request = turns.popleft()
            more = min(turn, room, len(request.remaining) - counts[request])
            counts[request], room = counts[request] + more, room - more
            if counts[request] < len(request.remaining):
                turns.append(request)
        return counts

    def _generate(self, batch: RequestBatch) -> None:
        started = time.monotonic()
        self.metrics.batch(len(batch), len(batch.parts))
        try:
            results: Sequence[gpd.GeoDataFrame | Exception] = self._trips(batch.parts)
        except Exception as error:  # one request must not fail the others, nor end this thread
            log.exception("a batch of %d trips failed", len(batch))
            results = [error] if len(batch.parts) == 1 else [self._alone(*one) for one in batch.parts]
        seconds = time.monotonic() - started
        self.throughput.learn(len(batch), seconds, saturated=batch.saturated)
        self.metrics.batch_done(len(batch), seconds)
        self.queue.finish(len(batch))
        for (request, _), result in zip(batch.parts, results, strict=True):
            request.deliver(result)
            if isinstance(result, Exception):
                self.queue.cancel(request)
            elif not len(request.remaining):
                request.deliver(None)

    def _alone(self, request: QueuedRequest, part: RequestPart) -> gpd.GeoDataFrame | Exception:
        try:
            return self._trips([(request, part)])[0]
        except Exception as error:
            log.exception("a request failed")
            return error

    def _trips(self, parts: Sequence[tuple[QueuedRequest, RequestPart]]) -> list[gpd.GeoDataFrame]:
        return self.generator.generate_parts([part for _, part in parts], parts[0][0].sampling)


class Throughput:
    """How fast trips are made, and so how many fit into a batch of the time set for one."""

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.trips_per_s = float(QUANTUM)  # until the first batch is measured
        self.measured = False
        self.batch_trips = min(QUANTUM, settings.batch_trips)

    def learn(self, trips: int, seconds: float, *, saturated: bool = True) -> None:
        """Learn from a batch; `saturated`: others waited, so it held as many trips as it could."""
        rate = trips / max(seconds, 1e-6)
        if saturated or trips >= self.batch_trips:
            self.trips_per_s = self.trips_per_s + RATE_SHARE * (rate - self.trips_per_s) if self.measured else rate
            self.measured = True
        else:  # a small batch says only that it is no slower
            self.trips_per_s = max(self.trips_per_s, rate)
        fitting = trips * self.settings.batch_s / max(seconds, 1e-6)
        if trips >= self.batch_trips or seconds > self.settings.batch_s:  # a small batch says little about a full one
            at_most = min(2 * self.batch_trips, self.settings.batch_trips)
            self.batch_trips = int(min(max(fitting, QUANTUM), at_most))
