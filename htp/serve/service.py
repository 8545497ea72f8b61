"""Hold a generator with its queue, and begin what requests ask for."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from htp.errors import InputError
from htp.serve.description import describe
from htp.serve.job import GenerationJob
from htp.serve.metrics import Metrics
from htp.serve.scheduler import Scheduler
from htp.serve.schemas import BatchRequest, ConditionsRequest, TripsRequest, check_trips

if TYPE_CHECKING:
    from collections.abc import Callable

    from htp.serve.joint import JointGenerator, RequestPart
    from htp.serve.schemas import TravelTimesRequest
    from htp.serve.settings import ServiceSettings
    from htp.trips import Conditions

READERS = 2  # threads that search routes: more would only take time from the generator


class Service:
    """One generator for everybody who asks."""

    def __init__(self, generator: JointGenerator, settings: ServiceSettings) -> None:
        self.generator, self.settings, self.metrics = generator, settings, Metrics()
        self.city = generator.city
        self.city.snap(*self.city.roads.geometry.iloc[0].coords[0])  # builds the search for routes before it is needed
        self.model = describe(generator, settings)
        self.roads = _as_parquet(self.city.roads)
        self.heldout = _as_parquet(generator.heldout()) if settings.share_heldout else None
        self.scheduler = Scheduler(generator, settings, self.metrics)
        self._readers: anyio.CapacityLimiter | None = None

    @property
    def ready(self) -> bool:
        """Whether new requests are welcome."""
        scheduler = self.scheduler
        return scheduler.alive and not scheduler.stopping and scheduler.full() is None

    async def begin(self, asked: TripsRequest | BatchRequest) -> GenerationJob:
        """Queue the trips asked for.

        `InputError` for what cannot be generated, `Refused` where the queue is full or the service stops.
        """
        deadline = time.monotonic() + self.settings.deadline_s
        drives: list[ConditionsRequest] = list(asked.requests) if isinstance(asked, BatchRequest) else [asked]
        trips = check_trips(drives, self.settings)
        first = asked.first if isinstance(asked, BatchRequest) else 0
        self.scheduler.reserve(trips)
        try:
            part = await self._in_thread(lambda: self._complete(drives, first, asked.seed))
        except BaseException:
            self.scheduler.release(trips)
            raise
        job = GenerationJob(part, asked.sampling, deadline)
        self.scheduler.submit(job)
        return job

    async def travel_times(self, asked: TravelTimesRequest) -> list[list[float]]:
        """Return the travel times in seconds of each route at the model's quantiles."""
        if len(asked.requests) > self.settings.max_trips:
            raise InputError(
                f"{len(asked.requests):,} routes are given; one request takes at most {self.settings.max_trips:,}."
            )
        for one in asked.requests:
            one.check(self.settings)
        return await self._in_thread(lambda: self._quantiles(asked))

    def _complete(self, drives: list[ConditionsRequest], first: int, seed: int) -> RequestPart:
        asked: list[Conditions] = []
        for drive in drives:
            asked += [drive.conditions(self.city)] * drive.n
        return self.generator.complete(asked, first, seed)

    def _quantiles(self, asked: TravelTimesRequest) -> list[list[float]]:
        routes = [one.route(self.city) for one in asked.requests]
        if not all(self.city.is_connected(route.roads) for route in routes):
            raise InputError("a route has a gap: each of its roads has to begin where the one before ends.")
        departs = [self.city.local_time(one.depart) for one in asked.requests]
        return self.generator.travel_time.quantiles(self.city, routes, departs).tolist()

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        self._readers = self._readers or anyio.CapacityLimiter(READERS)
        return await anyio.to_thread.run_sync(work, limiter=self._readers)


def _as_parquet(table: Any) -> bytes:
    """Return a table as the bytes of a GeoParquet file."""
    file = io.BytesIO()
    table.to_parquet(file, compression="zstd", schema_version="1.1.0", index=False)
    return file.getvalue()
