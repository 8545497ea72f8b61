"""Put a running service under load: as much as it can do, then a multiple of that, and see how it holds up.

First some clients ask as fast as they are answered, which tells the capacity. Then requests arrive by chance at a rate
(a Poisson process), whether the ones before are answered or not, as those of many people do. Or a number of requests
are asked one after another, to see whether memory grows.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import httpx
import numpy as np
import shapely

from htp.bench.held import Answered, Held, Point
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from htp.client import Client

CLIENTS = 32  # that ask at once where the capacity is measured: with a few trips each they fill a batch
DRIVES = 40  # different ones that are asked for in turn
TRIES = 100  # pairs of roads to look for one drive among
SLACK_S = 15.0  # beyond the service's own deadline, before a client gives up
RESIDENT = re.compile(r"^process_resident_memory_bytes (\S+)$", re.MULTILINE)


@dataclass
class Asker:
    """Asks a service for drives through its city and notes what comes back."""

    client: Client
    trips: int  # in each request
    seed: int = 0
    answers: list[Answered] = field(default_factory=list)
    memory: list[Point] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Choose the drives."""
        rng = np.random.default_rng(self.seed)
        self.bodies = [self._drive(rng) | {"n": self.trips} for _ in range(DRIVES)]
        self.timeout_s = float(self.client.model["limits"]["deadline_s"]) + SLACK_S

    async def __aenter__(self) -> Self:
        """Open connections, as many as there are requests at once."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=CLIENTS)
        self._http = httpx.AsyncClient(
            base_url=self.client.url, headers=self.client.headers, timeout=self.timeout_s, limits=limits
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(self, number: int) -> Answered:
        """Ask for the trips of a request's number and note how it went; status 0 where no answer came."""
        body = self.bodies[number % len(self.bodies)] | {"seed": number}
        started, status, whole, waits = time.monotonic(), 0, False, False
        try:
            answer = await self._http.post("/v1/trips", json=body)
        except httpx.HTTPError:
            pass
        else:
            status, waits = answer.status_code, answer.headers.get("retry-after", "").isdecimal()
            whole = answer.content.count(b'"LineString"') == self.trips
        answered = Answered(status, time.monotonic() - started, whole=whole, says_when=waits)
        self.answers.append(answered)
        return answered

    async def weigh(self) -> None:
        """Note how much memory the service takes, as far as it says so."""
        found = RESIDENT.search((await self._http.get("/metrics")).text)
        if found:
            self.memory.append(Point(len(self.answers), int(float(found[1]))))

    def _drive(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return a drive between two places chosen by chance, in half as much time again as without traffic."""
        city, (shortest_s, longest_s) = self.client.city, self.client.model["limits"]["duration_s"]
        for _ in range(TRIES):
            ends = city.roads.geometry.iloc[rng.integers(len(city), size=2)]
            middles = shapely.line_interpolate_point(ends.to_numpy(), 0.5, normalized=True)
            places = [(round(point.x, 6), round(point.y, 6)) for point in middles]
            try:
                free_s = float(city.free_flow_s[city.route(places).roads].sum())
            except InputError:
                continue
            duration_s = round(float(np.clip(1.5 * free_s, shortest_s, longest_s)))
            return {"waypoints": places, "depart": "2024-05-14 08:15", "duration": duration_s}
        raise InputError(f"{city.name}: no two places are connected; use a city whose roads hang together.")


async def one_after_another(asker: Asker, numbers: Iterator[int], heard: Callable[[int], None]) -> None:
    """Let `CLIENTS` clients ask for these numbers, each the next one as soon as it is answered."""

    async def ask_on() -> None:
        for number in numbers:
            await asker.ask(number)
            heard(number)

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
    warm_s = min(15.0, seconds / 4)
    async with asker:
        until = time.monotonic() + warm_s
        await one_after_another(asker, _while(lambda: time.monotonic() < until), lambda _: None)
        capacity = sum(one.status == 200 for one in asker.answers) / (time.monotonic() - until + warm_s)
        if capacity == 0:
            raise InputError(f"{asker.client.url}: nothing was answered in {warm_s:.0f} s; see the service's log.")
        asker.answers.clear()
        await asker.weigh()
        rate = times * capacity
        gaps_s = np.random.default_rng(asker.seed).exponential(1 / rate, round(rate * seconds))
        started = time.monotonic()
        await as_they_come(asker, np.cumsum(gaps_s), lambda number: progress(number + 1, len(gaps_s)))
        taken_s = time.monotonic() - started
        await asker.weigh()
    return Held(tuple(asker.answers), tuple(asker.memory), asker.trips, taken_s, capacity)


async def repeat(asker: Asker, requests: int, every: int, progress: Callable[[int, int], None]) -> Held:
    """Ask for so many requests, and note the memory after each `every` of them."""
    async with asker:
        started = time.monotonic()
        for first in range(0, requests, every):
            last = min(first + every, requests)
            await one_after_another(asker, iter(range(first, last)), lambda number: progress(number + 1, requests))
            await asker.weigh()
        taken_s = time.monotonic() - started
    return Held(tuple(asker.answers), tuple(asker.memory), asker.trips, taken_s, None)


def _while(condition: Callable[[], bool]) -> Iterator[int]:
    number = 0
    while condition():
        yield number
        number += 1
