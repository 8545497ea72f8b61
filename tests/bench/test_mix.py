"""Every address is asked, heavy requests among them, and an answer that lacks something is told from a whole one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest

from htp.bench.mix import BATCH, SHARES, TIMES, TRIPS, Mix
from htp.serve.routes import guarded, open_to_all

LIMITS = {"trips": 1000, "waypoints": 50, "legs": 2000, "duration_s": [285, 2985]}


@dataclass
class Described:
    """What a client knows of a service."""

    city: object
    heldout: bool = False

    @property
    def model(self):
        return {"limits": LIMITS, "heldout": self.heldout}


@pytest.fixture
def mix(grid):
    return Mix(Described(grid), 4, everything=True)


def test_addresses_come_as_often_as_their_shares_say(mix):
    asked = Counter(mix.request(number).kind for number in range(5000))
    assert set(asked) == set(SHARES) - {"/v1/heldout"}  # which this service keeps to itself
    assert 0.48 < asked[TRIPS] / 5000 < 0.54
    assert 0.01 < asked[f"{TIMES}, heavy"] / 5000 < 0.03


def test_every_address_of_the_service_has_a_share():
    addresses = {route.path for router in (guarded, open_to_all) for route in router.routes if route.include_in_schema}
    assert {kind.partition(",")[0] for kind in SHARES} == addresses


def test_heavy_requests_are_near_the_limits(mix):
    (batch,), (times,) = mix._requests[f"{BATCH}, heavy"], mix._requests[f"{TIMES}, heavy"]
    assert batch.count == sum(one["n"] for one in batch.body["requests"]) == 200
    legs = sum(len(one["waypoints"]) - 1 for one in times.body["requests"])
    assert LIMITS["legs"] - 49 <= legs <= LIMITS["legs"]
    assert batch.path == BATCH


def test_an_answer_that_lacks_a_trip_or_a_route_is_not_whole(mix):
    trips = mix._requests[TRIPS][0]
    assert trips.is_whole(b'"LineString"' * 4)
    assert not trips.is_whole(b'"LineString"' * 3)
    times = mix._requests[TIMES][0]
    assert times.is_whole(b'{"quantiles": [0.5], "seconds": [' + b"[1.0]," * 5 + b"]}")
    assert not times.is_whole(b'{"quantiles": [0.5], "seconds": [' + b"[1.0]," * 4 + b"]}")


def test_trips_alone_are_asked_for_where_memory_is_watched(grid):
    mix = Mix(Described(grid), 1)
    assert {mix.request(number).kind for number in range(100)} == {TRIPS}
    assert mix.request(3) == Mix(Described(grid), 1).request(3)
