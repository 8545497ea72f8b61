"""Tell what was answered under load from what was turned away and from what failed."""

from __future__ import annotations

import json

from htp.bench.held import Answered, Held, Point


def held(*answers):
    return Held(tuple(answers), (Point(0, 100 << 20), Point(4, 110 << 20)), 2, 10.0, 0.2)


def answered(status, seconds=1.0, *, whole=False, says_when=False):
    return Answered(status, seconds, whole=whole, says_when=says_when)


def test_only_whole_answers_are_accepted_and_only_those_with_a_time_are_shed():
    found = held(
        answered(200, 1.0, whole=True),
        answered(200, 3.0, whole=True),
        answered(200),
        answered(429, 0.1, says_when=True),
        answered(429),
        answered(504),
        answered(0),
        answered(0),
    )
    assert found.failed == {"too few trips": 1, "429 without Retry-After": 1, "504": 1, "no answer": 2}
    facts = json.loads(found.to_json())
    assert (facts["requests"], facts["accepted"], facts["shed"], facts["asked_per_s"]) == (8, 2, 1, 0.8)
    assert facts["accepted_s"] == {"0.5": 2.0, "0.95": 2.9, "0.99": 2.98}
    assert facts["memory"][1] == {"requests": 4, "bytes": 110 << 20}


def test_the_figures_are_printed(capsys):
    held(answered(200, whole=True)).print()
    text = " ".join(capsys.readouterr().out.split())
    assert "Capacity: 0.2 requests a second" in text
    assert "Memory: 100 MiB after 0 requests, 110 MiB after 4." in text
    assert "Failed: none." in text
