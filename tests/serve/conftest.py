"""Run the service over a stand-in for the generator, on a loopback port of its own."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for fake_batch_generator

from fake_batch_generator import FakeBatchGenerator
from waiting import NO_CERTIFICATES, eventually

from htp.cli.main import main
from htp.serve.admission import ServiceSettings
from htp.serve.application import create_app
from htp.serve.server import Server


@dataclass
class RunningService:
    """A service that runs, and a client of it."""

    generator: FakeBatchGenerator
    service: object
    server: Server
    http: httpx.Client
    url: str

    def stop(self):
        """Stop as SIGTERM does."""
        self.server.handle_exit(signal.SIGTERM, None)


@contextmanager
def running(generator, settings, keys):
    server = Server(create_app(generator, settings, keys), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    with httpx.Client(base_url=url, timeout=20, verify=NO_CERTIFICATES) as http:
        yield RunningService(generator, server.service, server, http, url)
    if isinstance(generator, FakeBatchGenerator):
        generator.open.set()
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture(scope="session", autouse=True)
def few_tries():
    """Look for an example route among few: in so small a city none is long enough, and the search takes 0.1 s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("htp.serve.documentation.TRIES", 5)
        yield


@pytest.fixture(scope="session")
def running_service():
    """Return the context in which a service of a generator runs, with its settings and keys."""
    return running


@pytest.fixture
def serve(grid):
    """Return a function that starts a service of the grid with settings and keys."""
    with ExitStack() as stack:

        def start(keys=None, generator=None, **settings):
            return stack.enter_context(
                running(generator or FakeBatchGenerator(grid), ServiceSettings(**settings), keys)
            )

        yield start


@pytest.fixture(scope="module")
def default_service(grid):
    with running(FakeBatchGenerator(grid), ServiceSettings(), None) as served:
        yield served


@pytest.fixture
def served(default_service):
    """Return a service of the grid with the settings it has by default; tests of a file share it."""
    default_service.generator.batches.clear()
    default_service.generator.poison = None
    return default_service


@pytest.fixture
def run_htp(monkeypatch, capsys):
    """Return a function that runs the program with arguments and returns exit code, output and messages."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["htp", *(str(argument) for argument in arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        heard = capsys.readouterr()
        return ended.value.code or 0, heard.out, heard.err

    return run


@pytest.fixture(scope="session")
def drive(place):
    """Return a request for a drive across the grid."""
    waypoints = [[round(c, 6) for c in place(*xy)] for xy in ((30, 0), (400, 380))]
    return {"waypoints": waypoints, "depart": "2024-05-06 08:15", "duration": 420.0}
