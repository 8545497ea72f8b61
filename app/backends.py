"""Know where trips can be generated: in this process, or by an `htp serve` that the app was started with.

Only addresses that were named at start can be chosen in the app. A field for any address would let every visitor make
this machine send requests into the network behind it (server-side request forgery). The key is read from the
environment, never from an address, and is on no page and in no link.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from htp.errors import InputError
from htp.trips import Conditions
from htp_app.jobs.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from htp.city import City
    from htp.client import Client
    from htp.trips import Route

HERE = "process"  # names this process in a link
KEY = "HTP_KEY"  # environment variable; goes to every service that the app was started with
PIECE = 128  # trips in one request: on a CPU, and with others waiting, more may miss the service's deadline
LOOK_S = 0.2  # from one look at work that a service does to the next, which is when Stop is heard
SOON_S = 2.0  # that a page waits for travel times while it is drawn
PAUSE_S = 15.0  # without travel times after a service let a page wait that long: the next click answers at once
KEPT = 512  # single routes whose travel times are known: a page asks for its own in every run


@dataclass(frozen=True)
class Backend:
    """A service that the app was started with."""

    url: str

    @classmethod
    def of(cls, url: str) -> Backend:
        """Take an address; `InputError` where it is none, or carries what belongs into no address."""
        parts = urlsplit(url)
        if "@" in parts.netloc or parts.query or parts.fragment:  # not shown: there may be a password in it
            raise InputError(
                "the address after --backend carries more than host, port and path; put a key into the environment "
                f"variable {KEY} instead."
            )
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InputError(f"--backend {url}: no address of a service; give one such as http://localhost:8000.")
        return cls(url.rstrip("/"))

    @property
    def name(self) -> str:
        """What pages and links call it: the address without its scheme."""
        return self.url.split("://", 1)[1]


class Remote:
    """A generator behind a service, asked as the pages ask one in this process."""

    def __init__(self, client: Client) -> None:
        """Fetch the service's city; `InputError` where that fails."""
        self.client, self.city, self.recording = client, client.city, client.recording
        client.limit = min(client.limit, PIECE)
        self.travel_time = client.travel_time  # for work in the background
        self.soon = Soon(client)  # for a page that is being drawn
        self.card, self.version = (str(client.model.get(name, "")) for name in ("card", "version"))

    def generate(
        self,
        conditions: Conditions | Sequence[Conditions],
        n: int = 1,
        *,
        seed: int = 0,
        temperature: float = 1.0,
        progress: Callable[[int, int], None],
    ) -> gpd.GeoDataFrame:
        """Return trips as the client does; `progress` is heard all the time, and may end the work, while it waits."""
        total = n if isinstance(conditions, Conditions) else n * len(conditions)
        job = Job(
            lambda report: self.client.generate(conditions, n, seed=seed, temperature=temperature, progress=report)
        )
        try:
            while job.running:
                job.wait(LOOK_S)
                progress(job.done, total)
        finally:
            job.stop()  # where somebody pressed Stop: it ends with its next trip, or when it has waited long enough
        problem = job.error or job.crash
        if problem is not None:
            raise problem
        assert job.result is not None, "work that nobody stopped ends with trips or a problem"
        return job.result


class Soon:
    """Travel times for a page that is being drawn: soon or not at all."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._known: dict[tuple[Any, ...], NDArray[np.float64]] = {}
        self._until, self._sentence = 0.0, ""  # no question before this time, and why

    def quantiles(self, city: City, routes: Sequence[Route], departs: Sequence[pd.Timestamp]) -> NDArray[np.float64]:
        """Return the travel times in seconds of each route at the model's quantiles, [N, Q]; `InputError` if late."""
        from htp.client import RemoteTravelTimes  # noqa: PLC0415  needs httpx, which is there with the client

        key = [
            (route.roads.tobytes(), route.start_m, route.end_m, at) for route, at in zip(routes, departs, strict=True)
        ]
        if len(key) == 1 and key[0] in self._known:
            return self._known[key[0]]
        asked = time.monotonic()
        if asked < self._until:
            raise InputError(self._sentence)
        try:
            found = RemoteTravelTimes(self.client, SOON_S).quantiles(city, routes, departs)
        except InputError as error:
            now = time.monotonic()
            if now - asked > SOON_S / 2:  # a refusal comes at once and is no reason to wait
                self._until, self._sentence = now + PAUSE_S, str(error)
            raise
        if len(self._known) >= KEPT:
            self._known.clear()
        if len(key) == 1:
            self._known[key[0]] = found
        return found


def backends_of(urls: Sequence[str]) -> tuple[Backend, ...]:
    """Return the services of these addresses, each once."""
    return tuple(dict.fromkeys(Backend.of(url) for url in urls))


def key_of_environment() -> str | None:
    """Return the key for the services, None where there is none."""
    return os.environ.get(KEY, "").strip() or None
