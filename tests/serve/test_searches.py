"""Check that searches for routes have a cost, a lane, a deadline and an end, and keep nobody else waiting."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from waiting import NO_CERTIFICATES, eventually

from htp.city.network import City

TIMES, BATCH = "/v1/travel-times", "/v1/trips/batch"
LEG_S = 0.01  # that a leg takes here


class Searches:
    """Search routes slowly; know how many legs were searched."""

    def __init__(self):
        self.legs, self.open = 0, threading.Event()
        self.open.set()
        self.real = City.route

    def __call__(self, city, waypoints, depart=None):
        assert self.open.wait(20), "a test left the gate closed"
        self.legs += len(waypoints) - 1
        time.sleep(LEG_S * (len(waypoints) - 1))
        return self.real(city, waypoints[:2], depart)


@pytest.fixture
def searches(monkeypatch):
    slow = Searches()

    def route(*arguments):
        return slow(*arguments)

    monkeypatch.setattr(City, "route", route)
    yield slow
    slow.open.set()


@pytest.fixture
def crowd():
    with ThreadPoolExecutor(16) as threads:
        yield threads


def many(drive, routes, waypoints, **facts):
    """Return a body of many routes there and back again."""
    back_and_forth = (drive["waypoints"] * waypoints)[:waypoints]
    return {"requests": [{"waypoints": back_and_forth, "depart": drive["depart"], **facts}] * routes}


def post(served, path, body, timeout=20):
    return httpx.post(served.url + path, json=body, timeout=timeout, verify=NO_CERTIFICATES)


@pytest.mark.parametrize("path", [TIMES, BATCH])
def test_a_request_has_a_cost_before_it_begins(serve, drive, searches, path):
    served = serve()
    before = searches.legs  # some for the requests to try
    answer = post(served, path, many(drive, 1000, 50))
    assert answer.status_code == 422
    assert answer.json()["detail"] == (
        "The routes have 49,000 legs between waypoints; one request takes at most 2,000: send fewer at once, or give "
        "their roads."
    )
    assert searches.legs == before
    assert served.http.get("/v1/model").json()["limits"]["legs"] == 2000


@pytest.mark.parametrize("path", [TIMES, BATCH])
def test_requests_of_many_routes_keep_single_trips_from_nothing(serve, drive, searches, crowd, path):
    served = serve(deadline_s=4)
    heavy = [crowd.submit(post, served, path, many(drive, 40, 50)) for _ in range(3)]  # 20 s each
    eventually(lambda: searches.legs)
    for _ in range(5):
        started = time.monotonic()
        assert post(served, "/v1/trips", drive).status_code == 200
        assert time.monotonic() - started < 2.0
    assert served.http.get("/readyz").status_code == 200
    statuses = {one.result().status_code for one in heavy}
    assert statuses <= {429, 504}
    assert 504 in statuses
    searched = searches.legs
    time.sleep(1.0)
    assert searches.legs == searched  # what is left after the deadline is not begun
    assert served.service.heavy.pending_legs == 0
    assert served.service.queue.pending_trips == 0


@pytest.mark.parametrize("path", [TIMES, BATCH])
def test_a_search_ends_when_its_client_leaves(serve, drive, searches, path):
    served = serve()
    with pytest.raises(httpx.ReadTimeout):
        post(served, path, many(drive, 40, 50), timeout=0.5)
    eventually(lambda: not served.service.heavy.pending_legs)
    time.sleep(0.6)  # the piece under way
    searched = searches.legs
    time.sleep(0.6)
    assert searches.legs == searched < 40 * 49
    assert served.service.queue.pending_trips == 0


def test_a_full_lane_says_when_to_come_back(serve, drive, searches, crowd):
    served = serve(deadline_s=5)  # of 20 s of searching
    searches.open.clear()
    first = crowd.submit(post, served, TIMES, many(drive, 40, 50))
    eventually(lambda: served.service.heavy.pending_legs)
    answer = post(served, TIMES, many(drive, 40, 50))
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert "routes of 1,960 legs are waited for" in answer.json()["detail"]
    assert served.http.get("/readyz").status_code == 200  # single trips are welcome
    searches.open.set()
    assert first.result().status_code == 504


def test_what_cannot_be_searched_in_time_is_not_begun_until_it_may_be_quicker(serve, drive, searches):
    served = serve(deadline_s=4)
    assert post(served, TIMES, many(drive, 2, 50)).status_code == 200  # 1 s: measured
    searched = searches.legs
    answer = post(served, TIMES, many(drive, 40, 50))  # 20 s
    assert answer.status_code == 429
    assert answer.json()["detail"].startswith("routes of 1,960 legs would take longer than the deadline now")
    assert searches.legs == searched
    assert post(served, TIMES, many(drive, 2, 50)).status_code == 200
    tries = 1 + sum(served.service.heavy.full(1960) is not None for _ in range(40))
    assert 10 < tries < 30  # 0.9 ** 16 is a fifth


def test_readiness_says_no_where_single_routes_wait_too_long(serve, drive, searches, crowd):
    served = serve(deadline_s=2)
    searches.open.clear()
    body = drive | {"waypoints": (drive["waypoints"] * 25)[:49]}
    waiting = [crowd.submit(post, served, "/v1/trips", body) for _ in range(3)]
    eventually(lambda: served.http.get("/readyz").status_code == 503)
    assert {one.result().status_code for one in waiting} <= {429, 504}  # on time, though nothing was found
    searches.open.set()
    eventually(lambda: served.http.get("/readyz").status_code == 200)


def test_a_stopping_service_takes_no_searches(serve, drive):
    served = serve()
    served.service.queue.stop()
    with httpx.Client(base_url=served.url, verify=NO_CERTIFICATES) as http:
        try:
            answer = http.post(TIMES, json=many(drive, 1, 2))
        except httpx.TransportError:  # it has stopped already
            return
    assert answer.status_code == 503


def test_what_many_routes_take_is_the_same_piece_by_piece(serve, drive):
    served = serve()
    whole = post(served, TIMES, many(drive, 120, 2)).json()["seconds"]
    single = post(served, TIMES, many(drive, 1, 2)).json()["seconds"]
    assert whole == single * 120
