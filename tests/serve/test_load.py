"""Ask a service for more than it can do: it turns requests away, says when to come back, and never fails otherwise."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from fake_batch_generator import FakeBatchGenerator

from htp.bench import load
from htp.bench.load import Asker, overload, repeat
from htp.bench.mix import TRIPS, Mix
from htp.client import Client

TRIPS_PER_S = 24.0  # so slow that a machine that is busy with other tests hardly makes it slower


class SlowGenerator(FakeBatchGenerator):
    """Take time for every trip, as a generator does."""

    def generate_parts(self, parts, sampling):
        time.sleep(sum(map(len, parts)) / TRIPS_PER_S)
        return super().generate_parts(parts, sampling)


def asker(served, trips, *, everything=False):
    client = Client(served.url)
    return Asker(client, Mix(client, trips, everything=everything))


@pytest.mark.slow
@pytest.mark.thorough
def test_what_is_beyond_the_capacity_is_turned_away_and_nothing_fails(serve, grid, monkeypatch):
    monkeypatch.setattr(load, "CLIENTS", 4)
    served = serve(generator=SlowGenerator(grid), queue_requests=6, max_trips=100)  # soon full, on a busy machine too
    heard = []
    held = asyncio.run(overload(asker(served, 4, everything=True), 3.0, 12.0, lambda *at: heard.append(at)))
    assert not held.failed
    found = held.by_address()
    assert len(found[TRIPS].shed) > 0.1 * len(found[TRIPS].answers)
    assert len(found[TRIPS].accepted) > 0.1 * len(found[TRIPS].answers)
    assert {"/healthz", "/v1/model", "/v1/travel-times", "/v1/trips/batch"} <= set(found)
    assert not found["/healthz"].shed
    assert heard[-1] == (len(held.answers), len(held.answers))
    assert served.service.queue.pending_trips == 0
    assert [point.requests for point in held.memory] == [0, len(held.answers)]


def test_memory_is_noted_as_requests_are_answered(serve):
    served = serve()
    held = asyncio.run(repeat(asker(served, 1), 25, 10, lambda *_: None))
    assert (len(held.accepted), len(held.shed), len(held.failed)) == (25, 0, 0)
    assert [point.requests for point in held.memory] == [10, 20, 25]
    assert served.service.metrics.trips._value.get() == 25


@pytest.mark.slow
@pytest.mark.thorough
def test_the_command_notes_memory_every_thousand_requests(serve, run_htp):
    served = serve()
    code, out, heard = run_htp("load", served.url, "--requests", 1100, "--trips", 1, "--json")
    assert code == 0, heard
    facts = json.loads(out)
    assert (facts["accepted"], facts["shed"], facts["failed"]) == (1100, 0, {})
    assert [point["requests"] for point in facts["memory"]] == [1000, 1100]
    assert served.service.metrics.trips._value.get() == 1100


def test_a_load_that_a_service_fails_under_ends_with_code_1(serve, run_htp):
    served = serve()
    served.generator.poison = 3
    code, out, _ = run_htp("load", served.url, "--requests", 8, "--trips", 2)
    assert code == 1
    assert "Failed: 1 × 500." in " ".join(out.split())


def test_where_no_service_is_it_is_a_sentence(run_htp):
    code, _, heard = run_htp("load", "http://127.0.0.1:9", "--requests", 1)
    assert code == 2
    assert "no service answers at http://127.0.0.1:9" in " ".join(heard.split())
