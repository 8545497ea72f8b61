"""Hold what a connection may take before a request is there: bytes and seconds of its line and headers.

uvicorn's faster parser (httptools) has no limit on headers, so one connection could fill the memory before a key was
asked for; that of h11 has one. Neither has a limit of time, which is here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

MAX_HEADER_BYTES = 32 << 10  # of a request's line and headers; ours, browsers and proxies send 1 to 8 KiB
HEADER_S = 10.0  # from the connection, or the first byte of a later request, to the end of its headers; ours


class LimitedConnection(H11Protocol):
    """A connection that is closed where the headers of a request do not come in time."""

    _waits: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read on, and wait no longer once the headers are there."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        super().connection_lost(exc)
        self._stop_waiting()

    @property
    def _without_headers(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _watch(self) -> None:
        if not self._without_headers:
            self._stop_waiting()
        elif self._waits is None:
            self._waits = self.loop.call_later(HEADER_S, self._give_up)

    def _give_up(self) -> None:
        self._waits = None
        if self._without_headers:
            self.transport.close()

    def _stop_waiting(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None
