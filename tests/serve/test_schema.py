"""Ask a running service what its OpenAPI schema allows and what it does not, some thousand times (schemathesis).

Whatever is asked: no fault of the service's own, only statuses, types and bodies that it documents, nothing that the
schema forbids is taken, and nothing without a key. The other way round does not hold (`positive_data_acceptance`), for
no schema says which places lie in town; requests in town are drawn by a test of their own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from htp.serve.admission import ServiceSettings
from htp.serve.keys import Keys, new_key
from htp.serve.scheduler import JointGenerator

KEY, LINE = new_key("test")
CASES = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def keyed(running_service, tiny_checkpoint, tmp_path_factory):
    """Return a service of the tiny checkpoint that has keys."""
    keys = tmp_path_factory.mktemp("keys") / "keys.txt"
    keys.write_text(LINE)
    generator = JointGenerator.load(tiny_checkpoint, "cpu")
    with running_service(generator, ServiceSettings(max_trips=20), Keys.load(keys)) as served:
        served.http.headers["Authorization"] = f"Bearer {KEY}"
        yield served


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [4, pytest.param(20, marks=pytest.mark.thorough)])
def test_every_address_answers_as_documented(keyed, tmp_path, seconds):
    program = Path(sys.executable).with_name("st")
    options = ["--exclude-checks", "positive_data_acceptance", "--max-time", str(seconds), "--seed", "1", "--no-color"]
    command = [str(program), "run", f"{keyed.url}/openapi.json", "-H", f"Authorization: Bearer {KEY}", *options]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Selected: 10/10" in run.stdout


def among(*usual, **bounds):
    """Return what draws one of some usual numbers, or any number within bounds."""
    return st.sampled_from(usual) | st.floats(allow_nan=False, allow_infinity=False, **bounds)


@CASES
@given(
    asked=st.fixed_dictionaries(
        {
            "n": st.integers(1, 20),
            "depart": st.sampled_from(["2024-05-06 08:15", "2024-02-29T23:59:59+05:45", "0001-01-01", "9999-12-31"]),
            "seed": st.integers(0, 2**60),
            "temperature": among(0.0, 1.0, min_value=0, max_value=5),
            "top_p": among(1.0, 1e-300, min_value=0, max_value=1, exclude_min=True),
            "interval": among(15.0, min_value=1, max_value=120),
        },
        optional={
            "duration": among(420.0, 2985.0, min_value=0, max_value=86_400, exclude_min=True),
            "distance": among(0.0, 780.0, min_value=0, max_value=1e7),
        },
    )
)
def test_any_drive_in_town_is_driven_or_is_a_sentence(keyed, drive, asked):
    answer = keyed.http.post("/v1/trips", json={"waypoints": drive["waypoints"]} | asked)
    if answer.status_code == 200:
        assert len(answer.json()["features"]) == asked["n"]
    else:
        assert answer.status_code == 422, answer.text
        assert answer.json()["detail"].endswith(".")
