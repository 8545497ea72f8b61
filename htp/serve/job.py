"""Carry a request's trips from the thread that makes them to the one that answers."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    import geopandas as gpd

    from htp.language.sampling import Sampling
    from htp.serve.joint import RequestPart


class Refused(Exception):  # noqa: N818  an answer, not a fault
    """The service does not take the request, or does not finish it: status and one sentence."""

    def __init__(self, status: int, sentence: str, retry_after_s: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.retry_after_s = status, sentence, retry_after_s


class ClientGone(Exception):  # noqa: N818  nobody is left to be told
    """The client went away before its answer was complete."""


class GenerationJob:
    """A request's trips: what is left to make, and what is made so far. Begin it on the event loop."""

    def __init__(self, part: RequestPart, sampling: Sampling, deadline: float) -> None:
        self.left, self.sampling, self.deadline = part, sampling, deadline  # seconds of the monotonic clock
        self.dropped = False  # nobody waits any more
        self._loop = asyncio.get_running_loop()
        self._made: asyncio.Queue[gpd.GeoDataFrame | Exception | None] = asyncio.Queue()

    def take(self, count: int) -> RequestPart:
        """Take the next trips off what is left."""
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    @property
    def late(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.deadline

    def tell(self, news: gpd.GeoDataFrame | Exception | None) -> None:
        """Hand over trips, a fault, or None at the end; from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._made.put_nowait, news)

    async def trips(self, disconnected: Callable[[], Awaitable[None]]) -> AsyncGenerator[gpd.GeoDataFrame]:
        """Yield trips as they are made.

        Raises `ClientGone` when `disconnected` returns first, `Refused` at the deadline, and what went wrong.
        """
        gone = asyncio.ensure_future(disconnected())
        try:
            while (news := await self._next(gone)) is not None:
                if isinstance(news, Exception):
                    raise news
                yield news
        finally:
            gone.cancel()

    async def _next(self, gone: asyncio.Future[None]) -> gpd.GeoDataFrame | Exception | None:
        made = asyncio.ensure_future(self._made.get())
        either: set[asyncio.Future[Any]] = {made, gone}
        try:
            left_s = max(0.0, self.deadline - time.monotonic())
            done, _ = await asyncio.wait(either, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not made.done():
                made.cancel()
        if made in done:
            return made.result()
        if gone in done:
            raise ClientGone
        raise Refused(504, "The trips were not ready before the deadline; ask for fewer, or try again later.")
