"""Run the service, in this process or as replicas on a Ray cluster, and stop it gracefully.

What was admitted is finished, what is new is refused. A replica is the same application with a generator and a queue
of its own.
"""

from __future__ import annotations

import logging
import signal
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import uvicorn
from starlette.datastructures import MutableHeaders

from htp.checkpoint import GENERATOR, Checkpoint
from htp.scale import Application, Cluster, Replicas
from htp.serve.connections import MAX_HEADER_BYTES, LimitedConnection
from htp.serve.monitoring import log_as_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from htp.scale import Scaling
    from htp.serve.application import ServedCheckpoint, Service

KEEP_ALIVE_S = 15
CONNECTIONS = 1000  # beyond, answers of uvicorn's own with 503
SPARE_S = 5.0  # beyond the deadline, for a replica to send its last answer
log = logging.getLogger("htp.serve")


class Server(uvicorn.Server):
    """A server that, once told to stop, answers on until its last trip is made and sent."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self.service: Service = app.state.service
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,  # `RequestMonitor` logs requests
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            http=LimitedConnection,
            h11_max_incomplete_event_size=MAX_HEADER_BYTES,
            ws="none",
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=int(self.service.settings.deadline_s) + 1,
        )
        super().__init__(config)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  a signal handler's arguments
        """Stop gracefully; a second Ctrl-C stops at once."""
        queue = self.service.queue
        if queue.stopping:  # SIGTERM often comes twice, by the process and by its group
            self.should_exit = self.force_exit = sig == signal.SIGINT
            return
        log.info("%s: finishing %d trips", signal.Signals(sig).name, queue.pending_trips)
        queue.stop()

    async def on_tick(self, counter: int) -> bool:
        """Return whether to close: when a stopping service has nothing left to make."""
        return await super().on_tick(counter) or (self.service.queue.stopping and not self.service.scheduler.alive)


class WithoutRequestId:
    """Leave the header X-Request-ID to Ray's proxy, which adds the one that it hands to the replica."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_without_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                del MutableHeaders(scope=message)["X-Request-ID"]
            await send(message)

        await self.app(scope, receive, send_without_id)


def run(served: ServedCheckpoint, host: str, port: int) -> None:
    """Serve in this process until SIGTERM or Ctrl-C."""
    app = served.load()
    log_as_json()
    Server(app, host, port).run()


@contextmanager
def replicas_on(address: str, served: ServedCheckpoint, scaling: Scaling, host: str, port: int) -> Iterator[None]:
    """Serve on the Ray cluster at an address as long as the context is open; all machines see the checkpoint."""
    served = replace(served, checkpoint=served.checkpoint.absolute())
    Checkpoint(served.checkpoint).verify(GENERATOR)
    application = Application(partial(_load_replica, served), _is_well, served.settings.deadline_s + SPARE_S)
    with (
        Cluster(address, gpus=served.device != "cpu") as cluster,
        Replicas(cluster, application, scaling, host, port),
    ):
        yield


def run_on(address: str, served: ServedCheckpoint, scaling: Scaling, host: str, port: int) -> None:
    """Serve on a Ray cluster until SIGTERM or Ctrl-C, then finish what was admitted."""
    log_as_json()
    stop = threading.Event()
    with replicas_on(address, served, scaling, host, port):
        for sort in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sort, lambda *_: stop.set())
        log.info("serving at http://%s:%d from %d to %d replicas", host, port, scaling.least, scaling.most)
        stop.wait()
        log.info("stopping: the replicas finish what they have taken on")


def _load_replica(served: ServedCheckpoint) -> FastAPI:
    log_as_json()
    app = served.load()
    app.add_middleware(WithoutRequestId)
    return app


def _is_well(app: FastAPI) -> bool:
    return bool(app.state.service.scheduler.alive)
