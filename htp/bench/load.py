"""Put a running service under load: as much as it can do, then a multiple of that, and see how it holds up.

First some clients ask as fast as they are answered, which tells the capacity; who is turned away waits as it is told.
Then requests arrive by chance at a rate (a Poisson process), whether the ones before are answered or not, as those of
many people do. Or a number of requests are asked one after another, to see whether memory grows.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import httpx
import numpy as np

from htp.bench.held import OK, Answered, Held, Point
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from htp.bench.mix import Mix
    from htp.client import Client

CLIENTS = 32  # that ask at once where the capacity is measured: with a few trips each they fill a batch
WARM_S = 30.0  # for which the capacity is measured, or a quarter of the time under load
SLACK_S = 15.0  # beyond the service's own deadline, before a client gives up
RESIDENT = re.compile(r"^process_resident_memory_bytes (\S+)$", re.MULTILINE)


@dataclass
class Asker:
    """Asks a service and notes what comes back."""

    client: Client
    mix: Mix
    answers: list[Answered] = field(default_factory=list)
    memory: list[Point] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Take the deadline from the service."""
        self.deadline_s = float(self.client.model["limits"]["deadline_s"])

    async def __aenter__(self) -> Self:
        """Open connections, as many as there are requests at once."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=CLIENTS)
        self._http = httpx.AsyncClient(
            base_url=self.client.url, headers=self.client.headers, timeout=self.deadline_s + SLACK_S, limits=limits
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(self, number: int) -> Answered:
        """Send the request of a number and note how it went; status 0 where no answer came."""
        request = self.mix.request(number)
        body = None if request.body is None else request.body | ({} if "/travel" in request.path else {"seed": number})
        started, status, whole, retry_s = time.monotonic(), 0, False, None
        try:
            answer = await self._http.request("GET" if body is None else "POST", request.path, json=body)
        except httpx.HTTPError:
            pass
        else:
            waits = answer.headers.get("retry-after", "")
            status, retry_s = answer.status_code, int(waits) if waits.isdecimal() else None
            whole = status in request.answers and (status != OK or request.is_whole(answer.content))
        seconds = time.monotonic() - started
        answered = Answered(request.kind, status, seconds, whole=whole, retry_s=retry_s)
        self.answers.append(answered)
        return answered

    async def weigh(self) -> None:
        """Note how much memory the service takes, as far as it says so."""
        found = RESIDENT.search((await self._http.get("/metrics")).text)
        if found:
            self.memory.append(Point(len(self.answers), int(float(found[1]))))


async def one_after_another(asker: Asker, numbers: Iterator[int], heard: Callable[[int], None]) -> None:
    """Let `CLIENTS` clients ask for these numbers, each the next one as soon as it is answered, or when it was told."""

    async def ask_on() -> None:
        for number in numbers:
            answered = await asker.ask(number)
            heard(number)
            await asyncio.sleep(answered.retry_s or 0)

    await asyncio.gather(*(ask_on() for _ in range(CLIENTS)))


async def as_they_come(asker: Asker, times_s: NDArray[np.float64], heard: Callable[[int], None]) -> None:
    """Ask at these times, in seconds from now, whether earlier requests are answered or not; wait for the last."""
    started, asking = time.monotonic(), set()
    for number, at_s in enumerate(times_s):
        await asyncio.sleep(max(0.0, started + at_s - time.monotonic()))
        asking.add(asyncio.create_task(asker.ask(number)))
        heard(number)
    await asyncio.gather(*asking)


async def overload(asker: Asker, times: float, seconds: float, progress: Callable[[int, int], None]) -> Held:
    """Ask for `times` as much as the service can do, for so many seconds after its capacity was measured."""
    warm_s = min(WARM_S, seconds / 4)
    async with asker:
        until = time.monotonic() + warm_s
        await one_after_another(asker, _while(lambda: time.monotonic() < until), lambda _: None)
        capacity = sum(one.whole for one in asker.answers) / (time.monotonic() - until + warm_s)
        if capacity == 0:
            raise InputError(f"{asker.client.url}: nothing was answered in {warm_s:.0f} s; see the service's log.")
        asker.answers.clear()
        await asker.weigh()
        rate = times * capacity
        gaps_s = np.random.default_rng(asker.mix.seed).exponential(1 / rate, round(rate * seconds))
        started = time.monotonic()
        await as_they_come(asker, np.cumsum(gaps_s), lambda number: progress(number + 1, len(gaps_s)))
        taken_s = time.monotonic() - started
        await asker.weigh()
    return Held(tuple(asker.answers), tuple(asker.memory), asker.deadline_s, taken_s, capacity)


async def repeat(asker: Asker, requests: int, every: int, progress: Callable[[int, int], None]) -> Held:
    """Ask for so many requests, and note the memory after each `every` of them."""
    async with asker:
        started = time.monotonic()
        for first in range(0, requests, every):
            last = min(first + every, requests)
            await one_after_another(asker, iter(range(first, last)), lambda number: progress(number + 1, requests))
            await asker.weigh()
        taken_s = time.monotonic() - started
    return Held(tuple(asker.answers), tuple(asker.memory), asker.deadline_s, taken_s, None)


def _while(condition: Callable[[], bool]) -> Iterator[int]:
    number = 0
    while condition():
        yield number
        number += 1
