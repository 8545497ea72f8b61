"""Serve the app with the fake generator in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from htp.city import City

SERVER = Path(__file__).parent / "serve_with_fake.py"
START_S = 120  # on a machine that is busy with other tests
END_S = 10


@contextmanager
def served(city: City, folder: Path, *options: str) -> Iterator[str]:
    """Serve the app over a city, whose checkpoint is made in `folder`, and give its address."""
    city.save(folder)
    (folder / "README.md").write_text("---\nsimulated: true\n---\n", encoding="utf-8")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    log = folder / "log.txt"
    with log.open("w") as file:
        command = [sys.executable, str(SERVER), str(folder), str(port), *options]
        server = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://localhost:{port}/_stcore/health", server, log)
        yield f"http://localhost:{port}/"
    finally:
        server.kill()  # it may still be generating
        server.wait(END_S)


def _wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(START_S * 2):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url):  # noqa: S310  our own address
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    pytest.fail(f"the app did not start:\n{log.read_text()[-3000:]}")
