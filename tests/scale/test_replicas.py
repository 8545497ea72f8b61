"""Check that a service of replicas on a Ray cluster answers as the plain one does; started once for the slow tests.

What is refused before a cluster is asked for anything is checked without one.
"""

from __future__ import annotations

import random
import socket
import sys
from contextlib import suppress
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
from starlette.testclient import TestClient

from htp.cli.main import main
from htp.errors import InputError
from htp.scale import Application, Cluster, Replicas, Scaling
from htp.serve.admission import ServiceSettings
from htp.serve.application import ServedCheckpoint
from htp.serve.keys import Keys, new_key
from htp.serve.server import replicas_on

SECRET, LINE = new_key("ana")


def free_port():
    """Return a port that is free and stays so: it lies below those that the system gives to whoever asks for any."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


@pytest.fixture(scope="module")
def served(tiny_checkpoint, tmp_path_factory):
    """Return what is served: the tiny checkpoint to who has the key, twelve trips at most in a request or waiting."""
    keys = tmp_path_factory.mktemp("keys") / "keys.txt"
    keys.write_text(LINE)
    return ServedCheckpoint(tiny_checkpoint, "cpu", ServiceSettings(max_trips=12, queue_trips=12), Keys.load(keys))


@pytest.fixture(scope="module")
def replicas(two_workers, served):
    """Return a client of two replicas."""
    port = free_port()
    with (
        replicas_on(two_workers, served, Scaling(2, 2), "127.0.0.1", port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300, headers=bearer()) as http,
    ):
        yield http


@pytest.fixture(scope="module")
def plain(served):
    """Return a client of the plain service."""
    with TestClient(served.load(), headers=bearer()) as http:
        yield http


@pytest.fixture
def drive(place):
    """Return a request for a drive across the grid."""
    waypoints = [[round(c, 6) for c in place(*xy)] for xy in ((30, 0), (400, 380))]
    return {"waypoints": waypoints, "depart": "2024-05-06 08:15", "duration": 420.0}


def bearer():
    return {"Authorization": f"Bearer {SECRET}"}


def assert_same_trips(one, other):
    """Check two lists of features: properties exactly, places to the sixth decimal."""
    assert [feature["properties"] for feature in one] == [feature["properties"] for feature in other]
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a["geometry"]["coordinates"], b["geometry"]["coordinates"], atol=1e-6)


@pytest.mark.thorough
@pytest.mark.slow
def test_replicas_answer_with_the_trips_of_the_plain_service(replicas, plain, drive):
    asked = [drive | {"n": 3, "seed": seed} for seed in range(6)]
    several, alone = (
        [http.post("/v1/trips", json=one).json()["features"] for one in asked] for http in (replicas, plain)
    )
    assert [len(features) for features in several] == [3] * 6
    for one, other in zip(several, alone, strict=True):
        assert_same_trips(one, other)


@pytest.mark.thorough
@pytest.mark.slow
def test_replicas_stream_the_same_lines(replicas, plain, drive):
    asked = {"requests": [drive | {"n": 7}, drive | {"duration": 300.0}], "seed": 5}
    found = []
    for http in (replicas, plain):
        with http.stream("POST", "/v1/trips/batch", json=asked) as answer:
            assert answer.headers["content-type"] == "application/x-ndjson"
            found.append([httpx.Response(200, text=line).json() for line in answer.iter_lines()])
    assert len(found[0]) == 8
    assert_same_trips(*found)


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "status"),
    [({"n": 13}, 422), ({"n": "three"}, 422), ({"duration": 1e9}, 422), ({}, 401)],
    ids=["too many", "no number", "too long", "no key"],
)
def test_replicas_refuse_with_the_same_sentence(replicas, plain, drive, change, status):
    headers = {"Authorization": "Bearer nobody's"} if status == 401 else {}
    answers = [http.post("/v1/trips", json=drive | change, headers=headers) for http in (replicas, plain)]
    assert [answer.status_code for answer in answers] == [status, status]
    assert answers[0].json() == answers[1].json()


@pytest.mark.thorough
@pytest.mark.slow
def test_an_answer_names_its_request_once(replicas):
    answer = replicas.get("/readyz", headers={"X-Request-ID": "ana-7"})
    assert answer.headers.get_list("x-request-id") == ["ana-7"]


@pytest.mark.thorough
@pytest.mark.slow
def test_a_cluster_that_serves_already_is_left_alone(replicas, two_workers, served):
    with (
        pytest.raises(InputError, match="--ray local: serves something already; end that with `serve shutdown`"),
        replicas_on(two_workers, served, Scaling(), "127.0.0.1", free_port()),
    ):
        pass
    assert replicas.get("/readyz").status_code == 200


@pytest.mark.parametrize("numbers", [(0, 1), (3, 2)])
def test_replicas_are_one_or_more_and_the_lower_number_comes_first(numbers):
    with pytest.raises(InputError, match=f"{numbers[0]} to {numbers[1]} replicas: give 1 or more"):
        Scaling(*numbers)


@pytest.mark.parametrize("text", ["4", "2-", "two-four", "-1-3"])
def test_a_number_of_replicas_that_cannot_be_read_is_one_sentence(text, monkeypatch, capsys):
    command = ["serve", "--checkpoint", "nowhere", "--ray", "local", f"--replicas={text}"]
    monkeypatch.setattr(sys, "argv", ["htp", *command])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "write how many at least and at most, e.g. 2-8." in capsys.readouterr().err


def test_more_replicas_than_there_is_room_for_are_refused(monkeypatch):
    fake = SimpleNamespace(is_initialized=lambda: True, cluster_resources=lambda: {"CPU": 2.0}, shutdown=lambda: None)
    monkeypatch.setitem(sys.modules, "ray", fake)
    fake.serve = SimpleNamespace()
    application = Application(lambda: None, bool, 1.0)
    with (
        Cluster("auto") as cluster,
        pytest.raises(InputError, match="--ray auto: has room for 2 replicas"),
        Replicas(cluster, application, Scaling(3, 4), "127.0.0.1", 8000),
    ):
        pass


def test_a_missing_ray_serve_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace())
    cluster = SimpleNamespace(address="auto", workers=2)
    with (
        pytest.raises(InputError, match=r"--ray needs Ray Serve, which is missing; run pip install 'htp\[scale\]'"),
        Replicas(cluster, Application(lambda: None, bool, 1.0), Scaling(), "127.0.0.1", 8000),
    ):
        pass
