"""Put the service together: a generator with its queue, handlers, limits, keys, problems, documentation."""

from __future__ import annotations

import io
import re
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI, Security
from starlette.middleware.cors import CORSMiddleware

import htp
from htp.errors import InputError
from htp.serve.admission import QueuedRequest, RequestQueue
from htp.serve.documentation import describe, examples
from htp.serve.monitoring import Metrics, RequestMonitor
from htp.serve.problems import BEARER, BodyLimit, KeyGuard, answer_with_problems
from htp.serve.routes import guarded, open_to_all
from htp.serve.scheduler import JointGenerator, Scheduler, Throughput
from htp.serve.schemas import BatchRequest, ConditionsRequest, TripsRequest, cost_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from htp.serve.admission import ServiceSettings
    from htp.serve.keys import Keys
    from htp.serve.scheduler import RequestPart
    from htp.serve.schemas import TravelTimesRequest
    from htp.trips import Conditions

SUMMARY = "Realistic GPS trips for a city: a route and a time of day in, trips out."
READERS = 2  # threads that search routes: more would only take time from the generator
SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class ServedCheckpoint:
    """A checkpoint, and how it is offered; small, so that it travels to replicas."""

    checkpoint: Path
    device: str
    settings: ServiceSettings
    keys: Keys | None = None

    def load(self) -> FastAPI:
        """Return the application, its models loaded."""
        generator = JointGenerator.load(self.checkpoint, self.device)
        assert isinstance(generator, JointGenerator), "load makes what it is called on"
        return create_app(generator, self.settings, self.keys)


class Service:
    """One generator for everybody's requests."""

    def __init__(self, generator: JointGenerator, settings: ServiceSettings) -> None:
        self.generator, self.settings, self.metrics = generator, settings, Metrics()
        self.city = generator.city
        self.city.snap(*self.city.roads.geometry.iloc[0].coords[0])  # builds the search for routes before it is needed
        self.model = describe(generator, settings)
        self.roads = _as_parquet(self.city.roads)
        self.heldout = _as_parquet(generator.heldout()) if settings.share_heldout else None
        self.queue = RequestQueue(settings, self.metrics, Throughput(settings))
        self.scheduler = Scheduler(generator, self.queue)
        self._readers: anyio.CapacityLimiter | None = None

    @property
    def ready(self) -> bool:
        """Whether new requests are welcome."""
        return self.scheduler.alive and not self.queue.stopping and self.queue.full() is None

    async def submit(self, body: TripsRequest | BatchRequest) -> QueuedRequest:
        """Queue the trips of a request.

        `InputError` for what cannot be generated, `Refused` where the queue is full or the service stops.
        """
        requests: list[ConditionsRequest] = list(body.requests) if isinstance(body, BatchRequest) else [body]
        first = body.first if isinstance(body, BatchRequest) else 0
        admission = self.queue.admit(cost_of(requests, self.settings))
        try:
            part = await self._in_thread(lambda: self._complete(requests, first, body.seed))
        except BaseException:
            self.queue.withdraw(admission)
            raise
        request = QueuedRequest(admission, part, body.sampling)
        self.queue.put(request)
        return request

    async def travel_times(self, body: TravelTimesRequest) -> list[list[float]]:
        """Return the travel times in seconds of each route at the model's quantiles."""
        if len(body.requests) > self.settings.max_trips:
            raise InputError(
                f"{len(body.requests):,} routes are given; one request takes at most {self.settings.max_trips:,}."
            )
        for one in body.requests:
            one.check(self.settings)
        return await self._in_thread(lambda: self._quantiles(body))

    def _complete(self, requests: list[ConditionsRequest], first: int, seed: int) -> RequestPart:
        conditions: list[Conditions] = []
        for request in requests:
            conditions += [request.conditions(self.city)] * request.n
        return self.generator.complete(conditions, first, seed)

    def _quantiles(self, body: TravelTimesRequest) -> list[list[float]]:
        routes = [one.route(self.city) for one in body.requests]
        if not all(self.city.is_connected(route.roads) for route in routes):
            raise InputError("a route has a gap: each of its roads has to begin where the one before ends.")
        departs = [self.city.local_time(one.depart) for one in body.requests]
        return self.generator.travel_time.quantiles(self.city, routes, departs).tolist()

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        self._readers = self._readers or anyio.CapacityLimiter(READERS)
        return await anyio.to_thread.run_sync(work, limiter=self._readers)


def create_app(generator: JointGenerator, settings: ServiceSettings, keys: Keys | None = None) -> FastAPI:
    """Return the application that serves a generator; without `keys` to everybody who reaches it."""
    service = Service(generator, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.queue.stop()

    app = FastAPI(
        title=f"HTP · {service.city.name}",
        summary=SUMMARY,
        version=htp.__version__,
        docs_url=None,  # FastAPI's page loads scripts from elsewhere; ours is in `documentation.py`
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    app.include_router(guarded, dependencies=[] if keys is None else [Security(BEARER)])
    app.include_router(open_to_all)
    answer_with_problems(app)
    _add_middleware(app, service, keys)
    _add_examples(app, service)
    return app


def _add_middleware(app: FastAPI, service: Service, keys: Keys | None) -> None:
    """Add what every request passes before a handler sees it; what is added last comes first."""
    settings = service.settings
    if keys is not None:
        app.add_middleware(KeyGuard, keys=keys)
    app.add_middleware(BodyLimit, most_bytes=settings.max_body_bytes)
    if settings.allow_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.allow_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After"],
        )
    app.add_middleware(RequestMonitor, metrics=service.metrics)
    app.add_middleware(CorrelationIdMiddleware, validator=None, transformer=_sane_id, update_request_header=False)


def _sane_id(given: str) -> str:
    """Return a request's id as it was given, or a new one; a `validator` would log a line for each odd id."""
    return given if SANE_ID.fullmatch(given) else uuid.uuid4().hex


def _add_examples(app: FastAPI, service: Service) -> None:
    """Add requests that this city answers to the documentation."""
    schema = app.openapi()
    for path, requests in examples(service.city, service.generator.recording).items():
        body: dict[str, Any] = schema["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        body["examples"] = {name: {"value": value} for name, value in requests.items()}


def _as_parquet(table: Any) -> bytes:
    """Return a table as the bytes of a GeoParquet file."""
    file = io.BytesIO()
    table.to_parquet(file, compression="zstd", schema_version="1.1.0", index=False)
    return file.getvalue()
