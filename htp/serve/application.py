"""Put the service together: a generator with its queue, handlers, limits, keys, problems, documentation."""

from __future__ import annotations

import io
import re
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI, Security
from starlette.middleware.cors import CORSMiddleware

import htp
from htp.errors import InputError
from htp.serve.admission import QueuedRequest, RequestQueue, SearchLane, SearchPace
from htp.serve.documentation import describe, examples
from htp.serve.monitoring import Metrics, RequestMonitor
from htp.serve.problems import BEARER, BodyLimit, KeyGuard, answer_with_problems
from htp.serve.routes import guarded, open_to_all
from htp.serve.scheduler import JointGenerator, Scheduler, Throughput
from htp.serve.schemas import BatchRequest, ConditionsRequest, TripsRequest, check_routes, cost_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from htp.serve.admission import ServiceSettings
    from htp.serve.keys import Keys
    from htp.serve.schemas import RouteRequest, TravelTimesRequest
    from htp.trips import Conditions

SUMMARY = "Realistic GPS trips for a city: a route and a time of day in, trips out."
QUICK_THREADS, HEAVY_THREADS = 2, 1  # that search routes: more would only take time from the generator
PIECE_LEGS = 50  # searched before another request has its turn: a quarter of a second in the city that ships
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
        pace = SearchPace()
        self.quick, self.heavy = (SearchLane(settings, threads, pace) for threads in (QUICK_THREADS, HEAVY_THREADS))

    @property
    def ready(self) -> bool:
        """Whether new requests are welcome."""
        well = self.scheduler.alive and not self.queue.stopping
        return well and self.queue.full() is None and self.quick.full() is None

    async def submit(
        self, body: TripsRequest | BatchRequest, disconnected: Callable[[], Awaitable[None]]
    ) -> QueuedRequest:
        """Queue the trips of a request, its routes searched.

        `InputError` for what cannot be generated, `Refused` where a queue is full, the service stops or the deadline
        passes, `ClientDisconnected` when `disconnected` returns first.
        """
        requests: list[ConditionsRequest] = list(body.requests) if isinstance(body, BatchRequest) else [body]
        first = body.first if isinstance(body, BatchRequest) else 0
        admission = self.queue.admit(cost_of(requests, self.settings))
        try:
            found: list[Conditions] = []
            pieces = [(legs, partial(self._find, some, found)) for legs, some in _pieces(requests)]
            complete = (0, lambda: self.generator.complete(found, first, body.seed))
            *_, part = await self._lane(requests).run([*pieces, complete], admission.deadline, disconnected)
        except BaseException:
            self.queue.withdraw(admission)
            raise
        request = QueuedRequest(admission, part, body.sampling)
        self.queue.put(request)
        return request

    async def travel_times(
        self, body: TravelTimesRequest, disconnected: Callable[[], Awaitable[None]]
    ) -> list[list[float]]:
        """Return the travel times in seconds of each route at the model's quantiles; raises as `submit` does."""
        deadline = time.monotonic() + self.settings.deadline_s
        self.queue.check_open()
        if len(body.requests) > self.settings.max_trips:
            raise InputError(
                f"{len(body.requests):,} routes are given; one request takes at most {self.settings.max_trips:,}."
            )
        check_routes(body.requests, self.settings)
        pieces = [(legs, partial(self._quantiles, some)) for legs, some in _pieces(body.requests)]
        found = await self._lane(body.requests).run(pieces, deadline, disconnected)
        return [seconds for some in found for seconds in some]

    def _lane(self, requests: Sequence[RouteRequest]) -> SearchLane:
        """Return where routes are searched: those that take no more than one long route go by themselves."""
        return self.quick if sum(one.legs for one in requests) < self.settings.max_waypoints else self.heavy

    def _find(self, requests: Sequence[ConditionsRequest], found: list[Conditions]) -> None:
        for request in requests:
            found += [request.conditions(self.city)] * request.n

    def _quantiles(self, requests: Sequence[RouteRequest]) -> list[list[float]]:
        routes = [one.route(self.city) for one in requests]
        if not all(self.city.is_connected(route.roads) for route in routes):
            raise InputError("a route has a gap: each of its roads has to begin where the one before ends.")
        departs = [self.city.local_time(one.depart) for one in requests]
        return self.generator.travel_time.quantiles(self.city, routes, departs).tolist()


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


def _pieces(requests: Sequence[Any]) -> Iterator[tuple[int, list[Any]]]:
    """Yield requests in groups of `PIECE_LEGS` legs or a route, each with its legs."""
    legs: int = 0
    some: list[Any] = []
    for one in requests:
        if some and legs + one.legs > PIECE_LEGS:
            yield legs, some
            legs, some = 0, []
        legs, some = legs + one.legs, [*some, one]
    yield legs, some


def _as_parquet(table: Any) -> bytes:
    """Return a table as the bytes of a GeoParquet file."""
    file = io.BytesIO()
    table.to_parquet(file, compression="zstd", schema_version="1.1.0", index=False)
    return file.getvalue()
