"""Tell what was answered under load from what was turned away and from what failed."""

from __future__ import annotations

import json

from htp.bench.held import Answered, Held, Point


def held(*answers):
    return Held(tuple(answers), (Point(0, 100 << 20), Point(4, 110 << 20)), 60.0, 10.0, 0.2)


def answered(status, seconds=1.0, *, whole=False, retry_s=None, kind="/v1/trips"):
    return Answered(kind, status, seconds, whole=whole, retry_s=retry_s)


def test_only_whole_answers_are_accepted_and_only_those_with_a_time_are_shed():
    found = held(
        answered(200, 1.0, whole=True),
        answered(200, 3.0, whole=True),
        answered(200),
        answered(429, 0.1, retry_s=3),
        answered(429),
        answered(504),
        answered(0),
        answered(0),
        answered(200, 60.5, whole=True),
    )
    assert found.failed == {
        "after the deadline": 1,
        "broken off": 1,
        "429 without Retry-After": 1,
        "504": 1,
        "no answer": 2,
    }
    facts = json.loads(found.to_json())
    assert (facts["requests"], facts["accepted"], facts["shed"], facts["asked_per_s"]) == (9, 2, 1, 0.9)
    assert facts["accepted_s"] == {"0.5": 2.0, "0.95": 2.9, "0.99": 2.98}
    assert facts["memory"][1] == {"requests": 4, "bytes": 110 << 20}


def test_each_address_has_figures_of_its_own():
    found = held(answered(200, 2.0, whole=True), answered(500, kind="/v1/model"), answered(429, retry_s=1))
    by_address = found.facts()["by_address"]
    assert by_address["/v1/trips"]["accepted_s"]["0.99"] == 2.0
    assert (by_address["/v1/trips"]["accepted"], by_address["/v1/trips"]["shed"]) == (1, 1)
    assert by_address["/v1/model"]["failed"] == {"500": 1}


def test_the_figures_are_printed(capsys):
    held(answered(200, whole=True), answered(429, retry_s=1), answered(504, kind="/v1/trips/batch")).print()
    text = " ".join(capsys.readouterr().out.split())
    assert "Capacity: 0.2 requests a second" in text
    assert "Memory: 100 MiB after 0 requests, 110 MiB after 4." in text
    assert "/v1/trips 2 1 1 0 1.00 s 1.00 s 1.00 s /v1/trips/batch 1 0 0 1 – – –" in text
    assert "Failed: 1 × 504." in text
