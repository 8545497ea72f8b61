"""Take requests on: what each costs, its place in the queue, and the deadline by which it is answered.

A request costs its trips, and the searches for its routes. What is taken on is finished: no more is taken on than can
be made in a quarter of the deadline at the throughput measured, and a request for which a quarter of it is over goes
before the others; the other half is for a machine that becomes slower meanwhile. Routes are searched in two lanes, so
that a request of one route never waits for one of many, and piece by piece: between two pieces another request has its
turn, and the deadline and the client are looked at.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    import geopandas as gpd

    from htp.serve.monitoring import Metrics
    from htp.serve.scheduler import RequestPart, Throughput
    from htp.trip_source import Sampling

MAX_RETRY_S = 60
FIRST_LEGS_PER_S = 20.0  # until the first search is measured; ours, a tenth of what a core does in the city that ships
LATELY = 0.9  # what is left of a measurement after another one
IN_TIME = 0.25  # of the deadline, see above; at 0.5 one request in ten was late on a machine with other work, ours


@dataclass(frozen=True)
class ServiceSettings:
    """The limits of a service; all are ours."""

    max_body_bytes: int = 4 * 2**20  # of one request
    max_trips: int = 1000  # in one request
    max_waypoints: int = 50  # of one route
    max_roads: int = 5000  # of one route given by its roads
    max_legs: int = 2000  # between waypoints, all routes of one request together
    queue_trips: int = 5000  # waiting, all requests together; more is answered with 429
    queue_requests: int = 500  # waiting; below the connections that the server keeps, so that it is we who refuse
    batch_trips: int = 64  # generated at once at most
    batch_s: float = 1.0  # batches are kept so small that they take about this long: what a new request waits
    deadline_s: float = 60.0  # from a request's arrival to its last trip
    allow_origins: tuple[str, ...] = ()  # other sites whose pages may call the service
    share_heldout: bool = False  # give out the checkpoint's held-out trips, which may be those of real people

    def __post_init__(self) -> None:
        """Check the limits against each other; `InputError` says what does not fit."""
        if self.queue_trips < self.max_trips:
            raise InputError(
                f"a queue of {self.queue_trips:,} trips is too short for requests of {self.max_trips:,} trips; "
                "give a longer queue or smaller requests."
            )
        if self.max_legs < self.max_waypoints:
            raise InputError(f"{self.max_legs:,} legs are too few for a route of {self.max_waypoints:,} waypoints.")
        if not 1.0 <= self.deadline_s <= 3600.0:
            raise InputError(f"the deadline is {self.deadline_s:g} s; give 1 to 3600 s.")


class Refused(Exception):  # noqa: N818  an answer, not a fault
    """The service does not take the request, or does not finish it: status and one sentence."""

    def __init__(self, status: int, sentence: str, retry_after_s: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.retry_after_s = status, sentence, retry_after_s


class ClientDisconnected(Exception):  # noqa: N818  nobody is left to be told
    """The client went away before its answer was complete."""


@dataclass(frozen=True)
class Admission:
    """What a request was admitted with; seconds of the monotonic clock."""

    cost: int  # trips
    arrival: float
    deadline: float


class SearchPace:
    """How fast one thread searches, as measured lately by all lanes."""

    def __init__(self) -> None:
        self.measured = False
        self._legs, self._seconds = FIRST_LEGS_PER_S, 1.0

    @property
    def legs_per_s(self) -> float:
        """Legs a second."""
        return self._legs / self._seconds

    def learn(self, legs: int, seconds: float) -> None:
        """Learn from a piece of work."""
        self._legs = LATELY * self._legs + legs
        self._seconds = LATELY * self._seconds + max(seconds, 1e-3)
        self.measured = True

    def hope(self) -> None:
        """Take it for a little faster, where nothing can be measured as all that is asked for is refused."""
        self._seconds *= LATELY


class SearchLane:
    """Searches for routes that were admitted, on threads of their own; for the event loop alone.

    A leg leads from one waypoint to the next. A lane admits what it can search in a quarter of the deadline, one that
    has nothing to do whatever a thread can search before it.
    """

    def __init__(self, settings: ServiceSettings, threads: int, pace: SearchPace) -> None:
        self.settings, self.pace, self._threads = settings, pace, threads
        self.pending_legs = 0
        self._limiter: anyio.CapacityLimiter | None = None  # made on the event loop

    @property
    def legs_per_s(self) -> float:
        """How fast the threads search together, as measured."""
        return self._threads * self.pace.legs_per_s

    def full(self, legs: int = 1) -> str | None:
        """Return why a request of so many legs cannot be admitted now, None where it can."""
        seconds = (self.pending_legs + legs) / self.legs_per_s
        if self.pending_legs and seconds > IN_TIME * self.settings.deadline_s:
            return f"routes of {self.pending_legs:,} legs are waited for and {legs:,} more would take {seconds:.0f} s"
        if self.pace.measured and legs / self.pace.legs_per_s > self.settings.deadline_s:
            self.pace.hope()
            return f"routes of {legs:,} legs would take longer than the deadline now"
        return None

    async def run(
        self,
        pieces: Sequence[tuple[int, Callable[[], Any]]],
        deadline: float,
        disconnected: Callable[[], Awaitable[None]],
    ) -> list[Any]:
        """Return what each piece of work returns; a piece is its legs and what searches them.

        `Refused` where the lane is full (429) or at the deadline (504), `ClientDisconnected` when `disconnected`
        returns first. What is left then is not begun.
        """
        legs = left = sum(count for count, _ in pieces)
        if reason := self.full(legs):
            wait_s = min(MAX_RETRY_S, max(1, math.ceil(self.pending_legs / self.legs_per_s)))
            raise Refused(429, f"{reason}; try again in {wait_s} s.", wait_s)
        self.pending_legs += legs
        gone, results = asyncio.ensure_future(disconnected()), []
        try:
            for count, work in pieces:
                results.append(await self._piece(count, work, deadline, gone))
                self.pending_legs, left = self.pending_legs - count, left - count
        finally:
            self.pending_legs -= left
            gone.cancel()
        return results

    async def _piece(self, legs: int, work: Callable[[], Any], deadline: float, gone: asyncio.Future[None]) -> Any:
        self._limiter = self._limiter or anyio.CapacityLimiter(self._threads)
        piece = asyncio.ensure_future(anyio.to_thread.run_sync(lambda: self._timed(legs, work), limiter=self._limiter))
        either: set[asyncio.Future[Any]] = {piece, gone}
        try:
            left_s = max(0.0, deadline - time.monotonic())
            done, _ = await asyncio.wait(either, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not piece.done():
                piece.cancel()  # in its thread it ends by itself, and soon
        if piece in done:
            return piece.result()
        if gone in done:
            raise ClientDisconnected
        raise Refused(504, "The routes were not found before the deadline; ask for fewer, or try again later.")

    def _timed(self, legs: int, work: Callable[[], Any]) -> Any:
        started = time.monotonic()
        result = work()
        seconds = time.monotonic() - started
        if legs:
            self.pace.learn(legs, seconds)
        return result


class QueuedRequest:
    """An admitted request: what is left to make, and its trips as they are made. Create it on the event loop."""

    def __init__(self, admission: Admission, part: RequestPart, sampling: Sampling) -> None:
        self.admission, self.remaining, self.sampling = admission, part, sampling
        self.deadline = admission.deadline
        self._loop = asyncio.get_running_loop()
        self._results: asyncio.Queue[gpd.GeoDataFrame | Exception | None] = asyncio.Queue()

    def take(self, count: int) -> RequestPart:
        """Take the next trips off what is left."""
        taken, self.remaining = self.remaining[:count], self.remaining[count:]
        return taken

    @property
    def expired(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.deadline

    def deliver(self, result: gpd.GeoDataFrame | Exception | None) -> None:
        """Hand over trips, a fault, or None at the end; from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._results.put_nowait, result)

    async def trips(self, disconnected: Callable[[], Awaitable[None]]) -> AsyncGenerator[gpd.GeoDataFrame]:
        """Yield trips as they are made.

        Raises `ClientDisconnected` when `disconnected` returns first, `Refused` at the deadline, and what went wrong.
        """
        gone = asyncio.ensure_future(disconnected())
        try:
            while (result := await self._next(gone)) is not None:
                if isinstance(result, Exception):
                    raise result
                yield result
        finally:
            gone.cancel()

    async def _next(self, gone: asyncio.Future[None]) -> gpd.GeoDataFrame | Exception | None:
        result = asyncio.ensure_future(self._results.get())
        either: set[asyncio.Future[Any]] = {result, gone}
        try:
            left_s = max(0.0, self.deadline - time.monotonic())
            done, _ = await asyncio.wait(either, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not result.done():
                result.cancel()
        if result in done:
            return result.result()
        if gone in done:
            raise ClientDisconnected
        raise Refused(504, "The trips were not ready before the deadline; ask for fewer, or try again later.")


@dataclass(frozen=True)
class RequestBatch:
    """Parts of requests that are generated together."""

    parts: list[tuple[QueuedRequest, RequestPart]]
    saturated: bool  # others wait still, so it holds as many trips as it may

    def __len__(self) -> int:
        """Return the number of trips."""
        return sum(len(part) for _, part in self.parts)


class RequestQueue:
    """All requests that were admitted and are not finished; for any thread."""

    def __init__(self, settings: ServiceSettings, metrics: Metrics, throughput: Throughput) -> None:
        self.settings, self.metrics, self.throughput = settings, metrics, throughput
        self.stopping = False
        self.pending_trips = 0  # admitted and not made yet, those of requests still being read included
        self._reading = 0  # requests admitted whose routes and conditions are not there yet
        self._waiting: deque[QueuedRequest] = deque()
        self._changed = threading.Condition()

    def full(self, trips: int = 1) -> str | None:
        """Return why a request for so many trips cannot be admitted now, None where it can."""
        requests, settings = self._reading + len(self._waiting), self.settings
        if self.pending_trips + trips > settings.queue_trips:
            return f"{self.pending_trips:,} trips are waiting and the queue takes {settings.queue_trips:,}"
        if requests >= settings.queue_requests:
            return f"{requests:,} requests are waiting and the queue takes no more"
        seconds = (self.pending_trips + trips) / self.throughput.trips_per_s
        if self.pending_trips and self.throughput.measured and seconds > IN_TIME * settings.deadline_s:
            return f"{self.pending_trips:,} trips are waiting and {trips:,} more would take {seconds:.0f} s in all"
        return None

    def admit(self, trips: int) -> Admission:
        """Admit a request; `Refused` with 429 where too much waits already, with 503 where the service stops."""
        with self._changed:
            self.check_open()
            if reason := self.full(trips):
                wait_s = min(MAX_RETRY_S, max(1, math.ceil(self.pending_trips / self.throughput.trips_per_s)))
                raise Refused(429, f"{reason}; try again in {wait_s} s.", wait_s)
            self._account(trips, reading=1)
        now = time.monotonic()
        return Admission(trips, now, now + self.settings.deadline_s)

    def check_open(self) -> None:
        """Raise `Refused` with 503 where the service stops."""
        if self.stopping:
            raise Refused(503, "The service is stopping and takes no new requests; ask another one.", 5)

    def withdraw(self, admission: Admission) -> None:
        """Give up an admitted request that was not queued."""
        with self._changed:
            self._account(-admission.cost, reading=-1)

    def put(self, request: QueuedRequest) -> None:
        """Queue an admitted request."""
        with self._changed:
            self._waiting.append(request)
            self._account(0, reading=-1)

    def cancel(self, request: QueuedRequest) -> None:
        """Forget what is left of a request; does nothing for one that is finished."""
        with self._changed:
            if request in self._waiting:
                self._waiting.remove(request)
                self._account(-len(request.remaining))

    def finish(self, trips: int) -> None:
        """Count trips of a batch as made."""
        with self._changed:
            self._account(-trips)

    def stop(self) -> None:
        """Admit no new requests; what was admitted is finished."""
        with self._changed:
            self.stopping = True
            self._changed.notify()

    def wait(self) -> bool:
        """Wait for requests; return False where a stopping service has nothing left to do."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or (self.stopping and not self.pending_trips))
            return not self.stopping or self.pending_trips > 0

    def take(self, choose: Callable[[Sequence[QueuedRequest]], Mapping[QueuedRequest, int]]) -> RequestBatch:
        """Take as many trips of each waiting request as `choose` says; who got some goes to the end of the queue."""
        with self._changed:
            for late in [request for request in self._waiting if request.expired]:  # its answer says so itself
                self.cancel(late)
            counts = choose(self._waiting) if self._waiting else {}
            parts = [(request, request.take(count)) for request, count in counts.items() if count]
            for request, _ in parts:
                self._waiting.remove(request)
            self._waiting.extend(request for request, _ in parts if len(request.remaining))
            return RequestBatch(parts, saturated=bool(self._waiting))

    def __len__(self) -> int:
        return len(self._waiting)

    def _account(self, trips: int, reading: int = 0) -> None:
        """Change the numbers of trips and of requests being read, and show them."""
        self.pending_trips += trips
        self._reading += reading
        self._changed.notify()
        self.metrics.queue(self.pending_trips, len(self._waiting))
