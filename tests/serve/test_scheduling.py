"""Check who is served when: together, fairly, not beyond the queue or the deadline, and not when nobody waits."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from waiting import NO_CERTIFICATES, eventually

from htp.serve.scheduler import QUANTUM

NDJSON = {"Accept": "application/x-ndjson"}


@pytest.fixture
def ask(drive):
    """Return a function that posts a request, by a connection of its own, and returns the answer."""

    def post(served, headers=None, **change):
        body = drive | change
        return httpx.post(f"{served.url}/v1/trips", json=body, headers=headers, timeout=20, verify=NO_CERTIFICATES)

    return post


@pytest.fixture
def crowd():
    """Return threads for requests at the same time."""
    with ThreadPoolExecutor(16) as threads:
        yield threads


@pytest.fixture
def held(serve, ask, crowd):
    """Return a service whose first batch, a trip of seed 1, is held up, with that request under way."""

    def start(**settings):
        served = serve(**settings)
        served.generator.open.clear()
        served.first = crowd.submit(ask, served, seed=1)
        assert served.generator.generating.wait(10)
        return served

    return start


def promised(served, trips):
    eventually(lambda: served.service.queue.pending_trips == trips)


def queued(served, requests):
    eventually(lambda: len(served.service.queue._waiting) == requests)


def test_requests_that_arrive_together_are_generated_together(held, ask, crowd):
    served = held()
    others = [crowd.submit(ask, served, seed=seed) for seed in range(2, 10)]
    queued(served, 8)
    served.generator.open.set()
    assert all(other.result().status_code == 200 for other in [served.first, *others])
    assert len(served.generator.batches) == 2
    assert sorted(served.generator.batches[1]) == [(seed, 1) for seed in range(2, 10)]


def test_company_changes_no_trip(held, ask, crowd):
    served = held()
    together = [crowd.submit(ask, served, seed=seed, n=5) for seed in range(2, 6)]
    queued(served, 4)
    served.generator.open.set()
    for seed, answer in enumerate(together, 2):
        assert answer.result().json() == ask(served, seed=seed, n=5).json()


def test_a_small_request_does_not_wait_for_a_large_one(held, ask, crowd):
    served = held()
    large = crowd.submit(ask, served, seed=2, n=200)
    queued(served, 1)
    small = crowd.submit(ask, served, seed=3, n=2)
    queued(served, 2)
    served.generator.open.set()
    assert len(small.result().json()["features"]) == 2
    assert len(large.result().json()["features"]) == 200
    assert (3, 2) in served.generator.batches[1] + served.generator.batches[2]


def test_large_requests_take_turns(held, ask, crowd):
    served = held(batch_trips=4 * QUANTUM, batch_s=1000.0)
    served.service.queue.throughput.batch_trips = 4 * QUANTUM
    answers = [crowd.submit(ask, served, seed=seed, n=100) for seed in (2, 3)]
    queued(served, 2)
    served.generator.open.set()
    assert all(len(answer.result().json()["features"]) == 100 for answer in answers)
    shared = [dict(batch) for batch in served.generator.batches[1:7]]
    assert all(batch == {2: 2 * QUANTUM, 3: 2 * QUANTUM} for batch in shared)


def test_requests_that_draw_differently_are_not_mixed(held, ask, crowd):
    served = held()
    others = [crowd.submit(ask, served, seed=seed, temperature=seed / 2) for seed in (2, 3)]
    queued(served, 2)
    served.generator.open.set()
    assert all(other.result().status_code == 200 for other in others)
    assert sorted(served.generator.batches) == [[(1, 1)], [(2, 1)], [(3, 1)]]


def test_batches_are_as_large_as_their_time_allows(serve, ask):
    served = serve(batch_s=1.0)
    pace = served.service.queue.throughput
    for _ in range(10):
        pace.learn(pace.batch_trips, 0.02 * pace.batch_trips)  # 50 trips a second
    assert pace.batch_trips == 50
    pace.learn(1, 0.3)  # a trip alone takes longer than its share of a batch
    assert pace.batch_trips == 50
    for _ in range(10):
        pace.learn(pace.batch_trips, 1.0 * pace.batch_trips)
    assert pace.batch_trips == QUANTUM


def test_a_full_queue_refuses_and_says_when_to_come_back(held, ask):
    served = held(queue_trips=20, max_trips=20)
    answer = ask(served, n=20)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.json()["detail"].startswith("1 trips are waiting and the queue takes 20")
    served.generator.open.set()
    assert served.first.result().status_code == 200
    promised(served, 0)
    assert ask(served, n=20).status_code == 200


def test_no_more_is_taken_on_than_can_be_made_in_a_quarter_of_the_deadline(held, ask, crowd):
    served = held(deadline_s=40.0)
    served.service.queue.throughput.learn(8, 1.0)
    others = crowd.submit(ask, served, n=78)
    promised(served, 79)
    answer = ask(served, n=2)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "10"
    assert answer.json()["detail"] == "79 trips are waiting and 2 more would take 10 s in all; try again in 10 s."
    assert crowd.submit(ask, served, n=1)
    promised(served, 80)
    assert served.http.get("/readyz").status_code == 503
    served.generator.open.set()
    assert others.result().status_code == 200


def test_a_service_with_nothing_to_do_takes_on_whatever_is_allowed(serve, ask):
    served = serve(deadline_s=20.0)
    served.service.queue.throughput.learn(8, 8.0)
    assert ask(served, n=200).status_code == 200


def test_requests_are_refused_before_connections_run_out(held, ask, crowd):
    served = held(queue_requests=3)
    others = [crowd.submit(ask, served, seed=seed) for seed in (2, 3, 4)]
    queued(served, 3)
    answer = ask(served, seed=5)
    assert answer.status_code == 429
    assert answer.json()["detail"].startswith("3 requests are waiting and the queue takes no more; try again in")
    served.generator.open.set()
    assert all(other.result().status_code == 200 for other in others)


def test_who_has_waited_for_a_quarter_of_the_deadline_goes_before_the_others(held, ask, crowd):
    served = held(batch_trips=8, deadline_s=60.0)
    large = crowd.submit(ask, served, seed=2, n=20)
    queued(served, 1)
    small = [crowd.submit(ask, served, seed=seed, n=8) for seed in (3, 4)]
    queued(served, 3)
    served.service.queue._waiting[0].deadline -= 16.0
    served.generator.open.set()
    assert len(large.result().json()["features"]) == 20
    assert all(other.result().status_code == 200 for other in small)
    first, second, third = served.generator.batches[1:4]
    assert (first, second) == ([(2, 8)], [(2, 8)])
    assert (2, 4) in third


def test_the_pace_is_that_of_batches_that_could_not_be_larger(serve):
    pace = serve().service.queue.throughput
    pace.learn(1, 0.5, saturated=False)  # nobody else asked
    assert not pace.measured
    pace.learn(1, 0.5, saturated=True)  # others drew differently
    assert (pace.measured, pace.trips_per_s) == (True, 2.0)
    pace.learn(8, 0.1)
    assert pace.trips_per_s == pytest.approx(2.0 + 0.3 * 78.0)


def test_a_request_that_takes_too_long_is_told_so(held, ask):
    served = held(deadline_s=1.0)
    answer = served.first.result()
    assert answer.status_code == 504
    assert "deadline" in answer.json()["detail"]
    late = ask(served, n=50)  # waits behind the batch that is held up
    assert late.status_code == 504
    served.generator.open.set()
    promised(served, 0)
    assert len(served.generator.batches) == 1  # what came too late is not made


def test_a_stream_that_is_too_late_ends_with_the_problem(serve, ask, crowd):
    served = serve(deadline_s=1.5, batch_trips=QUANTUM)
    write = served.generator.generate_parts

    def slow(parts, sampling):
        time.sleep(1.0 if served.generator.batches else 0.0)
        return write(parts, sampling)

    served.generator.generate_parts = slow
    answer = ask(served, n=40, headers=NDJSON)
    assert answer.status_code == 200
    *trips, last = [json.loads(line) for line in answer.text.splitlines()]
    assert last["status"] == 504
    assert len(trips) in {QUANTUM, 2 * QUANTUM}  # the second batch in time, on a busy machine too late as well
    assert all(trip["type"] == "Feature" for trip in trips)


@pytest.mark.parametrize("headers", [{}, NDJSON], ids=["collection", "stream"])
def test_nothing_is_made_for_a_client_that_went_away(held, drive, headers):
    served = held()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{served.url}/v1/trips",
            json=drive | {"n": 500},
            headers=headers,
            timeout=0.5,
            verify=NO_CERTIFICATES,
        )
    promised(served, 1)
    served.generator.open.set()
    assert served.first.result().status_code == 200
    promised(served, 0)
    assert len(served.generator.batches) == 1


def test_a_stream_is_dropped_when_its_reader_leaves(serve, drive):
    served = serve()
    with (
        httpx.Client(base_url=served.url, timeout=20, verify=NO_CERTIFICATES) as http,
        http.stream("POST", "/v1/trips/batch", json={"requests": [drive | {"n": 1000}]}) as answer,
    ):
        first = next(answer.iter_lines())
        served.generator.open.clear()
    assert json.loads(first)["type"] == "Feature"
    eventually(lambda: served.service.queue.pending_trips <= 64)
    served.generator.open.set()
    promised(served, 0)
    assert sum(count for batch in served.generator.batches for _, count in batch) < 1000


def test_one_bad_request_does_not_fail_those_in_its_batch(held, ask, crowd):
    served = held()
    served.generator.poison = 13
    others = [crowd.submit(ask, served, seed=seed) for seed in (12, 13, 14)]
    queued(served, 3)
    served.generator.open.set()
    assert [other.result().status_code for other in others] == [200, 500, 200]
    promised(served, 0)


def test_a_stopping_service_finishes_what_it_took_and_refuses_what_is_new(held, ask):
    served = held()
    kept = httpx.Client(base_url=served.url, verify=NO_CERTIFICATES)
    assert kept.get("/readyz").status_code == 200
    served.stop()
    ready = kept.get("/readyz")
    assert ready.status_code == 503
    assert ready.headers["retry-after"]
    assert kept.get("/healthz").status_code == 200
    refused = ask(served, seed=2)
    assert refused.status_code == 503
    assert "stopping" in refused.json()["detail"]
    served.generator.open.set()
    assert served.first.result().status_code == 200
    kept.close()
    served.service.scheduler.join(10)
    assert not served.service.scheduler.alive


def test_a_full_queue_is_not_ready_and_still_alive(held, ask, crowd):
    served = held(queue_trips=10, max_trips=10)
    crowd.submit(ask, served, n=9)
    promised(served, 10)
    assert served.http.get("/readyz").status_code == 503
    assert served.http.get("/healthz").status_code == 200
    served.generator.open.set()
    promised(served, 0)
    assert served.http.get("/readyz").status_code == 200


def test_all_who_wait_get_a_trip_from_the_next_batch(held, ask, crowd):
    served = held()
    answers = [crowd.submit(ask, served, seed=seed, n=10) for seed in range(2, 14)]
    queued(served, 12)
    served.generator.open.set()
    assert all(len(answer.result().json()["features"]) == 10 for answer in answers)
    assert sorted(served.generator.batches[1]) == [(seed, 1) for seed in range(2, 14)]
