"""Draw requests to every address of a service, most of them light and some as heavy as the service takes.

Bodies are made once, from places drawn over the city; which of them comes at what number depends on the seed alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from htp.errors import InputError

if TYPE_CHECKING:
    from htp.client import Client

TRIPS, BATCH, TIMES = "/v1/trips", "/v1/trips/batch", "/v1/travel-times"
DRIVES = 40  # different ones that are asked for in turn
TRIES = 100  # roads to look for one drive among
DEPART = "2024-05-14 08:15"
LIGHT_ROUTES = 5  # in a light request for many; ours
HEAVY_SHARE = 5  # a heavy batch has this part of the trips that one request may ask for; ours
SHARES = {  # of a hundred requests; ours: people want trips, programs look after the service
    TRIPS: 50,
    BATCH: 8,
    f"{BATCH}, heavy": 2,
    TIMES: 8,
    f"{TIMES}, heavy": 2,
    "/v1/model": 6,
    "/v1/city": 4,
    "/v1/city/roads": 2,
    "/v1/heldout": 2,
    "/healthz": 6,
    "/readyz": 6,
    "/metrics": 4,
}


@dataclass(frozen=True)
class Request:
    """A request, and how to see that its answer is whole."""

    kind: str  # its address, and whether it is a heavy one
    body: dict[str, Any] | None = None  # None: GET
    mark: bytes = b""  # what the answer holds `count` times
    count: int = 0
    answers: tuple[int, ...] = (200,)  # statuses that say what is asked for

    @property
    def path(self) -> str:
        """Its address."""
        return self.kind.partition(",")[0]

    def is_whole(self, content: bytes) -> bool:
        """Whether an answer holds all that was asked for."""
        return content.count(self.mark) == self.count if self.mark else bool(content)


class Mix:
    """Requests to a service: for some trips each, or a mixture of all that it has."""

    def __init__(self, client: Client, trips: int, *, seed: int = 0, everything: bool = False) -> None:
        """Choose the drives; `everything`: ask every address, not for trips alone."""
        self.client, self.seed = client, seed
        self._rng = np.random.default_rng(seed)
        drives = [self._drive() for _ in range(DRIVES)]
        self._requests = {TRIPS: [_trips(drive, trips) for drive in drives]}
        if everything:
            self._requests |= self._others(drives)
        self._kinds = list(self._requests)
        shares = np.array([SHARES[kind] for kind in self._kinds], dtype=np.float64)
        self._until = np.cumsum(shares / shares.sum())

    def request(self, number: int) -> Request:
        """Return the request of a number."""
        drawn = np.random.default_rng([self.seed, number]).random()
        kind = self._kinds[int(np.searchsorted(self._until[:-1], drawn, side="right"))]
        return self._requests[kind][number % len(self._requests[kind])]

    def _others(self, drives: list[dict[str, Any]]) -> dict[str, list[Request]]:
        """Return the requests that are not for one drive's trips, by their kind."""
        limits = self.client.model["limits"]
        heavy_trips = max(1, limits["trips"] // HEAVY_SHARE)
        many = [drive | {"n": max(1, heavy_trips // DRIVES)} for drive in drives[:heavy_trips]]
        light = [drives[at : at + LIGHT_ROUTES] for at in range(0, DRIVES, LIGHT_ROUTES)]
        long = self._route(limits["waypoints"])
        routes = max(1, min(limits["trips"], limits["legs"] // (len(long) - 1)))
        heavy_times = [{"waypoints": long, "depart": DEPART}] * routes
        found = {
            BATCH: [_batch(BATCH, some) for some in light],
            f"{BATCH}, heavy": [_batch(f"{BATCH}, heavy", many)],
            TIMES: [_times(TIMES, [_route_of(drive) for drive in some]) for some in light],
            f"{TIMES}, heavy": [_times(f"{TIMES}, heavy", heavy_times)],
        }
        plain = [kind for kind in SHARES if kind not in found | {TRIPS: []}]
        if not self.client.model["heldout"]:
            plain.remove("/v1/heldout")
        statuses = {"/readyz": (200, 503)}  # no is an answer, too
        return found | {kind: [Request(kind, answers=statuses.get(kind, (200,)))] for kind in plain}

    def _drive(self) -> dict[str, Any]:
        """Return a drive between two places chosen by chance, in half as much time again as without traffic."""
        city, (shortest_s, longest_s) = self.client.city, self.client.model["limits"]["duration_s"]
        places = self._route(2)
        free_s = float(city.free_flow_s[city.route(places).roads].sum())
        return {
            "waypoints": places,
            "depart": DEPART,
            "duration": round(float(np.clip(1.5 * free_s, shortest_s, longest_s))),
        }

    def _route(self, waypoints: int) -> list[tuple[float, float]]:
        """Return places chosen by chance, each of which can be reached from the one before."""
        places, tries = [self._place()], 0
        while len(places) < waypoints and tries < TRIES * waypoints:
            tries += 1
            following = self._place()
            try:
                self.client.city.route([places[-1], following])
            except InputError:
                places = places if len(places) > 1 else [following]
                continue
            places.append(following)
        if len(places) < 2:
            raise InputError(
                f"{self.client.city.name}: no two places are connected; use a city whose roads hang together."
            )
        return places

    def _place(self) -> tuple[float, float]:
        """Return the middle of a road chosen by chance."""
        roads = self.client.city.roads.geometry
        middle = shapely.line_interpolate_point(roads.iloc[int(self._rng.integers(len(roads)))], 0.5, normalized=True)
        return round(middle.x, 6), round(middle.y, 6)


def _trips(drive: dict[str, Any], trips: int) -> Request:
    return Request(TRIPS, drive | {"n": trips}, b'"LineString"', trips)


def _batch(kind: str, drives: list[dict[str, Any]]) -> Request:
    return Request(kind, {"requests": drives}, b'"LineString"', sum(drive.get("n", 1) for drive in drives))


def _route_of(drive: dict[str, Any]) -> dict[str, Any]:
    return {name: drive[name] for name in ("waypoints", "depart")}


def _times(kind: str, routes: list[dict[str, Any]]) -> Request:
    return Request(kind, {"requests": routes}, b"[", len(routes) + 2)  # one of quantiles, one around all, one a route
