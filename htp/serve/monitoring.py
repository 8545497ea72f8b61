"""Watch the service: JSON lines on standard error, numbers for Prometheus, and both for every request.

No line of the log holds a place, a route or a key: logs are kept longer and read by more people than requests should
be. The id of a request is that of asgi-correlation-id.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from asgi_correlation_id import correlation_id
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.datastructures import MutableHeaders

from htp.serve.problems import problem, problem_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FACTS = ("method", "path", "status", "seconds", "trips", "key")  # of a request's line
LOGGERS = ("htp.serve", "uvicorn", "uvicorn.error")
PROBES = {"/healthz", "/readyz", "/metrics"}  # asked every few seconds, logged where they fail
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
log = logging.getLogger("htp.serve")


class JsonLines(logging.Formatter):
    """Write a record as one line of JSON: time, level, what happened, and which request it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": moment, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= {"request_id": request_id} if (request_id := correlation_id.get()) else {}
        line |= {name: value for name in FACTS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_as_json() -> None:
    """Send the service's and uvicorn's log to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = ([handler] if name != "uvicorn.error" else []), name == "uvicorn.error"
        logger.setLevel(logging.INFO)


class Metrics:
    """The numbers of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # memory, processor time, open files; on Linux alone
        self.queue_trips = self._gauge("queue_trips", "Trips taken on and not made yet")
        self.queue_requests = self._gauge("queue_requests", "Requests that wait for their next batch")
        self.trips = Counter("htp_trips", "Trips generated", registry=self.registry)
        self.batch_trips = self._histogram("batch_trips", "Trips generated in one batch", SIZES)
        self.batch_requests = self._histogram("batch_requests", "Requests served by one batch", SIZES)
        self.batch_seconds = self._histogram("batch_seconds", "Time of one batch", SECONDS)
        self.first_trip_seconds = self._histogram(
            "first_trip_seconds", "From a request's arrival to its first trip", SECONDS
        )
        self.request_seconds = Histogram(
            "htp_request_seconds", "Time of one request", ["path"], buckets=SECONDS, registry=self.registry
        )
        self.requests = Counter("htp_requests", "Requests answered", ["path", "status"], registry=self.registry)

    def queue(self, trips: int, requests: int) -> None:
        """Show the queue as it is."""
        self.queue_trips.set(trips)
        self.queue_requests.set(requests)

    def batch(self, trips: int, requests: int) -> None:
        """Count a batch that begins."""
        self.batch_trips.observe(trips)
        self.batch_requests.observe(requests)

    def batch_done(self, trips: int, seconds: float) -> None:
        """Count a batch that has ended."""
        self.trips.inc(trips)
        self.batch_seconds.observe(seconds)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request; `path` is that of the handler, so that no client can make up new ones."""
        self.requests.labels(path, str(status)).inc()
        self.request_seconds.labels(path).observe(seconds)

    def text(self) -> bytes:
        """Return all numbers as Prometheus reads them."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(f"htp_{name}", words, registry=self.registry)

    def _histogram(self, name: str, words: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"htp_{name}", words, buckets=buckets, registry=self.registry)


class RequestMonitor:
    """Log and count how every request was answered; faults of our own become a problem. Streams stay streams."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.monotonic(), 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Content-Type-Options"] = "nosniff"
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception as error:  # the last place to catch it; the client still gets an answer
            log.exception("a request failed")
            if not status:
                await problem(*problem_of(error)[:2])(scope, receive, send_and_note)
        finally:
            self._note(scope, status, time.monotonic() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        path = getattr(scope.get("route"), "path", "other")
        self.metrics.answered(path, status, seconds)
        quiet = path in PROBES and status < 400
        facts = {"method": scope["method"], "path": path, "status": status, "seconds": round(seconds, 4)}
        facts |= {name: scope[f"htp.{name}"] for name in ("trips", "key") if f"htp.{name}" in scope}
        log.log(logging.DEBUG if quiet else logging.INFO, "request", extra=facts)
