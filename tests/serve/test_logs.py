"""Check that the log is JSON, names requests, and holds no place and no key."""

from __future__ import annotations

import io
import json
import logging

import pytest

from htp.serve.keys import Keys, new_key
from htp.serve.monitoring import JsonLines


@pytest.fixture
def heard():
    """Return what the service logs."""
    text, log = io.StringIO(), logging.getLogger("htp.serve")
    handler = logging.StreamHandler(text)
    handler.setFormatter(JsonLines())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in text.getvalue().splitlines()]
    log.removeHandler(handler)


def test_a_request_is_a_line_with_its_id(serve, drive, heard, tmp_path):
    key, line = new_key("ana")
    (tmp_path / "keys.txt").write_text(line)
    served = serve(keys=Keys.load(tmp_path / "keys.txt"))
    headers = {"X-Request-ID": "abc-1", "Authorization": f"Bearer {key}"}
    served.http.post("/v1/trips?secret=1", json=drive | {"n": 3}, headers=headers)
    served.http.get("/healthz")
    (logged,) = [line for line in heard() if line["event"] == "request"]
    assert logged["request_id"] == "abc-1"
    assert logged["key"] == "ana"
    assert (logged["method"], logged["path"], logged["status"], logged["trips"]) == ("POST", "/v1/trips", 200, 3)
    assert 0 <= logged["seconds"] < 20
    text = json.dumps(heard())
    assert key not in text
    assert "secret" not in text
    assert str(drive["waypoints"][0][0]) not in text


def test_a_fault_is_logged_with_its_trace(serve, drive, heard):
    served = serve()
    served.generator.poison = 13
    answer = served.http.post("/v1/trips", json=drive | {"seed": 13})
    faults = [line for line in heard() if line["level"] == "error"]
    assert "no such thing" in faults[-1]["error"]
    assert faults[-1]["request_id"] == answer.headers["x-request-id"]
