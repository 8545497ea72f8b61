"""Commands in a process of their own: what they print, how far they are, how they end."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from htp.errors import InputError
from htp.progress import Bar
from htp_app.jobs import command
from htp_app.jobs.job import Job


@pytest.fixture
def program(monkeypatch):
    """Return a function that puts a Python program in the place of `htp`."""
    real = subprocess.Popen

    def put(source: str) -> None:
        def popen(arguments, **options):
            ours = "htp" in arguments
            return real([sys.executable, "-c", source] if ours else arguments, **options)

        monkeypatch.setattr(command.subprocess, "Popen", popen)

    return put


def test_a_command_returns_what_it_printed_and_says_how_far_it_is(tmp_path, program):
    heard = []
    program("import sys, time\nprint('a b 1/2')\nprint('doing 3/4', file=sys.stderr, flush=True)\ntime.sleep(0.7)")
    assert command.run(["prepare"], tmp_path, lambda *now: heard.append(now)) == "a b 1/2\n"
    assert heard[0] == (0, 0)
    assert heard[-1] == (3, 4)


def test_the_sentence_of_the_real_command_is_the_error(tmp_path):
    with pytest.raises(InputError, match=r"nothing.osm: no such file; give an .osm.pbf") as caught:
        command.run(["city", "nothing.osm", "--out", "x"], tmp_path, lambda *_: None)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_crash_is_a_sentence_and_its_traceback_goes_to_the_log(tmp_path, program, caplog):
    program("1 / 0")
    with pytest.raises(InputError, match=r"^`htp city` failed \(code 1\); the log of the app says why.$"):
        command.run(["city"], tmp_path, lambda *_: None)
    assert "ZeroDivisionError" in caplog.text


def test_a_command_that_the_system_ends_is_a_sentence(tmp_path, program):
    program("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(InputError, match=r"was ended by the system \(SIGKILL\); it may need more memory"):
        command.run(["city"], tmp_path, lambda *_: None)


def test_a_stopped_command_ends_with_what_it_has_started(tmp_path, program):
    program(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, file=open('pid', 'w'), flush=True)\n"
        "print('doing 1/2', file=sys.stderr, flush=True)\n"
        "time.sleep(60)\n"
    )
    job = Job(lambda progress: command.run(["prepare"], tmp_path, progress))
    for _ in range(100):
        if job.done:
            break
        job.wait(0.1)
    job.stop()
    job.wait(10)
    assert (job.running, job.error, job.crash) == (False, None, None)
    assert not command._running
    child = (tmp_path / "pid").read_text().strip()
    for _ in range(50):
        state = subprocess.run(["ps", "-o", "stat=", "-p", child], check=False, capture_output=True, text=True).stdout
        if not state or state.startswith("Z"):
            return
        time.sleep(0.1)
    raise AssertionError("the child lives on")


def test_a_command_waits_for_the_one_before_and_can_be_stopped_while_it_waits(tmp_path):
    def give_up(*_: int) -> None:
        raise RuntimeError

    with command._one_at_a_time, pytest.raises(RuntimeError):
        command.run(["city"], tmp_path, give_up)


def test_progress_is_lines_where_nobody_watches_a_terminal(capsys):
    with Bar("measuring") as progress:
        for done in range(1, 101):
            progress(done, 100)
    assert capsys.readouterr().err.splitlines() == ["measuring 1/100", "measuring 100/100"]
