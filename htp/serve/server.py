"""Run the service, and stop it gracefully: finish what was taken on, refuse what is new."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from types import FrameType

    from fastapi import FastAPI

    from htp.serve.service import Service

KEEP_ALIVE_S = 15
CONNECTIONS = 1000  # beyond, answers of uvicorn's own with 503
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
            access_log=False,  # `Watch` logs requests
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=int(self.service.settings.deadline_s) + 1,
        )
        super().__init__(config)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  a signal handler's arguments
        """Stop gracefully; a second Ctrl-C stops at once."""
        if self.service.scheduler.stopping:  # SIGTERM often comes twice, by the process and by its group
            self.should_exit = self.force_exit = sig == signal.SIGINT
            return
        log.info("%s: finishing %d trips", signal.Signals(sig).name, self.service.scheduler.promised)
        self.service.scheduler.stop()

    async def on_tick(self, counter: int) -> bool:
        """Return whether to close: when a stopping service has nothing left to make."""
        scheduler = self.service.scheduler
        return await super().on_tick(counter) or (scheduler.stopping and not scheduler.alive)
