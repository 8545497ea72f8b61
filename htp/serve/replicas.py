"""Serve from replicas on a Ray cluster: the same application, each replica with a generator and a queue of its own."""

from __future__ import annotations

import logging
import signal
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

from htp.checkpoint import Checkpoint
from htp.scale import Application, Cluster, Replicas
from htp.serve.logs import log_as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from htp.scale import Scaling
    from htp.serve.served import Served

SPARE_S = 5.0  # beyond the deadline, to send the last answer
log = logging.getLogger("htp.serve")


class Unnamed:
    """Leave the header X-Request-ID to the proxy, which adds the one that it hands to the replica."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                del MutableHeaders(scope=message)["X-Request-ID"]
            await send(message)

        await self.app(scope, receive, tell)


@contextmanager
def served_on(address: str, served: Served, scaling: Scaling, host: str, port: int) -> Iterator[None]:
    """Serve on the Ray cluster at an address as long as the context is open; all machines see the checkpoint."""
    served = replace(served, checkpoint=served.checkpoint.absolute())
    Checkpoint(served.checkpoint).verify()
    application = Application(partial(_load, served), _is_well, served.settings.deadline_s + SPARE_S)
    with (
        Cluster(address, gpus=served.device != "cpu") as cluster,
        Replicas(cluster, application, scaling, host, port),
    ):
        yield


def run_on(address: str, served: Served, scaling: Scaling, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what was taken on."""
    log_as_json()
    stop = threading.Event()
    with served_on(address, served, scaling, host, port):
        for sort in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sort, lambda *_: stop.set())
        log.info("serving at http://%s:%d from %d to %d replicas", host, port, scaling.least, scaling.most)
        stop.wait()
        log.info("stopping: the replicas finish what they have taken on")


def _load(served: Served) -> FastAPI:
    log_as_json()
    app = served.load()
    app.add_middleware(Unnamed)
    return app


def _is_well(app: FastAPI) -> bool:
    return bool(app.state.service.scheduler.alive)
