"""Serve the app in a process of its own, with the fake generator or over a trained checkpoint."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from htp.city import City

SERVER = Path(__file__).parent / "serve_with_fake.py"
MAIN = Path(__file__).parents[2] / "app" / "main.py"
START_S = 120  # on a machine that is busy with other tests
END_S = 10


@contextmanager
def served(city: City, folder: Path, *options: str) -> Iterator[str]:
    """Serve the app over a city, whose checkpoint is made in `folder`, and give its address."""
    city.save(folder)
    (folder / "README.md").write_text("---\nsimulated: true\n---\n", encoding="utf-8")
    port = free_port()
    command = [sys.executable, str(SERVER), str(folder), str(port), *options]
    with running(command, f"http://localhost:{port}/_stcore/health", folder / "log.txt"):
        yield f"http://localhost:{port}/"


@contextmanager
def served_checkpoint(checkpoint: Path, folder: Path) -> Iterator[str]:
    """Serve the app over a checkpoint as `htp app` does, with workspace and log in `folder`, and give its address."""
    port = free_port()
    ours = ["--checkpoint", str(checkpoint), "--workspace", str(folder / "workspace")]
    command = [sys.executable, "-m", "streamlit", "run", str(MAIN), "--server.port", str(port), "--", *ours]
    with running(command, f"http://localhost:{port}/_stcore/health", folder / "log.txt"):
        yield f"http://localhost:{port}/"


@contextmanager
def running(command: list[str], health: str, log: Path) -> Iterator[subprocess.Popen]:
    """Run a server, from when it answers at `health` until the end of the block, whatever it is doing then."""
    with log.open("w") as file:  # a group of its own: `htp app` starts Streamlit, which has to end as well
        server = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        _wait_for(health, server, log)
        yield server
    finally:
        with suppress(ProcessLookupError):  # ended by the test
            os.killpg(server.pid, signal.SIGKILL)  # it may still be generating
        server.wait(END_S)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return int(free.getsockname()[1])


def _wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(START_S * 2):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url):  # noqa: S310  our own address
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    pytest.fail(f"{url} does not answer:\n{log.read_text()[-3000:]}")
