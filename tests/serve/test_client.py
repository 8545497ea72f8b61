"""Check that a client answers as a generator does, and says in one sentence why it cannot."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

import htp
from htp.client import RemoteTravelTimes
from htp.conditions import conditions_of
from htp.errors import InputError
from htp.serve.keys import Keys, new_key
from htp.serve.scheduler import JointGenerator
from htp.trips import Conditions


@pytest.fixture(scope="module")
def generator(tiny_checkpoint):
    return JointGenerator.load(tiny_checkpoint, device="cpu")


@pytest.fixture
def conditions(grid, place):
    route = grid.route([place(30, 0), place(400, 380)])
    return Conditions(route, pd.Timestamp("2024-05-06 08:15", tz=grid.timezone), 420.0)


def same_trips(left, right):
    """Compare what is whole exactly, the rest as far as batches of another size round alike."""
    measured = ["percent", "offset", "geometry"]
    assert left.drop(columns=measured).columns.tolist() == right.drop(columns=measured).columns.tolist()
    pd.testing.assert_frame_equal(*(pd.DataFrame(trips.drop(columns=measured)) for trips in (left, right)))
    for name in measured[:2]:
        np.testing.assert_allclose(np.concatenate(left[name]), np.concatenate(right[name]), atol=1e-4)
    points = [shapely.get_coordinates(trips.geometry) for trips in (left, right)]
    np.testing.assert_allclose(*points, rtol=0, atol=1.1e-6)  # the generator rounds degrees to six decimals


def test_a_client_gives_the_trips_that_the_generator_gives(serve, generator, conditions):
    client = htp.Client(serve(generator=generator, share_heldout=True).url)
    given = {"n": 3, "seed": 7, "temperature": 0.9, "top_p": 0.95}
    same_trips(client.generate(conditions, **given), generator.generate(conditions, **given))
    many = [*conditions_of(generator.heldout().iloc[:3], generator.city), replace(conditions, interval_s=5.0)]
    client.limit = 3  # in pieces, the second of which begins in the middle of a condition's trips
    same_trips(client.generate(many, n=2, seed=3), generator.generate(many, n=2, seed=3))
    assert_geodataframe_equal(client.heldout(), generator.heldout())
    routes, departs = [one.route for one in many], [one.depart for one in many]
    np.testing.assert_allclose(
        client.travel_time.quantiles(client.city, routes, departs),
        generator.travel_time.quantiles(generator.city, routes, departs),
    )


def test_a_client_knows_the_city(served, grid):
    city = htp.Client(served.url).city
    assert (city.name, city.timezone, city.crs) == (grid.name, grid.timezone, grid.crs)
    np.testing.assert_array_equal(city.v, grid.v)
    assert city.local_time("2024-05-06 08:15").isoformat() == "2024-05-06T08:15:00-04:00"


def test_progress_is_heard_and_can_stop_the_work(serve, conditions):
    served = serve()
    client = htp.Client(served.url)
    heard = []
    client.generate(conditions, n=20, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(at, 20) for at in range(1, 21)]

    class StopError(Exception):
        pass

    def stop(done, _):
        served.generator.open.clear()
        raise StopError

    with pytest.raises(StopError):
        client.generate(conditions, n=400, progress=stop)
    served.generator.open.set()
    assert len(client.generate(conditions, n=2)) == 2


def test_what_the_service_refuses_is_its_sentence(serve, conditions, tmp_path):
    served = serve(queue_trips=50, max_trips=50)
    client = htp.Client(served.url)
    with pytest.raises(InputError, match="30 s is too short"):
        client.generate(replace(conditions, duration_s=30.0))
    with pytest.raises(InputError, match="not finite"):
        client.generate(replace(conditions, duration_s=np.nan))
    with pytest.raises(InputError, match="ask for at least one"):
        client.generate([])
    with pytest.raises(InputError, match="does not give out its held-out trips"):
        client.heldout()
    admission = served.service.queue.admit(50)
    with pytest.raises(InputError, match="50 trips are waiting"):
        client.generate(conditions)
    served.service.queue.withdraw(admission)


def test_a_key_is_sent_along(serve, tmp_path):
    key, line = new_key("ana")
    (tmp_path / "keys.txt").write_text(line)
    served = serve(keys=Keys.load(tmp_path / "keys.txt"))
    assert htp.Client(served.url, key=key).model["city"] == "Grid"
    with pytest.raises(InputError, match="needs a key"):
        htp.Client(served.url)


def test_a_service_that_is_away_is_one_sentence():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(InputError, match="no service answers"):
        htp.Client(url)
    for bad in ("localhost:8000", "ftp://here", "http://"):
        with pytest.raises(InputError, match=r"address|service"):
            htp.Client(bad)


def test_a_service_that_is_slow_or_breaks_off_is_one_sentence(serve, conditions):
    served = serve()
    client = htp.Client(served.url, timeout_s=0.5)
    client.city  # noqa: B018  fetched while the service is quick
    served.generator.open.clear()
    with pytest.raises(InputError, match=r"not answered for 0\.5 s"):
        client.generate(conditions)
    served.generator.open.set()
    served.generator.poison = 13
    with pytest.raises(InputError, match="mistake of its own"):
        client.generate(conditions, seed=13)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b'{"type": ' * 50_000, "is no JSON"),
        (b"[]", "holds no JSON object"),
        (b'{"type": "Feature"}', "trips that lack something"),
        (b'{"type": "Feature", "properties": {"x": 1}, "geometry": []}', "trips that lack something"),
    ],
    ids=["nested without end", "a list", "no properties", "no line"],
)
def test_a_service_that_sends_anything_else_than_trips_is_one_sentence(serve, conditions, monkeypatch, line, sentence):
    client = htp.Client(serve().url)
    monkeypatch.setattr("htp.serve.routes.ndjson", lambda _: line + b"\n")
    with pytest.raises(InputError, match=sentence):
        client.generate(conditions)


@pytest.mark.parametrize("times", [{}, [["x"]], [], "x", [[1.0], [1.0, 2.0]]], ids=repr)
def test_a_service_that_sends_anything_else_than_times_is_one_sentence(serve, conditions, monkeypatch, times):
    client = htp.Client(serve().url)

    async def say(*_):
        return times

    monkeypatch.setattr("htp.serve.routes._travel_times", say)
    with pytest.raises(InputError, match="sent no travel times for 2 routes"):
        client.travel_time.quantiles(client.city, [conditions.route] * 2, [conditions.depart] * 2)


def test_travel_times_can_be_wanted_soon_while_trips_may_take_their_time(serve, conditions):
    served = serve()
    client = htp.Client(served.url)
    late, served.generator.quantiles = threading.Event(), lambda *_: late.wait(10)
    try:
        with pytest.raises(InputError, match=r"not answered for 0\.2 s"):
            RemoteTravelTimes(client, 0.2).quantiles(client.city, [conditions.route], [conditions.depart])
    finally:
        late.set()
    assert len(client.generate(conditions)) == 1


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "is no service of HTP"),
        (b"HTTP/1.1 404 Lost\r\nContent-Length: 0\r\n\r\n", "404 Lost; is this a service of HTP"),
        (b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", "502 Bad; try again later"),
        (b"HTTP/1.1 429 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", "429 Busy; try again in 7 s"),
        (b"hello", "broke off"),
    ],
    ids=["a page", "another server", "a proxy", "a proxy that is busy", "no HTTP"],
)
def test_what_is_no_service_is_one_sentence(answer, sentence):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak():
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer)

        threading.Thread(target=speak, daemon=True).start()
        with pytest.raises(InputError, match=sentence):
            htp.Client(f"http://127.0.0.1:{server.getsockname()[1]}")
