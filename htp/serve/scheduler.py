"""Decide which trips are generated next: round-robin between requests, in batches that are short.

One thread makes batches. A batch takes a few trips of every request that waits, in turn, so a new request waits for
the batch under way and no longer, however many trips another one asked for.

What is taken on is finished: no more is taken on than can be made in half the deadline, and a request for which half
of it is over goes before the others, first come, first served.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from htp.serve.job import GenerationJob, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from htp.language.sampling import Sampling
    from htp.serve.joint import RequestPart
    from htp.serve.metrics import Metrics
    from htp.serve.settings import ServiceSettings

QUANTUM = 8  # trips that a request gets at its turn, fewer where many wait
MAX_RETRY_S = 60
IN_TIME = 0.5  # of the deadline, see above
log = logging.getLogger("htp.serve")


class BatchGenerator(Protocol):
    """Makes trips of several requests at once."""

    def write(self, parts: Sequence[RequestPart], sampling: Sampling) -> list[gpd.GeoDataFrame]:
        """Return the trips of each part."""


class Scheduler:
    """The queue of trips to make, and the thread that makes them."""

    def __init__(self, writer: BatchGenerator, settings: ServiceSettings, metrics: Metrics) -> None:
        self.writer, self.settings, self.metrics = writer, settings, metrics
        self.pace = _Pace(settings)
        self.stopping = False
        self._jobs: deque[GenerationJob] = deque()
        self._promised = 0  # trips taken on and not made yet, those of requests still being read included
        self._reading = 0  # requests taken on and not queued yet
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="htp-scheduler", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether trips are being made at all."""
        return self._thread.is_alive()

    @property
    def promised(self) -> int:
        """Trips taken on and not made yet."""
        return self._promised

    def full(self, trips: int = 1) -> str | None:
        """Return why a request for so many trips cannot be taken on now, None where it can."""
        waiting, settings = self._reading + len(self._jobs), self.settings
        if self._promised + trips > settings.queue_trips:
            return f"{self._promised:,} trips are waiting and the queue takes {settings.queue_trips:,}"
        if waiting >= settings.queue_requests:
            return f"{waiting:,} requests are waiting and the queue takes no more"
        seconds = (self._promised + trips) / self.pace.trips_per_s
        if self._promised and self.pace.measured and seconds > IN_TIME * settings.deadline_s:
            return f"{self._promised:,} trips are waiting and {trips:,} more would take {seconds:.0f} s in all"
        return None

    def reserve(self, trips: int) -> None:
        """Take on a request; `Refused` with 429 where too much waits already, with 503 where the service stops."""
        with self._changed:
            if self.stopping:
                raise Refused(503, "The service is stopping and takes no new requests; ask another one.", 5)
            if reason := self.full(trips):
                wait_s = min(MAX_RETRY_S, max(1, math.ceil(self._promised / self.pace.trips_per_s)))
                raise Refused(429, f"{reason}; try again in {wait_s} s.", wait_s)
            self._promised += trips
            self._reading += 1
        self._show()

    def release(self, trips: int) -> None:
        """Give up a request that was taken on."""
        with self._changed:
            self._promised -= trips
            self._reading -= 1
            self._changed.notify()
        self._show()

    def submit(self, job: GenerationJob) -> None:
        """Queue a request that was taken on."""
        with self._changed:
            self._reading -= 1
            self._jobs.append(job)
            self._changed.notify()
        self._show()

    def drop(self, job: GenerationJob) -> None:
        """Forget what is left of a request; does nothing for one that is finished."""
        with self._changed:
            job.dropped = True
            if job in self._jobs:
                self._jobs.remove(job)
                self._promised -= len(job.left)
                self._changed.notify()
        self._show()

    def stop(self) -> None:
        """Take no new requests; what was taken on is finished."""
        with self._changed:
            self.stopping = True
            self._changed.notify()

    def join(self, seconds: float) -> None:
        """Wait until a stopping service has nothing left to do."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or (self.stopping and not self._promised))
                if self.stopping and not self._promised:
                    return
                batch = self._next_batch()
                crowded = bool(self._jobs)
            if batch:
                self._make(batch, crowded=crowded)

    def _next_batch(self) -> list[tuple[GenerationJob, RequestPart]]:
        """Take trips of the requests that are drawn from as the one whose turn it is."""
        for late in [job for job in self._jobs if job.late]:  # its answer says so itself
            self._jobs.remove(late)
            self._promised -= len(late.left)
        if not self._jobs:
            return []
        soon = time.monotonic() + (1 - IN_TIME) * self.settings.deadline_s
        pressing = sorted((job for job in self._jobs if job.deadline <= soon), key=lambda job: job.deadline)
        sampling = (pressing or self._jobs)[0].sampling
        counts = self._counts([job for job in self._jobs if job.sampling == sampling], pressing)
        batch = [(job, job.take(count)) for job, count in counts.items() if count]
        served = {job for job, _ in batch}
        waiting = [job for job in self._jobs if job not in served]
        self._jobs = deque([*waiting, *(job for job, _ in batch if len(job.left))])
        return batch

    def _counts(self, alike: Sequence[GenerationJob], pressing: Sequence[GenerationJob]) -> dict[GenerationJob, int]:
        """Return how many trips of each request come into a batch: those that press first, then the others in turn."""
        room = max(self.pace.batch_trips, min(len(alike), self.settings.batch_trips))  # a trip for each where it fits
        counts = dict.fromkeys(alike, 0)
        for job in pressing:
            if job in counts:
                counts[job] = min(room, len(job.left))
                room -= counts[job]
        turns = deque(job for job in alike if counts[job] < len(job.left))
        turn = min(QUANTUM, max(1, room // max(1, len(turns))))
        while turns and room:
            job = turns.popleft()
            more = min(turn, room, len(job.left) - counts[job])
            counts[job], room = counts[job] + more, room - more
            if counts[job] < len(job.left):
                turns.append(job)
        return counts

    def _make(self, batch: list[tuple[GenerationJob, RequestPart]], *, crowded: bool) -> None:
        trips, started = sum(len(part) for _, part in batch), time.monotonic()
        self.metrics.batch(trips, len(batch))
        try:
            made: Sequence[gpd.GeoDataFrame | Exception] = self._write(batch)
        except Exception as error:  # one request must not fail the others, nor end this thread
            log.exception("a batch of %d trips failed", trips)
            made = [error] if len(batch) == 1 else [self._alone(one) for one in batch]
        seconds = time.monotonic() - started
        self.pace.learn(trips, seconds, crowded=crowded)
        self.metrics.batch_done(trips, seconds)
        with self._changed:
            self._promised -= trips
        for (job, _), news in zip(batch, made, strict=True):
            job.tell(news)
            if isinstance(news, Exception):
                self.drop(job)
            elif not len(job.left):
                job.tell(None)
        self._show()

    def _alone(self, one: tuple[GenerationJob, RequestPart]) -> gpd.GeoDataFrame | Exception:
        try:
            return self._write([one])[0]
        except Exception as error:
            log.exception("a request failed")
            return error

    def _write(self, batch: list[tuple[GenerationJob, RequestPart]]) -> list[gpd.GeoDataFrame]:
        return self.writer.write([part for _, part in batch], batch[0][0].sampling)

    def _show(self) -> None:
        self.metrics.queue(self._promised, len(self._jobs))


class _Pace:
    """How fast trips are made, and so how many fit into a batch of the wanted time."""

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.trips_per_s = float(QUANTUM)  # until the first batch is measured
        self.measured = False
        self.batch_trips = min(QUANTUM, settings.batch_trips)

    def learn(self, trips: int, seconds: float, *, crowded: bool = True) -> None:
        """Learn from a batch; `crowded`: others waited, so it held as many trips as it could."""
        rate = trips / max(seconds, 1e-6)
        if crowded or trips >= self.batch_trips:
            self.trips_per_s = self.trips_per_s + 0.3 * (rate - self.trips_per_s) if self.measured else rate
            self.measured = True
        else:  # a small batch says only that it is no slower
            self.trips_per_s = max(self.trips_per_s, rate)
        fitting = trips * self.settings.batch_s / max(seconds, 1e-6)
        if trips >= self.batch_trips or seconds > self.settings.batch_s:  # a small batch says little about a full one
            at_most = min(2 * self.batch_trips, self.settings.batch_trips)
            self.batch_trips = int(min(max(fitting, QUANTUM), at_most))
