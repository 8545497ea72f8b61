"""Stand in for `htp.Client`: the fake generator's trips, a gate that holds them up, a sentence that refuses them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from fake_generator import FakeGenerator

from htp.errors import InputError

if TYPE_CHECKING:
    from htp.city import City


class FakeClient:
    """Answer the calls that the app makes of a client."""

    def __init__(self, city: City, url: str, *, shared: bool) -> None:
        self.url, self.city, self.limit = url, city, 512
        self.model = {
            "name": "grid",
            "version": "0.1.0",
            "simulated": True,
            "heldout": shared,
            "card": "---\nsimulated: true\n---\n# The card of a service\n",
        }
        self.refusal: str | None = None  # the sentence on every further request
        self.open = threading.Event()  # closed: nothing is answered
        self.open.set()
        self.asked = 0  # questions for travel times
        self.ended = threading.Event()  # a generation came to its end, whatever that was
        self._generator = FakeGenerator(city, seconds_per_trip=0.0)
        self.recording = self._generator.recording
        self.travel_time = self

    def heldout(self):
        assert self.model["heldout"], "a client refuses this where nothing is shared"
        return self._generator.heldout()

    def generate(self, conditions, n=1, *, seed=0, temperature=1.0, progress=None):
        try:
            self._answer(20.0)
            return self._generator.generate(conditions, n, seed=seed, temperature=temperature, progress=progress)
        finally:
            self.ended.set()

    def quantiles(self, *routes_and_departs):
        """Answer as the client (routes, departs, timeout) and as its travel-time model (city, routes, departs)."""
        if routes_and_departs[0] is self.city:
            return self.quantiles(*routes_and_departs[1:], None)
        routes, departs, timeout_s = routes_and_departs
        self.asked += 1
        self._answer(timeout_s or 20.0)
        return self._generator.travel_time.quantiles(self.city, routes, departs)

    def _answer(self, timeout_s: float) -> None:
        if not self.open.wait(timeout_s):
            raise InputError(f"{self.url} has not answered for {timeout_s:g} s; try again later.")
        if self.refusal is not None:
            raise InputError(self.refusal)
