"""Count what the service does, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


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
