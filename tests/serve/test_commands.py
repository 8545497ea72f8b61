"""Check `htp serve` and `htp key` as programs, and the shipped checkpoint behind the service."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from waiting import NO_CERTIFICATES

import htp
from htp.serve.keys import Keys

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "checkpoints" / "coquimbo"
PORT, CENTRE = [-71.343, -29.952], [-71.252, -29.903]  # of Coquimbo, of La Serena


@pytest.fixture
def program(tmp_path):
    """Return a function that starts `htp serve` in a process of its own and returns it with a client of it."""
    started = []

    def start(checkpoint, *options):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = (tmp_path / "log.txt").open("w")
        command = [sys.executable, "-m", "htp", "serve", "--checkpoint", str(checkpoint), "--port", str(port), *options]
        process = subprocess.Popen(command, cwd=ROOT, stderr=log, env=os.environ | {"OMP_NUM_THREADS": "1"})
        started.append((process, log))
        http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, verify=NO_CERTIFICATES)
        for _ in range(1500):
            assert process.poll() is None, (tmp_path / "log.txt").read_text()
            try:
                http.get("/readyz")
            except httpx.ConnectError:
                time.sleep(0.2)
            else:
                return process, http
        raise AssertionError("the service did not start within five minutes")

    yield start
    for process, log in started:
        process.kill()
        process.wait()
        log.close()


def test_a_key_and_the_line_that_lets_it_in(run_htp, tmp_path):
    code, line, words = run_htp("key", "ana")
    assert code == 0
    (tmp_path / "keys.txt").write_text(line)
    assert Keys.load(tmp_path / "keys.txt").name_of(words.split()[-1]) == "ana"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--checkpoint", "nowhere"], "no such checkpoint"),
        (["--checkpoint", "nowhere", "--keys", "none.txt"], "none.txt: cannot be read"),
        (["--checkpoint", "nowhere", "--queue", "10"], "a queue of 10 trips is too short"),
        (["--checkpoint", "nowhere", "--deadline", "0"], "give 1 to 3600 s"),
    ],
    ids=["checkpoint", "keys", "queue", "deadline"],
)
def test_a_bad_option_is_one_sentence(run_htp, options, words):
    code, _, heard = run_htp("serve", *options)
    assert code == 2
    assert words in " ".join(heard.split())
    assert "Traceback" not in heard


@pytest.mark.slow
def test_sigterm_finishes_what_was_taken_on(program, tiny_checkpoint):
    process, http = program(tiny_checkpoint)
    drive = http.get("/openapi.json").json()["paths"]["/v1/trips"]["post"]["requestBody"]
    body = drive["content"]["application/json"]["examples"]["waypoints"]["value"] | {"n": 300}
    answers = []
    asking = threading.Thread(target=lambda: answers.append(http.post("/v1/trips", json=body)))
    asking.start()
    while "htp_queue_trips 0.0" in http.get("/metrics").text:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    asking.join(60)
    assert len(answers[0].json()["features"]) == 300
    assert process.wait(30) == 0


@pytest.mark.thorough
@pytest.mark.slow
def test_the_shipped_checkpoint_is_served(program):
    _, http = program(SHIPPED, "--share-heldout")
    body = {"waypoints": [PORT, CENTRE], "depart": "2024-05-14 08:15", "n": 4, "seed": 7}
    features = http.post("/v1/trips", json=body).json()["features"]
    assert [feature["properties"]["trip_id"] for feature in features] == ["0", "1", "2", "3"]
    assert all(feature["properties"]["start_time"] == "2024-05-14T08:15:00-04:00" for feature in features)
    client = htp.Client(str(http.base_url))
    assert client.model["simulated"]
    assert len(client.heldout()) > 5000
    route = client.city.route([tuple(PORT), tuple(CENTRE)])
    trips = client.generate(htp.Conditions(route, client.city.local_time("2024-05-14 08:15")), n=4, seed=7)
    codes = [feature["properties"]["patterns"] for feature in features]
    assert [patterns.tolist() for patterns in trips["patterns"]] == codes


def test_the_image_runs_the_service_without_rights_and_with_a_health_check():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    words = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    steps = [(word[0], word[1]) for word in words]
    copied = [name for step, rest in steps if step == "COPY" for name in rest.split()[:-1] if name[0] != "-"]
    assert all((ROOT / name).exists() for name in copied)
    users = [rest for step, rest in steps if step == "USER"]
    assert users
    assert users[-1] not in {"root", "0"}
    assert any(step == "HEALTHCHECK" and "/healthz" in rest for step, rest in steps)
    assert not [rest for step, rest in steps if step in {"ENV", "ARG"} and ("KEY" in rest or "TOKEN" in rest)]
