"""Check that bad input is one clear sentence as application/problem+json, and never reaches the generator."""

from __future__ import annotations

import json

import pytest

JSON = {"Content-Type": "application/json"}


def check(answer, status, words):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["type"] == "about:blank"
    assert body["title"]
    assert words in body["detail"]
    assert not body["detail"][0].islower()
    assert body["detail"].endswith(".")
    assert "\n" not in body["detail"]


BAD = [
    ({"n": 0}, "The field n is 0; it should be greater than or equal to 1."),
    ({"n": 10**300}, "The field n is a very large number"),
    ({"n": 2.5}, "The field n is 2.5"),
    ({"n": "3"}, "The field n is '3'; it should be a valid integer."),
    ({"n": True}, "The field n is True"),
    ({"n": 1001}, "1,001 trips are asked for; one request takes at most 1,000."),
    ({"seed": -1}, "The field seed is -1"),
    ({"seed": 2**61}, "The field seed"),
    ({"duration": 0}, "The field duration is 0"),
    ({"duration": 30.0}, "A travel time of 30 s is too short"),
    ({"interval": 0.5}, "The field interval is 0.5"),
    ({"temperature": 9}, "The field temperature is 9"),
    ({"top_p": 0}, "The field top_p is 0"),
    ({"depart": "half past eight"}, "no time; give one such as 2024-05-06 08:15"),
    ({"depart": "2024-09-08 00:30"}, "does not exist in America/Santiago"),
    ({"depart": 5}, "The field depart is 5"),
    ({"depart": "\ud800"}, "The field depart is"),
    ({"colour": "red"}, "The field colour is not known"),
    ({"roads": [0]}, "Give either waypoints or roads."),
    ({"waypoints": None}, "Give either waypoints or roads."),
    ({"waypoints": [[-71.25, -29.9]]}, "A route needs at least 2 waypoints"),
    ({"waypoints": [[-71.25]] * 2}, "The field waypoints[0] is a list of 1"),
    ({"waypoints": [[-71.25, -29.9, 3]] * 2}, "The field waypoints[0] is a list of 3"),
    ({"waypoints": [[-71.25, -29.9]] * 51}, "51 waypoints are given; one route takes at most 50."),
    ({"waypoints": [[-29.9, -71.25], [-29.899, -71.249]]}, "has its coordinates swapped; give the longitude first."),
    ({"waypoints": [[200, 0], [0, 0]]}, "Waypoint 1 (200, 0) is no place on Earth"),
    ({"waypoints": [[0, 0], [1, 1]]}, "is outside Grid"),
    ({"waypoints": "there"}, "The field waypoints is 'there'"),
    ({"waypoints": None, "roads": []}, "The list of roads is empty"),
    ({"waypoints": None, "roads": [80]}, "Road 80 is not in Grid; its road ids are 0 to 79."),
    ({"waypoints": None, "roads": [-1]}, "The field roads[0] is -1"),
    ({"start_m": 5.0}, "The fields start_m and end_m go with roads"),
    ({"distance": -5.0}, "The field distance is -5.0"),
]


@pytest.mark.parametrize(("change", "words"), BAD, ids=[f"{i}-{next(iter(c))}" for i, (c, _) in enumerate(BAD)])
def test_a_bad_field_is_one_sentence(served, drive, change, words):
    body = json.dumps(drive | change)  # httpx itself refuses half a character
    check(served.http.post("/v1/trips", content=body, headers=JSON), 422, words)
    assert not served.generator.batches


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("field", ["duration", "distance", "interval", "waypoints"])
def test_what_is_no_number_is_refused(served, drive, field, number):
    value = f"[[{number}, -29.9], [-71.25, -29.9]]" if field == "waypoints" else number
    body = f'{{"depart": "2024-05-06 08:15", "n": 1, "{field}": {value}'
    body += "}" if field == "waypoints" else f', "waypoints": {drive["waypoints"]}}}'
    answer = served.http.post("/v1/trips", content=body, headers=JSON)
    check(answer, 422, "finite number")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1", b'{"n": 1' + b"0" * 5000 + b"}", b"[" * 50_000, b"\xff\xfe", b'{"depart": "\xff"}'],
    ids=["nothing", "begun", "a list", "a long number", "deep", "no text", "no text within"],
)
def test_a_broken_body_is_a_problem(served, body):
    answer = served.http.post("/v1/trips", content=body, headers=JSON)
    assert answer.status_code in {400, 422}
    check(answer, answer.status_code, "")


def test_a_body_that_is_no_object_is_a_problem(served):
    check(served.http.post("/v1/trips", json=[1, 2]), 422, "The body is a list of 2")
    check(served.http.post("/v1/trips", json={}), 422, "The field depart is missing.")
    check(served.http.post("/v1/trips/batch", json={"requests": []}), 422, "The field requests is a list of 0")
    check(served.http.post("/v1/trips", content=b"{}", headers={"Content-Type": "text/plain"}), 422, "")


def test_a_mistake_in_a_batch_is_named_with_its_place(served, drive):
    body = {"requests": [drive, drive | {"n": -2}]}
    check(served.http.post("/v1/trips/batch", json=body), 422, "The field requests[1].n is -2")
    many = {"requests": [drive | {"n": 600}, drive | {"n": 600}]}
    check(served.http.post("/v1/trips/batch", json=many), 422, "1,200 trips are asked for")
    assert served.service.queue.pending_trips == 0


def test_a_long_body_is_refused_however_it_comes(serve):
    served = serve(max_body_bytes=1000)
    check(served.http.post("/v1/trips", content=b" " * 1001), 413, "at most 1,000 bytes")

    def pieces():
        for _ in range(11):
            yield b" " * 100

    answer = served.http.post("/v1/trips", content=pieces(), headers=JSON)
    check(answer, 413, "at most 1,000 bytes")


def test_what_is_not_there_is_a_problem(served):
    check(served.http.get("/nothing"), 404, "There is nothing here")
    check(served.http.get("/v1/trips"), 405, "does not take this method")


def test_a_fault_of_the_generator_is_a_problem_and_the_service_goes_on(served, drive):
    served.generator.poison = 13
    answer = served.http.post("/v1/trips", json=drive | {"seed": 13})
    check(answer, 500, "X-Request-ID")
    assert "no such thing" not in answer.text
    assert served.http.post("/v1/trips", json=drive).status_code == 200
    assert served.service.queue.pending_trips == 0
